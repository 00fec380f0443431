"""Backward pass of the fast walk."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.gated import Gradients, differentiate
from sklearn_tree.nn.gemm import add_matmul_, matmul_out, matmul_transposed
from sklearn_tree.nn.plan import Sized, iterate_levels
from sklearn_tree.nn.walk_tables import Tensors, WalkSetup, WalkTables


class BackwardPass:
    """Backward pass of a walk, level by level from the roots down.

    Parameters
    ----------
    setup : WalkSetup
        Cell and plan.
    tables : WalkTables
        Tables of the forward pass.
    h : Tensor of float, shape (n_inner + n_leaf_rows, hidden_size)
        Outputs of the forward pass.
    grad : Tensor of float, shape of ``h``
        Gradients with respect to ``h``.

    Attributes
    ----------
    gate_grads : Tensor of float, shape (n_inner, n_columns)
        Gradients with respect to the inputs of the sigmoids of node gates.
    edge_gate_grads : Tensor of float, shape (n_edges, n_child_columns)
        The same for edge gates.
    product_grads : Tensor of float, shape (n_inner, U.in_features)
        Gradients with respect to the inputs of ``U``.
    state_grads : list of Tensor or None, each of shape (n_edges, hidden_size)
        Gradients with respect to the child's states through the message of each edge; None if unused.
    U_k_product_grads : Tensor of float, shape (n_inner + n_leaf_rows, n_child_columns)
        Gradients with respect to the products of ``U_k`` and ``h``.
    """

    def __init__(self, setup: WalkSetup, tables: WalkTables, h: Tensor, grad: Tensor) -> None:
        n, self.u_columns = setup.plan.n_inner, setup.layout.u_columns
        self.setup, self.tables, self.h, self.grad = setup, tables, h, grad
        self.gate_grads = grad.new_empty(n, tables.gates.shape[1])
        self.product_grads = grad.new_empty(n, tables.weights[0].shape[1])
        self.state_grads: list[Tensor | None] = [None] * len(tables.child_states)
        self.U_scaled = tables.weights[0] * setup.table_activation.grad_scale[self.u_columns, None]
        if setup.layout.has_edge_gates:
            self.edge_gate_grads = torch.empty_like(tables.edge_gates)
            self.U_k_scaled = tables.weights[1] * setup.child_activation.grad_scale[:, None]
            self.U_k_product_grads = grad.new_zeros(len(h), self.edge_gate_grads.shape[1])

    def run(self) -> list[Tensor]:
        """Visit all levels; return the gradients with respect to the states of the leaf rows."""
        start = first_edge = 0
        for level in iterate_levels(self._by_level()):
            stop, last_edge = start + len(level.gate_grads), first_edge + len(level.child_states[0])
            self._visit_level(level, slice(start, stop), slice(first_edge, last_edge))
            start, first_edge = stop, last_edge
        return self._leaf_grads()

    def _by_level(self) -> dict[str, Sized]:
        plan, columns = self.setup.plan, self.tables.by_level(self.setup)
        columns["gate_grads"] = self.gate_grads, plan.n_rows
        columns["product_grads"] = self.product_grads, plan.n_rows
        columns["grad"] = self.grad, plan.n_rows
        columns["incoming_edges"] = plan.incoming_edges, plan.n_incoming
        columns["incoming_products"] = plan.incoming_products, plan.n_incoming
        if plan.incoming_offsets is not None:
            columns["incoming_offsets"] = plan.incoming_offsets, plan.n_rows
        if plan.edge_rows is not None:
            columns["parents"] = plan.edge_rows.parents, plan.n_edges
        if self.setup.layout.has_edge_gates:
            columns["edge_gate_grads"] = self.edge_gate_grads, plan.n_edges
        return columns

    def _visit_level(self, level: SimpleNamespace, rows: slice, edges: slice) -> None:
        """Compute the gradients with respect to the gates and edges of one level."""
        gate_grads, message_grads = self._update_grads(level, self._sum_state_grads(level, rows))
        child_gate_grads, child_state_grads = self._message_grads(level, message_grads)
        for k, grad in enumerate(child_state_grads):
            if grad is not None:
                self._state_table(k)[edges] = grad.reshape(-1, self.h.shape[1])
        self._store_gate_grads(level, gate_grads, child_gate_grads)
        matmul_out(self.gate_grads[rows, self.u_columns], self.U_scaled, out=level.product_grads)

    def _sum_state_grads(self, level: SimpleNamespace, rows: slice) -> list[Tensor]:
        """Return the gradients with respect to the states of a level, summed over all parents."""
        if not len(level.incoming_edges):
            return [level.grad, *(torch.zeros_like(level.grad) for _ in self.state_grads[1:])]
        offsets = None if self.setup.plan.incoming_offsets is None else level.incoming_offsets
        grads = self._gather_grads(level.incoming_products, level.incoming_edges, offsets)
        grads[0].add_(level.grad)
        if self.setup.layout.has_edge_gates:
            self.U_k_product_grads[rows] = _gather(self.edge_gate_grads, level.incoming_edges, offsets)
            add_matmul_(grads[0], self.U_k_product_grads[rows], self.U_k_scaled)
        return grads

    def _gather_grads(self, products: Tensor, edges: Tensor, offsets: Tensor | None) -> list[Tensor]:
        """Return the gradients with respect to the states of children through the given edges."""
        first = _gather(self.product_grads.view(-1, self.h.shape[1]), products, offsets)
        grads = [
            torch.zeros_like(first) if table is None else _gather(table, edges, offsets)
            for table in self.state_grads[1:]
        ]
        if self.state_grads[0] is not None:
            first.add_(_gather(self.state_grads[0], edges, offsets))
        return [first, *grads]

    def _update_grads(self, level: SimpleNamespace, grads: list[Tensor]) -> tuple[Tensors, list[Tensor]]:
        """Return the gradients with respect to the gates and the messages of the rows."""
        setup = self.setup
        arguments = setup.update_arguments(level)
        if setup.update_backward is None:
            gate_grads, message_grads = differentiate(setup.cell.update, *arguments, grads)
        else:
            gate_grads, message_grads = setup.update_backward(*arguments, level.kept, grads)
        return gate_grads, [torch.zeros_like(level.grad) if grad is None else grad for grad in message_grads]

    def _message_grads(self, level: SimpleNamespace, grads: list[Tensor]) -> Gradients:
        """Return the gradients with respect to the child gates and the states of the edges."""
        setup = self.setup
        if setup.cell.is_placed:
            grads = [grad.unsqueeze(1).expand(-1, setup.cell.max_arity, -1) for grad in grads]
        else:
            grads = [grad.index_select(0, level.parents) for grad in grads]
        arguments = setup.message_arguments(level)
        if setup.message_backward is None:
            return differentiate(setup.cell.message, *arguments, grads)
        return setup.message_backward(*arguments, grads)

    def _state_table(self, k: int) -> Tensor:
        """Return the table of gradients with respect to state ``k``, which is allocated when first used."""
        table = self.state_grads[k]
        if table is None:
            table = self.h.new_empty(sum(self.setup.plan.n_edges), self.h.shape[1])
            self.state_grads[k] = table
        return table

    def _store_gate_grads(
        self, level: SimpleNamespace, gate_grads: Tensors, child_gate_grads: Tensors
    ) -> None:
        if self.setup.layout.has_edge_gates:
            torch.cat(child_gate_grads, dim=1, out=level.edge_gate_grads)
            self.setup.child_activation.backward_(level.edge_gate_grads, level.edge_gates)
        elif self.setup.cell.child_gates:
            first, *others = child_gate_grads
            joined = torch.cat(child_gate_grads, dim=2) if others else first
            gate_grads = *gate_grads, joined.flatten(1)
        torch.cat(gate_grads, dim=1, out=level.gate_grads)
        self.setup.table_activation.backward_(level.gate_grads, level.gates)

    def _leaf_grads(self) -> list[Tensor]:
        plan = self.setup.plan
        edge_grads = self._gather_grads(plan.leaf_products, plan.leaf_edges, None)
        grads = [_sum_rows(grad, plan.leaf_rows, plan.n_leaf_rows) for grad in edge_grads]
        grads[0] += self.grad[plan.n_inner :]
        if self.setup.layout.has_edge_gates:
            gate_grads = self.edge_gate_grads.index_select(0, plan.leaf_edges)
            leaves = self.U_k_product_grads[plan.n_inner :]
            leaves.copy_(_sum_rows(gate_grads, plan.leaf_rows, plan.n_leaf_rows))
            add_matmul_(grads[0], leaves, self.U_k_scaled)
        return grads

    def weight_grads(self) -> list[Tensor]:
        """Return the gradients with respect to the weights; requires :meth:`run`."""
        setup = self.setup
        scale = setup.table_activation.grad_scale[self.u_columns, None]
        product = matmul_transposed(self.gate_grads[:, self.u_columns], self.tables.h_below)
        grads = [scale * product]
        if setup.layout.has_edge_gates:
            child_scale = setup.child_activation.grad_scale[:, None]
            grads.append(child_scale * matmul_transposed(self.U_k_product_grads, self.h))
        return grads

    def input_grads(self, n_rows: int) -> Tensor:
        """Return the gradients with respect to the projected inputs; requires :meth:`run`.

        Parameters
        ----------
        n_rows : int
            Number of rows of the projected inputs.

        Returns
        -------
        Tensor of float, shape (n_rows, W.out_features)
        """
        setup, plan, layout = self.setup, self.setup.plan, self.setup.layout
        own = _sum_rows(self.gate_grads, plan.inputs, n_rows)
        own = own * setup.table_activation.grad_scale
        grads = [own[:, layout.x_columns]]
        if layout.has_edge_gates and plan.edge_rows is not None:
            edges = _sum_rows(self.edge_gate_grads, plan.edge_rows.inputs, n_rows)
            grads.append(edges * setup.child_activation.grad_scale)
        elif setup.cell.child_gates:
            grads.append(own[:, layout.place_columns].unflatten(1, (layout.n_places, -1)).sum(1))
        return torch.cat(grads, dim=1)


def _gather(table: Tensor, rows: Tensor, offsets: Tensor | None) -> Tensor:
    """Return rows of a table, or with offsets the sums of the rows of each bag."""
    if offsets is None:
        return table.index_select(0, rows)
    return F.embedding_bag(rows, table, offsets, mode="sum")


def _sum_rows(table: Tensor, rows: Tensor, n: int) -> Tensor:
    """Sum rows of a table into ``n`` rows by index."""
    return table.new_zeros(n, table.shape[1]).index_add_(0, rows, table)
