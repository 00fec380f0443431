"""Values of trees of which some leaves have no state, as in the occlusion of subtrees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.request import ExplainedBatch
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.nn import TreeBatch


def values_without_states(batch: ExplainedBatch, coalitions: np.ndarray) -> np.ndarray | None:
    """Compute the explained function of a single tree, or pair of trees, for coalitions of its nodes.

    The states of absent leaves are zero, and the inputs of absent inner nodes are their baselines.

    Parameters
    ----------
    batch : ExplainedBatch
        A single sample.
    coalitions : ndarray of bool, shape (n, n_rows)
        Nodes with inputs that are present.

    Returns
    -------
    ndarray of float, shape (n,), or None
        None if the occlusion replaces inputs by their baselines, the net pools several nodes, or it has a
        second walk from the roots down.
    """
    inputs = batch.inputs
    assert isinstance(inputs, TreeInputs)
    module = inputs.module
    if not batch.request.zero_states or module.pool.how != "root" or module.encoder.downward is not None:
        return None
    parts = torch.from_numpy(coalitions).to(inputs.x.device).split(batch.limits.n_copies(inputs))
    with torch.no_grad():
        values = [batch.objective(_compute_outputs(inputs, part)) for part in parts]
    return torch.cat(values).double().cpu().numpy()


def _compute_outputs(inputs: TreeInputs, is_present: Tensor) -> Tensor:
    """Compute the outputs for one copy of the trees per coalition."""
    k, n_nodes, module, device = len(is_present), inputs.array.n_nodes, inputs.module, inputs.x.device
    array = inputs.array[np.tile(np.arange(len(inputs.array)), k)]
    batch = TreeBatch.from_array(array).to(device)
    has_input = torch.ones(k, n_nodes, dtype=torch.bool, device=device)
    has_input[:, inputs.nodes] = is_present
    is_absent_leaf = (~has_input & inputs.is_leaf).flatten()
    x, x0 = (torch.cat([inputs.fixed, part])[inputs.rows_of_nodes] for part in (inputs.x, inputs.x0))
    rows = torch.where(has_input.unsqueeze(-1), x, x0).flatten(0, 1)

    order = torch.argsort(batch.order)  # from the order of the array to that of the batch
    vectors, scores = module.split_embedded(rows[order])
    is_absent = is_absent_leaf[order]
    n_inner = sum(batch.n_inner)
    states = module.encoder.compute_states(module.encoder.cell.project(vectors), batch, ~is_absent[n_inner:])
    logits = module.compute_logits(states[0].index_select(0, batch.roots))
    if module.active_linear is None:
        return logits
    return logits + module.active_linear.pool(scores * ~is_absent.unsqueeze(1), batch)
