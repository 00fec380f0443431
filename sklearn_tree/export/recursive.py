"""Recursive nets as graphs of ONNX.

The loop over the levels carries the states of the inner nodes of one level only. Operators of ONNX Runtime
copy what they change, so a loop that carried the states of all nodes would need time in proportion to nodes
times levels. What inner nodes receive from leaves is computed for all levels before the loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.cells import CellWriter, make_cell_writer
from sklearn_tree.export.embedding import write_node_embedding
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.levels import LeafEdges, Level, LevelEdges, LevelTables, ParentEdges, fill
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
        keep_all = net.pool.how != "root"
        roots, up = self._walk_up(make_cell_writer(net.encoder.cell), x, keep_all=keep_all)
        if not keep_all:
            return roots
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

    def _walk_up(self, writer: CellWriter, x: str, *, keep_all: bool) -> tuple[str, str]:
        """Add the walk from the leaves up; return the outputs of the roots, and those of all nodes."""
        graph, tables, size = self.graph, self.tables, self.net.encoder.cell.hidden_size
        inputs = writer.project(graph, x)
        leaves, n = writer.leaf(graph, inputs), writer.n_states
        leaf_rows = graph.add("Gather", "rows", "leaf_children", axis=0)
        leaf_edges = LeafEdges(tables, [graph.add("Gather", state, leaf_rows, axis=0) for state in leaves])
        partials = writer.collect(graph, inputs, leaf_edges)

        def step(body: Graph, index: str, *carried: str) -> list[str]:
            level = Level(body, index)
            collected = writer.collect(body, inputs, LevelEdges(level, carried[:n], partials))
            states = writer.update(body, writer.take_inputs(body, inputs, level.rows("rows")), collected)
            kept = [body.add("SequenceInsert", k, states[0], body.ints(0)) for k in carried[n:]]
            return [*states, *kept]

        empty = fill(graph, 0.0, graph.ints(0), size)
        carried = [empty] * n + [graph.add("SequenceConstruct", empty)] * keep_all
        shapes = [[None, size]] * len(carried)
        states = graph.loop(tables.n_levels, carried, shapes, step, n_sequences=int(keep_all))

        def take_leaves(start: str, end: str) -> str:
            return graph.add("Gather", leaves[0], graph.slice("rows", start, end), axis=0)

        roots = tables.take_roots(states[0], take_leaves)
        if not keep_all:
            return roots, ""
        inner = graph.add("ConcatFromSequence", states[-1], axis=0)
        last = take_leaves(tables.n_inner, graph.add("Shape", "rows"))
        return roots, graph.concat([inner, last], axis=0)

    def _walk_down(self, h: str) -> str:
        """Add the walk from the roots down; return the outputs of all nodes in batch order."""
        graph, tables = self.graph, self.tables
        cell = self.net.encoder.downward.cell
        writer, size = make_cell_writer(cell), cell.hidden_size
        inputs, n = writer.project(graph, h), writer.n_states
        n_levels, one = tables.n_levels, graph.constant(np.array(1))
        top = Level(graph, n_levels)

        def start(first: str, end: str) -> list[str]:
            return writer.leaf(graph, [graph.slice(table, first, end) for table in inputs])

        def step(body: Graph, index: str, *carried: str) -> list[str]:
            level = Level(body, body.add("Sub", body.add("Sub", n_levels, one), index))
            own, above = (
                [body.concat([level.rows_below(table), level.leaf_rows(table)], axis=0) for table in part]
                for part in (inputs, ["above"])
            )
            edges = ParentEdges([body.add("Gather", state, above[0], axis=0) for state in carried[:n]])
            states = writer.update(body, own, writer.collect(body, own, edges))
            n_inner = body.add("Sub", level.end_below, level.end)
            inner = [body.slice(state, body.ints(0), n_inner) for state in states]
            parts = (inner[0], body.slice(states[0], n_inner, body.ints(_END)))
            kept = zip(carried[n:], parts, strict=True)
            return [*inner, *(body.add("SequenceInsert", sequence, part) for sequence, part in kept)]

        roots, leaves = start(top.start, top.end_below), start(top.leaf_start, top.leaf_end)
        kept = [graph.add("SequenceConstruct", states[0]) for states in (roots, leaves)]
        shapes = [[None, size]] * (n + 2)
        outputs = graph.loop(n_levels, [*roots, *kept], shapes, step, n_sequences=2)[n:]
        return graph.concat([graph.add("ConcatFromSequence", part, axis=0) for part in outputs], axis=0)

    def _reduce(self, table: str, n_columns: int, reduction: str = "add") -> str:
        """Reduce the rows of the nodes of each tree, from the deepest level up."""
        graph, tables = self.graph, self.tables
        leaves = graph.add("Gather", table, "leaf_children", axis=0)
        partials = LeafEdges(tables, []).reduce([leaves], n_columns, reduction)

        def step(body: Graph, index: str, reduced: str) -> list[str]:
            level = Level(body, index)
            edges = LevelEdges(level, [reduced], partials)
            below = edges.reduce(edges.states, n_columns, reduction)[0]
            return [body.add("Add" if reduction == "add" else "Max", level.rows(table), below)]

        empty = fill(graph, 0.0, graph.ints(0), n_columns)
        reduced = graph.loop(tables.n_levels, [empty], [[None, n_columns]], step)[0]
        return tables.take_roots(reduced, lambda start, end: graph.slice(table, start, end))

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
        ones = fill(graph, 1.0, graph.add("Shape", leaves, start=0, end=1), 1)
        zeros = fill(graph, 0.0, self.tables.n_inner, size + 1)
        table = graph.concat([zeros, graph.concat([leaves, ones])], axis=0)
        return graph.add("Div", *graph.split(self._reduce(table, size + 1), [size, 1]))
