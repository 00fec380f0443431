"""Methods for trees: occlusion of every subtree, interaction, and predictions for subtrees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.objective import Objective
from sklearn_tree.explain.ancestors import NodeStates
from sklearn_tree.explain.bidirectional import make_states
from sklearn_tree.explain.methods.base import Method, refused_method, register_method
from sklearn_tree.explain.occlusion import occlusion, phrase_values
from sklearn_tree.explain.removed_subtrees import values_without_subtrees
from sklearn_tree.explain.request import Attributions, ExplainedBatch, Request
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.kinds import StarTable, Trees
from sklearn_tree.trees import TreeArray


@dataclass(frozen=True, kw_only=True)
class ExplainedTrees:
    """Trees, the states of all their nodes, and the function that is explained.

    Attributes
    ----------
    request : Request
        The request.
    node_states : NodeStates
        States of all nodes.
    objective : Objective
        Function of the net's outputs.
    values : Tensor of float, shape (n,)
        Values of the objective.
    """

    request: Request
    node_states: NodeStates
    objective: Objective
    values: Tensor

    @property
    def inputs(self) -> TreeInputs:
        """Inputs of the net."""
        return self.node_states.inputs


@dataclass(frozen=True, kw_only=True)
class NodeAttributions:
    """Attributions of all nodes of some trees.

    Attributes
    ----------
    subtrees, own : Tensor of float, shape (n_nodes,)
        Attributions of each node's subtree and of its own input.
    baseline_values : Tensor of float, shape (n,)
        Values of the explained function for removed trees.
    """

    subtrees: Tensor
    own: Tensor
    baseline_values: Tensor


@dataclass(frozen=True, kw_only=True)
class SubtreeMethod(Method):
    """Method whose ``attribute`` returns the :class:`NodeAttributions` of :class:`ExplainedTrees`."""

    def run(self, request: Request, rows: np.ndarray) -> Attributions:
        """Explain some trees of a request."""
        inputs = request.inputs(rows)
        assert isinstance(inputs, TreeInputs)
        with torch.no_grad():
            states = make_states(inputs)
            outputs = states.outputs()
            objective = request.choose(outputs)
            values = objective(outputs)
            nodes: NodeAttributions = self.attribute(
                ExplainedTrees(request=request, node_states=states, objective=objective, values=values)
            )
        return Attributions(
            rows=rows,
            attributions=inputs.split(nodes.subtrees),
            own=inputs.split(nodes.own),
            values=values.cpu().numpy(),
            baseline_values=nodes.baseline_values.cpu().numpy(),
            targets=objective.names,
        ).times(objective.unit)


def occlude_subtrees(trees: ExplainedTrees) -> NodeAttributions:
    """Compute the decrease of the explained function when each subtree is removed."""
    request, inputs, vectors = trees.request, trees.inputs, trees.node_states.tree_vectors
    subtrees, own = occlusion(
        trees.node_states, trees.objective, request.limits, by_state=request.zero_states
    )
    if request.zero_states:
        removed = inputs.module.compute_logits(torch.zeros_like(vectors))
        if trees.node_states.linear is not None:
            removed = removed + trees.node_states.linear.bias
    else:
        removed = inputs.outputs(inputs.x0)
    return NodeAttributions(subtrees=subtrees, own=own, baseline_values=trees.objective(removed))


def subtract_children(trees: ExplainedTrees) -> NodeAttributions:
    """Compute how much the occlusion of each subtree exceeds the sum of its children's."""
    occluded = occlude_subtrees(trees)
    return NodeAttributions(
        subtrees=occluded.subtrees - _sum_children(trees.inputs.array, occluded.subtrees),
        own=occluded.own,
        baseline_values=occluded.baseline_values,
    )


def predict_subtrees(trees: ExplainedTrees) -> NodeAttributions:
    """Compute the explained function for each subtree as a separate tree."""
    subtrees = phrase_values(trees.node_states, trees.objective)
    return NodeAttributions(
        subtrees=subtrees,
        own=subtrees * trees.inputs.is_leaf,
        baseline_values=trees.objective(trees.inputs.outputs(trees.inputs.x0)),
    )


def occlude_columns(batch: ExplainedBatch) -> list[np.ndarray]:
    """Compute the decrease of the explained function when each column of a table is removed."""
    assert isinstance(batch.inputs, TreeInputs)
    _, own = occlusion(make_states(batch.inputs), batch.objective, batch.limits, by_state=False)
    return batch.inputs.split(own)


def _sum_children(array: TreeArray, numbers: Tensor) -> Tensor:
    """Sum the numbers of each node's children, shape (n_nodes,) to (n_nodes,)."""
    parents = torch.from_numpy(array.absolute_parents).to(numbers.device)
    has_parent = parents >= 0
    return torch.zeros_like(numbers).index_add(0, parents[has_parent], numbers[has_parent])


register_method(
    SubtreeMethod(
        name="occlusion", attribute=occlude_subtrees, kinds=(Trees,), evaluate=values_without_subtrees
    )
)
register_method(
    SubtreeMethod(
        name="interaction",
        attribute=subtract_children,
        kinds=(Trees,),
        complete="attributions",
        evaluate=values_without_subtrees,
    )
)
register_method(
    SubtreeMethod(
        name="node_prediction",
        attribute=predict_subtrees,
        kinds=(Trees,),
        complete=None,
        refuse_nodes="it predicts every node of a tree already",
    )
)
register_method(
    refused_method("feature_ablation", lambda net: "use 'occlusion' to remove subtrees", kinds=(Trees,))
)
for _name in ("feature_ablation", "occlusion"):
    register_method(Method(name=_name, attribute=occlude_columns, kinds=(StarTable,)))
