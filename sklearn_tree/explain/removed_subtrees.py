"""Explained values of trees from which sets of inputs are removed as occlusion removes subtrees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.bidirectional import make_states
from sklearn_tree.explain.coalitions import coalition_values
from sklearn_tree.explain.request import ExplainedBatch
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.trees.reduction import reduce_subtrees


def values_without_subtrees(batch: ExplainedBatch, groups: Tensor, coalitions: np.ndarray) -> np.ndarray:
    """Compute the explained function of a single sample for some coalitions of its nodes.

    An absent leaf has a state of zero, and so has every subtree without a present input, which is what the
    occlusion of the subtree does. The absent input of any other inner node is replaced by its baseline.
    Unless the explainer sets states to zero, all absent inputs are replaced, see :func:`coalition_values`.

    Parameters
    ----------
    batch : ExplainedBatch
        A single sample: a tree, or a pair of trees.
    groups : Tensor of int64, shape (n_rows,)
        Its groups, one for each node with an input.
    coalitions : ndarray of bool, shape (n, n_rows)
        Nodes whose inputs are present.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    if not batch.request.zero_states:
        return coalition_values(batch, groups, coalitions)
    values, n_copies = [], batch.limits.n_copies(batch.inputs)
    with torch.no_grad():
        for start in range(0, len(coalitions), n_copies):
            outputs = _outputs_without(batch, coalitions[start : start + n_copies])
            values.append(batch.objective(outputs))
    return torch.cat(values).double().cpu().numpy()


def _outputs_without(batch: ExplainedBatch, coalitions: np.ndarray) -> Tensor:
    """Compute the outputs of the net for one copy of the sample per coalition."""
    inputs = batch.request.inputs(np.repeat(batch.rows, len(coalitions)))
    assert isinstance(inputs, TreeInputs)
    is_present = torch.from_numpy(coalitions.ravel()).to(inputs.x.device)
    inputs.x = torch.where(is_present.unsqueeze(1), inputs.x, inputs.x0)
    counts = torch.zeros(inputs.array.n_nodes, 2, dtype=torch.int64)
    counts[inputs.nodes.cpu(), 0] = 1
    counts[inputs.nodes.cpu(), 1] = is_present.long().cpu()
    n_inputs, n_present = reduce_subtrees(counts.numpy(), inputs.array.depths).T
    return make_states(inputs).outputs_without((n_inputs > 0) & (n_present == 0))
