"""Occlusion of every subtree at once: each is taken away, and only its ancestors are computed anew."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.batches import split_by_size
from sklearn_tree.estimators.nodes import pool_subtrees
from sklearn_tree.estimators.objective import Objective
from sklearn_tree.explain.ancestors import Forest, States
from sklearn_tree.explain.limits import Limits
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.array import nodes_by_depth


def occlusion(
    forest: Forest, objective: Objective, budget: Limits, *, by_state: bool
) -> tuple[Tensor, Tensor]:
    """Compute by how much the objective falls when each subtree is taken away, and each own input.

    Parameters
    ----------
    forest : Forest
        The trees.
    objective : Objective
        What is explained.
    budget : Limits
        Limits; ``max_rows`` bounds the children that are read at once.
    by_state : bool
        Whether a subtree is taken away by states of zero (for a child-sum cell its edge is cut);
        otherwise all inputs in it become their baselines.

    Returns
    -------
    subtrees, own : Tensor of float, shape (n_nodes,)
        Of each node's subtree, and of its own input alone.
    """
    inputs = forest.inputs
    with torch.no_grad():
        falls = _Falls(forest, objective, budget)
        everything = torch.arange(inputs.array.n_nodes, device=inputs.x.device)
        if by_state:
            subtrees = falls.of(everything, tuple(map(torch.zeros_like, forest.states)))
        else:
            without = forest.states_without
            subtrees = falls.of(everything, without, forest.pooled_below(without))
        own, is_leaf = torch.zeros_like(subtrees), inputs.is_leaf[inputs.nodes]
        leaves, inner = inputs.nodes[is_leaf], inputs.nodes[~is_leaf]
        own[leaves] = subtrees[leaves]
        if len(inner):
            own[inner] = falls.of(inner, forest.own_states_without(inner), forest.pooled_below(forest.states))
    return subtrees, own


def phrase_values(forest: Forest, objective: Objective) -> Tensor:
    """Return what the objective is for each subtree by itself, Tensor of float, shape (n_nodes,)."""
    inputs, module = forest.inputs, forest.module
    with torch.no_grad():
        h = forest.states[0]
        nodes = torch.cat([h, module.pool.weights(h)], dim=1).cpu().numpy()
        vectors = torch.from_numpy(pool_subtrees(nodes, inputs.array, module.pool.how)).to(h)
        return objective.take(inputs.samples_of_nodes)(module.head(vectors))


class _Falls:
    """By how much the objective of a tree falls when one of its nodes has another state."""

    def __init__(self, forest: Forest, objective: Objective, budget: Limits) -> None:
        self.forest, self.objective, self.budget = forest, objective, budget
        self.values = objective(forest.outputs())
        self.widest = widest_above(forest.inputs.array)

    def of(self, nodes: Tensor, states: States, below: Tensor | None = None) -> Tensor:
        """Return the falls of nodes with new states, each by itself, shape (n,)."""
        inputs, forest = self.forest.inputs, self.forest
        falls = torch.empty(len(nodes), dtype=inputs.x.dtype, device=nodes.device)
        numbers = nodes.cpu().numpy()
        order = np.argsort(inputs.array.depths[numbers], kind="stable")  # reach their roots together
        for rows in split_by_size(order, self.widest[numbers][order], self.budget.max_rows):
            chosen = nodes[rows]
            vectors = forest.vectors(chosen, tuple(state[rows] for state in states), below)
            trees = inputs.samples_of_nodes[chosen]
            outputs = inputs.module.head(vectors)
            falls[rows] = self.values[trees] - self.objective.take(trees)(outputs)
        return falls


def widest_above(array: TreeArray) -> np.ndarray:
    """Return the most children that a node on the way up from each has, at least 1."""
    widest, parents, arities = np.ones(array.n_nodes, dtype=np.int64), array.absolute_parents, array.arities
    for nodes in nodes_by_depth(array.depths)[1:]:
        above = parents[nodes]
        widest[nodes] = np.maximum(widest[above], arities[above])
    return widest
