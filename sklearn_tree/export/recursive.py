"""Recursive nets as graphs of ONNX.

The loop over the levels carries the states of one level only. Operators of ONNX Runtime copy what they
change, so a loop that carried the states of all nodes would need time in proportion to nodes times levels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.cells import CellWriter, make_cell_writer
from sklearn_tree.export.embedding import write_node_embedding
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.levels import Level, LevelTables, ParentLevel
from sklearn_tree.export.linear import write_label_scores, write_scaled_sums

_END = 2**63 - 1  # of a slice to the end of an axis


class RecursiveWriter:
    """Writer of a :class:`~sklearn_tree.nn.RecursiveNet`.

    Parameters
    ----------
    graph : Graph
        Graph of the net.
    net : RecursiveNet
        Net.
    """

    def __init__(self, graph: Graph, net: Any) -> None:
        self.graph = graph
        self.net = net
        self.tables = LevelTables(graph)
        self.labels = graph.input("labels", "int64", ["n_distinct"])

    def encode(self) -> str:
        """Add the encoder and the pooling; return one vector per tree."""
        graph, net = self.graph, self.net
        x = write_node_embedding(graph, net.embedding, self.labels, "n_distinct")
        writer = make_cell_writer(net.encoder.cell)
        wx = writer.project(graph, x)
        leaves = writer.leaf(graph, wx)
        if net.pool.how == "root":
            roots, _ = self._walk_up(writer, wx, leaves, keep_all=False)
            return roots
        roots, up = self._walk_up(writer, wx, leaves, keep_all=True)
        h = up if net.encoder.downward is None else self._walk_down(up)
        if net.pool.how == "ends":
            leaf_sums = self._average_leaves(h)
            return graph.concat([roots, leaf_sums])
        size = net.encoder.cell.hidden_size
        if net.encoder.downward is not None:
            h, size = graph.concat([up, h]), 2 * size
        return self._pool(h, size)

    def linear_logits(self) -> str:
        """Add the linear model over the labels; return its logits."""
        graph, linear = self.graph, self.net.active_linear
        scores = write_label_scores(graph, linear, self.labels)
        sums = self._reduce(graph.add("Gather", scores, "rows", axis=0), len(linear.bias))
        return write_scaled_sums(
            graph, linear, sums, graph.add("Unsqueeze", graph.cast("sizes"), graph.ints(1))
        )

    def _walk_up(self, writer: CellWriter, wx: str, leaves: str, *, keep_all: bool) -> tuple[str, str]:
        """Add the walk from the leaves up; return the outputs of the roots, and those of all nodes."""
        graph, tables, size = self.graph, self.tables, self.net.encoder.cell.hidden_size
        n = writer.n_columns

        def step(body: Graph, index: str, states: str, *kept: str) -> list[str]:
            level = Level(body, index)
            below = body.add("Gather", leaves, level.leaf_rows("rows"), axis=0)
            inputs = body.add("Gather", wx, level.rows("rows"), axis=0)
            states = writer.step(body, inputs, level.take_children(states, below), level)
            front = body.ints(0)
            return [
                states,
                *(body.add("SequenceInsert", k, _first(body, states, size, n), front) for k in kept),
            ]

        empty = graph.add("Expand", graph.constant([0.0]), graph.ints(0, n))
        carried, shapes = [empty], [[None, n]]
        if keep_all:
            carried.append(graph.add("SequenceConstruct", _first(graph, empty, size, n)))
            shapes.append([None, size])
        states, *kept = graph.loop(tables.n_levels, carried, shapes, step, n_sequences=int(keep_all))

        def take_leaves(start: str, end: str) -> str:
            return graph.add("Gather", leaves, graph.slice("rows", start, end), axis=0)

        roots = _first(graph, tables.take_roots(states, take_leaves), size, n)
        if not keep_all:
            return roots, ""
        inner = graph.add("ConcatFromSequence", kept[0], axis=0)
        last = take_leaves(tables.n_inner, graph.add("Shape", "rows"))
        return roots, graph.concat([inner, _first(graph, last, size, n)], axis=0)

    def _walk_down(self, h: str) -> str:
        """Add the walk from the roots down; return the outputs of all nodes in batch order."""
        graph, tables = self.graph, self.tables
        cell = self.net.encoder.downward.cell
        writer, size = make_cell_writer(cell), cell.hidden_size
        n = writer.n_columns
        wx = writer.project(graph, h)
        n_levels, one = tables.n_levels, graph.constant(np.array(1))
        top = Level(graph, n_levels)
        inner_roots = writer.leaf(graph, graph.slice(wx, top.start, top.end_below))
        leaf_roots = writer.leaf(graph, graph.slice(wx, top.leaf_start, top.leaf_end))

        def step(body: Graph, index: str, states: str, inner: str, leaves: str) -> list[str]:
            level = Level(body, body.add("Sub", body.add("Sub", n_levels, one), index))
            parts = [body.concat([level.rows_below(t), level.leaf_rows(t)], axis=0) for t in (wx, "above")]
            edges = body.add("Gather", states, parts[1], axis=0)
            new = writer.step(body, parts[0], edges, ParentLevel())
            n_below = body.add("Sub", level.end_below, level.end)
            states, last = body.slice(new, body.ints(0), n_below), body.slice(new, n_below, body.ints(_END))
            return [
                states,
                body.add("SequenceInsert", inner, _first(body, states, size, n)),
                body.add("SequenceInsert", leaves, _first(body, last, size, n)),
            ]

        carried = [inner_roots]
        carried += [
            graph.add("SequenceConstruct", _first(graph, part, size, n)) for part in (inner_roots, leaf_roots)
        ]
        shapes = [[None, n], [None, size], [None, size]]
        _, inner, leaves = graph.loop(n_levels, carried, shapes, step, n_sequences=2)
        parts = [graph.add("ConcatFromSequence", part, axis=0) for part in (inner, leaves)]
        return graph.concat(parts, axis=0)

    def _reduce(self, table: str, n_columns: int, reduction: str = "add") -> str:
        """Reduce the rows of the nodes of each tree, from the deepest level up."""
        graph = self.graph

        def step(body: Graph, index: str, reduced: str) -> list[str]:
            level = Level(body, index)
            edges = level.take_children(reduced, level.leaf_rows(table))
            below = level.reduce(edges, n_columns, reduction)
            return [body.add("Add" if reduction == "add" else "Max", level.rows(table), below)]

        empty = graph.add("Expand", graph.constant([0.0]), graph.ints(0, n_columns))
        reduced = graph.loop(self.tables.n_levels, [empty], [[None, n_columns]], step)[0]
        return self.tables.take_roots(reduced, lambda start, end: graph.slice(table, start, end))

    def _pool(self, h: str, size: int) -> str:
        """Pool the vectors of the nodes of each tree."""
        graph, pool = self.graph, self.net.pool
        if pool.how == "max":
            return self._reduce(h, size, "max")
        if pool.score is None:
            total = graph.add("Unsqueeze", graph.cast("sizes"), graph.ints(1))
            return graph.add("Div", self._reduce(h, size), total)
        ten = graph.constant(10.0)
        scores = graph.add("Tanh", graph.add("Div", graph.linear(h, pool.score), ten))
        weights = graph.add("Exp", graph.add("Mul", scores, ten))
        sums = self._reduce(graph.concat([graph.add("Mul", weights, h), weights]), size + 1)
        return graph.add("Div", *graph.split(sums, [size, 1]))

    def _average_leaves(self, h: str) -> str:
        """Return the mean vector of the leaves of each tree."""
        graph, size = self.graph, self.net.encoder.downward.cell.hidden_size
        leaves = graph.slice(h, self.tables.n_inner, graph.ints(_END))
        n_leaves = graph.add("Shape", leaves, start=0, end=1)
        ones, zeros = (
            graph.add("Expand", graph.constant([number]), graph.concat([n, graph.ints(n_columns)], axis=0))
            for number, n, n_columns in ((1.0, n_leaves, 1), (0.0, self.tables.n_inner, size + 1))
        )
        table = graph.concat([zeros, graph.concat([leaves, ones])], axis=0)
        return graph.add("Div", *graph.split(self._reduce(table, size + 1), [size, 1]))


def _first(graph: Graph, states: str, size: int, n_columns: int) -> str:
    """Return the first state, which is the output of a cell."""
    return states if size == n_columns else graph.slice(states, graph.ints(0), graph.ints(size), axis=1)
