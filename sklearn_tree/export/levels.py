"""Levels of trees inside the loops of exported nets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from sklearn_tree.export.graph import Graph

_N_BOUNDS = 9  # columns of the table of levels


class Edges(Protocol):
    """Edges from some nodes to their children.

    Attributes
    ----------
    states : list of str
        States of the children, one row per edge.
    """

    states: list[str]

    def take_inputs(self, table: str) -> str:
        """Return the inputs of the parents, one row per edge."""
        ...

    def reduce(self, terms: Sequence[str], n_columns: int, reduction: str = "add") -> list[str]:
        """Reduce each of some tables with one row per edge to one row per node."""
        ...

    def place(self, n_columns: int, n_places: int) -> list[str]:
        """Return the states by the places of the children, shape (n * n_places, n_columns).

        Children beyond the last place are added up in it; the states of absent children are 0.
        """
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
            graph.input(f"leaf_{name}", "int64", ["n_leaf_edges"])
        graph.input("levels", "int64", ["n_rows", _N_BOUNDS])
        graph.input("folds", "int64", ["n_bounds"])
        graph.input("leaf_folds", "int64", ["n_leaf_bounds"])
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
    """Inner nodes of one depth and their children.

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
        self.edge_start, self.edge_end, self.fold_start, self.n_folds = bounds[5:]

    def rows(self, table: str) -> str:
        """Return the rows of the inner nodes in a table with one row per node."""
        return self.graph.slice(table, self.start, self.end)

    def leaf_rows(self, table: str) -> str:
        """Return the rows of the leaves one level deeper in a table with one row per node."""
        return self.graph.slice(table, self.leaf_start, self.leaf_end)

    def rows_below(self, table: str) -> str:
        """Return the rows of the inner nodes one level deeper in a table with one row per node."""
        return self.graph.slice(table, self.end, self.end_below)

    def edges(self, table: str) -> str:
        """Return the edges to the inner nodes one level deeper in a table with one row per edge."""
        return self.graph.slice(table, self.edge_start, self.edge_end)


class _SummedEdges:
    """Edges that are sorted by the rank of the child, see ``make_level_tables``.

    Attributes
    ----------
    graph : Graph
        Graph in which the edges are used.
    states : list of str
        States of the children, one row per edge.
    parents, ranks, targets : str
        Columns of the edges.
    n_folds : str
        Number of steps of the sums, int64, shape (1,).
    """

    graph: Graph
    states: list[str]
    parents: str
    ranks: str
    targets: str
    n_folds: str

    def _bound(self, graph: Graph, step: str) -> str:
        """Return the number of edges after some steps, int64, shape (1,)."""
        raise NotImplementedError

    def _reduce_onto(self, bases: list[str], terms: list[str], n_columns: int, reduction: str) -> list[str]:
        """Add the rows of the edges to one row per node.

        Operators that scatter with a reduction run in parallel, and rows with one target would overwrite each
        other. No step has two rows with one target.
        """
        graph, one = self.graph, self.graph.ints(1)

        def scatter(graph: Graph, tables: Sequence[str], targets: str, rows: list[str]) -> list[str]:
            index = graph.add("Unsqueeze", targets, one)
            pairs = zip(tables, rows, strict=True)
            return [graph.add("ScatterND", table, index, x, reduction=reduction) for table, x in pairs]

        def fold(body: Graph, step: str, *tables: str) -> list[str]:
            old = self._bound(body, step)
            new = self._bound(body, body.add("Add", step, one))
            kept, added = (
                [body.slice(table, start, end) for table in tables]
                for start, end in ((body.ints(0), new), (new, old))
            )
            return scatter(body, kept, body.slice(self.targets, new, old), added)

        n = graph.add("Squeeze", self.n_folds)
        rows = graph.loop(n, terms, [[None, n_columns]] * len(terms), fold)
        parents = graph.slice(self.parents, graph.ints(0), self._bound(graph, self.n_folds))
        return scatter(graph, bases, parents, rows)

    def _place_onto(self, bases: list[str], n_columns: int, n_places: int) -> list[str]:
        """Add the states of the children to one row per place, in steps without two equal places."""
        graph, ranks, states = self.graph, self.ranks, self.states
        n, first = graph.constant(np.array(n_places)), graph.ints(0)
        last = graph.add("Min", ranks, graph.constant(np.array(n_places - 1)))
        slots = graph.add("Add", graph.add("Mul", self.parents, n), last)
        slots = graph.add("Unsqueeze", slots, graph.ints(1))

        def add(graph: Graph, lowest: str, end: str, places: Sequence[str]) -> list[str]:
            is_added = graph.add(
                "And", graph.add("GreaterOrEqual", ranks, lowest), graph.add("Less", ranks, end)
            )
            index = graph.add("Compress", slots, is_added, axis=0)
            rows = [graph.add("Compress", state, is_added, axis=0) for state in states]
            pairs = zip(places, rows, strict=True)
            return [graph.add("ScatterND", place, index, x, reduction="add") for place, x in pairs]

        def add_rank(body: Graph, step: str, *places: str) -> list[str]:
            rank = body.add("Add", step, n)
            return add(body, rank, body.add("Add", rank, body.constant(np.array(1))), places)

        places = add(graph, first, n, bases)
        largest = graph.add("ReduceMax", graph.concat([ranks, first], axis=0), first, keepdims=0)
        n_further = graph.add("Sub", largest, graph.constant(np.array(n_places - 1)))
        return graph.loop(n_further, places, [[None, n_columns]] * len(places), add_rank)


class LeafEdges(_SummedEdges):
    """Edges of all levels to leaves, which are reduced before the loop over the levels.

    Parameters
    ----------
    tables : LevelTables
        Tables of the batch.
    states : list of str
        States of the leaves, one row per edge.
    """

    def __init__(self, tables: LevelTables, states: list[str]) -> None:
        self.tables = tables
        self.graph = graph = tables.graph
        self.states = states
        self.parents, self.ranks, self.targets = "leaf_parents", "leaf_ranks", "leaf_targets"
        self.n_folds = graph.add("Sub", graph.add("Shape", "leaf_folds"), graph.ints(1))

    @cached_property
    def _input_rows(self) -> str:
        return self.graph.add("Gather", "rows", "leaf_parents", axis=0)

    def take_inputs(self, table: str) -> str:
        """Return the inputs of the parents, one row per edge."""
        return self.graph.add("Gather", table, self._input_rows, axis=0)

    def reduce(self, terms: Sequence[str], n_columns: int, reduction: str = "add") -> list[str]:
        """Reduce tables with one row per edge to one row per inner node, the neutral one without leaves."""
        neutral = 0.0 if reduction == "add" else -np.inf
        base = fill(self.graph, neutral, self.tables.n_inner, n_columns)
        return self._reduce_onto([base] * len(terms), list(terms), n_columns, reduction)

    def place(self, n_columns: int, n_places: int) -> list[str]:
        """Return the states by the places of the children, for all inner nodes."""
        n = self.graph.add("Mul", self.tables.n_inner, self.graph.ints(n_places))
        base = fill(self.graph, 0.0, n, n_columns)
        return self._place_onto([base] * len(self.states), n_columns, n_places)

    def _bound(self, graph: Graph, step: str) -> str:
        return graph.add("Gather", "leaf_folds", graph.add("Reshape", step, graph.ints(1)), axis=0)


class LevelEdges(_SummedEdges):
    """Edges of one level to inner nodes.

    Parameters
    ----------
    level : Level
        Level.
    states : list of str
        States of the inner nodes one level deeper.
    partials : list of str
        Return value of ``reduce`` or ``place`` of :class:`LeafEdges`.
    """

    def __init__(self, level: Level, states: Sequence[str], partials: list[str]) -> None:
        self.level = level
        self.graph = graph = level.graph
        children = level.edges("children")
        self.states = [graph.add("Gather", state, children, axis=0) for state in states]
        self.partials = partials
        self.parents, self.targets, self.n_folds = (
            level.edges("parents"),
            level.edges("targets"),
            level.n_folds,
        )

    @cached_property
    def ranks(self) -> str:  # type: ignore[override]
        """Position of each child among its siblings."""
        return self.level.edges("ranks")

    @cached_property
    def _input_rows(self) -> str:
        return self.graph.add("Gather", self.level.rows("rows"), self.parents, axis=0)

    def take_inputs(self, table: str) -> str:
        """Return the inputs of the parents, one row per edge."""
        return self.graph.add("Gather", table, self._input_rows, axis=0)

    def reduce(self, terms: Sequence[str], n_columns: int, reduction: str = "add") -> list[str]:
        """Reduce tables with one row per edge to one row per node, leaves included."""
        bases = [self.level.rows(partial) for partial in self.partials]
        return self._reduce_onto(bases, list(terms), n_columns, reduction)

    def place(self, n_columns: int, n_places: int) -> list[str]:
        """Return the states by the places of the children, leaves included."""
        graph, n = self.graph, self.graph.ints(n_places)
        start, end = (graph.add("Mul", bound, n) for bound in (self.level.start, self.level.end))
        bases = [graph.slice(partial, start, end) for partial in self.partials]
        return self._place_onto(bases, n_columns, n_places)

    def _bound(self, graph: Graph, step: str) -> str:
        return graph.add("Gather", "folds", graph.add("Add", self.level.fold_start, step), axis=0)


class ParentEdges:
    """Edges of the top-down walk, in which a node has its parent as its only child.

    Parameters
    ----------
    states : list of str
        States of the parents, one row per node.
    """

    def __init__(self, states: list[str]) -> None:
        self.states = states

    def take_inputs(self, table: str) -> str:
        """Return the table: each node has one edge."""
        return table

    def reduce(self, terms: Sequence[str], n_columns: int, reduction: str = "add") -> list[str]:
        """Return the rows of the only edges."""
        return list(terms)

    def place(self, n_columns: int, n_places: int) -> list[str]:
        """Return the states, which are in the only place."""
        return self.states


def fill(graph: Graph, number: float, n_rows: str, n_columns: int) -> str:
    """Return a table of one number; ``n_rows`` has the shape (1,)."""
    shape = graph.concat([n_rows, graph.ints(n_columns)], axis=0)
    return graph.add("Expand", graph.constant([number]), shape)
