"""Plan of a walk: the rows of its tables that each level reads and writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from sklearn_tree.nn.gated import GatedCell
from sklearn_tree.nn.schedule import Schedule

# One or several tables, and the number of their rows at each level.
Sized = tuple[Tensor | Sequence[Tensor], list[int]]
_BLOCK_SIZE = 64  # number of levels whose views exist at once


@dataclass(frozen=True)
class EdgeRows:
    """Rows of edges for cells that sum their children; each is relative to the first row of its level.

    Attributes
    ----------
    edges : Tensor of int64, shape (n_edges,)
        Each edge.
    parents : Tensor of int64, shape (n_edges,)
        Parent of each edge.
    offsets : Tensor of int64, shape (n_rows,)
        First edge of each row.
    inputs : Tensor of int64, shape (n_edges,)
        Row of the input table for the parent of each edge, not relative.
    """

    edges: Tensor
    parents: Tensor
    offsets: Tensor
    inputs: Tensor


@dataclass(frozen=True)
class Plan:
    """Rows of the tables of a walk, level by level from the roots down.

    For cells with places the edges of a row are its ``max_arity`` places, some of them empty; for other
    cells they are the edges of the schedule. The tables of states hold the rows of the schedule, then the
    leaf rows, then one row of zeros for empty places.

    Attributes
    ----------
    n_rows, n_edges, n_incoming : list of int, length n_levels
        Number of rows, edges and incoming edges of each level.
    n_inner, n_leaf_rows : int
        Number of rows of all levels, and of leaf rows.
    inputs : Tensor of int64, shape (n_inner,)
        Row of the input table for each row.
    children : Tensor of int64, shape (n_all_edges,)
        Row of the tables of states for the child of each edge.
    leaf_rows, leaf_edges, leaf_products : Tensor of int64, shape (n_leaf_edges,)
        Leaf row, edge and row of the gradients of the inputs of ``U`` for each edge to a leaf.
    incoming_edges, incoming_products : Tensor of int64, shape (n_all_incoming,)
        The same for each incoming edge, sorted by child.
    incoming_offsets : Tensor of int64, shape (n_inner,), or None
        First incoming edge of each row, relative to its level; None if each row has one.
    edge_rows : EdgeRows or None
        Rows of edges; None for cells with places.
    """

    n_rows: list[int]
    n_edges: list[int]
    n_incoming: list[int]
    n_inner: int
    n_leaf_rows: int
    inputs: Tensor
    children: Tensor
    leaf_rows: Tensor
    leaf_edges: Tensor
    leaf_products: Tensor
    incoming_edges: Tensor
    incoming_products: Tensor
    incoming_offsets: Tensor | None
    edge_rows: EdgeRows | None


def make_plan(cell: GatedCell, schedule: Schedule, n_leaf_rows: int) -> Plan:
    """Make the plan of a walk.

    Parameters
    ----------
    cell : GatedCell
        Cell of the walk.
    schedule : Schedule
        Rows and edges.
    n_leaf_rows : int
        Number of leaf rows.

    Returns
    -------
    Plan
    """
    n_rows, n_inner = list(schedule.n_rows), len(schedule.inputs)
    # Gradients of children come from their edges, and from rows of the gradients of the inputs of U.
    if cell.is_placed:
        edges = products = schedule.parents * cell.max_arity + schedule.ranks
        n_edges = [n * cell.max_arity for n in n_rows]
        children = edges.new_full((sum(n_edges),), n_inner + n_leaf_rows)
        children[edges] = schedule.children
        edge_rows = None
    else:
        products = schedule.parents
        edges = torch.arange(len(products), device=products.device)
        n_edges, children = list(schedule.n_edges), schedule.children
        edge_rows = _make_edge_rows(schedule)
    return Plan(
        n_rows=n_rows,
        n_edges=n_edges,
        n_incoming=list(schedule.n_incoming),
        n_inner=n_inner,
        n_leaf_rows=n_leaf_rows,
        inputs=schedule.inputs,
        children=children,
        leaf_rows=schedule.leaf_rows,
        leaf_edges=edges.index_select(0, schedule.leaf_edges),
        leaf_products=products.index_select(0, schedule.leaf_edges),
        incoming_edges=edges.index_select(0, schedule.incoming),
        incoming_products=products.index_select(0, schedule.incoming),
        incoming_offsets=schedule.incoming_offsets,
        edge_rows=edge_rows,
    )


def _make_edge_rows(schedule: Schedule) -> EdgeRows:
    offsets, parents = schedule.level_offsets, schedule.parents
    return EdgeRows(
        edges=offsets.index_select(0, parents) + schedule.ranks,  # siblings are adjacent
        parents=schedule.level_rows.index_select(0, parents),
        offsets=offsets,
        inputs=schedule.inputs.index_select(0, parents),
    )


def iterate_levels(columns: dict[str, Sized], *, upwards: bool = False) -> Iterator[SimpleNamespace]:
    """Yield views of the rows of each level, from the roots down or up to them.

    Views are made for a block of levels at a time: the views of a chain take more memory than its rows.

    Parameters
    ----------
    columns : dict of str to (Tensor or sequence of Tensor, list of int)
        One or several tables for each name, and the number of their rows at each level.
    upwards : bool, default=False
        Whether to start with the deepest level.

    Yields
    ------
    SimpleNamespace
        Views of one level by name; a tuple of views for several tables.
    """
    n_levels = len(next(iter(columns.values()))[1])
    starts = {id(sizes): [0, *accumulate(sizes)] for _, sizes in columns.values()}
    blocks = range(0, n_levels, _BLOCK_SIZE)
    for first in reversed(blocks) if upwards else blocks:
        last = min(first + _BLOCK_SIZE, n_levels)
        split = [
            _split_levels(tables, sizes[first:last], starts[id(sizes)][first], starts[id(sizes)][last])
            for tables, sizes in columns.values()
        ]
        levels = list(zip(*split, strict=True))
        for views in reversed(levels) if upwards else levels:
            yield SimpleNamespace(**dict(zip(columns, views, strict=True)))


def _split_levels(
    tables: Tensor | Sequence[Tensor], sizes: list[int], start: int, stop: int
) -> Sequence[Any]:
    """Split the rows ``start`` to ``stop`` of one or several tables into levels."""
    if isinstance(tables, Tensor):
        return tables[start:stop].split(sizes)
    if not tables:
        return [()] * len(sizes)
    return list(zip(*(table[start:stop].split(sizes) for table in tables), strict=True))
