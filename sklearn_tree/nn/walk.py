"""The fast walk of a batch of trees with a gated cell: one forward and one backward for the forest.

It computes what :class:`RecursiveEncoder` computes by autograd, level by level, in less time:

- a level's inputs are gathered from one table of states, so nothing is concatenated;
- the derivatives of a cell's gates are found for all nodes at once, before the way back, which
  then needs a multiplication, a product and a gather per level;
- the gradients of the weights are one product for the forest, not one per level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import GatedCell, TreeCell
from sklearn_tree.nn.gemm import bucket, matmul, matmul_rows

Level = tuple[int, int, int, int]  # nodes a:b, edges p:q

_BLOCK = 512  # inner nodes whose derivatives are found at once
_SPARE = 256  # the most rows that a product reads beyond the end


def can_walk(cell: TreeCell, batch: TreeBatch) -> TypeGuard[GatedCell]:
    """Whether the fast walk knows the cell and no node has more children than it has places."""
    if not isinstance(cell, GatedCell):
        return False
    return not cell.is_placed or batch.max_rank < cell.max_arity


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
        ctx.forest = forest if any(ctx.needs_input_grad) else None
        ctx.n_rows = len(wx), len(leaf_states[0])
        return forest.states[0][: plan.n_inner].clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        n_rows, n_leaf_rows = ctx.n_rows
        descent = _Descent(ctx.forest, grad, n_rows)
        for levels in ctx.forest.plan.blocks():
            descent.block(levels)
        return None, None, descent.wx, *descent.leaves(n_leaf_rows), *descent.weights


class _Forest:
    """What the way up leaves behind: gates before activation, messages and states of all nodes."""

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
        self.split = cell.n_gates * size  # the gates of nodes, then those of their places
        self.first_h = self.split - len(cell.h_gates) * size
        own, for_children = cell.padded(wx), wx[:, len(cell.x_gates) * size :]
        at = plan.rows[:0]
        if cell.is_placed:
            own = torch.cat([own, for_children.repeat(1, cell.max_arity)], dim=1)
        else:
            at = plan.wx_rows.index_select(0, plan.parents)
        self.child_gates = for_children.index_select(0, at)  # of the edges, unless they have places
        # There are more rows than nodes, for products to read beyond the end.
        self.gates = wx.new_empty(n + _SPARE, own.shape[1])
        torch.index_select(own, 0, plan.wx_rows, out=self.gates[:n])
        self.placed = wx.new_empty(bucket(max(plan.widths)), cell.U.in_features)
        self.messages = tuple(wx.new_empty(n, size) for _ in range(cell.n_messages))
        self.states = tuple(wx.new_empty(plan.n_rows, size) for _ in range(cell.n_states))
        for table, state in zip(self.states, leaf_states, strict=True):
            table[n:-1] = state
            table[-1] = 0.0

    def climb(self, a: int, b: int, p: int, q: int) -> None:
        """Compute the nodes a:b from their edges p:q."""
        cell, size, n = self.cell, self.cell.hidden_size, b - a
        children = tuple(table.index_select(0, self.plan.rows[p:q]) for table in self.states)
        gates = self.gates[a:b]
        if cell.is_placed:
            self.placed[:n] = children[0].view(n, -1)
            gates[:, self.first_h :] += matmul_rows(self.placed, 0, n, self.weights[0].t())
            places = tuple(child.view(n, cell.max_arity, size) for child in children)
            sent = cell.message(gates[:, self.split :].view(n, cell.max_arity, -1), places)
            summed = tuple(message.sum(1) for message in sent)
        else:
            self.placed[:n] = self.plan.sums(children[0], (a, b), (p, q))
            gates[:, self.first_h :] += matmul_rows(self.placed, 0, n, self.weights[0].t())
            if len(self.weights) > 1:
                self.child_gates[p:q] += matmul(children[0], self.weights[1].t())
            sent = cell.message(self.child_gates[p:q], children)
            summed = tuple(self.plan.sums(message, (a, b), (p, q)) for message in sent)
        for table, message in zip(self.messages, summed, strict=True):
            table[a:b] = message
        for table, state in zip(self.states, cell.update(gates[:, : self.split], summed), strict=True):
            table[a:b] = state


class _Descent:
    """The way down: gradients of all nodes from those of their parents, block by block.

    A block is some levels whose derivatives are found in one go; it is small enough for a cache.
    """

    def __init__(self, forest: _Forest, grad: Tensor, n_rows: int) -> None:
        cell, plan = forest.cell, forest.plan
        self.forest, self.grad_h = forest, grad
        self.edges = tuple(grad.new_empty(len(plan.rows), grad.shape[1]) for _ in forest.states)
        self.x_width = len(cell.x_gates) * cell.hidden_size
        self.wx = grad.new_zeros(n_rows, self.x_width + len(cell.child_gates) * cell.hidden_size)
        self.weights = [torch.zeros_like(weight) for weight in forest.weights]

    def block(self, levels: list[Level]) -> None:
        """Take the gradients of the nodes of some levels to their gates, inputs and edges."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        a, p, b, q = *levels[0][::2], *levels[-1][1::2]
        children = tuple(table.index_select(0, plan.rows[p:q]) for table in forest.states)
        inputs, child_gates = children, forest.child_gates[p:q]
        if cell.is_placed:
            inputs = tuple(child.view(b - a, cell.max_arity, -1) for child in children)
            child_gates = forest.gates[a:b, forest.split :].unflatten(1, (cell.max_arity, -1))
        messages = tuple(message[a:b] for message in forest.messages)
        of_update = _local(cell.update, forest.gates[a:b, : forest.split], messages)
        of_message = _local(cell.message, child_gates, inputs)
        # More rows than nodes, for products to read beyond the end.
        gates = forest.gates.new_empty(b - a + _SPARE, forest.gates.shape[1])
        of_children = torch.empty_like(forest.child_gates[p:q])
        for c, d, r, s in levels:
            grads = self._arrived(c, d)
            of_gates, sent = _pull_back(of_update, grads, slice(c - a, d - a), cell.hidden_size)
            assert of_gates is not None
            gates[c - a : d - a, : forest.split] = of_gates
            if cell.is_placed:
                sent, rows = [m.unsqueeze(1) for m in sent], slice(c - a, d - a)
            else:
                parents = plan.parents[r:s] - c
                sent, rows = [m.index_select(0, parents) for m in sent], slice(r - p, s - p)
            of_gates, states = _pull_back(of_message, sent, rows, cell.hidden_size)
            if of_gates is not None and cell.is_placed:
                gates[c - a : d - a, forest.split :] = of_gates.flatten(1)
            h = matmul_rows(gates[:, forest.first_h :], c - a, d - a, forest.weights[0])
            h = h.view(s - r, -1) if cell.is_placed else h.index_select(0, parents)
            if of_gates is not None and not cell.is_placed:
                of_children[rows] = of_gates
                h += matmul(of_gates, forest.weights[1])
            for i, edge in enumerate(self.edges):
                state = states[i].reshape(s - r, -1) if states and states[i] is not None else 0.0
                edge[r:s] = h + state if i == 0 else state
        self._collect(a, b, p, q, gates[: b - a], of_children, children[0])

    def _arrived(self, a: int, b: int) -> list[Tensor | None]:
        """Return the gradients of the states of nodes, once their parents are done."""
        plan = self.forest.plan
        grads: list[Tensor | None] = [None] * len(self.edges)
        if a >= plan.n_roots:
            grads = [edge.index_select(0, plan.edge_of[a:b]) for edge in self.edges]
        grads[0] = self.grad_h[a:b] if grads[0] is None else grads[0] + self.grad_h[a:b]
        return grads

    def _collect(self, a: int, b: int, p: int, q: int, gates: Tensor, of_children: Tensor, h: Tensor) -> None:
        """Add what a block gives to the gradients of inputs and weights."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        rows = plan.wx_rows[a:b]
        if cell.is_placed:
            below = h.view(b - a, -1)
            to_children = gates[:, forest.split :].unflatten(1, (cell.max_arity, -1)).sum(1)
        else:
            below = plan.sums(h, (a, b), (p, q))
            to_children = plan.sums(of_children, (a, b), (p, q)) if cell.child_gates else of_children
        self.weights[0] += matmul(gates[:, forest.first_h :].t(), below)
        if len(self.weights) > 1:
            self.weights[1] += matmul(of_children.t(), h)
        self.wx[:, : self.x_width].index_add_(0, rows, gates[:, : self.x_width])
        if cell.child_gates:
            self.wx[:, self.x_width :].index_add_(0, rows, to_children)

    def leaves(self, n_rows: int) -> list[Tensor]:
        """Return the gradients of the leaves' states."""
        plan = self.forest.plan
        return [
            edge.new_zeros(n_rows, edge.shape[1]).index_add_(
                0, plan.leaf_rows, edge.index_select(0, plan.leaf_edges)
            )
            for edge in self.edges
        ]


Derivatives = list[tuple[Tensor | None, ...]]


def _local(function: Callable, gates: Tensor, inputs: tuple[Tensor, ...]) -> Derivatives:
    """Return the derivatives of each output of a cell's function by its gates and its inputs.

    The function works on each number by itself, so the gradient of an output's sum is all of them.
    """
    with torch.enable_grad():
        arguments = [x.detach().requires_grad_() for x in (gates, *inputs)]
        outputs = function(arguments[0], tuple(arguments[1:]))
        return [
            torch.autograd.grad(
                output, arguments, torch.ones_like(output), retain_graph=True, allow_unused=True
            )
            for output in outputs
        ]


def _pull_back(
    derivatives: Derivatives, grads: Sequence[Tensor | None], rows: slice, size: int
) -> tuple[Tensor | None, list[Any]]:
    """Return the gradients of some rows of gates and inputs from those of the outputs."""
    totals: list[Any] = [None] * (len(derivatives[0]) if derivatives else 0)
    for of_output, grad in zip(derivatives, grads, strict=True):
        if grad is None:
            continue
        for i, derivative in enumerate(of_output):
            if derivative is None or not derivative.shape[-1]:
                continue
            part = derivative[rows]
            if i == 0:  # several gates side by side
                part = (part.unflatten(-1, (-1, size)) * grad.unsqueeze(-2)).flatten(-2)
            else:
                part = part * grad
            totals[i] = part if totals[i] is None else totals[i] + part
    return (totals[0], totals[1:]) if totals else (None, [])
