"""Levels of trees inside the loops of exported nets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

import numpy as np

from sklearn_tree.export.graph import Graph

_N_BOUNDS = 9  # columns of the table of levels


class Children(Protocol):
    """Children of the nodes of one level, whose rows are called edges."""

    def take_parents(self, table: str) -> str:
        """Return one row per edge, given one row per node."""
        ...

    def reduce(self, edges: str, n_columns: int, reduction: str = "add") -> str:
        """Reduce the rows of the edges of each node to one row."""
        ...

    def place(self, edges: str, n_columns: int, n_places: int) -> str:
        """Return the rows of the edges by the places of the children, shape (n * n_places, n_columns)."""
        ...


class LevelTables:
    """Tables of the levels of a batch, which are inputs of the exported net.

    They are the return value of :func:`~sklearn_tree.trees.levels.make_level_tables`.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        for name in ("rows", "above"):
            graph.input(name, "int64", ["n_nodes"])
        for name in ("children", "parents", "ranks", "targets"):
            graph.input(name, "int64", ["n_edges"])
        graph.input("levels", "int64", ["n_rows", _N_BOUNDS])
        graph.input("folds", "int64", ["n_bounds"])
        for name in ("roots", "sizes"):
            graph.input(name, "int64", ["n_trees"])

    @cached_property
    def n_levels(self) -> str:
        """Number of levels with inner nodes, int64, shape ()."""
        n_rows = self.graph.add("Shape", "levels", start=0, end=1)
        return self.graph.add("Squeeze", self.graph.add("Sub", n_rows, self.graph.ints(1)))

    @cached_property
    def n_inner(self) -> str:
        """Number of inner nodes, int64, shape (1,)."""
        return Level(self.graph, self.n_levels).leaf_start

    def take_roots(self, inner: str, leaves: Callable[[str, str], str]) -> str:
        """Return the rows of the roots.

        Parameters
        ----------
        inner : str
            Rows of the roots that are inner nodes.
        leaves : callable
            ``leaves(start, end)`` returns rows of leaves, given their positions in the batch.
        """
        level = Level(self.graph, self.n_levels)
        rows = self.graph.concat([inner, leaves(level.leaf_start, level.leaf_end)], axis=0)
        return self.graph.add("Gather", rows, "roots", axis=0)


class Level:
    """Inner nodes of one depth and the edges to their children.

    Parameters
    ----------
    graph : Graph
        Graph, or body of a loop, in which the level is used.
    index : str
        Row of the table of levels, int64, shape ().
    """

    def __init__(self, graph: Graph, index: str) -> None:
        self.graph = graph
        bounds = graph.split(graph.add("Gather", "levels", index, axis=0), [1] * _N_BOUNDS)
        self.start, self.end, self.end_below, self.leaf_start, self.leaf_end = bounds[:5]
        self.edge_start, self.edge_end, self.fold_start, n_folds = bounds[5:]
        self.n_folds = graph.add("Squeeze", n_folds)

    @cached_property
    def n_rows(self) -> str:
        """Number of inner nodes, int64, shape (1,)."""
        return self.graph.add("Sub", self.end, self.start)

    @cached_property
    def parents(self) -> str:
        """Row of the parent of each edge."""
        return self._edges("parents")

    def rows(self, table: str) -> str:
        """Return the rows of the inner nodes in a table with one row per node."""
        return self.graph.slice(table, self.start, self.end)

    def leaf_rows(self, table: str) -> str:
        """Return the rows of the leaves one level deeper in a table with one row per node."""
        return self.graph.slice(table, self.leaf_start, self.leaf_end)

    def rows_below(self, table: str) -> str:
        """Return the rows of the inner nodes one level deeper."""
        return self.graph.slice(table, self.end, self.end_below)

    def take_children(self, inner: str, leaves: str) -> str:
        """Return one row per edge, given those of the inner nodes and leaves one level deeper."""
        below = self.graph.concat([inner, leaves], axis=0)
        return self.graph.add("Gather", below, self._edges("children"), axis=0)

    def take_parents(self, table: str) -> str:
        """Return one row per edge, given one row per inner node."""
        return self.graph.add("Gather", table, self.parents, axis=0)

    def reduce(self, edges: str, n_columns: int, reduction: str = "add") -> str:
        """Reduce the rows of the edges of each inner node to one row.

        Parameters
        ----------
        edges : str
            One row per edge.
        n_columns : int
            Number of columns.
        reduction : {"add", "max"}, default="add"
            Reduction.
        """
        targets = self._edges("targets")

        # Operators that scatter with a reduction are run in parallel, and rows with one target in one step
        # would overwrite each other. The steps have no such rows, see `make_level_tables`.
        def fold(graph: Graph, step: str, rows: str) -> list[str]:
            bound = graph.add("Add", self.fold_start, step)
            old, new = (
                graph.add("Gather", "folds", graph.add("Add", bound, graph.ints(k)), axis=0) for k in (0, 1)
            )
            kept, added = graph.slice(rows, graph.ints(0), new), graph.slice(rows, new, old)
            index = graph.add("Unsqueeze", graph.slice(targets, new, old), graph.ints(1))
            return [graph.add("ScatterND", kept, index, added, reduction=reduction)]

        return self.graph.loop(self.n_folds, [edges], [[None, n_columns]], fold)[0]

    def place(self, edges: str, n_columns: int, n_places: int) -> str:
        """Return the rows of the edges by the places of the children.

        Parameters
        ----------
        edges : str
            One row per edge.
        n_columns : int
            Number of columns.
        n_places : int
            Number of places; further children are added up in the last place.

        Returns
        -------
        str
            Table of shape (n_rows * n_places, n_columns), 0 for absent children.
        """
        graph = self.graph
        ranks, n = self._edges("ranks"), graph.constant(np.array(n_places))
        last = graph.add("Min", ranks, graph.constant(np.array(n_places - 1)))
        slots = graph.add("Add", graph.add("Mul", self.parents, n), last)
        slots = graph.add("Unsqueeze", slots, graph.ints(1))
        shape = graph.concat([graph.add("Mul", self.n_rows, n), graph.ints(n_columns)], axis=0)
        table = graph.add("Expand", graph.constant(np.zeros(1)), shape)

        def count(body: Graph, rank: str) -> str:
            is_below = body.cast(body.add("Less", ranks, rank), "int64")
            return body.add("ReduceSum", is_below, body.ints(0))

        def add(body: Graph, start: str, end: str, places: str) -> str:
            index = body.slice(slots, start, end)
            return body.add("ScatterND", places, index, body.slice(edges, start, end), reduction="add")

        def add_rank(body: Graph, step: str, places: str) -> list[str]:
            rank = body.add("Add", step, n)
            following = body.add("Add", rank, body.constant(np.array(1)))
            return [add(body, count(body, rank), count(body, following), places)]

        places = add(graph, graph.ints(0), count(graph, n), table)
        largest = graph.add("ReduceMax", ranks, graph.ints(0), keepdims=0)
        n_further = graph.add("Sub", largest, graph.constant(np.array(n_places - 1)))
        return graph.loop(n_further, [places], [[None, n_columns]], add_rank)[0]

    def _edges(self, table: str) -> str:
        return self.graph.slice(table, self.edge_start, self.edge_end)


class ParentLevel:
    """Nodes of one depth in the top-down walk, in which a node has its parent as its only child."""

    def take_parents(self, table: str) -> str:
        """Return the table: each node has one edge."""
        return table

    def reduce(self, edges: str, n_columns: int, reduction: str = "add") -> str:
        """Return the rows of the only edges."""
        return edges

    def place(self, edges: str, n_columns: int, n_places: int) -> str:
        """Return the rows of the only edges, which are in the only place."""
        return edges
