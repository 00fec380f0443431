"""Pairs of samples of any other kind."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sklearn_tree.containers import holds_pairs, is_tensor, pair_columns
from sklearn_tree.kinds.base import Kind
from sklearn_tree.kinds.columns import ColumnsMixin
from sklearn_tree.kinds.ids import is_open_vocabulary
from sklearn_tree.kinds.table import TableMixin
from sklearn_tree.kinds.training import TrainingDefaults
from sklearn_tree.state import iterate_subclasses
from sklearn_tree.trees.summary_sides import draw_sides, write_sides
from sklearn_tree.validation import check_columns
from sklearn_tree.vectors import WordVectors

if TYPE_CHECKING:
    import torch

    from sklearn_tree.nn import PairBatch

_SIDES = ("first", "second")
_FROM_ITEMS = (
    "is_batched_on_host",
    "is_signal",
    "n_channels_in_",
    "residual_defaults",
    "sort_windows",
    "vectorizer",
)


class PairArray:
    """Array of pairs: the samples of all pairs in one array.

    Parameters
    ----------
    items : TreeArray, RaggedArray, ndarray or Tensor
        Samples: both of the first pair, both of the second, and so on.
    names : sequence of str, default=("first", "second")
        Names of the two sides of a pair.

    Raises
    ------
    ValueError
        If the number of items is odd, or the names are not two different str.

    Examples
    --------
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.kinds import PairArray
    >>> first, second = ["(S it works)", "(S it fails)"], ["(S it works)", "(S she works)"]
    >>> vectorizer = TreeVectorizer().fit(first + second)
    >>> PairArray.from_columns(vectorizer.transform(first), vectorizer.transform(second))
    PairArray(2 pairs: first, second)
    """

    def __init__(self, items: Any, names: Sequence[str] = _SIDES) -> None:
        if len(items) % 2:
            raise ValueError(f"items must hold both samples of each pair, an even number, got {len(items)}")
        self.items = items
        self.names = _check_names(names)

    @classmethod
    def from_columns(cls, first: Any, second: Any, names: Sequence[str] = _SIDES) -> PairArray:
        """Pair the samples of two arrays that were encoded alike, by one vectorizer for example.

        Parameters
        ----------
        first, second : TreeArray, RaggedArray, ndarray or Tensor
            Samples, as many in both.
        names : sequence of str, default=("first", "second")
            Names of the two sides.

        Raises
        ------
        ValueError
            If the lengths or the numbers of label ids differ.
        """
        if len(first) != len(second):
            raise ValueError(
                f"first and second must have equal lengths, got {len(first)} and {len(second)} samples"
            )
        sizes = [side.n_labels for side in (first, second) if _is_encoded(side)]
        if len(set(sizes)) > 1:
            raise ValueError(
                f"first and second must have the same n_labels, got {sizes[0]} and {sizes[1]}: encode both "
                "with one vectorizer, or pass n_labels to both arrays"
            )
        joined = _concatenate(first, second)
        order = np.arange(2 * len(first)).reshape(2, -1).T.ravel()
        return cls(joined[order], names)

    @property
    def shape(self) -> tuple[int]:
        """Shape of the array, ``(n,)`` for n pairs."""
        return (len(self),)

    def __len__(self) -> int:
        return len(self.items) // 2

    def __sizeof__(self) -> int:
        """Return the size in bytes with the samples, see :class:`~sklearn_tree.trees.flat.FlatArray`."""
        return object.__sizeof__(self) + max(sys.getsizeof(self.items), getattr(self.items, "nbytes", 0))

    def __getitem__(self, key: Any) -> Any:
        """Return some pairs; one pair, for an int, as a dict of its sides."""
        if isinstance(key, (int, np.integer)):
            i = range(len(self))[key]
            return dict(zip(self.names, (self.items[2 * i], self.items[2 * i + 1]), strict=True))
        return self.replace(self.items[item_rows(np.arange(len(self))[key])])

    def replace(self, items: Any) -> PairArray:
        """Return the array with other samples."""
        return PairArray(items, self.names)

    def __repr__(self) -> str:
        return f"PairArray({len(self)} pairs: {', '.join(self.names)})"

    def __str__(self) -> str:
        return write_sides(repr(self), self._sides())

    def _repr_html_(self) -> str:
        return draw_sides(repr(self), self._sides())

    def _sides(self) -> dict[str, Any]:
        return {name: self.items[side::2] for side, name in enumerate(self.names)}


def _concatenate(first: Any, second: Any) -> Any:
    if not is_tensor(first):
        return np.concatenate([first, second])
    import torch

    return torch.cat([first, second])


def _check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the sides of a pair as a tuple."""
    found = () if isinstance(names, str) else tuple(names)
    if not all(isinstance(name, str) for name in found) or not len(found) == len(set(found)) == 2:
        raise ValueError(f"names must be two different str, got {names!r}")
    return found


def _is_encoded(array: Any) -> bool:
    """Return whether an array holds ids of labels."""
    return hasattr(array, "n_labels") and array.vocabulary is None


def item_rows(rows: np.ndarray) -> np.ndarray:
    """Return the positions in ``PairArray.items`` of the samples of some pairs."""
    return (2 * np.asarray(rows)[:, None] + [0, 1]).ravel()


class Pairs(ColumnsMixin):
    """Pairs of samples, encoded as one :class:`PairArray` by the kind of their samples.

    Attributes
    ----------
    item_kind : Kind
        Fitted kind of the samples. Both sides of a pair are encoded alike.
    """

    name: ClassVar[str] = "pairs"
    container = PairArray

    item_kind: Kind

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X has two columns of trees, texts or sequences."""
        return isinstance(X, PairArray) or holds_pairs(X)

    def accepts(self, X: Any) -> bool:
        """Return True: ``encode`` checks the columns."""
        return True

    def fit(self, X: Any) -> PairArray:
        """Read the pairs, find the kind of their samples and fit it to both columns."""
        items, columns = self._read_items(X, reset=True)
        candidates = [kind for kind in self.candidates if not issubclass(kind, (Pairs, TableMixin))]
        named = next((kind for kind in candidates if kind.is_named(self.input_kind)), None)
        found = named or next((kind for kind in candidates if kind.recognizes(items)), None)
        if found is None:
            names = " or ".join(repr(kind.name) for kind in candidates)
            raise ValueError(f"X must hold pairs of the kind {names}, got pairs of {_describe(items)}")
        self._set_item_kind(found(self.reader, candidates, self.channels))
        with _located(columns):
            encoded = self.item_kind.fit(items)
        self._set_item_kind(self.item_kind)
        return PairArray(encoded, _side_names(columns))

    def _set_item_kind(self, kind: Kind) -> None:
        self.item_kind = kind
        for name in _FROM_ITEMS:
            if hasattr(kind, name):
                setattr(self, name, getattr(kind, name))

    def _read_items(self, X: Any, *, reset: bool) -> tuple[Any, tuple]:
        """Return the samples of all pairs, and the names or positions of the columns."""
        is_paired = isinstance(X, PairArray)
        items, columns = (X.items, X.names) if is_paired else pair_columns(X)
        if reset or not is_paired or columns != tuple(getattr(self, "feature_names_in_", ())):
            check_columns(_name_columns(X) if is_paired else X, self, reader=self.reader, reset=reset)
        return items, columns

    def encode(self, X: Any) -> PairArray:
        """Read pairs, encoding their samples."""
        return self._apply(self.item_kind.encode, X)

    def set_vectors(self, vectors: WordVectors) -> None:
        """Set the pretrained vectors of the vocabulary of both samples."""
        self.word_vectors = self.item_kind.word_vectors = vectors

    def read_raw(self, X: Any) -> PairArray | None:
        """Return the pairs as the vectorizer reads them; None without a vectorizer."""
        return None if self.vectorizer is None else self._apply(self.vectorizer.read, X)

    def _apply(self, read: Any, X: Any) -> PairArray:
        """Apply a function to the samples of all pairs."""
        items, columns = self._read_items(X, reset=False)
        if not self.item_kind.accepts(items):
            kind = self.item_kind.name
            raise ValueError(
                f"X must hold pairs of the kind {kind!r}, as in fit, got pairs of {_describe(items)}"
            )
        with _located(columns):
            return PairArray(read(items), _side_names(columns))

    def _warn_of_encoded(self, encoded: PairArray, is_training: bool) -> None:
        for side in (0, 1):  # so that warnings name the rows of X
            self.item_kind._warn_of_encoded(encoded.items[side::2], is_training)

    # Nets and batches.

    def learn_defaults(self, encoded: PairArray) -> None:
        """Learn from the samples of all pairs; a label on both sides of one pair occurs in one sample."""
        kind, items = self.item_kind, encoded.items
        kind.learn_defaults(items)
        if kind.has_labels:
            counts = kind.count_labels(items, items.n_labels or 0)
            kind.is_open = is_open_vocabulary(counts[0::2] + counts[1::2], kind.label_ids(items))

    @property
    def training_defaults(self) -> TrainingDefaults:
        """Default parameters, with the cell and the widths of filters of single samples.

        Pairs of samples with an open vocabulary are easier to memorize than to learn from.
        """
        items = self.item_kind.training_defaults
        defaults = TrainingDefaults(cell=items.cell, kernel_sizes=items.kernel_sizes)
        if not items.linear_path:
            return defaults
        return replace(defaults, dropout=0.2, lr_schedule="cosine", max_batches=250)

    def wrap_net(self, net: Any) -> Any:
        """Return the class of the net for pairs."""
        from sklearn_tree.nn import PairNet

        return partial(PairNet, net)

    def module_params(self, encoded: PairArray, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the parameters that depend on the samples of all pairs."""
        return self.item_kind.module_params(encoded.items, _repeat(sample_weight))

    def dtype(self, encoded: PairArray) -> torch.dtype:
        """Return the dtype for the samples of the pairs."""
        return self.item_kind.dtype(encoded.items)

    def batch(self, encoded: PairArray, rows: np.ndarray) -> PairBatch:
        """Return the given pairs as a batch, whose samples are encoded together."""
        from sklearn_tree.nn import PairBatch

        return PairBatch(self.item_kind.batch(encoded.items, item_rows(rows)))

    def inputs(self, encoded: PairArray, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the samples of the given pairs."""
        return self.item_kind.inputs(encoded.items, item_rows(rows))

    def share_repeats(self, encoded: PairArray, batch_size: int) -> PairArray:
        """Return the pairs, annotated so that parts that occur on both sides are computed once too."""
        return encoded.replace(self.item_kind.share_repeats(encoded.items, 2 * batch_size))

    # Sizes.

    def n_positions(self, encoded: PairArray) -> np.ndarray:
        """Return the number of positions of both samples of each pair."""
        return self.item_kind.n_positions(encoded.items).reshape(-1, 2).sum(axis=1)

    def mean_length(self, encoded: PairArray, sample_weight: np.ndarray | None) -> float:
        """Return the mean number of positions of single samples."""
        return self.item_kind.mean_length(encoded.items, _repeat(sample_weight))

    def pool_size(self, encoded: PairArray, sample_weight: np.ndarray | None) -> int:
        """Return the factor by which a residual net downsamples the samples of the pairs."""
        return self.item_kind.pool_size(encoded.items, _repeat(sample_weight))

    def cost(self, encoded: PairArray) -> np.ndarray | None:
        """Return the larger height or length of each pair; None if all are equal."""
        cost = self.item_kind.cost(encoded.items)
        return None if cost is None else cost.reshape(-1, 2).max(axis=1)

    def n_bytes(self, encoded: PairArray) -> int:
        """Return the size of all samples in memory."""
        return self.item_kind.n_bytes(encoded.items)

    def magnitude(self, encoded: PairArray, row: int) -> float | None:
        """Return the largest absolute number of a pair; None if it has no numbers."""
        sides = [self.item_kind.magnitude(encoded.items, 2 * row + side) for side in (0, 1)]
        return max((number for number in sides if number is not None), default=None)

    # Devices.

    @classmethod
    def to(cls, encoded: PairArray, device: torch.device, dtype: torch.dtype | None = None) -> PairArray:
        """Return pairs with their samples on a device."""
        return encoded.replace(_kind_of_items(encoded).to(encoded.items, device, dtype))

    @classmethod
    def to_host(cls, encoded: PairArray) -> PairArray:
        """Return pairs with their samples in main memory."""
        return encoded.replace(_kind_of_items(encoded).to_host(encoded.items))

    # Saving.

    def to_state(self) -> dict[str, Any]:
        """Return the kind of the samples with its state, and the names of the columns."""
        item = self.item_kind
        return {"item_kind": item.name, "items": item.to_state(), **self._columns_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Pairs:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        kind = cls(reader)
        kind._restore_columns(state)
        name = state["item_kind"]
        item_class = next(item for item in iterate_subclasses(Kind) if getattr(item, "name", None) == name)
        kind._set_item_kind(item_class.from_state(state["items"], reader))
        return kind


def _kind_of_items(encoded: PairArray) -> type[Kind]:
    """Return a kind that moves the samples of pairs between devices."""
    items = encoded.items
    return next((k for k in iterate_subclasses(Kind) if k.container and isinstance(items, k.container)), Kind)


def _repeat(sample_weight: np.ndarray | None) -> np.ndarray | None:
    return None if sample_weight is None else np.repeat(sample_weight, 2)


def _name_columns(X: PairArray) -> Any:
    """Return a frame without rows that has the names of the sides of pairs."""
    import pandas as pd

    return pd.DataFrame(columns=X.names)


def _side_names(columns: tuple) -> tuple[str, ...]:
    return columns if all(isinstance(name, str) for name in columns) else _SIDES


def _describe(items: Any) -> str:
    return repr(type(items[0] if isinstance(items, np.ndarray) and items.ndim == 1 else items).__name__)


@contextmanager
def _located(columns: tuple) -> Iterator[None]:
    """Name the row and the column in errors that name the position of a sample among those of all pairs."""
    try:
        yield
    except (TypeError, ValueError) as error:
        message = re.sub(r"X\[(\d+)\]", lambda match: _locate(int(match[1]), columns), str(error))
        if message != str(error):
            error.args = (message,)
        raise


def _locate(item: int, columns: tuple) -> str:
    return f"X[{item // 2}] (column {columns[item % 2]!r})"
