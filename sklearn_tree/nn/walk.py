"""The fast walk of a batch of trees with a gated cell: one forward and one backward for the forest.

It computes what :class:`RecursiveEncoder` computes by autograd, level by level, in less time:

- a level's inputs are gathered from one table of states, so nothing is concatenated;
- the derivatives of a cell's gates are found for some hundred nodes at once, so a level of the way
  back needs little more than a multiplication, a product and a gather;
- the gradients of the weights are a product for some hundred nodes, not one per level.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import GatedCell, TreeCell, split_gates
from sklearn_tree.nn.gemm import bucket, is_mixed, matmul, matmul_rows, matmul_transposed

Level = tuple[int, int, int, int]  # nodes a:b, edges p:q

_BLOCK = 512  # inner nodes whose derivatives are found at once
_SPARE = 256  # the most rows that a product reads beyond the end


def can_walk(cell: TreeCell, batch: TreeBatch) -> TypeGuard[GatedCell]:
    """Whether the fast walk takes the cell and no node has more children than it has places."""
    if not isinstance(cell, GatedCell) or not takes_fast_walk(cell):
        return False
    return not cell.is_placed or batch.max_rank < cell.max_arity


def takes_fast_walk(cell: GatedCell) -> bool:
    """Whether a cell is what the walk takes it for; any other would get wrong gradients.

    Its only parameters are those of its linear maps, its ``forward`` is its own base's, nothing
    listens to it, and ``update`` and ``message`` work on each number by itself, always in the
    same way. Mixed precision is left to autograd too.
    """
    maps = dict(cell.named_children())
    names = ["W", "U"] if cell.U_k is None else ["W", "U", "U_k"]
    if sorted(maps) != sorted(names) or any(type(linear) is not nn.Linear for linear in maps.values()):
        return False
    if len(list(cell.parameters())) != len(names) + 1 or cell.W.bias is None:
        return False
    if any(module._forward_hooks or module._forward_pre_hooks for module in (cell, *maps.values())):
        return False
    if type(cell).forward is not GatedCell.forward or type(cell).leaves is not GatedCell.leaves:
        return False
    if is_mixed(cell.U.weight.device):
        return False
    if cell.U.weight.is_meta:  # nothing to probe
        return True
    known = cell.__dict__.setdefault("_is_elementwise", {})  # in training, and else
    if cell.training not in known:
        known[cell.training] = _is_elementwise(cell)
    return known[cell.training]


def _is_elementwise(cell: GatedCell) -> bool:
    """Whether a cell's functions pass some probes of what they must not do.

    A number of the outputs stays when all others of the inputs change, nothing is drawn at random,
    and nothing but the inputs has a gradient.
    """
    size, like = cell.hidden_size, cell.U.weight
    state = torch.get_rng_state()
    try:
        for function, n, n_inputs in (
            (cell.update, cell.n_gates, cell.n_messages),
            (cell.message, len(cell.child_gates), cell.n_states),
        ):
            generator = torch.Generator().manual_seed(0)
            x = torch.randn(n + n_inputs, 2, size, generator=generator).to(like.detach())
            right = function(tuple(x[:n].unbind()), tuple(x[n:].unbind()))
            if any(output.requires_grad for output in right):
                return False
            for row, unit in ((0, 0), (1, size // 2), (0, size - 1)):
                other = -3 * x
                other[:, row, unit] = x[:, row, unit]
                changed = function(tuple(other[:n].unbind()), tuple(other[n:].unbind()))
                pairs = zip(right, changed, strict=True)
                if not all(torch.equal(a[row, unit], b[row, unit]) for a, b in pairs):
                    return False
        return torch.equal(state, torch.get_rng_state())
    finally:
        torch.set_rng_state(state)


def walk_all(cell: GatedCell, wx: Tensor, batch: TreeBatch, inverse: Tensor | None) -> Tensor:
    """Compute all nodes of a batch.

    Parameters
    ----------
    cell : GatedCell
        The cell.
    wx : Tensor of float, shape (n_nodes, any) or (n_distinct, any)
        Rows of ``cell.project`` in batch order, or the distinct ones among them.
    batch : TreeBatch
        The trees.
    inverse : Tensor of int64, shape (n_nodes,), or None
        Row of ``wx`` for each node; None if ``wx`` has a row per node.

    Returns
    -------
    Tensor of float, shape (n_nodes, hidden_size)
        The vectors of the nodes in batch order.
    """
    n = sum(batch.n_inner)
    if inverse is None or batch.distinct_leaves is None or batch.leaf_inverse is None:
        inverse = torch.arange(len(wx), device=wx.device)
        leaves, leaf_rows = wx[n:], inverse[: len(wx) - n]
    else:  # leaves of one input have one state
        leaves, leaf_rows = wx.index_select(0, batch.distinct_leaves), batch.leaf_inverse
    states = cell.leaves(leaves)
    h = states[0].index_select(0, leaf_rows)
    return torch.cat([walk(cell, wx, inverse[:n], states, leaf_rows, batch), h]) if n else h


def walk(
    cell: GatedCell,
    wx: Tensor,
    wx_rows: Tensor,
    leaf_states: tuple[Tensor, ...],
    leaf_rows: Tensor,
    batch: TreeBatch,
) -> Tensor:
    """Compute all inner nodes of a batch.

    Parameters
    ----------
    cell : GatedCell
        The cell.
    wx : Tensor of float, shape (n_rows, any)
        Rows of ``cell.project``.
    wx_rows : Tensor of int64, shape (n_inner,)
        Row of each inner node in ``wx``, in batch order.
    leaf_states : tuple of Tensor, each of shape (n_rows, hidden_size)
        States of the leaves, or of the distinct ones among them.
    leaf_rows : Tensor of int64, shape (n_leaves,)
        Row of each leaf in ``leaf_states``.
    batch : TreeBatch
        The trees, at least one with an inner node.

    Returns
    -------
    Tensor of float, shape (n_inner, hidden_size)
        The vectors of the inner nodes.
    """
    weights = [cell.U.weight] if cell.U_k is None else [cell.U.weight, cell.U_k.weight]
    plan = _Plan(cell, batch, wx_rows, leaf_rows, len(leaf_states[0]))
    return _Walk.apply(cell, plan, wx, *leaf_states, *weights)


class _Plan:
    """Where everything is: an *edge* hangs a child on its parent, and there are runs of them per level.

    The edges of a cell that places its children are ``max_arity`` places per inner node, some of
    them empty; of any other cell, the children themselves. The table of states holds the inner
    nodes in batch order, then the leaves' rows, then zeros for an empty place.
    """

    def __init__(
        self, cell: GatedCell, batch: TreeBatch, wx_rows: Tensor, leaf_rows: Tensor, n_leaf_rows: int
    ) -> None:
        self.wx_rows = wx_rows
        self.n_inner, self.n_rows = sum(batch.n_inner), sum(batch.n_inner) + n_leaf_rows + 1
        self.leaf_rows = leaf_rows[batch.n_leaves[0] :]  # of the leaves that are no roots
        self.n_roots = batch.n_inner[0]
        rows = torch.empty_like(batch.children)  # in the table of states
        rows[batch.inner_children] = torch.arange(self.n_roots, self.n_inner, device=rows.device)
        rows[batch.leaf_children] = self.n_inner + self.leaf_rows

        edges = torch.arange(len(rows), device=rows.device)
        counts = [*(a + b for a, b in zip(batch.n_inner[1:], batch.n_leaves[1:], strict=True)), 0]
        self.rows, self.parents, self.offsets = rows, batch.parents, batch.offsets
        if cell.is_placed:
            edges = batch.parents * cell.max_arity + batch.ranks
            self.rows = rows.new_full((self.n_inner * cell.max_arity,), self.n_rows - 1)
            self.rows[edges] = rows
            counts = [n * cell.max_arity for n in batch.n_inner]
        self.leaf_edges = edges.index_select(0, batch.leaf_children)
        self.edge_of = rows.new_zeros(self.n_inner)  # of each inner node but the roots
        self.edge_of[self.n_roots :] = edges.index_select(0, batch.inner_children)

        self.widths = batch.n_inner
        self.levels: list[Level] = []  # nodes a:b, edges p:q
        a = p = 0
        for n, m in zip(batch.n_inner, counts, strict=True):
            if n:
                self.levels.append((a, a + n, p, p + m))
            a, p = a + n, p + m

    def blocks(self) -> Iterator[list[Level]]:
        """Group the levels, from the roots on, into blocks of some hundred nodes."""
        block: list[Level] = []
        for level in self.levels:
            if block and level[1] - block[0][0] > _BLOCK:
                yield block
                block = []
            block.append(level)
        yield block

    def sums(self, x: Tensor, nodes: tuple[int, int], edges: tuple[int, int]) -> Tensor:
        """Sum the rows of each node's edges, shape (n, any); x holds those edges only."""
        offsets = self.offsets[slice(*nodes)] - edges[0]
        rows = torch.arange(len(x), device=x.device)
        return F.embedding_bag(rows, x, offsets, mode="sum")


class _Walk(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cell: GatedCell, plan: _Plan, wx: Tensor, *rest: Tensor) -> Tensor:
        leaf_states, weights = rest[: cell.n_states], rest[cell.n_states :]
        forest = _Forest(cell, plan, wx, leaf_states, weights)
        for level in reversed(plan.levels):
            forest.climb(*level)
        h = forest.states[: plan.n_inner, 0].clone()
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*forest.give_away())
        ctx.forest, ctx.n_rows = forest, (len(wx), len(leaf_states[0]))
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        n_rows, n_leaf_rows = ctx.n_rows
        descent = _Descent(ctx.forest.with_tables(ctx.saved_tensors), grad, n_rows)
        for levels in ctx.forest.plan.blocks():
            descent.block(levels)
        return None, None, descent.wx, *descent.leaves(n_leaf_rows), *descent.weights


class _Forest:
    """What the way up leaves behind: gates before activation, messages and states of all nodes.

    The table of nodes has columns for the sums of the messages, then for the gates of the node,
    then for the gates of its places, if it has places. What :meth:`GatedCell.update` reads is thus
    one run of columns, and what ``U`` adds to is another.
    """

    def __init__(
        self,
        cell: GatedCell,
        plan: _Plan,
        wx: Tensor,
        leaf_states: tuple[Tensor, ...],
        weights: tuple[Tensor, ...],
    ) -> None:
        size, n = cell.hidden_size, plan.n_inner
        self.cell, self.plan, self.weights = cell, plan, weights
        self.first_gate = cell.n_messages * size
        self.first_place = self.first_gate + cell.n_gates * size
        self.first_h = self.first_place - len(cell.h_gates) * size
        own, for_children = cell.padded(wx), wx[:, len(cell.x_gates) * size :]
        columns = [wx.new_zeros(len(wx), self.first_gate), own]
        at = plan.rows[:0]
        if cell.is_placed:
            columns.append(for_children.repeat(1, cell.max_arity))
        else:
            at = plan.wx_rows.index_select(0, plan.parents)
        self.child_gates = for_children.index_select(0, at)  # of the edges, unless they have places
        start = torch.cat(columns, dim=1)
        # There are more rows than nodes, for products to read beyond the end.
        self.nodes = wx.new_empty(n + _SPARE, start.shape[1])
        torch.index_select(start, 0, plan.wx_rows, out=self.nodes[:n])
        self.below = wx.new_empty(bucket(max(plan.widths)), cell.U.in_features)
        self.states = wx.new_empty(plan.n_rows, cell.n_states, size)
        self.states[n:-1] = torch.stack(leaf_states, dim=1)
        self.states[-1] = 0.0

    def give_away(self) -> tuple[Tensor, ...]:
        """Return all tables and weights and forget them: autograd keeps, checks and frees them."""
        tables = self.nodes, self.states, self.child_gates, *self.weights
        del self.nodes, self.states, self.child_gates, self.weights, self.below
        return tables

    def with_tables(self, tables: tuple[Tensor, ...]) -> _Forest:
        """Return a forest with the tables and weights that were given away."""
        forest = copy.copy(self)
        forest.nodes, forest.states, forest.child_gates, *weights = tables
        forest.weights = tuple(weights)
        return forest

    def climb(self, a: int, b: int, p: int, q: int) -> None:
        """Compute the nodes a:b from their edges p:q."""
        cell, plan, n, nodes = self.cell, self.plan, b - a, self.nodes[a:b]
        children = self.states.index_select(0, plan.rows[p:q])
        if cell.is_placed:
            self.below[:n].view(q - p, -1).copy_(children[:, 0])
        else:
            self.below[:n] = plan.sums(children[:, 0], (a, b), (p, q))
        nodes[:, self.first_h :] += matmul_rows(self.below, 0, n, self.weights[0].t())
        if len(self.weights) > 1:
            self.child_gates[p:q] += matmul(children[:, 0], self.weights[1].t())
        gates, states = self.edges(children, a, b, p, q)
        for i, message in enumerate(cell.message(gates, states)):
            summed = message.sum(1) if cell.is_placed else plan.sums(message, (a, b), (p, q))
            nodes[:, i * cell.hidden_size : (i + 1) * cell.hidden_size] = summed
        for i, state in enumerate(cell.update(*self.columns(nodes))):
            self.states[a:b, i] = state

    def columns(self, nodes: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return the gates and the messages that stand in rows of the table of nodes."""
        columns = nodes[:, : self.first_place].split(self.cell.hidden_size, dim=1)
        return columns[self.cell.n_messages :], columns[: self.cell.n_messages]

    def edges(
        self, children: Tensor, a: int, b: int, p: int, q: int
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return gates and states of the edges p:q; a row per node a:b, if they are its places."""
        gates = self.child_gates[p:q]
        if self.cell.is_placed:
            gates = self.nodes[a:b, self.first_place :].unflatten(1, (self.cell.max_arity, -1))
            children = children.unflatten(0, (b - a, -1))
        return split_gates(gates, self.cell.hidden_size), children.unbind(-2)


class _Descent:
    """The way down: gradients of all nodes from those of their parents, block by block.

    A block is some levels whose derivatives are found in one go; it is small enough for a cache.
    """

    def __init__(self, forest: _Forest, grad: Tensor, n_rows: int) -> None:
        cell, plan = forest.cell, forest.plan
        self.forest, self.grad_h = forest, grad
        self.to_states = grad.new_empty(len(plan.rows), cell.n_states, cell.hidden_size)  # per edge
        self.x_width = len(cell.x_gates) * cell.hidden_size
        self.wx = grad.new_zeros(n_rows, self.x_width + len(cell.child_gates) * cell.hidden_size)
        self.weights = [torch.zeros_like(weight) for weight in forest.weights]

    def block(self, levels: list[Level]) -> None:
        """Take the gradients of the nodes of some levels to their gates, inputs and edges."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        a, p, b, q = *levels[0][::2], *levels[-1][1::2]
        children = forest.states.index_select(0, plan.rows[p:q])
        of_update = self._of_update(forest.nodes[a:b])
        of_message = _local(cell.message, *forest.edges(children, a, b, p, q))
        nodes = forest.nodes.new_empty(b - a + _SPARE, forest.nodes.shape[1])  # as in the forest
        child_gates = torch.empty_like(forest.child_gates[p:q])
        for c, d, r, s in levels:
            rows = slice(c - a, d - a)
            own = nodes[rows]
            grads = self._arrived(c, d)
            gates, sent = forest.columns(own)
            _pull_back(of_update, grads, rows, (*gates, *sent))
            if cell.is_placed:
                arrived, at = [message.unsqueeze(1) for message in sent], rows
                of_gates = own[:, forest.first_place :].unflatten(1, (cell.max_arity, -1))
                of_states = self.to_states[r:s].unflatten(0, (d - c, -1))
            else:
                parents = plan.parents[r:s] - c
                arrived, at = [message.index_select(0, parents) for message in sent], slice(r - p, s - p)
                of_gates, of_states = child_gates[at], self.to_states[r:s]
            arguments = (*split_gates(of_gates, cell.hidden_size), *of_states.unbind(-2))
            _pull_back(of_message, arrived, at, arguments)
            h = matmul_rows(nodes[:, forest.first_h :], c - a, d - a, forest.weights[0])
            h = h.view(s - r, -1) if cell.is_placed else h.index_select(0, parents)
            if len(self.weights) > 1:
                h += matmul(of_gates, forest.weights[1])
            self.to_states[r:s, 0] += h
        self._collect((a, b), (p, q), nodes[: b - a], child_gates, children[:, 0])

    def _of_update(self, nodes: Tensor) -> Derivatives:
        return _local(self.forest.cell.update, *self.forest.columns(nodes))

    def _arrived(self, a: int, b: int) -> list[Tensor]:
        """Return the gradients of the states of nodes, once their parents are done."""
        plan, (_, n_states, size) = self.forest.plan, self.to_states.shape
        if a < plan.n_roots:
            return [self.grad_h[a:b]] + [self.grad_h.new_zeros(b - a, size)] * (n_states - 1)
        grads = self.to_states.index_select(0, plan.edge_of[a:b])
        grads[:, 0] += self.grad_h[a:b]
        return list(grads.unbind(1))

    def _collect(
        self, ab: tuple[int, int], pq: tuple[int, int], nodes: Tensor, child_gates: Tensor, h: Tensor
    ) -> None:
        """Add what a block gives to the gradients of inputs and weights."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        to_x = [nodes[:, forest.first_gate : forest.first_gate + self.x_width]]
        if cell.is_placed:
            below = h.reshape(len(nodes), -1)
            if cell.child_gates:
                to_x.append(nodes[:, forest.first_place :].unflatten(1, (cell.max_arity, -1)).sum(1))
        else:
            below = plan.sums(h, ab, pq)
            if cell.child_gates:
                to_x.append(plan.sums(child_gates, ab, pq))
        self.weights[0] += matmul_transposed(nodes[:, forest.first_h :], below)
        if len(self.weights) > 1:
            self.weights[1] += matmul_transposed(child_gates, h)
        self.wx.index_add_(0, plan.wx_rows[slice(*ab)], torch.cat(to_x, dim=1))

    def leaves(self, n_rows: int) -> tuple[Tensor, ...]:
        """Return the gradients of the leaves' states."""
        plan = self.forest.plan
        arrived = self.to_states.index_select(0, plan.leaf_edges)
        grads = arrived.new_zeros(n_rows, *arrived.shape[1:]).index_add_(0, plan.leaf_rows, arrived)
        return grads.unbind(1)


Derivatives = list[tuple[Tensor | None, ...]]


def _local(function: Callable, gates: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> Derivatives:
    """Return the derivatives of each output of a cell's function by its gates and its inputs.

    The function works on each number by itself, so the gradient of an output's sum is all of them.
    """
    with torch.enable_grad():
        arguments = [x.detach().requires_grad_() for x in (*gates, *inputs)]
        outputs = function(tuple(arguments[: len(gates)]), tuple(arguments[len(gates) :]))
        return [
            torch.autograd.grad(
                output, arguments, torch.ones_like(output), retain_graph=True, allow_unused=True
            )
            if output.requires_grad  # it may be a constant
            else (None,) * len(arguments)
            for output in outputs
        ]


def _pull_back(derivatives: Derivatives, grads: Sequence[Tensor], rows: slice, out: Sequence[Tensor]) -> None:
    """Write the gradients of a function's arguments, for some rows, from those of its outputs."""
    for i, target in enumerate(out):
        is_first = True
        for of_output, grad in zip(derivatives, grads, strict=True):
            derivative = of_output[i]
            if derivative is not None and is_first:
                torch.mul(derivative[rows], grad, out=target)
                is_first = False
            elif derivative is not None:
                target.addcmul_(derivative[rows], grad)
        if is_first:
            target.zero_()
