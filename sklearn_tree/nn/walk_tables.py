"""Setup and tables that both passes of a walk share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from types import SimpleNamespace

from torch import Tensor

from sklearn_tree.nn.activation import GateActivation
from sklearn_tree.nn.gate_layout import GateLayout
from sklearn_tree.nn.gated import GatedCell
from sklearn_tree.nn.plan import Plan, Sized
from sklearn_tree.nn.walkable import backward_of

Tensors = tuple[Tensor, ...]
Arguments = tuple[Tensors, Tensors]  # of GatedCell.update and GatedCell.message


@dataclass(frozen=True)
class WalkSetup:
    """Cell, plan and activations of a walk, which both passes share.

    Attributes
    ----------
    cell : GatedCell
        Cell of the walk.
    plan : Plan
        Rows of each level.
    table_activation, node_activation, child_activation : GateActivation
        Activation of the table of node gates with all its places, of the node's gates only, and of the
        child gates of one edge or place.
    update_backward, message_backward : callable or None
        The cell's own derivatives; None for autograd.
    """

    cell: GatedCell
    plan: Plan
    table_activation: GateActivation
    node_activation: GateActivation
    child_activation: GateActivation
    update_backward: Callable | None
    message_backward: Callable | None

    @classmethod
    def from_cell(cls, cell: GatedCell, plan: Plan) -> WalkSetup:
        """Make the setup of a walk."""
        return cls(
            cell=cell,
            plan=plan,
            table_activation=GateActivation(cell, cell.layout.table_gates),
            node_activation=GateActivation(cell, cell.gates),
            child_activation=GateActivation(cell, cell.child_gates),
            update_backward=backward_of(cell, "update"),
            message_backward=backward_of(cell, "message"),
        )

    @property
    def layout(self) -> GateLayout:
        """Columns of the gates."""
        return self.cell.layout

    @property
    def n_kept(self) -> int:
        """Number of results of ``update`` that are kept for ``update_backward``."""
        return 0 if self.update_backward is None else self.cell.n_kept

    def update_arguments(self, level: SimpleNamespace) -> Arguments:
        """Return the arguments of :meth:`GatedCell.update` for the rows of a level."""
        return self.node_activation.split(level.gates), level.messages

    def message_arguments(self, level: SimpleNamespace) -> Arguments:
        """Return the arguments of :meth:`GatedCell.message` for the edges of a level.

        The arrays have one row per edge, or shape (n_rows, max_arity, hidden_size) for cells with places.
        """
        cell, layout, states = self.cell, self.layout, level.child_states
        if layout.has_edge_gates:
            return self.child_activation.split(level.edge_gates), states
        if not cell.is_placed:
            return (), states
        states = tuple(state.unflatten(0, (-1, cell.max_arity)) for state in states)
        if not cell.child_gates:
            return (), states
        places = level.gates[:, layout.place_columns].unflatten(1, (cell.max_arity, -1))
        return self.child_activation.split(places), states


@dataclass(frozen=True)
class WalkTables:
    """Tables that the forward pass computes and the backward pass reads.

    Attributes
    ----------
    gates : Tensor of float, shape (n_inner, n_columns)
        Sigmoids of the gates of each row.
    edge_gates : Tensor of float, shape (n_edges, n_child_columns)
        Sigmoids of the gates of each edge; empty for cells without separate child gates.
    h_below : Tensor of float, shape (n_inner, U.in_features)
        Inputs of ``U``.
    messages : tuple of Tensor, each of shape (n_inner, hidden_size)
        Summed messages of the children.
    kept : tuple of Tensor, each of shape (n_inner, hidden_size)
        Results of ``update`` for ``update_backward``.
    child_states : tuple of Tensor, each of shape (n_edges, hidden_size)
        States of the child of each edge.
    weights : tuple of Tensor
        Weights of ``U`` and, if the cell has it, of ``U_k``.
    """

    gates: Tensor
    edge_gates: Tensor
    h_below: Tensor
    messages: Tensors
    kept: Tensors
    child_states: Tensors
    weights: Tensors

    @classmethod
    def allocate(cls, setup: WalkSetup, like: Tensor, weights: Tensors) -> WalkTables:
        """Allocate uninitialized tables with the dtype and device of a tensor."""
        cell, layout, n = setup.cell, setup.layout, setup.plan.n_inner
        size, n_edges = cell.hidden_size, sum(setup.plan.n_edges)
        n_child_columns = setup.child_activation.scale.numel()
        states = _make_tables(cell.n_states, n_edges, size, like)
        h_below = states[0].view(n, -1) if layout.n_places else like.new_empty(n, size)
        return cls(
            gates=like.new_empty(n, setup.table_activation.scale.numel()),
            edge_gates=like.new_empty(n_edges if layout.has_edge_gates else 0, n_child_columns),
            h_below=h_below,
            messages=_make_tables(cell.n_messages, n, size, like),
            kept=_make_tables(setup.n_kept, n, size, like),
            child_states=states,
            weights=weights,
        )

    def to_list(self) -> list[Tensor]:
        """Return all tables, for ``save_for_backward``."""
        groups = (self.messages, self.kept, self.child_states, self.weights)
        return [self.gates, self.edge_gates, self.h_below, *(table for group in groups for table in group)]

    @classmethod
    def from_list(cls, tables: Sequence[Tensor], setup: WalkSetup) -> WalkTables:
        """Restore the record from the result of :meth:`to_list`."""
        gates, edge_gates, h_below, *others = tables
        rest = iter(others)
        messages, kept, child_states = (
            tuple(islice(rest, n)) for n in (setup.cell.n_messages, setup.n_kept, setup.cell.n_states)
        )
        return cls(
            gates=gates,
            edge_gates=edge_gates,
            h_below=h_below,
            messages=messages,
            kept=kept,
            child_states=child_states,
            weights=tuple(rest),
        )

    def by_level(self, setup: WalkSetup) -> dict[str, Sized]:
        """Return the tables that both passes split into levels, with the number of rows of each level."""
        n_rows, n_edges = setup.plan.n_rows, setup.plan.n_edges
        columns: dict[str, Sized] = {
            "gates": (self.gates, n_rows),
            "messages": (self.messages, n_rows),
            "kept": (self.kept, n_rows),
            "child_states": (self.child_states, n_edges),
        }
        if setup.layout.has_edge_gates:
            columns["edge_gates"] = self.edge_gates, n_edges
        return columns


def _make_tables(n_tables: int, n_rows: int, size: int, like: Tensor) -> Tensors:
    return tuple(like.new_empty(n_rows, size) for _ in range(n_tables))
