"""Datasets of encoded samples and the batches that are taken from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset

from sklearn_tree.kinds import Batch, Kind
from sklearn_tree.nn.compilation import uses_compiled_walks
from sklearn_tree.nn.tensors import select_rows
from sklearn_tree.randomness import generator_for

_N_NODES_PER_PREDICTION = 20_000  # of a batch that a compiled walk computes; larger ones are hardly faster
_N_POSITIONS_AHEAD = 4096  # of small batches that are made one after the other, in warm caches


def _refuse_raw(X: Any, kind: Kind) -> None:
    """Refuse samples that were given to a skorch net before a vectorizer has encoded them."""
    if isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.dtype.kind in "OUT"):
        wanted = "an array of numbers" if kind.container is None else f"a {kind.container.__name__}"
        wanted += " of ids" if kind.has_labels else ""
        raise TypeError(
            f"X must be encoded, got {type(X).__name__}: a skorch net reads {wanted}, as vectorizers return"
        )


class EncodedDataset(Dataset):
    """Encoded samples with targets and weights; a batch takes the same rows of all three.

    Parameters
    ----------
    X : encoded samples
        Return value of ``kind.encode``.
    y : array, shape (n_samples,) or (n_samples, n_outputs), default=None
        Encoded targets.
    sample_weight : array of float, shape (n_samples,), default=None
        Weights of the samples in the loss, 1 on average.
    kind : Kind
        Kind of the samples.

    Attributes
    ----------
    correction : Tensor of float, shape (n_samples, n_outputs), or None
        Added to the logits in training, see :func:`~sklearn_tree.estimators.linear_path.fit_linear_path`.

    Raises
    ------
    TypeError
        If X is a list, or an array of texts or objects.
    """

    def __init__(self, X: Any, y: Any = None, sample_weight: Any = None, *, kind: Kind) -> None:
        _refuse_raw(X, kind)
        self.X = X
        self.y: Any = None if y is None else torch.as_tensor(np.array(y))
        self.sample_weight = None if sample_weight is None else torch.as_tensor(np.array(sample_weight))
        self.correction: Tensor | None = None
        self.kind = kind
        self._shared: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> Any:
        return self.batch(np.array([i]))

    @property
    def y_weight(self) -> np.ndarray | None:
        """Weights of ``y`` in the loss, float, shape (n_samples,)."""
        return None if self.sample_weight is None else self.sample_weight.numpy()

    def take(self, rows: np.ndarray) -> EncodedDataset:
        """Return a dataset with the given rows."""
        y, weight = (None if c is None else c.numpy()[rows] for c in (self.y, self.sample_weight))
        return EncodedDataset(self.X[rows], y, weight, kind=self.kind)

    def normalize(self) -> EncodedDataset:
        """Return the dataset with weights that are 1 on average."""
        if self.y is None or self.sample_weight is None:
            return self
        weight = self.sample_weight.numpy()
        return EncodedDataset(self.X, self.y.numpy(), weight / weight.mean(), kind=self.kind)

    def on(self, device: torch.device) -> EncodedDataset:
        """Return the dataset with its samples on an accelerator, if they fit into half of its free memory.

        Samples whose batches are built in main memory stay there.
        """
        if self.kind.is_batched_on_host or 2 * self.kind.n_bytes(self.X) > free_memory(device):
            return self
        moved = EncodedDataset(self.kind.to(self.X, device), kind=self.kind)
        moved.y = None if self.y is None else self.y.to(device)
        moved.sample_weight = None if self.sample_weight is None else self.sample_weight.to(device)
        moved.correction = None if self.correction is None else self.correction.to(device)
        return moved

    @cached_property
    def cost(self) -> np.ndarray | None:
        """Heights or lengths of the samples, which set the cost of a batch; None if all cost the same."""
        return self.kind.cost(self.X)

    @cached_property
    def n_positions(self) -> np.ndarray:
        """Number of nodes, steps, pixels or columns of each sample."""
        return self.kind.n_positions(self.X)

    def shared(self, batch_size: int) -> Any:
        """Return the samples, annotated so that batches compute repeated parts once if that is faster."""
        if batch_size not in self._shared:
            self._shared[batch_size] = self.kind.share_repeats(self.X, batch_size)
        return self._shared[batch_size]

    def batch(
        self, rows: np.ndarray, max_nodes: int | None = None, samples: Any = None
    ) -> tuple[Any, Tensor]:
        """Return the given rows as a batch, which holds the weights, and their targets.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            The rows.
        max_nodes : int, default=None
            Maximum number of positions (nodes of trees) that are computed together; None for no limit.
        samples : encoded samples, default=None
            The samples with annotations, see :meth:`shared`.

        Returns
        -------
        batch : Batch or SplitBatch
            The samples.
        y : Tensor, shape (n, ...)
            Targets; zeros if the dataset has none, since skorch expects a tensor.
        """
        y = torch.zeros(len(rows)) if self.y is None else select_rows(self.y, rows)
        samples = self.X if samples is None else samples
        if max_nodes is None:
            return self._part(samples, rows), y
        sizes = self.n_positions[rows]
        parts = [self._part(samples, part) for part in split_by_size(rows, sizes, max_nodes)]
        return (parts[0] if len(parts) == 1 else SplitBatch(tuple(parts))), y

    def _part(self, samples: Any, rows: np.ndarray) -> Any:
        batch: Any = self.kind.batch(samples, rows)
        columns = {"sample_weight": self.sample_weight, "correction": self.correction}
        given = {name: select_rows(c, rows) for name, c in columns.items() if c is not None}
        return replace(batch, **given) if given else batch


def widen_batches(batches: Any, module: nn.Module, n_positions: np.ndarray) -> None:
    """Let the batches of a prediction have more samples if the walks of a net are compiled.

    A compiled walk computes large batches about twice as fast as small ones, and the outputs of a sample do
    not depend on its batch.

    Parameters
    ----------
    batches : iterable
        Batches of the prediction; left unchanged unless it is a :class:`BatchIterator`.
    module : nn.Module
        The net.
    n_positions : ndarray of int, shape (n_samples,)
        Number of nodes of each sample.
    """
    if isinstance(batches, BatchIterator) and len(n_positions) and uses_compiled_walks(module):
        size = int(_N_NODES_PER_PREDICTION / max(n_positions.mean(), 1.0))
        batches.batch_size = max(batches.batch_size, size)


def free_memory(device: torch.device) -> int:
    """Return the free memory of an accelerator in bytes; 0 if the device has none or does not report it."""
    mem_get_info = getattr(getattr(torch, device.type, None), "mem_get_info", None)
    return 0 if mem_get_info is None else mem_get_info(device)[0]


def split_by_size(rows: np.ndarray, sizes: np.ndarray, max_size: int) -> list[np.ndarray]:
    """Cut rows into runs of at most ``max_size`` in total; a larger row forms a run of its own."""
    cuts, total = [], 0
    for i, size in enumerate(sizes.tolist()):
        total += size
        if total > max_size and i:
            cuts.append(i)
            total = size
    return np.split(rows, cuts)


def count_predictions(batch: Any) -> int:
    """Return the number of predictions for a batch: one per sample unless nodes have targets."""
    return getattr(batch, "n_predictions", len(batch))


@dataclass(frozen=True)
class SplitBatch:
    """Batch in parts that are computed one after the other to save memory.

    Attributes
    ----------
    parts : tuple of Batch
        The parts, in order.
    """

    parts: tuple[Batch, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def sample_weight(self) -> Tensor | None:
        """Weights of all samples."""
        weights = [part.sample_weight for part in self.parts if part.sample_weight is not None]
        return torch.cat(weights) if weights else None

    @property
    def n_predictions(self) -> int:
        """Number of rows of the logits."""
        return sum(map(count_predictions, self.parts))


def _permute(n: int) -> np.ndarray:
    return torch.randperm(n, generator=generator_for(torch.device("cpu"))).numpy()


def _weigh_share(batch: tuple[Any, Tensor], mean_size: float) -> tuple[Any, Tensor]:
    """Return a share of a batch with weights that make up for the unequal sizes of the shares."""
    X, y = batch
    factor = len(X) / mean_size
    if factor == 1.0:
        return batch
    if isinstance(X, SplitBatch):
        return SplitBatch(tuple(_scale_weights(part, factor) for part in X.parts)), y
    return _scale_weights(X, factor), y


def _scale_weights(batch: Any, factor: float) -> Any:
    weight = torch.ones(count_predictions(batch)) if batch.sample_weight is None else batch.sample_weight
    return replace(batch, sample_weight=weight * factor)


class BatchIterator:
    """Iterator over an :class:`EncodedDataset` (or a ``Subset`` of one) in whole batches.

    Shuffling draws from the generator of the enclosing fit, else from torch's global generator, as
    ``DataLoader`` does. The tallest tree or longest sequence sets the cost of a batch, so after shuffling,
    samples are sorted by height or length within windows of several batches (``Kind.sort_windows``), and the
    batches are shuffled again.

    Parameters
    ----------
    dataset : EncodedDataset or Subset of one
        The samples.
    batch_size : int, default=128
        Samples in a batch; the last one may be smaller.
    shuffle : bool, default=False
        Whether to shuffle the samples in each pass.
    drop_last : bool, default=False
        Whether to drop the last batch if it is smaller.
    max_nodes : int, default=None
        Maximum number of nodes that are computed together: a larger batch is split into parts.
    share_subtrees : bool, default=False
        Whether equal subtrees of a batch are computed once if that is faster.
    share : tuple of int, default=(0, 1)
        Index of a process and number of processes that share each batch. Each gets every n-th sample, with
        weights such that the mean of the losses of all processes is the loss of the batch. A batch with fewer
        samples than processes is skipped.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 128,
        shuffle: bool = False,
        drop_last: bool = False,
        max_nodes: int | None = None,
        share_subtrees: bool = False,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.max_nodes = max_nodes
        self.share_subtrees = share_subtrees
        self.share = share

    def __len__(self) -> int:
        n_whole, n_rest = divmod(len(self.dataset), self.batch_size)
        return n_whole + (not self.drop_last and n_rest >= self.share[1])

    def __iter__(self) -> Iterator[Any]:
        dataset, rows = self.dataset, np.arange(len(self.dataset))
        while isinstance(dataset, Subset):
            rows, dataset = np.asarray(dataset.indices)[rows], dataset.dataset
        size, order = self.batch_size, np.arange(len(rows) // self.batch_size + 1)
        if self.shuffle:
            rows = rows[_permute(len(rows))]
        if self.drop_last:
            rows = rows[: len(rows) - len(rows) % size]
        if self.shuffle and self._sort_windows(dataset, rows):
            order = _permute(len(order))
        samples = dataset.shared(size) if self.share_subtrees else None
        index, n_shares = self.share
        parts = (rows[i * size : (i + 1) * size] for i in order)
        batches = (
            _weigh_share(dataset.batch(part[index::n_shares], self.max_nodes, samples), len(part) / n_shares)
            for part in parts
            if len(part) >= n_shares
        )
        n_positions = dataset.n_positions.mean() if len(dataset) else 1
        n_ahead = int(_N_POSITIONS_AHEAD / max(size * n_positions, 1))
        while chunk := list(islice(batches, max(n_ahead, 1))):
            yield from chunk

    def _sort_windows(self, dataset: EncodedDataset, rows: np.ndarray) -> bool:
        """Sort shuffled rows by cost within windows, in place; return False if windows are too small."""
        window, n_windows = dataset.kind.sort_windows
        window = min(window, len(rows) // self.batch_size // n_windows) * self.batch_size
        if window <= self.batch_size or dataset.cost is None:
            return False
        n_full = len(rows) - len(rows) % self.batch_size  # a smaller last batch must not get the largest ones
        for start in range(0, n_full, window):
            part = rows[start : min(start + window, n_full)]
            part[:] = part[np.argsort(dataset.cost[part], kind="stable")]
        return True
