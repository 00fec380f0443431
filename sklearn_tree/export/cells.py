"""Cells of recursive nets as nodes of ONNX.

Each gate has tables of its own: operators that split a table of several gates into columns take longer than
the products of several narrow matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.export.expressions import write_function
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.levels import Edges
from sklearn_tree.nn import GatedCell, RNTNCell, TreeCell
from sklearn_tree.nn.compiled.trace import trace_cell
from sklearn_tree.nn.gated import is_tanh
from sklearn_tree.nn.walkable import supports_fast_walk


class CellWriter:
    """Writer of the equations of a cell.

    Attributes
    ----------
    n_states : int
        Number of states of a node; the first is the output.
    """

    n_states: int = 1

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def project(self, graph: Graph, x: str) -> list[str]:
        """Return the parts of the equations that depend on the inputs of the nodes only.

        Returns
        -------
        list of str
            Tables of shape (n, hidden_size).
        """
        return [graph.linear(x, self.cell.W)]

    def take_inputs(self, graph: Graph, tables: list[str], rows: str) -> list[str]:
        """Return the rows of :meth:`project` that :meth:`leaf` and :meth:`update` read."""
        return [graph.add("Gather", table, rows, axis=0) for table in tables]

    def leaf(self, graph: Graph, inputs: list[str]) -> list[str]:
        """Return the states of leaves."""
        raise NotImplementedError

    def collect(self, graph: Graph, tables: list[str], edges: Edges) -> list[str]:
        """Return what the nodes receive from their children; the sum of several groups of children is valid.

        Parameters
        ----------
        graph : Graph
            Graph of the edges.
        tables : list of str
            Return value of :meth:`project`.
        edges : Edges
            Edges to the children.
        """
        raise NotImplementedError

    def update(self, graph: Graph, inputs: list[str], collected: list[str]) -> list[str]:
        """Return the states of inner nodes."""
        raise NotImplementedError


class GatedCellWriter(CellWriter):
    """Writer of the equations of a :class:`GatedCell`, whose functions are traced.

    Parameters
    ----------
    cell : GatedCell
        Cell.

    Raises
    ------
    NotExportableError
        If the functions of the cell are not elementwise.
    """

    def __init__(self, cell: GatedCell) -> None:
        super().__init__(cell)
        name = type(cell).__name__
        if not supports_fast_walk(cell):
            raise NotExportableError(
                f"{name} must declare is_pure = True, have no weights but those of its linear maps, and "
                "override no method but message and update, so that its functions can be exported"
            )
        traced = trace_cell(cell)
        if traced is None:
            raise NotExportableError(
                f"message and update of {name} must consist of elementwise operators such as those of "
                "sklearn_tree.nn.compiled.trace, so that they can be exported"
            )
        self.traced = traced
        self.n_states = cell.n_states

    def project(self, graph: Graph, x: str) -> list[str]:  # noqa: D102
        cell = self.cell
        weights = (part.detach().cpu().numpy() for part in (cell.W.weight, cell.W.bias))
        n = len(cell.x_gates) + len(cell.child_gates)
        blocks = zip(*(np.split(weight, n) for weight in weights), strict=True)
        return [graph.affine(x, weight, bias) for weight, bias in blocks]

    def take_inputs(self, graph: Graph, tables: list[str], rows: str) -> list[str]:  # noqa: D102
        n = len(self.cell.x_gates)
        return super().take_inputs(graph, tables if self.cell.is_placed else tables[:n], rows)

    def leaf(self, graph: Graph, inputs: list[str]) -> list[str]:  # noqa: D102
        gates = self._activate_nodes(graph, inputs, [""] * len(self.cell.h_gates))
        return write_function(graph, self.traced.leaf, {"g": gates}, self.n_states, inputs[0])

    def collect(self, graph: Graph, tables: list[str], edges: Edges) -> list[str]:  # noqa: D102
        cell, size = self.cell, self.cell.hidden_size
        if cell.is_placed:
            return edges.place(size, cell.max_arity)
        gates = [edges.take_inputs(table) for table in tables[len(cell.x_gates) :]]
        if cell.U_k is not None:
            products = self._multiply(graph, edges.states[0], cell.U_k, len(gates))
            gates = [graph.add("Add", *pair) for pair in zip(gates, products, strict=True)]
        messages = self._message(graph, gates, edges.states)
        further = [x for x, is_output in zip(messages, self._are_outputs, strict=True) if not is_output]
        return edges.reduce([edges.states[0], *further], size)

    def update(self, graph: Graph, inputs: list[str], collected: list[str]) -> list[str]:  # noqa: D102
        cell = self.cell
        h, further = collected[0], iter(collected[1:])
        if cell.is_placed:
            h = graph.add("Reshape", h, graph.ints(-1, cell.max_arity * cell.hidden_size))
            messages = self._compute_messages(graph, inputs[len(cell.x_gates) :], h, collected)
        else:
            messages = [h if is_output else next(further) for is_output in self._are_outputs]
        products = self._multiply(graph, h, cell.U, len(cell.h_gates))
        gates = self._activate_nodes(graph, inputs, products)
        arguments = {"g": gates, "m": messages}
        return write_function(graph, self.traced.update, arguments, self.n_states, gates[0])

    @property
    def _are_outputs(self) -> list[bool]:
        """Whether each message is the output of the child, whose sum is needed anyway."""
        return [result == "s0" for result in self.traced.message.results[: self.cell.n_messages]]

    def _compute_messages(self, graph: Graph, inputs: list[str], h: str, places: list[str]) -> list[str]:
        """Return the summed messages of all places of a cell that distinguishes them."""
        size, n = self.cell.hidden_size, self.cell.max_arity
        shape = graph.ints(-1, n, size)
        states = [graph.add("Reshape", place, shape) for place in places]
        gates = []
        for i, x in enumerate(inputs):
            product = graph.add("Reshape", graph.affine(h, self._place_weight(i)), shape)
            gates.append(graph.add("Add", product, graph.add("Unsqueeze", x, graph.ints(1))))
        messages = self._message(graph, gates, states)
        return [self._sum_places(graph, message) for message in messages]

    def _place_weight(self, i: int) -> np.ndarray:
        """Return the rows of ``U`` for a child gate of all places, shape (n_places * size,) * 2."""
        cell, size = self.cell, self.cell.hidden_size
        weight = cell.U.weight.detach().cpu().numpy()[len(cell.h_gates) * size :]
        weight = weight.reshape(cell.max_arity, len(cell.child_gates), size, -1)
        return weight[:, i].reshape(cell.max_arity * size, -1)

    def _sum_places(self, graph: Graph, message: str) -> str:
        n, size = self.cell.max_arity, self.cell.hidden_size
        parts = graph.split(graph.add("Reshape", message, graph.ints(-1, n * size)), [size] * n)
        return parts[0] if n == 1 else graph.add("Sum", *parts)

    def _multiply(self, graph: Graph, h: str, layer: Any, n: int) -> list[str]:
        """Return the products with the first ``n`` blocks of rows of the weights of a layer."""
        size, weight = self.cell.hidden_size, layer.weight.detach().cpu().numpy()
        return [graph.affine(h, weight[i * size : (i + 1) * size]) for i in range(n)]

    def _activate_nodes(self, graph: Graph, inputs: list[str], products: list[str]) -> list[str]:
        """Return the gates of nodes from their inputs and the outputs of ``U``, which are "" if 0."""
        cell = self.cell
        own = dict(zip(cell.x_gates, inputs, strict=False))
        further = dict(zip(cell.h_gates, products, strict=True))
        gates = []
        for name in cell.gates:
            terms = [term for term in (own.get(name), further.get(name)) if term]
            if not terms:
                terms = [graph.add("Mul", inputs[0], graph.constant(0.0))]
            gates.append(
                self._activate(graph, terms[0] if len(terms) == 1 else graph.add("Add", *terms), name)
            )
        return gates

    def _activate(self, graph: Graph, gate: str, name: str) -> str:
        if name in self.cell.linear_gates:
            return gate
        return graph.add("Tanh" if is_tanh(self.cell, name) else "Sigmoid", gate)

    def _message(self, graph: Graph, gates: list[str], states: list[str]) -> list[str]:
        pairs = zip(gates, self.cell.child_gates, strict=True)
        arguments = {"k": [self._activate(graph, gate, name) for gate, name in pairs], "s": states}
        return write_function(graph, self.traced.message, arguments, self.cell.n_messages, states[0])


class RNTNCellWriter(CellWriter):
    """Writer of the equations of :class:`RNTNCell`."""

    def leaf(self, graph: Graph, inputs: list[str]) -> list[str]:  # noqa: D102
        return [graph.add("Tanh", inputs[0])]

    def collect(self, graph: Graph, tables: list[str], edges: Edges) -> list[str]:  # noqa: D102
        return edges.place(self.cell.hidden_size, self.cell.max_arity)

    def update(self, graph: Graph, inputs: list[str], collected: list[str]) -> list[str]:  # noqa: D102
        cell, size = self.cell, self.cell.hidden_size
        width = cell.max_arity * size
        p = graph.add("Reshape", collected[0], graph.ints(-1, width))
        products = graph.add("MatMul", p, graph.weight(cell.V))
        products = graph.add("Reshape", products, graph.ints(-1, size, width))
        quadratic = graph.add("MatMul", products, graph.add("Unsqueeze", p, graph.ints(2)))
        linear = graph.add("Add", inputs[0], graph.linear(p, cell.U))
        return [graph.add("Tanh", graph.add("Add", linear, graph.add("Squeeze", quadratic, graph.ints(2))))]


def make_cell_writer(cell: TreeCell) -> CellWriter:
    """Return the writer of a cell.

    Raises
    ------
    NotExportableError
        If the cell cannot be exported; the message gives the reason.
    """
    if type(cell) is RNTNCell:
        return RNTNCellWriter(cell)
    if isinstance(cell, GatedCell):
        return GatedCellWriter(cell)
    raise NotExportableError(
        f"{type(cell).__name__} must be a subclass of GatedCell to be exported: the operators of its method "
        "forward are unknown"
    )
