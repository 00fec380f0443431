"""Integrated gradients [1]_, with more steps for samples that need them.

References
----------
.. [1] M. Sundararajan, A. Taly, Q. Yan (2017). Axiomatic Attribution for Deep Networks. ICML.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import Tensor

from sklearn_tree.explain.methods.base import Method, register_method
from sklearn_tree.explain.request import ExplainedBatch


def integrate(batch: ExplainedBatch, n_steps: int) -> Tensor:
    """Integrate the gradient from the baselines to the inputs, in chunks of copies within the limits.

    Parameters
    ----------
    batch : ExplainedBatch
        The samples.
    n_steps : int
        Number of steps (Gauss-Legendre quadrature).

    Returns
    -------
    Tensor of float, shape of ``batch.inputs.x``
    """
    inputs = batch.inputs
    return IntegratedGradients(batch.evaluate_sum).attribute(
        inputs.x,
        baselines=inputs.x0,
        n_steps=n_steps,
        internal_batch_size=inputs.n_rows * min(batch.limits.n_copies(inputs), n_steps),
    )


def integrate_adaptively(batch: ExplainedBatch) -> list[np.ndarray]:
    """Integrate the gradient and double the steps of samples whose completeness error is too large.

    Parameters
    ----------
    batch : ExplainedBatch
        The samples.

    Returns
    -------
    list of ndarray of float, length n
        See :meth:`Inputs.split_positions`.
    """
    results: list[Any] = [None] * len(batch.inputs)
    rows, n_steps, limits = np.arange(len(batch.inputs)), batch.limits.n_steps, batch.limits
    while True:
        attributions = integrate(batch, n_steps)
        error = (batch.inputs.sum_per_sample(attributions) - batch.difference).abs()
        for i, part in zip(rows, batch.inputs.split_positions(attributions), strict=True):
            results[i] = part
        scale = batch.objective.weights.abs().amax(1)  # 1 for classes, the targets' deviation for regressors
        is_rough = error > limits.tol * torch.maximum(batch.difference.abs(), scale)
        n_steps *= 2
        if n_steps > limits.max_steps or not is_rough.any():
            return results
        rough = is_rough.nonzero().squeeze(1)
        rows, batch = rows[rough.cpu().numpy()], batch.take(rough)


def _integrate_copies(batch: ExplainedBatch, x: Tensor, x0: Tensor) -> Tensor:
    limits, inputs = batch.limits, batch.inputs
    n_steps = min(max(1, limits.n_copies(inputs) // (len(x) // inputs.n_rows)), limits.n_steps)
    return IntegratedGradients(batch.evaluate_sum).attribute(
        x, x0, n_steps=limits.n_steps, internal_batch_size=len(x) * n_steps
    )


register_method(
    Method(name="integrated_gradients", attribute=integrate_adaptively, gradient=_integrate_copies)
)
