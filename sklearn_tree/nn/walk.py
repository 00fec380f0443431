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
from itertools import accumulate
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import GatedCell, TreeCell, split_gates, tanh_of_sigmoid
from sklearn_tree.nn.gemm import bucket, is_mixed, linear, matmul, matmul_rows, matmul_transposed

Arguments = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # of a cell's functions

_SPARE = 256  # the most rows that a product reads beyond the end


def can_walk(cell: TreeCell, batch: TreeBatch) -> TypeGuard[GatedCell]:
    """Whether the fast walk takes the cell and no node has more children than it has places."""
    if not isinstance(cell, GatedCell) or not takes_fast_walk(cell):
        return False
    return not cell.is_placed or batch.max_rank < cell.max_arity


def takes_fast_walk(cell: GatedCell) -> bool:
    """Whether a cell is what the walk takes it for; any other would get wrong gradients.

    Its only parameters are those of its linear maps, its ``forward`` is its own base's, nothing
    listens to it, and ``update`` and ``message`` have no weights and draw nothing at random. Mixed
    precision is left to autograd too.
    """
    maps = dict(cell.named_children())
    names = ["W", "U"] if cell.U_k is None else ["W", "U", "U_k"]
    if sorted(maps) != sorted(names) or any(type(linear) is not nn.Linear for linear in maps.values()):
        return False
    if len(list(cell.parameters())) != len(names) + 1 or cell.W.bias is None:
        return False
    if any(module._forward_hooks or module._forward_pre_hooks for module in (cell, *maps.values())):
        return False
    own = ("forward", "leaves", "project", "padded", "activated")
    if any(getattr(type(cell), name) is not getattr(GatedCell, name) for name in own):
        return False
    if is_mixed(cell.U.weight.device):
        return False
    if cell.U.weight.is_meta:  # nothing to probe
        return True
    known = cell.__dict__.setdefault("_is_plain", {})  # in training, and else
    if cell.training not in known:
        known[cell.training] = _is_plain(cell)
    return known[cell.training]


def _is_plain(cell: GatedCell) -> bool:
    """Whether a cell's functions have no weights and draw nothing at random, as two calls show."""
    like, state = cell.U.weight.detach(), torch.get_rng_state()
    try:
        for function, n, n_inputs in (
            (cell.update, len(cell.gates), cell.n_messages),
            (cell.message, len(cell.child_gates), cell.n_states),
        ):
            x = like.new_full((n + n_inputs, 2, cell.hidden_size), 0.5)
            outputs = function(tuple(x[:n].unbind()), tuple(x[n:].unbind()))
            if any(output.requires_grad for output in outputs):
                return False
        return torch.equal(state, torch.get_rng_state())
    finally:
        torch.set_rng_state(state)


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
    if inverse is None:
        inverse = torch.arange(len(x), device=x.device)
    n_gates = len(cell.x_gates) * cell.hidden_size  # leaves have no children to have gates for
    states = cell.leaves(linear(x[k:], cell.W.weight[:n_gates], cell.W.bias[:n_gates]))
    leaf_rows = inverse[n:] - k
    if not n:
        return states[0].index_select(0, leaf_rows if nodes is None else leaf_rows.index_select(0, nodes))
    weights = [cell.U.weight] if cell.U_k is None else [cell.U.weight, cell.U_k.weight]
    plan = _Plan(cell, batch, inverse[:n], leaf_rows, len(states[0]))
    h = _Walk.apply(cell, plan, cell.project(x[:k]), *states, *weights)
    rows = torch.cat([torch.arange(n, device=h.device), leaf_rows + n])
    return h.index_select(0, rows if nodes is None else rows.index_select(0, nodes))


class _Plan:
    """Where everything is, level by level from the roots down.

    An *edge* hangs a child on its parent. The edges of a cell that places its children are
    ``max_arity`` places per inner node, some of them empty; of any other cell, the children
    themselves. Edges and parents are numbered from the first of their level. The tables of states
    hold the inner nodes in batch order, then the leaves' rows, then zeros for an empty place.
    """

    def __init__(
        self, cell: GatedCell, batch: TreeBatch, wx_rows: Tensor, leaf_rows: Tensor, n_leaf_rows: int
    ) -> None:
        n_levels = sum(n > 0 for n in batch.n_inner)
        self.n_nodes = list(batch.n_inner[:n_levels])
        self.n_inner = sum(self.n_nodes)
        self.n_rows = self.n_inner + n_leaf_rows + 1
        self.leaf_rows = leaf_rows[batch.n_leaves[0] :]  # of the leaves that are no roots
        inner, leaves = [*self.n_nodes[1:], 0], list(batch.n_leaves[1 : n_levels + 1])
        children = [a + b for a, b in zip(inner, leaves, strict=True)]
        at_inner, at_leaves = batch.inner_children, batch.leaf_children

        rows = torch.empty_like(batch.children)  # in the tables of states
        rows[at_inner] = torch.arange(self.n_nodes[0], self.n_inner, device=rows.device)
        rows[at_leaves] = self.n_inner + self.leaf_rows
        parents = batch.parents - _repeated(_starts(self.n_nodes), children, rows)
        if cell.is_placed:
            edges = parents * cell.max_arity + batch.ranks
            self.n_edges = [n * cell.max_arity for n in self.n_nodes]
            places = rows.new_full((sum(self.n_edges),), self.n_rows - 1)
            places[batch.parents * cell.max_arity + batch.ranks] = rows
            rows, products = places, edges
        else:
            self.n_edges, products = children, parents
            edges = torch.arange(len(rows), device=rows.device) - _repeated(_starts(children), children, rows)
            self.edges, self.parents = edges.split(children), parents.split(children)
            offsets = batch.offsets - _repeated(_starts(children), self.n_nodes, rows)
            self.offsets = offsets.split(self.n_nodes)
            self.all_wx_rows_of_edges = wx_rows.index_select(0, batch.parents)
            self.wx_rows_of_edges = self.all_wx_rows_of_edges.split(children)
        self.all_wx_rows, self.wx_rows = wx_rows, wx_rows.split(self.n_nodes)
        self.rows, self.first_edge = rows.split(self.n_edges), _starts(self.n_edges)
        # Of the children, by kind: their edges, and the rows of U's product that they get.
        self.inner_edges = edges.index_select(0, at_inner).split(inner)
        self.leaf_edges = edges.index_select(0, at_leaves).split(leaves)
        self.inner_products = products.index_select(0, at_inner).split(inner)
        self.leaf_products = products.index_select(0, at_leaves).split(leaves)


def _starts(counts: list[int]) -> list[int]:
    return list(accumulate(counts[:-1], initial=0))


def _repeated(values: list[int], counts: list[int], like: Tensor) -> Tensor:
    """Repeat each value as often as its count says; integers where ``like`` is."""
    return like.new_tensor(np.repeat(values, counts))


class _Columns:
    r"""Gates side by side, activated together.

    As :math:`\tanh x = 2 \sigma(2x) - 1`, what becomes a tanh is doubled before, and the table
    holds :math:`\sigma`; the derivative by :math:`x` is then four times that of :math:`\sigma`.
    """

    def __init__(self, cell: GatedCell, names: tuple[str, ...], like: Tensor) -> None:
        self.size = cell.hidden_size
        self.is_tanh = [name in cell.tanh_gates for name in names]
        up = [2.0 if is_tanh else 1.0 for is_tanh in self.is_tanh]
        self.up = like.new_tensor(up).repeat_interleave(self.size)  # factors before the sigmoid
        self.down = self.up**2
        self.runs: list[slice] = []  # of columns that become a sigmoid
        for i, name in enumerate(names):
            start, stop = i * self.size, (i + 1) * self.size
            if name in cell.linear_gates:
                continue
            if self.runs and self.runs[-1].stop == start:
                start = self.runs.pop().start
            self.runs.append(slice(start, stop))

    def activate(self, table: Tensor) -> None:
        """Take the sigmoid in place."""
        for run in self.runs:
            table[:, run].sigmoid_()

    def gates(self, table: Tensor) -> tuple[Tensor, ...]:
        """Return the activated gates that stand in a table."""
        pairs = zip(split_gates(table, self.size), self.is_tanh, strict=False)  # others may follow
        return tuple(tanh_of_sigmoid(gate) if is_tanh else gate for gate, is_tanh in pairs)

    def pull_back(self, grad: Tensor, table: Tensor) -> None:
        """Take gradients by what the sigmoid gave to those by what it took, in place."""
        for run in self.runs:
            part = grad[:, run]
            torch.ops.aten.sigmoid_backward.grad_input(part, table[:, run], grad_input=part)


class _Walk(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cell: GatedCell, plan: _Plan, wx: Tensor, *rest: Tensor) -> Tensor:
        forest = _Forest(cell, plan, wx, rest[: cell.n_states], rest[cell.n_states :])
        h = forest.climb(keep=any(ctx.needs_input_grad))
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(h, *forest.give_away())
        ctx.forest, ctx.n_rows = forest, len(wx)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        h, *tables = ctx.saved_tensors
        descent = _Descent(ctx.forest.with_tables(tables), h, grad)
        leaves = descent.descend()
        return None, None, descent.wx(ctx.n_rows), *leaves, *descent.weights()


class _Level(NamedTuple):
    """One level of a forest's tables: rows start:stop of the nodes, and those of their edges."""

    start: int
    stop: int
    gates: Tensor
    edge_gates: Tensor | None  # None: the places of the nodes have them, or there are none
    messages: tuple[Tensor, ...]
    below: tuple[Tensor, ...]


class _Forest:
    """The way up, and what it leaves behind: gates, messages and states of all nodes.

    The table of gates has columns for the gates of each node, then for those of its places, if it
    has places; else the gates of its children have a table of their own, with a row per edge. What
    ``U`` is multiplied with is ``h_below``, a row per node.
    """

    def __init__(
        self,
        cell: GatedCell,
        plan: _Plan,
        wx: Tensor,
        leaf_states: tuple[Tensor, ...],
        weights: tuple[Tensor, ...],
    ) -> None:
        size, n, arity = cell.hidden_size, plan.n_inner, cell.max_arity if cell.is_placed else 0
        n_edges = sum(plan.n_edges)
        self.cell, self.plan, self.weights = cell, plan, weights
        self.has_edge_gates = bool(cell.child_gates) and not cell.is_placed
        self.columns = _Columns(cell, cell.gates + cell.child_gates * arity, wx)
        self.own_columns = _Columns(cell, cell.gates, wx)
        self.child_columns = _Columns(cell, cell.child_gates, wx)
        self.first_place = len(cell.gates) * size
        self.first_h = self.first_place - len(cell.h_gates) * size
        own, for_children = cell.padded(wx), wx[:, len(cell.x_gates) * size :]
        self.start = torch.cat([own, *[for_children] * arity], dim=1) * self.columns.up
        self.U_up = (weights[0] * self.columns.up[self.first_h :, None]).t()

        # There are more rows than nodes, for products to read beyond the end.
        self.gates = wx.new_empty(n, self.start.shape[1])
        self.messages = [wx.new_empty(n, size) for _ in range(cell.n_messages)]
        self.below = [wx.new_empty(n_edges + arity * _SPARE, size) for _ in leaf_states]
        self.h_below = self.below[0].view(n + _SPARE, -1) if arity else wx.new_empty(n + _SPARE, size)
        self.h_below[n:] = 0.0
        self.kept: list[tuple[Tensor, ...]] = []  # the deepest level's first
        self.states = [wx.new_empty(plan.n_rows, size) for _ in leaf_states]
        for state, leaves in zip(self.states, leaf_states, strict=True):
            state[n:-1] = leaves
            state[-1] = 0.0
        self.edge_gates = wx.new_empty(n_edges if self.has_edge_gates else 0, for_children.shape[1])
        if self.has_edge_gates:
            self.edge_start = for_children * self.child_columns.up
            self.U_k_up = (weights[1] * self.child_columns.up[:, None]).t()
            self.sent = wx.new_empty(plan.n_rows, for_children.shape[1])
            self.sent[n:-1] = matmul(leaf_states[0], self.U_k_up)

    def give_away(self) -> list[Tensor]:
        """Return what the way down needs and forget all tables: autograd keeps, checks and frees them."""
        tables = [self.gates, self.edge_gates, *self.messages, *self.below, self.h_below, *self.weights]
        tables += [tensor for kept in self.kept for tensor in kept]
        own = ("cell", "plan", "has_edge_gates", "columns", "own_columns", "child_columns")
        self.__dict__ = {name: self.__dict__[name] for name in (*own, "first_place", "first_h")}
        return tables

    def with_tables(self, tables: Sequence[Tensor]) -> _Forest:
        """Return a forest with what was given away."""
        forest, cell, rest = copy.copy(self), self.cell, iter(tables)
        forest.gates, forest.edge_gates = next(rest), next(rest)
        forest.messages = [next(rest) for _ in range(cell.n_messages)]
        forest.below = [next(rest) for _ in range(cell.n_states)]
        forest.h_below = next(rest)
        forest.weights = tuple(next(rest) for _ in range(1 + self.has_edge_gates))
        kept = list(rest)
        n = len(kept) // len(self.plan.n_nodes)
        forest.kept = [tuple(kept[i * n : i * n + n]) for i in range(len(self.plan.n_nodes))]
        return forest

    def levels(self) -> list[_Level]:
        """Return the levels of the tables, from the roots down."""
        plan, n = self.plan, sum(self.plan.n_edges)
        none: list = [()] * len(plan.n_nodes)
        return [
            _Level(*columns)
            for columns in zip(
                _starts(plan.n_nodes),
                accumulate(plan.n_nodes),
                self.gates.split(plan.n_nodes),
                self.edge_gates.split(plan.n_edges) if self.has_edge_gates else [None] * len(plan.n_nodes),
                zip(*(table.split(plan.n_nodes) for table in self.messages), strict=True)
                if self.messages
                else none,
                zip(*(table[:n].split(plan.n_edges) for table in self.below), strict=True),
                strict=True,
            )
        ]

    def climb(self, keep: bool) -> Tensor:
        """Compute all nodes; return the vectors of the table, shape (n_rows - 1, hidden_size)."""
        for i, level in reversed(list(enumerate(self.levels()))):
            kept = self._climb(i, level)
            if keep:
                self.kept.append(kept)
        return self.states[0][:-1]

    def _climb(self, i: int, level: _Level) -> tuple[Tensor, ...]:
        cell, plan, rows = self.cell, self.plan, self.plan.rows[i]
        start, stop, gates, edge_gates = level[:4]
        for state, below in zip(self.states, level.below, strict=True):
            torch.index_select(state, 0, rows, out=below)
        if not cell.is_placed:
            self.h_below[start:stop] = F.embedding_bag(rows, self.states[0], plan.offsets[i], mode="sum")
        if edge_gates is not None:
            torch.index_select(self.sent, 0, rows, out=edge_gates)
            edge_gates.add_(self.edge_start.index_select(0, plan.wx_rows_of_edges[i]))
            self.child_columns.activate(edge_gates)
        torch.index_select(self.start, 0, plan.wx_rows[i], out=gates)
        gates[:, self.first_h :].add_(matmul_rows(self.h_below, start, stop, self.U_up))
        self.columns.activate(gates)
        for sums, message in zip(level.messages, cell.message(*self.of_message(level)), strict=True):
            if cell.is_placed:
                _sum_places(message, sums)
            else:
                sums.copy_(F.embedding_bag(plan.edges[i], message, plan.offsets[i], mode="sum"))
        new = cell.update(*self.of_update(level))
        for state, value in zip(self.states, new, strict=False):  # what is kept stands behind
            state[start:stop] = value
        if edge_gates is not None and i:
            self.sent[start:stop] = matmul_rows(self.states[0], start, stop, self.U_k_up)
        return new[cell.n_states :]

    def of_update(self, level: _Level) -> Arguments:
        """Return what :meth:`GatedCell.update` takes for the nodes of a level."""
        return self.own_columns.gates(level.gates), level.messages

    def of_message(self, level: _Level) -> Arguments:
        """Return what :meth:`GatedCell.message` takes for the edges of a level, by node if placed."""
        gates, states = level.edge_gates, level.below
        if self.cell.is_placed:
            places = (self.cell.max_arity, -1)
            gates = level.gates[:, self.first_place :].unflatten(1, places) if self.cell.child_gates else None
            states = tuple(state.unflatten(0, (-1, places[0])) for state in states)
        return () if gates is None else self.child_columns.gates(gates), states


class _Descent:
    """The way down: gradients of all nodes from those of their parents, level by level."""

    def __init__(self, forest: _Forest, h: Tensor, grad: Tensor) -> None:
        n = forest.plan.n_inner
        self.forest, self.h, self.grad = forest, h, grad
        self.own = grad.new_empty(n + _SPARE, forest.gates.shape[1])  # by the gates
        self.own[n:] = 0.0
        self.U_down = forest.weights[0] * forest.columns.down[forest.first_h :, None]
        if forest.has_edge_gates:
            self.edges = torch.empty_like(forest.edge_gates)
            self.U_k_down = forest.weights[1] * forest.child_columns.down[:, None]
            self.sent = grad.new_zeros(len(h), self.edges.shape[1])

    def descend(self) -> list[Tensor]:
        """Visit all levels; return the gradients of the leaves' states."""
        forest, plan, cell = self.forest, self.forest.plan, self.forest.cell
        n, n_inner = plan.n_nodes[0], plan.n_inner
        arrived = [self.grad[:n], *[self.grad.new_zeros(n, cell.hidden_size)] * (cell.n_states - 1)]
        columns: list[list[Tensor]] = []
        for i, level in enumerate(forest.levels()):
            if i:
                arrived[0] += self.grad[level.start : level.stop]
            arrived, of_leaves = self._descend(i, level, arrived)
            columns.append(of_leaves)
        n_rows = plan.n_rows - n_inner - 1
        grads = [_sum_rows(torch.cat(parts), plan.leaf_rows, n_rows) for parts in zip(*columns, strict=True)]
        grads[0] += self.grad[n_inner:]
        if forest.has_edge_gates:
            self.sent[n_inner:] = grads.pop()
            grads[0] += matmul(self.sent[n_inner:], self.U_k_down)
        return grads

    def _descend(self, i: int, level: _Level, arrived: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Take the gradients of the states of a level to those of its inner children and its leaves."""
        forest, plan, cell = self.forest, self.forest.plan, self.forest.cell
        own = self.own[level.start : level.stop]
        to_gates, to_messages = cell.update_backward(*forest.of_update(level), forest.kept[-1 - i], arrived)
        if cell.is_placed:
            arrived = [grad.unsqueeze(1).expand(-1, cell.max_arity, -1) for grad in to_messages]
        else:
            arrived = [grad.index_select(0, plan.parents[i]) for grad in to_messages]
        to_children, to_states = cell.message_backward(*forest.of_message(level), arrived)
        if level.edge_gates is not None:
            edges = self.edges[plan.first_edge[i] : plan.first_edge[i] + plan.n_edges[i]]
            torch.cat(to_children, dim=1, out=edges)
            forest.child_columns.pull_back(edges, level.edge_gates)
        elif cell.child_gates:
            to_gates = *to_gates, torch.cat(to_children, dim=2).flatten(1)
        torch.cat(to_gates, dim=1, out=own)
        forest.columns.pull_back(own, level.gates)

        # Every child has one parent, so its gradients are gathered.
        product = matmul_rows(self.own[:, forest.first_h :], level.start, level.stop, self.U_down)
        product = product.view(-1, cell.hidden_size) if cell.is_placed else product
        to_states = tuple(x if x is None else x.reshape(-1, cell.hidden_size) for x in to_states)
        inner = _gather(product, plan.inner_products[i], to_states, plan.inner_edges[i])
        leaves = _gather(product, plan.leaf_products[i], to_states, plan.leaf_edges[i])
        if level.edge_gates is not None:
            leaves.append(edges.index_select(0, plan.leaf_edges[i]))
            start, stop = level.stop, level.stop + len(inner[0])
            torch.index_select(edges, 0, plan.inner_edges[i], out=self.sent[start:stop])
            inner[0] += matmul_rows(self.sent, start, stop, self.U_k_down)
        return inner, leaves

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
        own = _sum_rows(self.own[: plan.n_inner], plan.all_wx_rows, n_rows) * forest.columns.down
        grads = [own[:, : len(cell.x_gates) * cell.hidden_size]]
        if forest.has_edge_gates:
            of_edges = _sum_rows(self.edges, plan.all_wx_rows_of_edges, n_rows)
            grads.append(of_edges * forest.child_columns.down)
        elif cell.child_gates:
            grads.append(own[:, forest.first_place :].unflatten(1, (cell.max_arity, -1)).sum(1))
        return torch.cat(grads, dim=1)


def _gather(
    product: Tensor, rows: Tensor, to_states: tuple[Tensor | None, ...], edges: Tensor
) -> list[Tensor]:
    """Return the gradients of the states of some children: the first has a part from the product."""
    grads = [product.index_select(0, rows)]
    for k, to_state in enumerate(to_states):
        if to_state is not None and k:
            grads.append(to_state.index_select(0, edges))
        elif to_state is not None:
            grads[0] += to_state.index_select(0, edges)
    return grads


def _sum_places(x: Tensor, out: Tensor) -> None:
    """Sum over the places of each node: x.sum(1), which torch computes more slowly."""
    first, *others = x.unbind(1)
    out.copy_(first)
    for other in others:
        out.add_(other)


def _sum_rows(table: Tensor, rows: Tensor, n: int) -> Tensor:
    """Sum the rows of a table that belong to each of ``n`` rows."""
    return table.new_zeros(n, table.shape[1]).index_add_(0, rows, table)
