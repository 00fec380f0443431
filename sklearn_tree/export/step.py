"""One level of a recursive net as a graph of ONNX without loops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn_tree.export.cells import make_cell_writer
from sklearn_tree.export.embedding import write_node_embedding
from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.levels import fill
from sklearn_tree.export.linear import write_label_scores, write_scaled_sums
from sklearn_tree.nn import RecursiveNet


class TableEdges:
    """Edges in a table of the children of each node, padded to the same number of children.

    Parameters
    ----------
    graph : Graph
        Graph of the step.
    n_children : int or str
        Number of columns of the table, or the name of this size.
    sizes : list of int
        Number of columns of each state.
    """

    def __init__(self, graph: Graph, n_children: int | str, sizes: list[int]) -> None:
        self.graph = graph
        n_columns = sum(sizes)
        states = graph.input("states", graph.dtype, ["n_states", n_columns])
        self.children = graph.input("children", "int64", ["n_nodes", n_children])
        absent = fill(graph, 0.0, graph.ints(1), n_columns)
        table = graph.concat([states, absent], axis=0)
        rows = graph.add("Gather", table, graph.add("Reshape", self.children, graph.ints(-1)), axis=0)
        self.states = graph.split(rows, sizes)
        self._is_present = graph.add("Less", self.children, graph.add("Shape", states, start=0, end=1))

    @property
    def is_leaf(self) -> str:
        """Mask of the nodes without children, bool, shape (n_nodes, 1)."""
        n = self.graph.add("ReduceSum", self.graph.cast(self._is_present, "int64"), self.graph.ints(1))
        return self.graph.add("Equal", n, self.graph.ints(0))

    def take_inputs(self, table: str) -> str:
        """Return the inputs of the parents, one row per edge."""
        graph = self.graph
        n_columns = graph.add("Shape", table, start=1, end=2)
        shape = graph.concat([graph.add("Shape", self.children), n_columns], axis=0)
        repeated = graph.add("Expand", graph.add("Unsqueeze", table, graph.ints(1)), shape)
        n_edges = graph.add("ReduceProd", graph.add("Shape", self.children), graph.ints(0))
        return graph.add("Reshape", repeated, graph.concat([n_edges, n_columns], axis=0), allowzero=1)

    def reduce(self, terms: Sequence[str], n_columns: int, reduction: str = "add") -> list[str]:
        """Add up the rows of the children of each node; those of absent children count as 0."""
        graph = self.graph
        shape = graph.concat([graph.add("Shape", self.children), graph.ints(n_columns)], axis=0)
        is_present = graph.add("Unsqueeze", self._is_present, graph.ints(2))
        tables = [graph.add("Reshape", term, shape, allowzero=1) for term in terms]
        tables = [graph.add("Where", is_present, table, graph.constant(0.0)) for table in tables]
        return [graph.add("ReduceSum", table, graph.ints(1), keepdims=0) for table in tables]

    def place(self, n_columns: int, n_places: int) -> list[str]:
        """Return the states of the children, of which there is one for each place."""
        return self.states


def write_step(net: Any) -> Graph:
    """Return the graph that computes some nodes from the states of their children.

    Its inputs are ``labels``, and ``edges`` and ``values`` if the net reads them, shape (n_nodes,), the
    ``states`` of nodes that have been computed, shape (n_states, n_columns), and ``children``, int64, shape
    (n_nodes, n_children): the row in ``states`` of each child, or ``n_states`` for an absent one. If the cell
    distinguishes children by their position, ``n_children`` is its ``max_arity``, and the states of further
    children must be added to those of the last one. The outputs are ``new_states``, shape (n_nodes,
    n_columns), and ``logits``, shape (n_nodes, n_outputs), those of each node as a root.

    Parameters
    ----------
    net : RecursiveNet
        Net.

    Raises
    ------
    NotExportableError
        If the net is not a bottom-up recursive net whose trees have the vectors of their roots, or its cell
        cannot be exported.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetClassifier
    >>> from sklearn_tree.export.step import write_step
    >>> trees, y = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 20, ["good", "bad"] * 20
    >>> clf = RecursiveNetClassifier(random_state=0).fit(trees, y)
    >>> model = write_step(clf.net_.module_).to_model()
    >>> [value.name for value in model.graph.input], [value.name for value in model.graph.output]
    (['states', 'children', 'labels'], ['new_states', 'logits'])
    """
    if type(net) is not RecursiveNet or net.pool.how != "root":
        raise NotExportableError(
            "step_only=True requires a recursive net for single trees with pooling='root' and "
            f"bidirectional=False, got a {type(net).__name__}"
        )
    cell, linear = net.encoder.cell, net.active_linear
    writer = make_cell_writer(cell)
    graph = Graph("float64" if "float64" in str(net.head.weight.dtype) else "float32")
    n, n_sums = writer.n_states, 0 if linear is None else len(linear.bias) + 1
    n_children = cell.max_arity if getattr(cell, "is_placed", True) else "n_children"
    sizes = [cell.hidden_size] * n + [n_sums] * (n_sums > 0)
    edges = TableEdges(graph, n_children, sizes)
    sums, edges.states = edges.states[n:], edges.states[:n]
    labels = graph.input("labels", "int64", ["n_nodes"])
    inputs = writer.project(graph, write_node_embedding(graph, net.embedding, labels, "n_nodes"))
    inner = writer.update(graph, inputs, writer.collect(graph, inputs, edges))
    pairs = zip(writer.leaf(graph, inputs), inner, strict=True)
    states = [graph.add("Where", edges.is_leaf, *pair) for pair in pairs]
    logits = graph.linear(states[0], net.head)
    if linear is not None:
        own = write_label_scores(graph, linear, labels)
        ones = fill(graph, 1.0, graph.add("Shape", labels), 1)
        below = edges.reduce(sums, n_sums)[0]
        states.append(graph.add("Add", graph.concat([own, ones]), below))
        scores, total = graph.split(states[-1], [n_sums - 1, 1])
        logits = graph.add("Add", logits, write_scaled_sums(graph, linear, scores, total))
    graph.output(graph.concat(states), ["n_nodes", sum(sizes)], "new_states")
    graph.output(logits, ["n_nodes", net.head.out_features], "logits")
    return graph
