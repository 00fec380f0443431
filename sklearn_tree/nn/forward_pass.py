"""Forward pass of the fast walk."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.gemm import add_matmul_, matmul_out
from sklearn_tree.nn.plan import Sized, iterate_levels
from sklearn_tree.nn.walk_tables import Tensors, WalkSetup, WalkTables


class ForwardPass:
    """Forward pass of a walk, level by level from the deepest up.

    Parameters
    ----------
    setup : WalkSetup
        Cell and plan.
    wx : Tensor of float, shape (n_input_rows, n_gates * hidden_size)
        Projected inputs of inner nodes.
    leaf_states : tuple of Tensor, each of shape (n_leaf_rows, hidden_size)
        States of the leaf rows.
    weights : tuple of Tensor
        Weights of ``U`` and, if the cell has it, of ``U_k``.

    Attributes
    ----------
    tables : WalkTables
        Tables for the backward pass.
    states : list of Tensor, each of shape (n_inner + n_leaf_rows + 1, hidden_size)
        States of all rows, see :class:`Plan`.
    """

    def __init__(
        self,
        setup: WalkSetup,
        wx: Tensor,
        leaf_states: Tensors,
        weights: Tensors,
    ) -> None:
        cell, layout, n = setup.cell, setup.layout, setup.plan.n_inner
        self.setup, self.cell, self.u_columns = setup, cell, layout.u_columns
        own, for_children = cell.pad_gates(wx), wx[:, layout.x_child_columns]
        scale = setup.table_activation.scale
        self.gate_inputs = torch.cat([own, *[for_children] * layout.n_places], dim=1) * scale
        self.U_scaled = (weights[0] * scale[self.u_columns, None]).t()
        self.tables = WalkTables.allocate(setup, wx, weights)
        n_states = n + setup.plan.n_leaf_rows + 1
        self.states = [wx.new_empty(n_states, cell.hidden_size) for _ in leaf_states]
        for state, leaves in zip(self.states, leaf_states, strict=True):
            state[n:-1] = leaves
            state[-1].zero_()
        if layout.has_edge_gates:
            child_scale = setup.child_activation.scale
            self.edge_gate_inputs = for_children * child_scale
            self.U_k_scaled = (weights[1] * child_scale[:, None]).t()
            self.U_k_products = wx.new_empty(n_states, for_children.shape[1])
            matmul_out(leaf_states[0], self.U_k_scaled, out=self.U_k_products[n:-1])

    def run(self) -> Tensor:
        """Compute all rows; return the outputs ``h``, shape (n_inner + n_leaf_rows, hidden_size)."""
        stop = self.setup.plan.n_inner
        for level in iterate_levels(self._by_level(), upwards=True):
            start = stop - len(level.gates)
            self._compute_level(level, start, stop)
            stop = start
        return self.states[0][:-1]

    def _by_level(self) -> dict[str, Sized]:
        plan, columns = self.setup.plan, self.tables.by_level(self.setup)
        columns["children"] = plan.children, plan.n_edges
        columns["inputs"] = plan.inputs, plan.n_rows
        columns["new_states"] = self.states, plan.n_rows
        if plan.edge_rows is not None:
            columns["h_below"] = self.tables.h_below, plan.n_rows
            columns["edges"] = plan.edge_rows.edges, plan.n_edges
            columns["offsets"] = plan.edge_rows.offsets, plan.n_rows
            columns["edge_inputs"] = plan.edge_rows.inputs, plan.n_edges
        return columns

    def _compute_level(self, level: SimpleNamespace, start: int, stop: int) -> None:
        """Compute the rows ``start`` to ``stop``, which are one level."""
        self._gather_children(level)
        if self.setup.layout.has_edge_gates:
            self._compute_edge_gates(level)
        self._compute_gates(level, start, stop)
        self._sum_messages(level)
        results = self.cell.update(*self.setup.update_arguments(level))
        for table, result in zip((*level.new_states, *level.kept), results, strict=False):
            table.copy_(result)
        if self.setup.layout.has_edge_gates and start:  # the first level has no parents
            matmul_out(self.states[0][start:stop], self.U_k_scaled, out=self.U_k_products[start:stop])

    def _gather_children(self, level: SimpleNamespace) -> None:
        for state, child_state in zip(self.states, level.child_states, strict=True):
            torch.index_select(state, 0, level.children, out=child_state)
        if not self.cell.is_placed:
            h_below = F.embedding_bag(level.children, self.states[0], level.offsets, mode="sum")
            level.h_below.copy_(h_below)

    def _compute_edge_gates(self, level: SimpleNamespace) -> None:
        torch.index_select(self.U_k_products, 0, level.children, out=level.edge_gates)
        level.edge_gates.add_(self.edge_gate_inputs.index_select(0, level.edge_inputs))
        self.setup.child_activation.apply_(level.edge_gates)

    def _compute_gates(self, level: SimpleNamespace, start: int, stop: int) -> None:
        h_below = self.tables.h_below[start:stop]
        if len(self.gate_inputs) == 1:  # all nodes have the same input
            level.gates.copy_(self.gate_inputs)
        else:
            torch.index_select(self.gate_inputs, 0, level.inputs, out=level.gates)
        add_matmul_(level.gates[:, self.u_columns], h_below, self.U_scaled)
        self.setup.table_activation.apply_(level.gates)

    def _sum_messages(self, level: SimpleNamespace) -> None:
        messages = self.cell.message(*self.setup.message_arguments(level))
        for sums, message in zip(level.messages, messages, strict=True):
            if self.cell.is_placed:
                _sum_places(message, sums)
            else:
                sums.copy_(F.embedding_bag(level.edges, message, level.offsets, mode="sum"))


def _sum_places(x: Tensor, out: Tensor) -> None:
    """Sum over the places of each row; faster than ``x.sum(1)``."""
    first, *others = x.unbind(1)
    if not others:
        out.copy_(first)
        return
    torch.add(first, others[0], out=out)
    for other in others[1:]:
        out.add_(other)
