"""The skorch nets that estimators own: skorch's loop over whole encoded batches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import skorch
import torch
from skorch.callbacks import PrintLog
from torch import Tensor
from torch.utils.data import Dataset, Subset

from sklearn_tree.estimators.tree_input import on_host
from sklearn_tree.nn import ImageBatch, SequenceBatch, TreeBatch
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.subtrees import heights_of, number_subtrees

Batch = TreeBatch | SequenceBatch | ImageBatch

_FEWEST_NODES = 8  # per level, on average: in chains, equal subtrees are not worth the search
_MOST_DISTINCT = 0.9  # subtrees, of all in a batch, for the search to be worth it
_WINDOW = 8  # batches whose samples are sorted together


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

    @cached_property
    def cost(self) -> np.ndarray | None:
        """What a batch costs by its largest sample: the heights of trees; None if all cost the same."""
        if not isinstance(self.X, TreeArray) or not len(self.X):
            return None
        heights = np.maximum.reduceat(self.X.depths, self.X.offsets[:-1])
        return heights if (heights != heights[0]).any() else None

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
        y = torch.zeros(len(rows)) if self.y is None else self.y[torch.from_numpy(rows)]
        samples = self.with_subtrees if share_subtrees else self.X
        if max_nodes is None or not isinstance(samples, TreeArray):
            return self._part(samples, rows), y
        parts = [self._part(samples, part) for part in split_by_size(rows, samples.sizes[rows], max_nodes)]
        return (parts[0] if len(parts) == 1 else SplitBatch(tuple(parts))), y

    def _part(self, samples: Any, rows: np.ndarray) -> Batch:
        X = make_batch(samples[rows])
        if self.sample_weight is None:
            return X
        return replace(X, sample_weight=self.sample_weight[torch.from_numpy(rows)])


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


def make_batch(X: Any) -> Batch:
    """Make the batch of some encoded samples."""
    if isinstance(X, TreeArray):
        return TreeBatch.from_array(X)
    return ImageBatch.from_array(X) if X.ndim == 4 else SequenceBatch.from_array(X)


class BatchIterator:
    """Iterate over an :class:`EncodedDataset` (or a ``Subset`` of one) in whole batches.

    Shuffling draws from torch's global generator, as ``DataLoader`` does. A batch of trees takes a
    step per level of its highest tree, so after shuffling, trees are sorted by height inside windows
    of eight batches, or less: a quarter of the data at most. Then the batches are shuffled.

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
            window = min(_WINDOW, len(rows) // size // 4)
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


class OwnedNetMixin:
    """What the nets of this package do otherwise than skorch's.

    Batches are objects that move themselves to a device, losses can be weighted per sample, the
    history keeps epochs only, and pickles hold neither optimizer nor callbacks.
    """

    stopped_by_callback_ = False

    @property
    def _default_callbacks(self) -> list:
        return [("print_log", PrintLog())] if self.verbose else []  # type: ignore[attr-defined]

    # skorch documents these three.
    def infer(self, x: Any, **fit_params: Any) -> Tensor:  # noqa: D102
        if isinstance(x, SplitBatch):
            return torch.cat([self.infer(part, **fit_params) for part in x.parts])
        return self.module_(x.to(self.device), **fit_params)  # type: ignore[attr-defined]

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:  # noqa: D102
        X, y = batch
        if not isinstance(X, SplitBatch):
            return super().train_step_single(batch, **fit_params)  # type: ignore[misc]
        steps = []  # gradients add up, and no part's graph outlives it
        for part, y_part in zip(X.parts, y.split([len(part) for part in X.parts]), strict=True):
            self._set_training(True)  # type: ignore[attr-defined]
            y_pred = self.infer(part, **fit_params)
            loss = self.get_loss(y_pred, y_part, X=part, training=True) * (len(part) / len(X))
            loss.backward()
            steps.append((loss.detach(), y_pred.detach()))
        losses, outputs = zip(*steps, strict=True)
        return {"loss": torch.stack(losses).sum(), "y_pred": torch.cat(outputs)}

    def get_loss(self, y_pred: Tensor, y_true: Any, X: Any = None, *args: Any, **kwargs: Any) -> Tensor:  # noqa: D102
        y_true = y_true.to(y_pred.device)
        if y_true.is_floating_point():
            y_true = y_true.to(y_pred.dtype)
        losses = super().get_loss(y_pred, y_true, X, *args, **kwargs)  # type: ignore[misc]
        weight = getattr(X, "sample_weight", None)
        if weight is not None:
            losses = losses.flatten(1).mean(1) if losses.ndim > 1 else losses
            losses = losses * weight.to(losses)
        return losses.mean()

    def run_single_epoch(
        self, iterator: Any, training: bool, prefix: str, step_fn: Any, **fit_params: Any
    ) -> None:
        """Run one pass and record its mean loss, and for validation its score and duration."""
        if iterator is None:
            return
        start = time.perf_counter()
        total, n_samples, seen = 0.0, 0, []
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            self.notify("on_batch_end", batch=batch, training=training, **step)
            total = total + step["loss"].detach() * len(batch[0])
            n_samples += len(batch[0])
            if not training:
                seen.append((step["y_pred"].cpu(), batch[1].cpu()))
        name, loss = f"{prefix}_loss", float(total) / max(n_samples, 1)
        earlier = [row[name] for row in self.history[:-1] if name in row]  # type: ignore[attr-defined]
        self.history.record(name, loss)  # type: ignore[attr-defined]
        self.history.record(f"{name}_best", all(loss < other for other in earlier))  # type: ignore[attr-defined]
        if seen:
            y_pred, y_true = (torch.cat(parts) for parts in zip(*seen, strict=True))
            self.history.record("valid_score", self.score_of(y_pred, y_true))  # type: ignore[attr-defined]
        rows = self.history[-1]  # type: ignore[attr-defined]
        self.history.record("dur", rows.get("dur", 0.0) + time.perf_counter() - start)  # type: ignore[attr-defined]

    def notify(self, method_name: str, **kwargs: Any) -> None:  # noqa: D102
        try:
            super().notify(method_name, **kwargs)  # type: ignore[misc]
        except KeyboardInterrupt:  # how skorch's callbacks stop a training
            self.stopped_by_callback_ = method_name == "on_epoch_end"
            raise

    def _set_params_callback(self, **params: Any) -> Any:
        # skorch's stumbles over a net without any callback, as ours are by default.
        if "callbacks" in params:
            self.callbacks = params.pop("callbacks")
        return super()._set_params_callback(**params) if params else self  # type: ignore[misc]

    def __getstate__(self) -> dict:
        # Only what prediction needs: training again makes a new optimizer and new callbacks.
        lean = object.__new__(type(self))
        lean.__dict__.update(self.__dict__)
        for name in ("optimizer_", "callbacks_"):
            if name in lean.__dict__:
                lean.__dict__[name] = None
        return super(OwnedNetMixin, lean).__getstate__()  # type: ignore[return-value]

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)  # type: ignore[misc]
        if "callbacks_" in self.__dict__:
            self.callbacks_: list = []
            self.initialize_callbacks()  # type: ignore[attr-defined]
            self.initialize_optimizer()  # type: ignore[attr-defined]


class ClassifierNet(OwnedNetMixin, skorch.NeuralNetClassifier):
    """A ``skorch.NeuralNetClassifier`` over encoded batches."""

    def score_of(self, y_pred: Tensor, y_true: Tensor) -> float:
        """Share of right labels.

        ``y_true`` holds class numbers, shape (n,) or (n, n_outputs), or floats 0 and 1, shape
        (n, n_labels); ``y_pred`` the logits of all classes.
        """
        if y_true.is_floating_point():
            return float(((y_pred > 0) == (y_true > 0)).double().mean())
        if y_true.ndim == 1:
            return float((y_pred.argmax(1) == y_true).double().mean())
        heads = y_pred.split(self.criterion_.n_classes, dim=1)  # type: ignore[attr-defined]
        right = [head.argmax(1) == y for head, y in zip(heads, y_true.T, strict=True)]
        return float(torch.stack(right).double().mean())


class RegressorNet(OwnedNetMixin, skorch.NeuralNetRegressor):
    """A ``skorch.NeuralNetRegressor`` over encoded batches."""

    @staticmethod
    def score_of(y_pred: Tensor, y_true: Tensor) -> float:
        """R squared of predictions against targets, both of shape (n, n_outputs), averaged."""
        y_true = y_true.reshape(y_pred.shape).double()
        residual = ((y_true - y_pred.double()) ** 2).sum(0)
        total = ((y_true - y_true.mean(0)) ** 2).sum(0)
        return float((1 - residual / total.clamp(min=torch.finfo(torch.float64).tiny)).mean())
