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


def make_inputs(subject: Subject, array: Any, baseline: Tensor | str) -> Inputs:
    """Return some samples as a net sees them.

    Parameters
    ----------
    subject : Subject
        The net.
    array : TreeArray, RaggedArray, ndarray or Tensor
        Encoded samples.
    baseline : Tensor of float, shape (embedding_dim,), or {"mean", "zero"}
        The vector of an absent word or node; of numbers, the training's mean or 0.

    Returns
    -------
    Inputs
    """
    return (TreeInputs if isinstance(array, TreeArray) else Inputs)(subject, array, baseline)


class Inputs:
    """Some samples as a net sees them, a row for each; for trees see :class:`TreeInputs`.

    Captum stacks copies of all rows one after the other ("copy-major"), and so do we.

    Parameters
    ----------
    subject, array, baseline
        See :func:`make_inputs`.

    Attributes
    ----------
    batch : TreeBatch, SequenceBatch or ImageBatch
        The samples.
    x, x0 : Tensor of float, shape (n_rows, ...)
        The inputs, and what stands in their place where they are taken away.
    is_player : Tensor of bool
        Which of ``x`` can be taken away: steps, shape (n, n_steps), or pixels, shape (n, height, width), but
        no padding; of trees all, shape (n_rows,).
    """

    def __init__(self, subject: Subject, array: Any, baseline: Tensor | str) -> None:
        self.subject, self.array, self.module = subject, array, subject.module
        self.batch = make_batch(array).to(subject.device)
        self._copies: dict[int, Any] = {}
        with torch.no_grad():
            self._fill(self._embedded(self.batch), self._absent(baseline))

    def _fill(self, x: Tensor, absent: Tensor) -> None:
        if isinstance(self.batch, ImageBatch):
            self.is_player = torch.ones(x.shape[:3], dtype=torch.bool, device=x.device)
        else:
            self.is_player = step_mask(self.batch.lengths, self.batch.n_steps)
        self.x, self.x0 = x, torch.where(self.is_player.unsqueeze(-1), absent, x)

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def n_rows(self) -> int:
        """Number of rows of ``x``."""
        return len(self.x)

    @property
    def n_positions(self) -> int:
        """Number of nodes, steps or pixels that a pass computes, padding included."""
        return self.is_player.numel()

    @property
    def samples(self) -> Tensor:
        """The sample of each row, Tensor of int64, shape (n_rows,)."""
        return torch.arange(len(self), device=self.x.device)

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
        k = self._n_copies(x)
        if k not in self._copies:
            kept = {1: self._copies[1]} if 1 in self._copies else {}
            self._copies = {**kept, k: self._repeated(k)}  # the last chunk may be smaller
        return self._forward(x, self._copies[k])

    def _n_copies(self, x: Tensor) -> int:
        k, rest = divmod(len(x), self.n_rows)
        if rest or not k:
            raise ValueError(
                f"rows must be whole copies of the {self.n_rows} rows of this batch, got {len(x)}"
            )
        return k

    def _forward(self, x: Tensor, copies: Any) -> Tensor:
        return self.module.forward_embedded(x, copies)

    def _repeated(self, k: int) -> Any:
        columns = {name: c for name, c in vars(self.batch).items() if isinstance(c, Tensor)}
        many = {name: column.repeat(k, *(1,) * (column.ndim - 1)) for name, column in columns.items()}
        return replace(self.batch, **many)

    def per_sample(self, rows: Tensor) -> Tensor:
        """Sum the numbers of each sample, Tensor of float, shape (n,)."""
        rows = rows.flatten(1).sum(1) if rows.ndim > 1 else rows
        return rows.new_zeros(len(self)).index_add(0, self.samples, rows)

    def split(self, rows: Tensor) -> list[np.ndarray]:
        """Split numbers, one or several per position, into samples without padding."""
        numbers = rows.detach().double().cpu().numpy()
        if isinstance(self.batch, ImageBatch):
            return list(numbers)
        return [part[:n] for part, n in zip(numbers, self.batch.lengths.tolist(), strict=True)]

    def _embedded(self, batch: Any) -> Tensor:
        return self.module.embedding(batch).to(self.subject.dtype)

    def _absent(self, baseline: Tensor | str) -> Tensor:
        """Return what stands in the place of what is taken away, in batch order."""
        batch = self.batch
        if isinstance(baseline, Tensor):  # what hangs on a node stays: its edge
            rest = self._embedded(replace(batch, labels=torch.zeros_like(batch.labels), values=None))
            return rest + baseline.to(rest)
        if getattr(batch, "labels", None) is not None:  # a table, whose columns keep their names
            values = torch.full_like(batch.values, torch.nan if baseline == "mean" else 0.0)
            return self._embedded(replace(batch, values=values))
        at_zero = self._embedded(replace(batch, values=torch.zeros_like(batch.values)))
        return torch.zeros_like(at_zero) if baseline == "mean" else at_zero  # standardised, the mean is 0


class TreeInputs(Inputs):
    """Some trees as a net sees them, a row for each node that has a label or a number of its own.

    Rows are in the order of the ``TreeArray``. The other nodes have few different inputs, which are
    computed once: inner nodes of parse trees have none but their edges.

    Attributes
    ----------
    nodes : Tensor of int64, shape (n_rows,)
        The node of each row, numbered through all trees.
    fixed : Tensor of float, shape (n_fixed, embedding_dim)
        The different inputs of the other nodes.
    rows_of_nodes : Tensor of int64, shape (n_nodes,)
        Where each node's input is: in ``fixed``, or behind it in ``x``.
    """

    def _fill(self, x: Tensor, absent: Tensor) -> None:
        batch = self.batch
        has_value = torch.zeros_like(batch.labels, dtype=torch.bool)
        if batch.values is not None:
            has_value = ~batch.values.isnan()
        is_player = has_value if self.subject.kind == "table" else (batch.labels != PAD_ID) | has_value
        order = batch.order
        is_player, x, absent = is_player[order], x[order], absent[order]
        self.nodes = is_player.nonzero().squeeze(1)
        self.x, self.x0 = x[self.nodes], absent[self.nodes]
        self.is_player = torch.ones_like(self.nodes, dtype=torch.bool)
        edges = torch.zeros_like(batch.labels) if batch.edges is None else batch.edges[order]
        rest = (~is_player).nonzero().squeeze(1)
        kinds, inverse = edges[rest].unique(return_inverse=True)
        example = rest.new_zeros(len(kinds)).scatter(0, inverse, rest)
        self.fixed = x[example]
        self.rows_of_nodes = torch.empty_like(batch.labels)
        self.rows_of_nodes[rest] = inverse
        self.rows_of_nodes[self.nodes] = len(kinds) + torch.arange(len(self.nodes), device=x.device)

    @property
    def n_positions(self) -> int:
        """Number of nodes."""
        return self.array.n_nodes

    @cached_property
    def samples_of_nodes(self) -> Tensor:
        """The tree of each node, Tensor of int64, shape (n_nodes,)."""
        trees = np.repeat(np.arange(len(self)), self.array.sizes)
        return torch.from_numpy(trees).to(self.x.device)

    @property
    def samples(self) -> Tensor:
        """The tree of each row, Tensor of int64, shape (n_rows,)."""
        return self.samples_of_nodes[self.nodes]

    @cached_property
    def is_leaf(self) -> Tensor:
        """Which nodes have no children, Tensor of bool, shape (n_nodes,)."""
        return torch.from_numpy(self.array.arities == 0).to(self.x.device)

    def split(self, rows: Tensor) -> list[np.ndarray]:
        """Split numbers, one per row or one per node, into trees; nodes without a row have 0."""
        if len(rows) != self.array.n_nodes:
            rows = rows.new_zeros(self.array.n_nodes).index_copy(0, self.nodes, rows)
        parts = np.split(rows.detach().double().cpu().numpy(), self.array.offsets[1:-1])
        # the root of a table's star is no column
        return [part[1:] for part in parts] if self.subject.kind == "table" else parts

    def _n_copies(self, x: Tensor) -> int:
        return super()._n_copies(x) if self.n_rows else 1

    def _repeated(self, k: int) -> tuple[TreeBatch, Tensor, Tensor, Tensor]:
        """Return the batch of k copies, the rows of inner nodes and of leaves, and each node's row."""
        batch = self.batch
        if k > 1:
            copies = self.array[np.tile(np.arange(len(self)), k)]
            batch = TreeBatch.from_array(copies).to(self.x.device)
        n_fixed, n = len(self.fixed), self.n_rows
        is_leaf = self.is_leaf[self.nodes].repeat(k)
        inner, leaves = (~is_leaf).nonzero().squeeze(1), is_leaf.nonzero().squeeze(1)
        # The inputs of inner nodes come first, then those of leaves; both begin with all fixed ones.
        place = torch.empty_like(is_leaf, dtype=torch.int64)
        place[inner] = n_fixed + torch.arange(len(inner), device=place.device)
        place[leaves] = n_fixed + torch.arange(len(leaves), device=place.device)
        steps = torch.arange(k, device=place.device).repeat_interleave(self.array.n_nodes)
        rows = self.rows_of_nodes.repeat(k)
        is_row = rows >= n_fixed
        rows[is_row] = place[(rows + n * steps)[is_row] - n_fixed]
        rows += (n_fixed + len(inner)) * self.is_leaf.repeat(k)
        inverse = torch.empty_like(rows)
        inverse[batch.order] = rows
        return replace(batch, n_distinct_inner=n_fixed + len(inner), shared=None), inner, leaves, inverse

    def _forward(self, x: Tensor, copies: Any) -> Tensor:
        batch, inner, leaves, inverse = copies
        parts = (self.fixed, x.index_select(0, inner), self.fixed, x.index_select(0, leaves))
        return self.module.forward_embedded(torch.cat(parts), batch, inverse)


def make_batch(array: Any) -> Any:
    """Make a batch of all encoded samples."""
    if isinstance(array, TreeArray):
        return TreeBatch.from_array(array)
    return ImageBatch.from_array(array) if array.ndim == 4 else SequenceBatch.from_array(array)
