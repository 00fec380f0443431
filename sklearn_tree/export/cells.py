"""Cells of recursive nets as nodes of ONNX."""

from __future__ import annotations

from typing import Any

from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.export.expressions import write_function
from sklearn_tree.export.graph import Graph
from sklearn_tree.export.levels import Children
from sklearn_tree.nn import GatedCell, RNTNCell, TreeCell
from sklearn_tree.nn.compiled.trace import trace_cell
from sklearn_tree.nn.gated import is_tanh
from sklearn_tree.nn.walkable import supports_fast_walk


class CellWriter:
    """Writer of the equations of a cell.

    Attributes
    ----------
    n_columns : int
        Number of columns of the states of a node, the output first.
    """

    n_columns: int

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    def project(self, graph: Graph, x: str) -> str:
        """Return the part of the equations that depends on the inputs of the nodes only."""
        return graph.linear(x, self.cell.W)

    def leaf(self, graph: Graph, wx: str) -> str:
        """Return the states of leaves, shape (n, n_columns)."""
        raise NotImplementedError

    def step(self, graph: Graph, wx: str, edges: str, level: Children) -> str:
        """Return the states of inner nodes, shape (n, n_columns), given those of the children by edge."""
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
        self.n_columns = cell.n_states * cell.hidden_size

    def leaf(self, graph: Graph, wx: str) -> str:  # noqa: D102
        cell = self.cell
        own, _ = self._split_inputs(graph, wx)
        gates = self._gates(graph, own, "")
        states = write_function(graph, self.traced.leaf, {"g": gates}, cell.n_states, gates[0])
        return graph.concat(states)

    def step(self, graph: Graph, wx: str, edges: str, level: Children) -> str:  # noqa: D102
        own, for_children = self._split_inputs(graph, wx)
        compute = self._compute_places if self.cell.is_placed else self._compute_sums
        u, messages = compute(graph, for_children, edges, level)
        gates = self._gates(graph, own, u)
        arguments = {"g": gates, "m": messages}
        states = write_function(graph, self.traced.update, arguments, self.cell.n_states, gates[0])
        return graph.concat(states)

    def _split_inputs(self, graph: Graph, wx: str) -> tuple[str, str]:
        cell = self.cell
        sizes = [len(names) * cell.hidden_size for names in (cell.x_gates, cell.child_gates)]
        own, for_children = graph.split(wx, sizes)
        return own, for_children

    def _gates(self, graph: Graph, own: str, u: str) -> list[str]:
        """Return the gates of nodes from their projected inputs and the outputs of ``U``; "" for leaves."""
        cell = self.cell
        shared = [name for name in cell.x_gates if name in cell.h_gates]
        n_own, n_shared = len(cell.x_gates) - len(shared), len(shared)
        size = cell.hidden_size
        first, both = graph.split(own, [n_own * size, n_shared * size])
        rest = ""
        if u:
            part, rest = graph.split(u, [n_shared * size, (len(cell.h_gates) - n_shared) * size])
            both = graph.add("Add", both, part) if both else ""
        elif len(cell.h_gates) > n_shared:
            n_rest = (len(cell.h_gates) - n_shared) * size
            shape = graph.concat([graph.add("Shape", own, start=0, end=1), graph.ints(n_rest)], axis=0)
            rest = graph.add("Expand", graph.constant([0.0]), shape)
        names = iter(cell.gates)
        blocks = [(first, n_own), (both, n_shared), (rest, len(cell.h_gates) - n_shared)]
        return [
            gate
            for table, n in blocks
            if n
            for gate in self._activate(graph, table, [next(names) for _ in range(n)])
        ]

    def _activate(self, graph: Graph, table: str, names: list[str] | tuple[str, ...]) -> list[str]:
        """Split a table into its gates and apply their activations."""
        gates = graph.split(table, [self.cell.hidden_size] * len(names)) if names else []
        return [self._activate_gate(graph, gate, name) for gate, name in zip(gates, names, strict=True)]

    def _activate_gate(self, graph: Graph, gate: str, name: str) -> str:
        if name in self.cell.linear_gates:
            return gate
        return graph.add("Tanh" if is_tanh(self.cell, name) else "Sigmoid", gate)

    def _message(self, graph: Graph, gates: list[str], states: list[str]) -> list[str]:
        arguments = {"k": gates, "s": states}
        return write_function(graph, self.traced.message, arguments, self.cell.n_messages, states[0])

    def _compute_sums(
        self, graph: Graph, for_children: str, edges: str, level: Children
    ) -> tuple[str, list[str]]:
        """Return the outputs of ``U`` and the summed messages of all children."""
        cell, size = self.cell, self.cell.hidden_size
        states = graph.split(edges, [size] * cell.n_states)
        gates: list[str] = []
        if cell.child_gates:
            table = level.take_parents(for_children)
            if cell.U_k is not None:
                table = graph.add("Add", table, graph.linear(states[0], cell.U_k))
            gates = self._activate(graph, table, cell.child_gates)
        messages = self._message(graph, gates, states)
        terms = list(dict.fromkeys([states[0], *messages]))  # a message may be the state itself
        sums = level.reduce(graph.concat(terms), len(terms) * size)
        summed = dict(zip(terms, graph.split(sums, [size] * len(terms)), strict=True))
        return graph.linear(summed[states[0]], cell.U), [summed[message] for message in messages]

    def _compute_places(
        self, graph: Graph, for_children: str, edges: str, level: Children
    ) -> tuple[str, list[str]]:
        """Return the outputs of ``U`` for the gates of the nodes, and the summed messages of all places."""
        cell, size, n = self.cell, self.cell.hidden_size, self.cell.max_arity
        table = level.place(edges, self.n_columns, n)
        states = graph.split(table, [size] * cell.n_states)
        u, u_children = graph.split(
            graph.linear(graph.add("Reshape", states[0], graph.ints(-1, n * size)), cell.U),
            cell.layout.u_sizes,
        )
        gates: list[str] = []
        if cell.child_gates:
            u_children = graph.add("Add", u_children, graph.concat([for_children] * n))
            n_columns = len(cell.child_gates) * size
            u_children = graph.add("Reshape", u_children, graph.ints(-1, n_columns))
            gates = self._activate(graph, u_children, cell.child_gates)
        messages = self._message(graph, gates, states)
        return u, [self._sum_places(graph, message) for message in messages]

    def _sum_places(self, graph: Graph, message: str) -> str:
        n, size = self.cell.max_arity, self.cell.hidden_size
        if n == 1:
            return message
        places = graph.add("Reshape", message, graph.ints(-1, n * size))
        return graph.add("Sum", *graph.split(places, [size] * n))


class RNTNCellWriter(CellWriter):
    """Writer of the equations of :class:`RNTNCell`."""

    def __init__(self, cell: RNTNCell) -> None:
        super().__init__(cell)
        self.n_columns = cell.hidden_size

    def leaf(self, graph: Graph, wx: str) -> str:  # noqa: D102
        return graph.add("Tanh", wx)

    def step(self, graph: Graph, wx: str, edges: str, level: Children) -> str:  # noqa: D102
        cell, size = self.cell, self.cell.hidden_size
        width = cell.max_arity * size
        places = level.place(edges, size, cell.max_arity)
        p = graph.add("Reshape", places, graph.ints(-1, width))
        products = graph.add("MatMul", p, graph.weight(cell.V))
        products = graph.add("Reshape", products, graph.ints(-1, size, width))
        quadratic = graph.add("MatMul", products, graph.add("Unsqueeze", p, graph.ints(2)))
        linear = graph.add("Add", wx, graph.linear(p, cell.U))
        return graph.add("Tanh", graph.add("Add", linear, graph.add("Squeeze", quadratic, graph.ints(2))))


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
