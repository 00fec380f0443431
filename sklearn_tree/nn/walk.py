"""The fast walk of a batch of trees with a gated cell: one forward and one backward for the forest.

It computes what :class:`RecursiveEncoder` computes by autograd, level by level, in less time:

- a level's inputs are gathered from one table of states, so nothing is concatenated;
- the derivatives of a cell's gates are found for all nodes at once, before the way back, which
  then needs a multiplication, a product and a gather per level;
- the gradients of the weights are one product for the forest, not one per level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import GatedCell, TreeCell
from sklearn_tree.nn.gemm import matmul


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
        inner, leaves = wx[:n], wx[n:]
        leaf_rows = torch.arange(len(leaves), device=wx.device)
    else:  # leaves of one input have one state
        inner, leaves = wx.index_select(0, inverse[:n]), wx.index_select(0, batch.distinct_leaves)
        leaf_rows = batch.leaf_inverse
    states = cell.leaves(leaves)
    h = states[0] if inverse is None else states[0].index_select(0, leaf_rows)
    return torch.cat([walk(cell, inner, states, leaf_rows, batch), h]) if n else h


def walk(
    cell: GatedCell, wx: Tensor, leaf_states: tuple[Tensor, ...], leaf_rows: Tensor, batch: TreeBatch
) -> Tensor:
    """Compute all inner nodes of a batch.

    Parameters
    ----------
    cell : GatedCell
        The cell.
    wx : Tensor of float, shape (n_inner, any)
        Rows of ``cell.project`` of the inner nodes, in batch order.
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
    return _Walk.apply(cell, _Plan(cell, batch, leaf_rows, len(leaf_states[0])), wx, *leaf_states, *weights)


class _Plan:
    """Where everything is: an *edge* hangs a child on its parent, and there are runs of them per level.

    The edges of a cell that places its children are ``max_arity`` places per inner node, some of
    them empty; of any other cell, the children themselves. The table of states holds the inner
    nodes in batch order, then the leaves' rows, then zeros for an empty place.
    """

    def __init__(self, cell: GatedCell, batch: TreeBatch, leaf_rows: Tensor, n_leaf_rows: int) -> None:
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

        self.levels: list[tuple[int, int, int, int]] = []  # nodes a:b, edges p:q
        a = p = 0
        for n, m in zip(batch.n_inner, counts, strict=True):
            if n:
                self.levels.append((a, a + n, p, p + m))
            a, p = a + n, p + m

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
        ctx.n_leaf_rows = len(leaf_states[0])
        return forest.states[0][: plan.n_inner].clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        forest = ctx.forest
        descent = _Descent(forest, grad)
        for level in forest.plan.levels:
            descent.step(*level)
        return None, None, descent.grad_wx(), *descent.grad_leaves(ctx.n_leaf_rows), *descent.grad_weights()


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
        for_children = wx[:, len(cell.x_gates) * size :]
        self.gates = cell.padded(wx)
        if cell.is_placed:
            self.gates = torch.cat([self.gates, for_children.repeat(1, cell.max_arity)], dim=1)
        else:
            self.gates = self.gates.clone()
        at = torch.zeros_like(plan.rows[:0]) if cell.is_placed else plan.parents
        self.child_gates = for_children.index_select(0, at)  # of the edges, unless they have places
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
            gates[:, self.first_h :] += matmul(children[0].view(n, -1), self.weights[0].t())
            places = tuple(child.view(n, cell.max_arity, size) for child in children)
            sent = cell.message(gates[:, self.split :].view(n, cell.max_arity, -1), places)
            summed = tuple(message.sum(1) for message in sent)
        else:
            h = self.plan.sums(children[0], (a, b), (p, q))
            gates[:, self.first_h :] += matmul(h, self.weights[0].t())
            if len(self.weights) > 1:
                self.child_gates[p:q] += matmul(children[0], self.weights[1].t())
            sent = cell.message(self.child_gates[p:q], children)
            summed = tuple(self.plan.sums(message, (a, b), (p, q)) for message in sent)
        for table, message in zip(self.messages, summed, strict=True):
            table[a:b] = message
        for table, state in zip(self.states, cell.update(gates[:, : self.split], summed), strict=True):
            table[a:b] = state


class _Descent:
    """The way down: gradients of all nodes from those of their parents."""

    def __init__(self, forest: _Forest, grad: Tensor) -> None:
        cell, plan = forest.cell, forest.plan
        self.forest, self.grad_h = forest, grad
        self.children = tuple(table.index_select(0, plan.rows) for table in forest.states)
        self.of_update = _local(cell.update, forest.gates[:, : forest.split], forest.messages)
        gates, children = forest.child_gates, self.children
        if cell.is_placed:
            gates = forest.gates[:, forest.split :].unflatten(1, (cell.max_arity, -1))
            children = tuple(child.view(plan.n_inner, cell.max_arity, -1) for child in children)
        self.of_message = _local(cell.message, gates, children)
        self.gates = torch.empty_like(forest.gates)
        self.child_gates = torch.empty_like(forest.child_gates)
        self.edges = tuple(torch.empty_like(child) for child in self.children)  # to the states

    def step(self, a: int, b: int, p: int, q: int) -> None:
        """Take the gradients of the nodes a:b to their gates and their edges p:q."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        nodes, edges, gates = slice(a, b), slice(p, q), self.gates[a:b]
        grads: list[Tensor | None] = [None] * cell.n_states
        if a >= plan.n_roots:
            grads = [edge.index_select(0, plan.edge_of[nodes]) for edge in self.edges]
        grads[0] = self.grad_h[nodes] if grads[0] is None else grads[0] + self.grad_h[nodes]
        of_gates, sent = _pull_back(self.of_update, grads, nodes, cell.hidden_size)
        assert of_gates is not None
        gates[:, : forest.split] = of_gates
        if cell.is_placed:
            sent = [m.unsqueeze(1) for m in sent]
            of_gates, states = _pull_back(self.of_message, sent, nodes, cell.hidden_size)
            if of_gates is not None:
                gates[:, forest.split :] = of_gates.flatten(1)
            h = matmul(gates[:, forest.first_h :], forest.weights[0]).view(q - p, -1)
        else:
            rows = plan.parents[edges] - a
            sent = [m.index_select(0, rows) for m in sent]
            of_gates, states = _pull_back(self.of_message, sent, edges, cell.hidden_size)
            h = matmul(gates[:, forest.first_h :], forest.weights[0]).index_select(0, rows)
            if of_gates is not None:
                self.child_gates[edges] = of_gates
                h += matmul(of_gates, forest.weights[1])
        for i, edge in enumerate(self.edges):
            state = states[i].reshape(q - p, -1) if states and states[i] is not None else 0.0
            edge[edges] = h + state if i == 0 else state

    def grad_wx(self) -> Tensor:
        """Return the gradient of the projected inputs of the inner nodes."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        own = self.gates[:, : len(cell.x_gates) * cell.hidden_size]
        if not cell.child_gates:
            return own
        if cell.is_placed:
            below = self.gates[:, forest.split :].unflatten(1, (cell.max_arity, -1)).sum(1)
        else:
            below = plan.sums(self.child_gates, (0, plan.n_inner), (0, len(plan.rows)))
        return torch.cat([own, below], dim=1)

    def grad_leaves(self, n_rows: int) -> list[Tensor]:
        """Return the gradients of the leaves' states."""
        plan = self.forest.plan
        return [
            edge.new_zeros(n_rows, edge.shape[1]).index_add_(
                0, plan.leaf_rows, edge.index_select(0, plan.leaf_edges)
            )
            for edge in self.edges
        ]

    def grad_weights(self) -> list[Tensor]:
        """Return the gradients of ``U`` and, where there is one, of ``U_k``."""
        forest, plan, h = self.forest, self.forest.plan, self.children[0]
        if forest.cell.is_placed:
            below = h.view(plan.n_inner, -1)
        else:
            below = plan.sums(h, (0, plan.n_inner), (0, len(h)))
        grads = [matmul(self.gates[:, forest.first_h :].t(), below)]
        if len(forest.weights) > 1:
            grads.append(matmul(self.child_gates.t(), h))
        return grads


Derivatives = list[tuple[Tensor | None, ...]]


def _local(function: Callable, gates: Tensor, inputs: tuple[Tensor, ...]) -> Derivatives:
    """Return the derivatives of each output of a cell's function by its gates and its inputs.

    The function works on each number by itself, so the gradient of an output's sum holds them all.
    """
    with torch.enable_grad():
        arguments = [x.detach().requires_grad_() for x in (gates, *inputs)]
        outputs = function(arguments[0], tuple(arguments[1:]))
        return [
            torch.autograd.grad(output.sum(), arguments, retain_graph=True, allow_unused=True)
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
