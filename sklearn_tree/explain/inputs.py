"""``Inputs``: the vectors that enter a net, what they are compared with, and copies of both."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.subject import Subject
from sklearn_tree.nn import ImageBatch, SequenceBatch, TreeBatch
from sklearn_tree.nn.sequence_batch import step_mask
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.flat import PAD_ID

BASELINES = ("auto", "mean", "unknown", "zero")


class Inputs:
    """Some samples as a net sees them: a row of numbers per node, sequence or image.

    Rows of trees are nodes, in the order of the ``TreeArray``; rows of all else are samples. Captum stacks
    copies of all rows one after the other ("copy-major"), and so do we.

    Parameters
    ----------
    subject : Subject
        The net.
    array : TreeArray, RaggedArray, ndarray or Tensor
        Encoded samples.
    baseline : Tensor of float, shape (embedding_dim,), or {"mean", "zero"}
        The vector of an absent word or node; of numbers, the training's mean or 0.

    Attributes
    ----------
    batch : TreeBatch, SequenceBatch or ImageBatch
        The samples.
    x, x0 : Tensor of float, shape (n_rows, ...)
        The inputs, and what stands in their place where they are taken away.
    is_player : Tensor of bool
        Which inputs can be taken away: nodes, shape (n_nodes,), steps, shape (n, n_steps), or pixels,
        shape (n, height, width); not padding, nor nodes without label and number.
    """

    def __init__(self, subject: Subject, array: Any, baseline: Tensor | str) -> None:
        self.subject, self.array, self.module = subject, array, subject.module
        self.batch = make_batch(array).to(subject.device)
        self._baseline = baseline
        self._copies: dict[int, Any] = {}
        with torch.no_grad():
            x = self._embedded(self.batch)
            self.is_player = self._players()
            absent = self._absent()
            x0 = torch.where(self.is_player.unsqueeze(-1), absent, x)
        self.x, self.x0 = self._in_array_order(x), self._in_array_order(x0)
        if isinstance(self.batch, TreeBatch):
            self.is_player = self._in_array_order(self.is_player)

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def n_rows(self) -> int:
        """Number of rows of ``x``."""
        return len(self.x)

    @property
    def n_positions(self) -> int:
        """Number of nodes, steps or pixels of all samples, padding included."""
        return self.is_player.numel()

    @cached_property
    def samples(self) -> Tensor:
        """The sample of each row, Tensor of int64, shape (n_rows,)."""
        sizes = self.array.sizes if isinstance(self.array, TreeArray) else np.ones(len(self), dtype=np.int64)
        return torch.from_numpy(np.repeat(np.arange(len(self)), sizes)).to(self.x.device)

    def outputs(self, x: Tensor) -> Tensor:
        """Compute what the net says of whole copies of the samples.

        Parameters
        ----------
        x : Tensor of float, shape (k * n_rows, ...)
            Inputs of k copies, one copy after the other.

        Returns
        -------
        Tensor of float, shape (k * n, n_outputs)

        Raises
        ------
        ValueError
            If the rows are no whole copies: Captum's results would be wrong without a word.
        """
        k, rest = divmod(len(x), self.n_rows)
        if rest or not k:
            raise ValueError(
                f"rows must be whole copies of the {self.n_rows} rows of this batch, got {len(x)}"
            )
        if k not in self._copies:
            kept = {1: self._copies[1]} if 1 in self._copies else {}
            self._copies = {**kept, k: self._repeated(k)}  # the last chunk may be smaller
        batch, order = self._copies[k]
        return self.module.forward_embedded(x if order is None else x.index_select(0, order), batch)

    def per_sample(self, rows: Tensor) -> Tensor:
        """Sum the numbers of each sample, Tensor of float, shape (n,)."""
        rows = rows.flatten(1).sum(1) if rows.ndim > 1 else rows
        return rows.new_zeros(len(self)).index_add(0, self.samples, rows)

    def _repeated(self, k: int) -> tuple[Any, Tensor | None]:
        if isinstance(self.batch, TreeBatch):
            batch = self.batch
            if k > 1:
                copies = self.array[np.tile(np.arange(len(self)), k)]
                batch = TreeBatch.from_array(copies).to(self.x.device)
            return batch, torch.argsort(batch.order)
        columns = {name: c for name, c in vars(self.batch).items() if isinstance(c, Tensor)}
        many = {name: column.repeat(k, *(1,) * (column.ndim - 1)) for name, column in columns.items()}
        return replace(self.batch, **many), None

    def _embedded(self, batch: Any) -> Tensor:
        return self.module.embedding(batch).to(self.subject.dtype)

    def _in_array_order(self, rows: Tensor) -> Tensor:
        return rows.index_select(0, self.batch.order) if isinstance(self.batch, TreeBatch) else rows

    def _players(self) -> Tensor:
        batch, device = self.batch, self.subject.device
        if isinstance(batch, ImageBatch):
            return torch.ones(batch.values.shape[:3], dtype=torch.bool, device=device)
        if isinstance(batch, SequenceBatch):
            return step_mask(batch.lengths, batch.n_steps)
        has_value = torch.zeros_like(batch.labels, dtype=torch.bool)
        if batch.values is not None:
            has_value = ~batch.values.isnan()
        return has_value if self.subject.kind == "table" else (batch.labels != PAD_ID) | has_value

    def _absent(self) -> Tensor:
        """Return what stands in the place of what is taken away, in batch order."""
        batch, baseline = self.batch, self._baseline
        if isinstance(baseline, Tensor):  # what hangs on a node stays: its edge
            rest = self._embedded(replace(batch, labels=torch.zeros_like(batch.labels), values=None))
            return rest + baseline.to(rest)
        if getattr(batch, "labels", None) is not None:  # a table, whose columns keep their names
            values = torch.full_like(batch.values, torch.nan if baseline == "mean" else 0.0)
            return self._embedded(replace(batch, values=values))
        at_zero = self._embedded(replace(batch, values=torch.zeros_like(batch.values)))
        return torch.zeros_like(at_zero) if baseline == "mean" else at_zero  # standardised, the mean is 0


def make_batch(array: Any) -> Any:
    """Make a batch of all encoded samples."""
    if isinstance(array, TreeArray):
        return TreeBatch.from_array(array)
    return ImageBatch.from_array(array) if array.ndim == 4 else SequenceBatch.from_array(array)
