"""Occlusion of all subtrees of a batch of trees; only the ancestors of each are recomputed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.batches import split_by_size
from sklearn_tree.estimators.nodes import pool_subtrees
from sklearn_tree.estimators.objective import Objective
from sklearn_tree.explain.ancestors import NodeStates, States
from sklearn_tree.explain.limits import Limits


def occlusion(
    states: NodeStates, objective: Objective, limits: Limits, *, by_state: bool
) -> tuple[Tensor, Tensor]:
    """Compute the decrease of the objective when each subtree, or each node's own input, is occluded.

    Parameters
    ----------
    states : NodeStates
        States of the trees.
    objective : Objective
        Output to explain.
    limits : Limits
        Limits; ``max_rows`` bounds the number of children that are read at once.
    by_state : bool
        Whether the state of an occluded subtree is zero, which cuts the edge to a child-sum cell. Otherwise
        all inputs of the subtree are replaced by their baselines.

    Returns
    -------
    subtrees, own : Tensor of float, shape (n_nodes,)
        Decreases for the subtree and for the own input of each node.
    """
    inputs = states.inputs
    with torch.no_grad():
        effects = _StateEffects(states, objective, limits)
        all_nodes = torch.arange(inputs.array.n_nodes, device=inputs.x.device)
        linear = states.linear
        if by_state:
            new = tuple(map(torch.zeros_like, states.states))
            subtrees = effects.compute(
                all_nodes, new, linear=None if linear is None else linear.without_subtrees()
            )
        else:
            subtrees = effects.compute(
                all_nodes,
                states.baseline_states,
                states.pool_descendants(states.baseline_states),
                linear=None if linear is None else linear.with_baseline(is_subtree=True),
            )
        own, is_leaf = torch.zeros_like(subtrees), inputs.is_leaf[inputs.nodes]
        leaves, inner = inputs.nodes[is_leaf], inputs.nodes[~is_leaf]
        own[leaves] = subtrees[leaves]
        if len(inner):
            descendants = states.pool_descendants(states.states)
            own[inner] = effects.compute(
                inner,
                states.ablate_inputs(inner),
                descendants,
                linear=None if linear is None else linear.with_baseline(is_subtree=False),
            )
    return subtrees, own


def phrase_values(states: NodeStates, objective: Objective) -> Tensor:
    """Return the objective of each subtree as a separate tree, Tensor of float, shape (n_nodes,)."""
    inputs, module = states.inputs, states.module
    with torch.no_grad():
        h, trees = states.node_vectors, inputs.trees_of_nodes
        nodes = torch.cat([h, module.pool.weights(h)], dim=1).cpu().numpy()
        vectors = torch.from_numpy(pool_subtrees(nodes, inputs.array, module.pool.how)).to(h)
        linear = None if states.linear is None else states.linear.of_subtrees
        return objective.take(inputs.samples_of(trees))(states.outputs_with(vectors, trees, linear))


class _StateEffects:
    """Decrease of the objective of a tree when one of its nodes has another state."""

    def __init__(self, states: NodeStates, objective: Objective, limits: Limits) -> None:
        self.states, self.objective, self.limits = states, objective, limits
        self.values = objective(states.outputs())
        self.n_rows = states.n_rows_per_change()

    def compute(
        self,
        nodes: Tensor,
        new_states: States,
        descendants: Tensor | None = None,
        *,
        linear: Tensor | None,
    ) -> Tensor:
        """Compute the decrease for each node separately.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            Changed nodes.
        new_states : tuple of Tensor, each of shape (n, hidden_size)
            New states of the nodes.
        descendants : Tensor of float, default=None
            See :meth:`NodeStates.vectors`.
        linear : Tensor of float, shape (n_nodes, n_outputs), or None
            Logits of the linear path after the change of each node of the trees.

        Returns
        -------
        Tensor of float, shape (n,)
        """
        inputs = self.states.inputs
        effects = torch.empty(len(nodes), dtype=inputs.x.dtype, device=nodes.device)
        numbers = nodes.cpu().numpy()
        order = np.argsort(inputs.array.depths[numbers], kind="stable")  # they reach the roots together
        for rows in split_by_size(order, self.n_rows[numbers][order], self.limits.max_rows):
            part, part_states = nodes[rows], tuple(state[rows] for state in new_states)
            trees = inputs.trees_of_nodes[part]
            samples = inputs.samples_of(trees)
            vectors = self.states.vectors(part, part_states, descendants)
            outputs = self.states.outputs_with(vectors, trees, None if linear is None else linear[part])
            effects[rows] = self.values[samples] - self.objective.take(samples)(outputs)
        return effects
