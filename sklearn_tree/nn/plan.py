"""Where everything is in the tables of a walk: rows and edges by level, gates by column."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.gated import GatedCell, split_gates, tanh_of_sigmoid
from sklearn_tree.nn.schedule import Schedule

Sized = tuple[Any, list[int]]  # tables, and how many of their rows belong to each level
_BLOCK = 64  # levels whose views exist at once


class Plan:
    """Where everything is for a cell, level by level from the roots down.

    An *edge* hangs a child on its parent. The edges of a cell that places its children are
    ``max_arity`` places per row, some of them empty; of any other cell, the edges of the schedule.
    The tables of states hold the rows of the schedule, then the leaves' rows, then zeros for an empty
    place. What is used level by level is numbered from the first of its level.
    """

    def __init__(self, cell: GatedCell, schedule: Schedule, n_leaf_rows: int) -> None:
        self.n_nodes, self.n_edges = list(schedule.n_rows), list(schedule.n_edges)
        self.n_inner, self.n_incoming = len(schedule.inputs), list(schedule.n_incoming)
        self.n_leaf_rows, self.leaf_rows = n_leaf_rows, schedule.leaf_rows
        self.wx_rows, self.rows = schedule.inputs, schedule.children
        edges = products = schedule.parents * cell.max_arity + schedule.ranks
        if cell.is_placed:
            self.n_edges = [n * cell.max_arity for n in self.n_nodes]
            self.rows = edges.new_full((sum(self.n_edges),), self.n_inner + n_leaf_rows)
            self.rows[edges] = schedule.children
        else:
            edges, products = torch.arange(len(edges), device=edges.device), schedule.parents
            self.edges = _local(edges, self.n_edges, self.n_edges)
            self.parents = _local(schedule.parents, self.n_nodes, self.n_edges)
            self.offsets = _local(schedule.offsets, self.n_edges, self.n_nodes)
            self.wx_rows_of_edges = schedule.inputs.index_select(0, schedule.parents)
        # Where the gradients of children come from: edges, and rows of U's product.
        self.incoming_edges = edges.index_select(0, schedule.incoming)
        self.incoming_products = products.index_select(0, schedule.incoming)
        self.leaf_edges = edges.index_select(0, schedule.leaf_edges)
        self.leaf_products = products.index_select(0, schedule.leaf_edges)
        self.incoming_offsets = schedule.incoming_offsets
        if self.incoming_offsets is not None:
            self.incoming_offsets = _local(self.incoming_offsets, self.n_incoming, self.n_nodes)


def _local(numbers: Tensor, counted: list[int], counts: list[int]) -> Tensor:
    """Number from the first of each level: ``counted`` of them in each, for ``counts`` rows in each."""
    return numbers - _repeated([0, *accumulate(counted[:-1])], counts, numbers)


def _repeated(values: list[int], counts: list[int], like: Tensor) -> Tensor:
    """Repeat each value as often as its count says; integers where ``like`` is."""
    return like.new_tensor(np.repeat(values, counts))


def levels(columns: dict[str, Sized], *, upwards: bool = False) -> Iterator[SimpleNamespace]:
    """Yield the levels of some tables, from the roots down or up to them.

    Views are made for some levels at a time: a view takes more memory than the row of a chain.

    Parameters
    ----------
    columns : dict of str to (Tensor or list of Tensor, list of int)
        For each name a table or several, and how many of its rows belong to each level.
    upwards : bool, default=False
        Whether to begin with the deepest level.

    Yields
    ------
    SimpleNamespace
        The rows of one level by name.
    """
    n_levels = len(next(iter(columns.values()))[1])
    starts = {id(sizes): [0, *accumulate(sizes)] for _, sizes in columns.values()}
    blocks = range(0, n_levels, _BLOCK)
    for first in reversed(blocks) if upwards else blocks:
        last = min(first + _BLOCK, n_levels)

        def split(table: Any, sizes: list[int], first: int = first, last: int = last) -> Any:
            if isinstance(table, list):
                parts = [split(each, sizes) for each in table]
                return list(zip(*parts, strict=True)) if parts else [()] * (last - first)
            at = starts[id(sizes)]
            return table[at[first] : at[last]].split(sizes[first:last])

        rows = list(zip(*(split(*column) for column in columns.values()), strict=True))
        for values in reversed(rows) if upwards else rows:
            yield SimpleNamespace(**dict(zip(columns, values, strict=True)))


class Columns:
    r"""Gates side by side, activated together.

    As :math:`\tanh x = 2 \sigma(2x) - 1`, what becomes a tanh is doubled before, and the table
    holds :math:`\sigma`; the derivative by :math:`x` is then four times that of :math:`\sigma`.
    """

    def __init__(self, cell: GatedCell, names: tuple[str, ...], like: Tensor) -> None:
        self.size = cell.hidden_size
        self.is_tanh = [name in cell.tanh_gates and name not in cell.linear_gates for name in names]
        up = [2.0 if is_tanh else 1.0 for is_tanh in self.is_tanh]
        self.up = like.new_tensor(up).repeat_interleave(self.size)  # factors before the sigmoid
        self.down = self.up**2
        self.runs: list[slice] = []  # of columns that become a sigmoid
        for i, name in enumerate(names):
            start, stop = i * self.size, (i + 1) * self.size
            if name in cell.linear_gates:
                continue
            if self.runs and self.runs[-1].stop == start:
                start = self.runs.pop().start
            self.runs.append(slice(start, stop))

    def activate(self, table: Tensor) -> None:
        """Take the sigmoid in place."""
        for run in self.runs:
            table[:, run].sigmoid_()

    def gates(self, table: Tensor) -> tuple[Tensor, ...]:
        """Return the activated gates that stand in a table."""
        pairs = zip(split_gates(table, self.size), self.is_tanh, strict=False)  # others may follow
        return tuple(tanh_of_sigmoid(gate) if is_tanh else gate for gate, is_tanh in pairs)

    def pull_back(self, grad: Tensor, table: Tensor) -> None:
        """Take gradients by what the sigmoid gave to those by what it took, in place."""
        for run in self.runs:
            part = grad[:, run]
            torch.ops.aten.sigmoid_backward.grad_input(part, table[:, run], grad_input=part)
