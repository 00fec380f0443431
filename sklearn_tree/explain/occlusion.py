"""Occlusion of every subtree at once: each is taken away, and only its ancestors are computed anew."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.batches import split_by_size
from sklearn_tree.estimators.recursive import pool_subtrees
from sklearn_tree.explain.gradients import Budget
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.objective import Objective
from sklearn_tree.nn import Children
from sklearn_tree.nn.schedule import stable_sort
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.array import nodes_by_depth
from sklearn_tree.trees.subtrees import sibling_ranks


class Occluder:
    """The states of all nodes of some trees, and what becomes of the roots when one is replaced.

    Parameters
    ----------
    inputs : Inputs
        Trees.

    Attributes
    ----------
    n_evaluations : int
        How many nodes have been computed: each subtree costs its depth.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.inputs, self.module = inputs, inputs.module
        self.cell = self.module.encoder.cell
        self.n_evaluations = 0
        array, device = inputs.array, inputs.x.device
        parents = array.absolute_parents
        below = np.flatnonzero(parents >= 0)
        below = below[stable_sort(parents[below])]  # siblings stay in order, beside each other
        counts = np.bincount(parents[below], minlength=array.n_nodes)
        ranks = np.zeros(array.n_nodes, dtype=np.int64)
        ranks[below] = sibling_ranks(parents[below])
        columns = (parents, below, counts, np.cumsum(counts) - counts, ranks)
        tensors = (torch.from_numpy(np.ascontiguousarray(column)).to(device) for column in columns)
        self.parents, self.below, self.counts, self.first, self.ranks = tensors
        self.wx = self.cell.project(inputs.x)
        self.states = self._states(inputs.x)

    @cached_property
    def states_without(self) -> tuple[Tensor, ...]:
        """The states of all nodes where every input is its baseline."""
        return self._states(self.inputs.x0)

    def _states(self, x: Tensor) -> tuple[Tensor, ...]:
        batch = self.inputs.batch
        states = self.module.encoder.states(x.index_select(0, torch.argsort(batch.order)), batch)
        return tuple(state.index_select(0, batch.order) for state in states)

    def own_states_without(self, nodes: Tensor) -> tuple[Tensor, ...]:
        """Compute inner nodes whose own input is its baseline, their children's states as they are."""
        return self.cell(self.cell.project(self.inputs.x0.index_select(0, nodes)), self._children(nodes))

    @cached_property
    def outside(self) -> tuple[Tensor, Tensor]:
        """Pool what lies left and what lies right of each subtree, each of shape (n_nodes, any).

        In preorder all behind a subtree lies right of it; in postorder all before it lies left.
        """
        array, pool = self.inputs.array, self.module.pool
        h = weighted(pool, self.states[0])
        sizes = subtree_sizes(array)
        nothing = -torch.inf if pool.how == "max" else 0.0
        left, right = torch.full_like(h, nothing), torch.full_like(h, nothing)
        for first, last in pairwise(array.offsets.tolist()):
            size, depth = sizes[first:last], array.depths[first:last]
            nodes = np.arange(last - first)
            behind = nodes + size  # in preorder
            last_before = behind - 1 - depth - size  # in postorder
            in_postorder = np.argsort(behind - 1 - depth)
            part = h[first:last]
            before, after = _running(pool, part[in_postorder]), _running(pool, part.flip(0)).flip(0)
            has_left, has_right = last_before >= 0, behind < last - first
            left[first + nodes[has_left]] = before[last_before[has_left]]
            right[first + nodes[has_right]] = after[behind[has_right]]
        return left, right

    def pooled_below(self, h: Tensor) -> Tensor | None:
        """Pool what lies below each node, of the vectors of all, shape (n_nodes, any); None for a root's."""
        array, pool = self.inputs.array, self.module.pool
        if pool.how == "root":
            return None
        own = weighted(pool, h)
        total = torch.full_like(own, -torch.inf if pool.how == "max" else 0.0)
        for level in nodes_by_depth(array.depths)[:0:-1]:
            nodes = torch.from_numpy(level).to(h.device)
            above = self.parents[nodes].unsqueeze(1).expand(-1, own.shape[1])
            how = "amax" if pool.how == "max" else "sum"
            total.scatter_reduce_(0, above, join(pool, total[nodes], own[nodes]), reduce=how)
        return total

    def _children(self, nodes: Tensor) -> Children:
        counts = self.counts[nodes]
        owners = torch.repeat_interleave(torch.arange(len(nodes), device=nodes.device), counts)
        starts = self.first[nodes] - (counts.cumsum(0) - counts)
        kids = self.below[starts[owners] + torch.arange(len(owners), device=nodes.device)]
        return Children(tuple(state.index_select(0, kids) for state in self.states), owners, self.ranks[kids])

    def vectors(self, nodes: Tensor, states: tuple[Tensor, ...], below: Tensor | None = None) -> Tensor:
        """Compute the trees' vectors when one node of each has another state.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            The nodes, numbered through all trees.
        states : tuple of Tensor, each of shape (n, hidden_size)
            Their new states.
        below : Tensor of float, shape (n_nodes, any), default=None
            What :meth:`pooled_below` makes of the nodes that stay below them; None if their subtrees are
            gone, themselves included.

        Returns
        -------
        Tensor of float, shape (n, hidden_size)
        """
        pooled = _Pooled(self, nodes)
        if below is not None:
            pooled.add_subtrees(below.index_select(0, nodes), states[0])
        rows, at, new = torch.arange(len(nodes), device=nodes.device), nodes, states
        result = torch.empty_like(states[0])
        while len(rows):
            is_root = self.parents[at] < 0
            if is_root.any():
                result[rows[is_root]] = new[0][is_root]
                rows, at = rows[~is_root], at[~is_root]
                new = tuple(state[~is_root] for state in new)
            if not len(rows):
                break
            above = self.parents[at]
            new = self._computed(above, at, new)
            pooled.add(rows, above, new[0])
            at = above
        return pooled.result(result)

    def _computed(self, above: Tensor, at: Tensor, new: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Compute nodes one of whose children has a new state."""
        self.n_evaluations += len(above)
        children = self._children(above)
        # Each node's row of the child that is new: its first child's row, and the child's rank.
        counts = self.counts[above]
        rows = counts.cumsum(0) - counts + self.ranks[at]
        states = tuple(s.index_copy(0, rows, n) for s, n in zip(children.states, new, strict=True))
        return self.cell(self.wx.index_select(0, above), children._replace(states=states))


class _Pooled:
    """What the nodes outside a subtree say, where a tree's vector is not its root's alone.

    A tree without a subtree is what lies left of it, what lies right of it, and its ancestors.
    """

    def __init__(self, occluder: Occluder, nodes: Tensor) -> None:
        self.pool, self.occluder = occluder.module.pool, occluder
        if self.pool.how == "root":
            return
        left, right = occluder.outside
        self.total = join(self.pool, left.index_select(0, nodes), right.index_select(0, nodes))

    def add_subtrees(self, below: Tensor, h: Tensor) -> None:
        """Count the subtrees themselves, what is below their topmost nodes and those."""
        if self.pool.how != "root":
            self.total = join(self.pool, self.total, join(self.pool, below, weighted(self.pool, h)))

    def add(self, rows: Tensor, nodes: Tensor, h: Tensor) -> None:
        """Count an ancestor of the subtrees of some rows."""
        if self.pool.how != "root":
            self.total[rows] = join(self.pool, self.total[rows], weighted(self.pool, h))

    def result(self, root: Tensor) -> Tensor:
        """Return the trees' vectors; zeros of a tree of which nothing is left."""
        if self.pool.how == "root":
            return root
        if self.pool.how == "max":
            return self.total.masked_fill(self.total == -torch.inf, 0.0)
        return (self.total[:, :-1] / self.total[:, -1:]).nan_to_num(0.0)


def weighted(pool: Any, h: Tensor) -> Tensor:
    """Return what pooling joins: the vectors; for an average, weighted, and the weight behind them."""
    if pool.how == "max":
        return h
    weights = pool.weights(h)
    return torch.cat([weights * h, weights], dim=1)


def join(pool: Any, a: Tensor, b: Tensor) -> Tensor:
    """Pool two parts of each tree, of what :func:`weighted` returns."""
    return torch.maximum(a, b) if pool.how == "max" else a + b


def occlusion(
    inputs: Inputs, objective: Objective, budget: Budget, *, by_state: bool
) -> tuple[Tensor, Tensor]:
    """Compute by how much the objective falls when each subtree is taken away, and each own input.

    Parameters
    ----------
    inputs : Inputs
        Trees.
    objective : Objective
        What is explained.
    budget : Budget
        Limits; ``max_rows`` bounds the children that are read at once.
    by_state : bool
        Whether a subtree is taken away by states of zero (for a child-sum cell its edge is cut), and its
        nodes do not count in the pooling; otherwise all inputs in it become their baselines.

    Returns
    -------
    subtrees, own : Tensor of float, shape (n_nodes,)
        Of each node's subtree, and of its own input alone.
    """
    with torch.no_grad():
        occluder = Occluder(inputs)
        everything = torch.arange(inputs.n_rows, device=inputs.x.device)
        if by_state:
            without, below = tuple(map(torch.zeros_like, occluder.states)), None
        else:
            without = occluder.states_without
            below = occluder.pooled_below(without[0])
        subtrees = _falls(occluder, objective, everything, without, below, budget)
        is_leaf = occluder.counts == 0
        own = torch.where(is_leaf & inputs.is_player, subtrees, 0.0)
        nodes = (inputs.is_player & ~is_leaf).nonzero().squeeze(1)
        if len(nodes):
            states = occluder.own_states_without(nodes)
            below = occluder.pooled_below(occluder.states[0])
            own[nodes] = _falls(occluder, objective, nodes, states, below, budget)
    return subtrees, own


def phrase_values(inputs: Inputs, objective: Objective) -> Tensor:
    """Return what the objective is for each subtree by itself, Tensor of float, shape (n_nodes,)."""
    pool, module = inputs.module.pool, inputs.module
    with torch.no_grad():
        h = Occluder(inputs).states[0]
        nodes = torch.cat([h, pool.weights(h)], dim=1).cpu().numpy()
        vectors = torch.from_numpy(pool_subtrees(nodes, inputs.array, pool.how)).to(h)
        return objective.take(inputs.samples)(module.head(vectors))


def _falls(
    occluder: Occluder,
    objective: Objective,
    nodes: Tensor,
    states: tuple[Tensor, ...],
    below: Tensor | None,
    budget: Budget,
) -> Tensor:
    """Return by how much the objective falls when each node has another state, shape (n,)."""
    inputs = occluder.inputs
    before = objective(inputs.outputs(inputs.x))
    falls = torch.empty(len(nodes), dtype=inputs.x.dtype, device=nodes.device)
    depths = inputs.array.depths[nodes.cpu().numpy()]
    order = np.argsort(depths, kind="stable")  # those of one depth reach their roots together
    widest = _widest_above(inputs.array)[nodes.cpu().numpy()]
    for rows in split_by_size(order, widest[order], budget.max_rows):
        chosen = nodes[rows]
        vectors = occluder.vectors(chosen, tuple(state[rows] for state in states), below)
        samples = inputs.samples[chosen]
        falls[rows] = before[samples] - objective.take(samples)(inputs.module.head(vectors))
    return falls


def _widest_above(array: TreeArray) -> np.ndarray:
    """Return the most children that a node on the way up from each has, at least 1."""
    widest, parents, arities = np.ones(array.n_nodes, dtype=np.int64), array.absolute_parents, array.arities
    for nodes in nodes_by_depth(array.depths)[1:]:
        above = parents[nodes]
        widest[nodes] = np.maximum(widest[above], arities[above])
    return widest


def subtree_sizes(array: TreeArray) -> np.ndarray:
    """Return how many nodes each subtree has, ndarray of int64, shape (n_nodes,)."""
    sizes, parents = np.ones(array.n_nodes, dtype=np.int64), array.absolute_parents
    for nodes in nodes_by_depth(array.depths)[:0:-1]:
        np.add.at(sizes, parents[nodes], sizes[nodes])
    return sizes


def _running(pool: Any, h: Tensor) -> Tensor:
    return h.cummax(0).values if pool.how == "max" else h.cumsum(0)
