"""The fast walk of a batch of trees with a gated cell: one forward and one backward for the forest.

It computes what :class:`RecursiveEncoder` computes by autograd, level by level, in less time:

- the gates of a level are one gather, one product and one sigmoid;
- on the way back the two functions of the cell are differentiated, and everything between them is
  a product and a gather per level;
- the gradients of the weights are one product for the forest, not one per level.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.gated import GatedCell, pull_back
from sklearn_tree.nn.gemm import again, bucket, linear, low_precision, matmul, matmul_rows, matmul_transposed
from sklearn_tree.nn.plan import Columns, Plan, Sized, levels
from sklearn_tree.nn.schedule import one_by_one
from sklearn_tree.nn.walkable import backward_of

Arguments = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # of a cell's functions

_SPARE = 256  # the most rows that a product reads beyond the end


def walk_all(
    cell: GatedCell, x: Tensor, batch: TreeBatch, inverse: Tensor | None, nodes: Tensor | None = None
) -> Tensor:
    """Compute all nodes of a batch.

    Parameters
    ----------
    cell : GatedCell
        The cell.
    x : Tensor of float, shape (n_nodes, input_size) or (n_distinct, input_size)
        Node inputs in batch order, or the distinct ones among them.
    batch : TreeBatch
        The trees.
    inverse : Tensor of int64, shape (n_nodes,), or None
        Row of ``x`` for each node; None if ``x`` has a row per node.
    nodes : Tensor of int64, shape (n,), default=None
        Positions of the nodes wanted; None for all.

    Returns
    -------
    Tensor of float, shape (n_nodes, hidden_size) or (n, hidden_size)
        The vectors of the nodes in batch order, or of those wanted.
    """
    n = sum(batch.n_inner)
    k = n if inverse is None else batch.n_distinct_inner
    shared = batch.shared
    if inverse is None:
        shared, inverse = None, torch.arange(len(x), device=x.device)
    n_gates = len(cell.x_gates) * cell.hidden_size  # leaves have no children to have gates for
    states = cell.leaves(linear(x[k:], cell.W.weight[:n_gates], cell.W.bias[:n_gates]))
    rows, h = inverse[n:] - k, states[0]
    if n:
        weights = [cell.U.weight] if cell.U_k is None else [cell.U.weight, cell.U_k.weight]
        schedule = one_by_one(batch, inverse[:n], rows) if shared is None else shared
        plan = Plan(cell, schedule, len(h))
        h = _Walk.apply(cell, plan, cell.project(x[:k]), *states, *weights)
        rows = torch.cat([schedule.rows, rows + plan.n_inner])
    return h.index_select(0, rows if nodes is None else rows.index_select(0, nodes))


class _Walk(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cell: GatedCell, plan: Plan, wx: Tensor, *rest: Tensor) -> Tensor:
        forest = _Forest(cell, plan, wx, rest[: cell.n_states], rest[cell.n_states :])
        h = forest.climb()
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(h, *forest.give_away())
        ctx.forest, ctx.n_rows, ctx.dtype = forest, len(wx), low_precision(wx)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        h, *tables = ctx.saved_tensors
        with again(ctx.dtype, h.device):
            descent = _Descent(ctx.forest.with_tables(tables), h, grad)
            leaves = descent.descend()
            asked = ctx.needs_input_grad[3 + len(leaves) :]
            weights = descent.weights() if any(asked) else [None] * len(asked)
            return None, None, descent.wx(ctx.n_rows), *leaves, *weights


class _Forest:
    """The way up, and what it leaves behind: gates, messages and states of all nodes.

    The table of gates has columns for the gates of each node, then for those of its places, if it
    has places; else the gates of its children have a table of their own, with a row per edge. What
    ``U`` is multiplied with is ``h_below``, a row per node; ``below`` are the children's states.
    """

    def __init__(
        self,
        cell: GatedCell,
        plan: Plan,
        wx: Tensor,
        leaf_states: tuple[Tensor, ...],
        weights: tuple[Tensor, ...],
    ) -> None:
        size, n, arity = cell.hidden_size, plan.n_inner, cell.max_arity if cell.is_placed else 0
        n_edges = sum(plan.n_edges)
        self.cell, self.plan, self.weights = cell, plan, list(weights)
        self.has_edge_gates = bool(cell.child_gates) and not cell.is_placed
        self.columns = Columns(cell, cell.gates + cell.child_gates * arity, wx)
        self.own_columns = Columns(cell, cell.gates, wx)
        self.child_columns = Columns(cell, cell.child_gates, wx)
        self.first_place = len(cell.gates) * size
        self.first_h = self.first_place - len(cell.h_gates) * size
        own, for_children = cell.padded(wx), wx[:, len(cell.x_gates) * size :]
        self.start = torch.cat([own, *[for_children] * arity], dim=1) * self.columns.up
        self.U_up = (weights[0] * self.columns.up[self.first_h :, None]).t()

        # There are more rows than nodes, for products to read beyond the end.
        self.gates = wx.new_empty(n, self.start.shape[1])
        self.messages = [wx.new_empty(n, size) for _ in range(cell.n_messages)]
        self.update_backward = backward_of(cell, "update")
        self.message_backward = backward_of(cell, "message")
        n_kept = 0 if self.update_backward is None else cell.n_kept
        self.kept = [wx.new_empty(n, size) for _ in range(n_kept)]
        self.below = [wx.new_empty(n_edges + arity * _SPARE, size) for _ in leaf_states]
        self.h_below = self.below[0].view(n + _SPARE, -1) if arity else wx.new_empty(n + _SPARE, size)
        self.h_below[n:] = 0.0
        self.states = [wx.new_empty(plan.n_inner + plan.n_leaf_rows + 1, size) for _ in leaf_states]
        for state, leaves in zip(self.states, leaf_states, strict=True):
            state[n:-1] = leaves
            state[-1] = 0.0
        self.edge_gates = wx.new_empty(n_edges if self.has_edge_gates else 0, for_children.shape[1])
        if self.has_edge_gates:
            self.edge_start = for_children * self.child_columns.up
            self.U_k_up = (weights[1] * self.child_columns.up[:, None]).t()
            self.sent = wx.new_empty(plan.n_inner + plan.n_leaf_rows + 1, for_children.shape[1])
            self.sent[n:-1] = matmul(leaf_states[0], self.U_k_up)

    _FOR_THE_WAY_DOWN = ("gates", "edge_gates", "h_below", "messages", "kept", "below", "weights")
    _OF_THE_WAY_UP = ("start", "U_up", "edge_start", "U_k_up", "states", "sent")

    def give_away(self) -> list[Tensor]:
        """Return what the way down needs and forget all tables: autograd keeps, checks and frees them."""
        tables: list[Tensor] = []
        self.counts = {}
        for name in self._FOR_THE_WAY_DOWN:
            table = self.__dict__.pop(name)
            self.counts[name] = len(table) if isinstance(table, list) else None
            tables += table if isinstance(table, list) else [table]
        for name in self._OF_THE_WAY_UP:
            self.__dict__.pop(name, None)
        return tables

    def with_tables(self, tables: Sequence[Tensor]) -> _Forest:
        """Return a forest with what was given away."""
        forest, rest = copy.copy(self), iter(tables)
        for name, n in self.counts.items():
            forest.__dict__[name] = next(rest) if n is None else [next(rest) for _ in range(n)]
        return forest

    def tables(self) -> dict[str, Sized]:
        """Return the tables of both ways, and how many of their rows belong to each level."""
        n_nodes, n_edges = self.plan.n_nodes, self.plan.n_edges
        columns: dict[str, Sized] = {
            "gates": (self.gates, n_nodes),
            "messages": (self.messages, n_nodes),
            "kept": (self.kept, n_nodes),
            "below": (self.below, n_edges),
        }
        if self.has_edge_gates:
            columns["edge_gates"] = self.edge_gates, n_edges
        return columns

    def climb(self) -> Tensor:
        """Compute all nodes; return the vectors of the tables, shape (n_rows - 1, hidden_size)."""
        plan, stop = self.plan, self.plan.n_inner
        columns = self.tables()
        columns["rows"] = plan.rows, plan.n_edges
        columns["wx_rows"] = plan.wx_rows, plan.n_nodes
        columns["new"] = self.states, plan.n_nodes
        if not self.cell.is_placed:
            columns["h_below"] = self.h_below, plan.n_nodes
            columns["edges"] = plan.edges, plan.n_edges
            columns["offsets"] = plan.offsets, plan.n_nodes
            columns["wx_rows_of_edges"] = plan.wx_rows_of_edges, plan.n_edges
        for level in levels(columns, upwards=True):
            start = stop - len(level.gates)
            self._climb(level, start, stop)
            stop = start
        return self.states[0][:-1]

    def _climb(self, level: SimpleNamespace, start: int, stop: int) -> None:
        cell = self.cell
        for state, below in zip(self.states, level.below, strict=True):
            torch.index_select(state, 0, level.rows, out=below)
        if not cell.is_placed:
            level.h_below.copy_(F.embedding_bag(level.rows, self.states[0], level.offsets, mode="sum"))
        if self.has_edge_gates:
            torch.index_select(self.sent, 0, level.rows, out=level.edge_gates)
            level.edge_gates.add_(self.edge_start.index_select(0, level.wx_rows_of_edges))
            self.child_columns.activate(level.edge_gates)
        product = matmul_rows(self.h_below, start, stop, self.U_up)
        if len(self.start) == 1 and not self.first_h:  # one input for all, often none
            torch.add(product, self.start, out=level.gates)
        else:
            torch.index_select(self.start, 0, level.wx_rows, out=level.gates)
            level.gates[:, self.first_h :].add_(product)
        self.columns.activate(level.gates)
        for sums, message in zip(level.messages, cell.message(*self.of_message(level)), strict=True):
            if cell.is_placed:
                _sum_places(message, sums)
            else:
                sums.copy_(F.embedding_bag(level.edges, message, level.offsets, mode="sum"))
        new = cell.update(*self.of_update(level))
        for table, value in zip((*level.new, *level.kept), new, strict=False):
            table.copy_(value)
        if self.has_edge_gates and start:  # those of the highest level send nothing
            self.sent[start:stop] = matmul_rows(self.states[0], start, stop, self.U_k_up)

    def of_update(self, level: SimpleNamespace) -> Arguments:
        """Return what :meth:`GatedCell.update` takes for the nodes of a level."""
        return self.own_columns.gates(level.gates), level.messages

    def of_message(self, level: SimpleNamespace) -> Arguments:
        """Return what :meth:`GatedCell.message` takes for the edges of a level, by node if placed."""
        cell, states = self.cell, level.below
        if self.has_edge_gates:
            return self.child_columns.gates(level.edge_gates), states
        if not cell.is_placed:
            return (), states
        states = tuple(state.unflatten(0, (-1, cell.max_arity)) for state in states)
        if not cell.child_gates:
            return (), states
        places = level.gates[:, self.first_place :].unflatten(1, (cell.max_arity, -1))
        return self.child_columns.gates(places), states


class _Descent:
    """The way down: gradients of all nodes from those of their parents, level by level."""

    def __init__(self, forest: _Forest, h: Tensor, grad: Tensor) -> None:
        n = forest.plan.n_inner
        self.forest, self.h, self.grad = forest, h, grad
        self.own = grad.new_empty(n + _SPARE, forest.gates.shape[1])  # by the gates
        self.own[n:] = 0.0
        self.products = grad.new_empty(n, forest.weights[0].shape[1])  # by what U is multiplied with
        self.states: list[Tensor | None] = [None] * len(forest.below)  # by the children's states
        self.U_down = forest.weights[0] * forest.columns.down[forest.first_h :, None]
        if forest.has_edge_gates:
            self.edges = torch.empty_like(forest.edge_gates)
            self.U_k_down = forest.weights[1] * forest.child_columns.down[:, None]
            self.sent = grad.new_zeros(len(h), self.edges.shape[1])

    def descend(self) -> list[Tensor]:
        """Visit all levels; return the gradients of the leaves' states."""
        forest, plan = self.forest, self.forest.plan
        columns = forest.tables()
        columns["own"] = self.own, plan.n_nodes
        columns["products"] = self.products, plan.n_nodes
        columns["grad"] = self.grad, plan.n_nodes
        columns["incoming_edges"] = plan.incoming_edges, plan.n_incoming
        columns["incoming_products"] = plan.incoming_products, plan.n_incoming
        if plan.incoming_offsets is not None:
            columns["incoming_offsets"] = plan.incoming_offsets, plan.n_nodes
        if not forest.cell.is_placed:
            columns["parents"] = plan.parents, plan.n_edges
        if forest.has_edge_gates:
            columns["edges"] = self.edges, plan.n_edges
        start = first_edge = 0
        for level in levels(columns):
            stop, last_edge = start + len(level.own), first_edge + len(level.below[0])
            self._descend(level, slice(start, stop), slice(first_edge, last_edge))
            start, first_edge = stop, last_edge
        leaves = self._gathered(plan.leaf_products, plan.leaf_edges, None)
        grads = [_sum_rows(grad, plan.leaf_rows, plan.n_leaf_rows) for grad in leaves]
        grads[0] += self.grad[plan.n_inner :]
        if forest.has_edge_gates:
            sent = self.edges.index_select(0, plan.leaf_edges)
            self.sent[plan.n_inner :] = _sum_rows(sent, plan.leaf_rows, plan.n_leaf_rows)
            grads[0] += matmul(self.sent[plan.n_inner :], self.U_k_down)
        return grads

    def _descend(self, level: SimpleNamespace, nodes: slice, edges: slice) -> None:
        """Take the gradients of the states of a level to its gates and edges."""
        forest, cell = self.forest, self.forest.cell
        arrived = self._arrived(level, nodes)
        if forest.update_backward is None:
            to_gates, to_messages = pull_back(cell.update, *forest.of_update(level), arrived)
        else:
            to_gates, to_messages = forest.update_backward(*forest.of_update(level), level.kept, arrived)
        sent = [torch.zeros_like(level.grad) if grad is None else grad for grad in to_messages]
        if cell.is_placed:
            arrived = [grad.unsqueeze(1).expand(-1, cell.max_arity, -1) for grad in sent]
        else:
            arrived = [grad.index_select(0, level.parents) for grad in sent]
        if forest.message_backward is None:
            to_children, to_states = pull_back(cell.message, *forest.of_message(level), arrived)
        else:
            to_children, to_states = forest.message_backward(*forest.of_message(level), arrived)
        for k, to_state in enumerate(to_states):
            if to_state is not None:
                table = self.states[k]
                if table is None:
                    table = self.states[k] = self.h.new_empty(sum(forest.plan.n_edges), cell.hidden_size)
                table[edges] = to_state.reshape(-1, cell.hidden_size)
        if forest.has_edge_gates:
            torch.cat(to_children, dim=1, out=level.edges)
            forest.child_columns.pull_back(level.edges, level.edge_gates)
        elif cell.child_gates:
            to_gates = *to_gates, torch.cat(to_children, dim=2).flatten(1)
        torch.cat(to_gates, dim=1, out=level.own)
        forest.columns.pull_back(level.own, level.gates)
        product = matmul_rows(self.own[:, forest.first_h :], nodes.start, nodes.stop, self.U_down)
        level.products.copy_(product)

    def _arrived(self, level: SimpleNamespace, nodes: slice) -> list[Tensor]:
        """Return the gradients of the states of a level, once those of all parents are known."""
        forest, zeros = self.forest, torch.zeros_like(level.grad)
        if not len(level.incoming_edges):
            return [level.grad, *[zeros] * (len(self.states) - 1)]
        offsets = None if forest.plan.incoming_offsets is None else level.incoming_offsets
        grads = self._gathered(level.incoming_products, level.incoming_edges, offsets)
        grads[0].add_(level.grad)
        if forest.has_edge_gates:
            self.sent[nodes] = _gather(self.edges, level.incoming_edges, offsets)
            grads[0].add_(matmul_rows(self.sent, nodes.start, nodes.stop, self.U_k_down))
        return grads

    def _gathered(self, products: Tensor, edges: Tensor, offsets: Tensor | None) -> list[Tensor]:
        """Return the gradients that the states of some children get through their edges."""
        first = _gather(self.products.view(-1, self.h.shape[1]), products, offsets)
        grads = [
            torch.zeros_like(first) if table is None else _gather(table, edges, offsets)
            for table in self.states[1:]
        ]
        if self.states[0] is not None:
            first.add_(_gather(self.states[0], edges, offsets))
        return [first, *grads]

    def weights(self) -> list[Tensor]:
        """Return the gradients of the weights, once those of the leaves are known."""
        forest, n = self.forest, bucket(self.forest.plan.n_inner)
        down = forest.columns.down[forest.first_h :, None]
        grads = [down * matmul_transposed(self.own[:n, forest.first_h :], forest.h_below[:n])]
        if forest.has_edge_gates:
            grads.append(forest.child_columns.down[:, None] * matmul_transposed(self.sent, self.h))
        return grads

    def wx(self, n_rows: int) -> Tensor:
        """Return the gradients of the inputs."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        own = _sum_rows(self.own[: plan.n_inner], plan.wx_rows, n_rows) * forest.columns.down
        grads = [own[:, : len(cell.x_gates) * cell.hidden_size]]
        if forest.has_edge_gates:
            of_edges = _sum_rows(self.edges, plan.wx_rows_of_edges, n_rows)
            grads.append(of_edges * forest.child_columns.down)
        elif cell.child_gates:
            grads.append(own[:, forest.first_place :].unflatten(1, (cell.max_arity, -1)).sum(1))
        return torch.cat(grads, dim=1)


def _gather(table: Tensor, rows: Tensor, offsets: Tensor | None) -> Tensor:
    """Return rows of a table, or with offsets their sums from each offset to the next."""
    if offsets is None:
        return table.index_select(0, rows)
    return F.embedding_bag(rows, table, offsets, mode="sum")


def _sum_places(x: Tensor, out: Tensor) -> None:
    """Sum over the places of each node: x.sum(1), which torch computes more slowly."""
    first, *others = x.unbind(1)
    out.copy_(first)
    for other in others:
        out.add_(other)


def _sum_rows(table: Tensor, rows: Tensor, n: int) -> Tensor:
    """Sum the rows of a table that belong to each of ``n`` rows."""
    return table.new_zeros(n, table.shape[1]).index_add_(0, rows, table)
