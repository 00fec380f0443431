"""Methods that remove one group of positions at a time: feature ablation and sliding windows."""

from __future__ import annotations

import math

import torch
from captum.attr import FeatureAblation, Occlusion
from torch import Tensor

from sklearn_tree.explain.methods.base import Method, register_method
from sklearn_tree.explain.request import ExplainedBatch
from sklearn_tree.kinds import Images, Series


def ablate(batch: ExplainedBatch) -> Tensor:
    """Compute the decrease of the explained function when each group is removed.

    Parameters
    ----------
    batch : ExplainedBatch
        The samples.

    Returns
    -------
    Tensor of float
        Shape (n, n_positions) for embedded positions, otherwise the shape of ``batch.inputs.x``: the decrease
        of a window or patch is spread evenly over its numbers.
    """
    inputs = batch.inputs
    groups = inputs.expand(batch.request.view.batch_groups(inputs, batch.params))
    decreases = FeatureAblation(batch.evaluate).attribute(
        inputs.x,
        inputs.x0,
        feature_mask=groups.unsqueeze(0),
        perturbations_per_eval=batch.limits.n_copies(inputs),
    )
    if inputs.is_embedded:  # the same for all features of a position
        return decreases[..., 0]
    return decreases / torch.bincount(groups.flatten())[groups]


def slide_window(batch: ExplainedBatch) -> Tensor:
    """Compute the decrease of the explained function under a window that slides over the samples.

    Parameters
    ----------
    batch : ExplainedBatch
        Series or images. ``params`` may hold ``window``, the length of the window, and ``stride``.

    Returns
    -------
    Tensor of float, shape of ``batch.inputs.x``
        Mean decrease over the windows that cover a number, divided by the size of a window.
    """
    inputs, view = batch.inputs, batch.request.view
    shape, strides = view.sliding_window(inputs, batch.params)
    decreases = Occlusion(batch.evaluate).attribute(
        inputs.x,
        sliding_window_shapes=shape,
        strides=strides,
        baselines=inputs.x0,
        perturbations_per_eval=batch.limits.n_copies(inputs),
    )
    return decreases / math.prod(shape)


register_method(Method(name="feature_ablation", attribute=ablate, has_windows=True, params=("window",)))
register_method(Method(name="occlusion", attribute=ablate))
register_method(
    Method(
        name="occlusion",
        attribute=slide_window,
        kinds=(Series, Images),
        has_windows=True,
        params=("stride", "window"),
    )
)
