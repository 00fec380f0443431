"""Samples of a diagnosis: as the net reads them, encoded, and with targets."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.targets import check_length
from sklearn_tree.estimators.wrapped import apply_steps
from sklearn_tree.kinds import Kind
from sklearn_tree.trees.flat import FlatArray
from sklearn_tree.validation import renamed_in_errors, safe_indexing

MAX_NUMBERS = 10_000  # of a sample; 2,000 samples then take 160 MB as doubles


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Samples that a net has encoded.

    Attributes
    ----------
    X : samples
        Samples that the net reads.
    y : ndarray, shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    encoded : encoded samples
        Samples as the kind of the net encodes them, in main memory.
    target : ndarray, shape (n_samples,) or (n_samples, n_outputs)
        Encoded targets.
    kind : Kind
        Kind that has encoded the samples.
    """

    X: Any
    y: np.ndarray
    encoded: Any
    target: np.ndarray
    kind: Kind

    def __len__(self) -> int:
        return len(self.target)

    @property
    def columns(self) -> np.ndarray:
        """Encoded targets, shape (n_samples, n_columns)."""
        return self.target.reshape(len(self), -1)

    @property
    def items(self) -> Any:
        """Encoded samples; both samples of each pair."""
        return self.encoded if self.kind.item_kind is None else self.encoded.items

    @property
    def item_kind(self) -> Kind:
        """Kind of the items."""
        return self.kind.item_kind or self.kind

    def take(self, rows: np.ndarray) -> Samples:
        """Return the samples with the given indices."""
        return Samples(
            X=safe_indexing(self.X, rows),
            y=self.y[rows],
            encoded=self.encoded[rows],
            target=self.target[rows],
            kind=self.kind,
        )

    def draw(self, n: int, seed: int) -> np.ndarray:
        """Return the indices of at most ``n`` samples, in ascending order."""
        if len(self) <= n:
            return np.arange(len(self))
        return np.sort(np.random.RandomState(seed).permutation(len(self))[:n])

    def to_dataset(self) -> EncodedDataset:
        """Return the samples with their encoded targets."""
        return EncodedDataset(self.encoded, self.target, kind=self.kind)

    def read_numbers(self) -> np.ndarray | None:
        """Return the numbers of samples of a numeric kind, see :func:`read_numbers`."""
        return read_numbers(self.item_kind, self.items, len(self))

    def digest(self) -> list[bytes]:
        """Return a digest of each encoded sample."""
        keys = _digest_items(self.items)
        if self.kind.item_kind is None:
            return keys
        return [first + second for first, second in zip(keys[::2], keys[1::2], strict=True)]


def read_samples(
    net: BaseNet, steps: list[Any], X: Any, y: Any, names: tuple[str, str] = ("X", "y")
) -> Samples:
    """Apply the steps before a net to samples, and encode them and their targets.

    Parameters
    ----------
    net : BaseNet
        Fitted net.
    steps : list of transformers
        Steps before the net.
    X : samples
        Samples that the first step reads.
    y : array-like
        Targets.
    names : tuple of str, default=("X", "y")
        Names of the samples and the targets in errors.
    """
    with renamed_in_errors(dict(zip("Xy", names, strict=True))):
        return _read_samples(net, steps, X, y, names)


def _read_samples(net: BaseNet, steps: list[Any], X: Any, y: Any, names: tuple[str, str]) -> Samples:
    X, _ = apply_steps(steps, X)
    encoded = net.kind_.to_host(net._encode(X))
    y = net._read_more_y(y)
    check_length(y, encoded, names[::-1])
    return Samples(X=X, y=y, encoded=encoded, target=net.target_.encode(y), kind=net.kind_)


def join_samples(first: Any, second: Any) -> Any:
    """Concatenate two arrays of encoded samples."""
    return np.concatenate([first, second])


def read_numbers(kind: Kind, items: Any, n_samples: int) -> np.ndarray | None:
    """Return the numbers of samples of a numeric kind; None for labels, and for large samples.

    Parameters
    ----------
    kind : Kind
        Kind of the items.
    items : encoded samples
        The samples, or both samples of each pair.
    n_samples : int
        Number of samples.

    Returns
    -------
    ndarray of float64 or None
        Shape (n_samples, n_columns) for a table; otherwise the last axis has the channels.
    """
    if kind.has_labels or _count_numbers(kind, items) > MAX_NUMBERS:
        return None
    numbers = kind.inputs(items, np.arange(len(items)))["values"]
    if numbers.ndim == 1:  # a table that is read as trees, whose roots have no values
        return numbers[~np.isnan(numbers)].reshape(n_samples, -1)
    return numbers if len(items) == n_samples else numbers.reshape(n_samples, -1, *numbers.shape[1:])


def _count_numbers(kind: Kind, items: Any) -> float:
    """Return the number of numbers of the largest item."""
    sizes = kind.n_positions(items)
    return kind.inputs(items, np.arange(1))["values"].size / max(sizes[0], 1) * sizes.max()


def to_tensor(numbers: np.ndarray) -> torch.Tensor:
    """Return a copy of an array as a tensor."""
    return torch.from_numpy(np.array(numbers))


def _digest_items(items: Any) -> list[bytes]:
    if not isinstance(items, FlatArray):
        return [sha256(row.tobytes()).digest() for row in items]
    columns = [getattr(items, name) for name in items._columns if name != "subtrees"]
    bounds = zip(items.offsets[:-1].tolist(), items.offsets[1:].tolist(), strict=True)
    return [_digest_rows(columns, begin, end) for begin, end in bounds]


def _digest_rows(columns: list[np.ndarray | None], begin: int, end: int) -> bytes:
    digest = sha256()
    for column in columns:
        digest.update(b"" if column is None else column[begin:end].tobytes())
    return digest.digest()
