"""Batches of encoded samples: what a fit and a prediction go through, cut in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Subset

from sklearn_tree.estimators.to_device import placed_on
from sklearn_tree.estimators.tree_input import on_host
from sklearn_tree.nn import ImageBatch, SequenceBatch, TreeBatch
from sklearn_tree.nn.tensors import select_rows
from sklearn_tree.trees import RaggedArray, TreeArray
from sklearn_tree.trees.subtrees import heights_of, number_subtrees

Batch = TreeBatch | SequenceBatch | ImageBatch

_FEWEST_NODES = 8  # per level, on average: in chains, equal subtrees are not worth the search
_MOST_DISTINCT = 0.9  # subtrees, of all in a batch, for the search to be worth it
_TREE_WINDOW, _SEQUENCE_WINDOW = (8, 4), (50, 2)  # batches sorted together, and the fewest such windows


class EncodedDataset(Dataset):
    """Encoded samples, targets and weights; batches are cut from it in one piece.

    Parameters
    ----------
    X : TreeArray, RaggedArray or ndarray
        Encoded samples.
    y : array, shape (n_samples,), default=None
        Encoded targets.
    sample_weight : array of float, shape (n_samples,), default=None
        Weights of the samples in the loss, 1 on average.
    """

    def __init__(self, X: Any, y: Any = None, sample_weight: Any = None) -> None:
        self.X = X
        self.y = None if y is None else torch.as_tensor(np.array(y))
        self.sample_weight = None if sample_weight is None else torch.as_tensor(np.array(sample_weight))

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> Any:
        return self.batch(np.array([i]))

    def on(self, device: torch.device) -> EncodedDataset:
        """Return the dataset with its samples on an accelerator, if half its free memory holds them.

        Trees stay where they are: their batches are made in main memory.
        """
        if isinstance(self.X, TreeArray) or 2 * _n_bytes(self.X) > free_memory(device):
            return self
        moved = EncodedDataset(placed_on(self.X, device))
        moved.y = None if self.y is None else self.y.to(device)
        moved.sample_weight = None if self.sample_weight is None else self.sample_weight.to(device)
        return moved

    @cached_property
    def cost(self) -> np.ndarray | None:
        """What a batch costs by its largest sample, heights or lengths; None if all cost the same."""
        if not isinstance(self.X, (TreeArray, RaggedArray)) or not len(self.X):
            return None
        cost = self.X.sizes
        if isinstance(self.X, TreeArray):
            cost = np.maximum.reduceat(self.X.depths, self.X.offsets[:-1])
        return cost if (cost != cost[0]).any() else None

    @cached_property
    def with_subtrees(self) -> Any:
        """The samples; trees without values know which of their subtrees are equal."""
        X = self.X
        if not isinstance(X, TreeArray) or X.values is not None or not len(X):
            return X
        if X.n_nodes < _FEWEST_NODES * (int(X.depths.max()) + 1):
            return X
        return X.replace(subtrees=number_subtrees(X, on_host(X.labels), on_host(X.edges)))

    def pays_to_share(self, batch_size: int) -> bool:
        """Whether enough inner nodes of a batch are roots of equal subtrees, by a batch from all over."""
        numbers = getattr(self.with_subtrees, "subtrees", None)
        if numbers is None:
            return False
        rows = np.linspace(0, len(self) - 1, min(batch_size, len(self))).astype(np.int64)
        numbers = self.with_subtrees[rows].subtrees
        inner = numbers[heights_of(numbers) > 0]
        return len(np.unique(inner)) <= _MOST_DISTINCT * len(inner)

    def batch(
        self, rows: np.ndarray, max_nodes: int | None = None, share_subtrees: bool = False
    ) -> tuple[Any, Tensor]:
        """Return the batch of some rows and its target; the batch carries the weights.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            The rows.
        max_nodes : int, default=None
            The most nodes of trees that are computed together; None for no limit.
        share_subtrees : bool, default=False
            Whether equal subtrees of the batch are computed once.

        Returns
        -------
        batch : TreeBatch, SequenceBatch, ImageBatch or SplitBatch
            The samples.
        y : Tensor, shape (n, ...)
            Their targets; zeros if there are none, since skorch wants something.
        """
        y = torch.zeros(len(rows)) if self.y is None else select_rows(self.y, rows)
        samples = self.with_subtrees if share_subtrees else self.X
        if max_nodes is None or not isinstance(samples, TreeArray):
            return self._part(samples, rows), y
        parts = [self._part(samples, part) for part in split_by_size(rows, samples.sizes[rows], max_nodes)]
        return (parts[0] if len(parts) == 1 else SplitBatch(tuple(parts))), y

    def _part(self, samples: Any, rows: np.ndarray) -> Batch:
        X = make_batch(samples, rows)
        if self.sample_weight is None:
            return X
        return replace(X, sample_weight=select_rows(self.sample_weight, rows))


def _n_bytes(X: Any) -> int:
    return (X.values if isinstance(X, RaggedArray) else X).nbytes


def free_memory(device: torch.device) -> int:
    """Return how many bytes of an accelerator's own memory are free; 0 where there is none or none tells."""
    mem_get_info = getattr(getattr(torch, device.type, None), "mem_get_info", None)
    return 0 if mem_get_info is None else mem_get_info(device)[0]


def split_by_size(rows: np.ndarray, sizes: np.ndarray, most: int) -> list[np.ndarray]:
    """Cut rows into runs of at most ``most`` in size; a row that is larger is a run by itself."""
    cuts, total = [], 0
    for i, size in enumerate(sizes.tolist()):
        total += size
        if total > most and i:
            cuts.append(i)
            total = size
    return np.split(rows, cuts)


@dataclass(frozen=True)
class SplitBatch:
    """A batch in parts that are computed one after the other, so that memory holds one at a time.

    Attributes
    ----------
    parts : tuple of batches
        The parts, in order.
    """

    parts: tuple[Batch, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def sample_weight(self) -> Tensor | None:
        """The weights of all samples."""
        weights = [part.sample_weight for part in self.parts if part.sample_weight is not None]
        return torch.cat(weights) if weights else None


def make_batch(X: Any, rows: np.ndarray) -> Batch:
    """Make the batch of some of the encoded samples."""
    if isinstance(X, TreeArray):
        return TreeBatch.from_array(X[rows])
    return SequenceBatch.from_array(X, rows) if X.ndim != 4 else ImageBatch.from_array(select_rows(X, rows))


class BatchIterator:
    """Iterate over an :class:`EncodedDataset` (or a ``Subset`` of one) in whole batches.

    Shuffling draws from torch's global generator, as ``DataLoader`` does. A batch costs what its highest
    tree or longest sequence makes it cost, so after shuffling, samples are sorted by height or length
    inside windows, of eight batches of trees or fifty of sequences, or less: a quarter of the trees or half
    of the sequences at most. Then the batches are shuffled.

    Parameters
    ----------
    dataset : EncodedDataset or Subset of one
        The samples.
    batch_size : int, default=128
        Samples in a batch; the last one may be smaller.
    shuffle : bool, default=False
        Whether each pass has an order of its own.
    drop_last : bool, default=False
        Whether to leave out a last batch that is smaller.
    max_nodes : int, default=None
        The most nodes of trees that are computed together: a batch with more is split into parts.
    share_subtrees : bool, default=False
        Whether equal subtrees of a batch are computed once, where there are enough of them.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 128,
        shuffle: bool = False,
        drop_last: bool = False,
        max_nodes: int | None = None,
        share_subtrees: bool = False,
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.max_nodes = max_nodes
        self.share_subtrees = share_subtrees

    def __iter__(self) -> Iterator[Any]:
        dataset, rows = self.dataset, np.arange(len(self.dataset))
        while isinstance(dataset, Subset):
            rows, dataset = np.asarray(dataset.indices)[rows], dataset.dataset
        size, order = self.batch_size, np.arange(len(rows) // self.batch_size + 1)
        if self.shuffle:
            rows = rows[torch.randperm(len(rows)).numpy()]
        if self.drop_last:
            rows = rows[: len(rows) - len(rows) % size]
        if self.shuffle:
            window, n_windows = _TREE_WINDOW if isinstance(dataset.X, TreeArray) else _SEQUENCE_WINDOW
            window = min(window, len(rows) // size // n_windows)
            if window > 1 and dataset.cost is not None:
                full = len(rows) - len(rows) % size  # the highest of a window are not left for a short batch
                for start in range(0, full, window * size):
                    here = rows[start : min(start + window * size, full)]
                    here[:] = here[np.argsort(dataset.cost[here], kind="stable")]
                order = torch.randperm(len(order)).numpy()
        share = self.share_subtrees and dataset.pays_to_share(size)
        for i in order:
            if i * size < len(rows):
                yield dataset.batch(rows[i * size : (i + 1) * size], self.max_nodes, share)
