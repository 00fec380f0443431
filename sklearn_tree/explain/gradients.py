"""Gradient methods, computed by Captum on embedded inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from captum.attr import IntegratedGradients, Saliency
from torch import Tensor

from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.objective import Objective

VECTORS = ("table", "tokens", "trees")  # kinds whose positions enter a net as vectors


class Budget(NamedTuple):
    """How much is computed at once, and how exactly.

    Attributes
    ----------
    n_steps, max_steps : int
        Steps of an integral at first and at most.
    tol : float
        Completeness error of a sample that asks for more steps, beside ``max(1, |f(x) - f(x0)|)``; of
        regressors the standard deviation of the targets stands for the 1.
    max_rows : int
        The most nodes, steps or pixels that are computed at once.
    """

    n_steps: int = 32
    max_steps: int = 512
    tol: float = 0.01
    max_rows: int = 8192

    def copies(self, inputs: Inputs) -> int:
        """Return how many copies of some samples are computed at once."""
        return max(1, self.max_rows // max(inputs.n_positions, 1))


def forward_of(inputs: Inputs, objective: Objective) -> Callable[[Tensor], Tensor]:
    """Return the function that Captum differentiates: rows of whole copies to one number a sample."""
    return lambda x: objective(inputs.outputs(x))


def sum_of(inputs: Inputs, objective: Objective) -> Callable[[Tensor], Tensor]:
    """Return the function for gradients: samples do not mix, so the sum of all has each one's gradients."""
    return lambda x: objective(inputs.outputs(x)).sum().unsqueeze(0)


def integrated_gradients(inputs: Inputs, objective: Objective, budget: Budget, n_steps: int) -> Tensor:
    """Integrate gradients from ``x0`` to ``x``, in chunks of copies that stay within the budget.

    Parameters
    ----------
    inputs : Inputs
        The samples.
    objective : Objective
        What is explained.
    budget : Budget
        Limits.
    n_steps : int
        Number of steps (Gauss-Legendre).

    Returns
    -------
    Tensor of float, shape of ``inputs.x``

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan (2017). Axiomatic Attribution for Deep Networks. ICML.
    """
    method = IntegratedGradients(sum_of(inputs, objective))
    return method.attribute(
        inputs.x,
        baselines=inputs.x0,
        n_steps=n_steps,
        internal_batch_size=inputs.n_rows * min(budget.copies(inputs), n_steps),
    )


def adaptive_integral(
    inputs: Inputs,
    objective: Objective,
    change: Tensor,
    budget: Budget,
    again: Callable[[np.ndarray], Inputs],
) -> list[np.ndarray]:
    """Integrate gradients of samples, with more steps for those that need more.

    Parameters
    ----------
    inputs : Inputs
        The samples.
    objective : Objective
        What is explained.
    change : Tensor of float, shape (n,)
        ``f(x) - f(x0)``, what there is to share out.
    budget : Budget
        Limits.
    again : callable
        Makes the inputs of some of the samples, given by their numbers.

    Returns
    -------
    list of ndarray of float, length n
        See :func:`per_position`.
    """
    found: list[Any] = [None] * len(inputs)
    rows, n_steps = np.arange(len(inputs)), budget.n_steps
    while True:
        attributions = integrated_gradients(inputs, objective, budget, n_steps)
        error = (inputs.per_sample(attributions) - change).abs()
        for i, part in zip(rows, per_position(inputs, attributions), strict=True):
            found[i] = part
        unit = objective.weights.abs().amax(1)  # 1 of classes; of regressors the targets' deviation
        is_rough = error > budget.tol * torch.maximum(change.abs(), unit)
        n_steps *= 2
        if n_steps > budget.max_steps or not is_rough.any():
            return found
        rough = is_rough.nonzero().squeeze(1)
        rows, objective, change = rows[rough.cpu().numpy()], objective.take(rough), change[rough]
        inputs = again(rows)


def per_position(inputs: Inputs, attributions: Tensor) -> list[np.ndarray]:
    """Split attributions into samples without padding; those of vectors are summed.

    Parameters
    ----------
    inputs : Inputs
        The samples.
    attributions : Tensor of float, shape of ``inputs.x``, or without the last axis
        Numbers.

    Returns
    -------
    list of ndarray of float
        Per sample: of trees, tokens and tables shape (n_nodes or n_steps,), of series (n_steps,
        n_channels), of images (height, width, n_channels).
    """
    is_vector = inputs.subject.kind in VECTORS and attributions.ndim == inputs.x.ndim
    return inputs.split(attributions.sum(-1) if is_vector else attributions)


def gradient(method: str, inputs: Inputs, objective: Objective) -> Tensor:
    """Compute a method that takes a single gradient, at the samples themselves.

    Parameters
    ----------
    method : {"saliency", "input_x_gradient"}
        The gradient's size (of a vector its Euclidean norm), or the gradient times ``x - x0``.
    inputs : Inputs
        The samples.
    objective : Objective
        What is explained.

    Returns
    -------
    Tensor of float, shape of ``inputs.x``, without the last axis for the size of vectors
    """
    return _at(method, sum_of(inputs, objective), inputs, inputs.x, inputs.x0)


def _at(method: str, f: Callable[[Tensor], Tensor], inputs: Inputs, x: Tensor, x0: Tensor) -> Tensor:
    slope = _slope(f, x)
    if method == "input_x_gradient":
        return slope * (x - x0)
    if inputs.subject.kind not in VECTORS:
        return slope.abs()
    is_player = inputs.is_player.repeat(len(x) // len(inputs.x), *_ones(inputs.is_player))
    return slope.norm(dim=-1) * is_player


def _slope(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return Saliency(f).attribute(x.detach().requires_grad_(), abs=False).detach()


def noisy(
    method: str, inputs: Inputs, objective: Objective, budget: Budget, params: dict[str, Any], seed: int
) -> Tensor:
    """Average a gradient method over noisy copies of a single sample.

    Captum's NoiseTunnel and GradientShap lay copies out row by row, which a batch of trees cannot be; so
    the copies are made here.

    Parameters
    ----------
    method : {"gradient_shap", "integrated_gradients", "saliency", "input_x_gradient"}
        "gradient_shap" takes the gradient at a random point on the way from the baseline [1]_.
    inputs : Inputs
        One sample.
    objective : Objective
        What is explained.
    budget : Budget
        Limits.
    params : dict
        ``n_samples``, 25 by default, and ``stdevs``, that of the noise, by default a tenth of that of
        ``x - x0``, and 0 for "gradient_shap".
    seed : int
        Seed of the noise.

    Returns
    -------
    Tensor of float, shape of ``inputs.x``, without the last axis for the size of vectors

    References
    ----------
    .. [1] S. Lundberg, S.-I. Lee (2017). A Unified Approach to Interpreting Model Predictions. NeurIPS.
    """
    generator = torch.Generator(inputs.x.device).manual_seed(seed)
    f, n, ones = sum_of(inputs, objective), int(params.get("n_samples", 25)), _ones(inputs.x)
    usual = 0.0 if method == "gradient_shap" else 0.1 * float((inputs.x - inputs.x0).std(unbiased=False))
    stdevs, most = float(params.get("stdevs", usual)), budget.copies(inputs)
    parts = []
    for done in range(0, n, most):
        k = min(most, n - done)
        x, x0 = inputs.x.repeat(k, *ones), inputs.x0.repeat(k, *ones)
        noise, alpha = _drawn(inputs.x, k, generator)
        x = x + stdevs * noise * inputs.is_player.unsqueeze(-1).repeat(k, *ones)
        if method == "gradient_shap":
            alpha = alpha.repeat_interleave(inputs.n_rows).view(-1, *ones)
            part = _slope(f, x0 + alpha * (x - x0)) * (x - x0)
        elif method == "integrated_gradients":
            integral = IntegratedGradients(f)
            at_once = min(max(1, most // k), budget.n_steps)
            part = integral.attribute(x, x0, n_steps=budget.n_steps, internal_batch_size=len(x) * at_once)
        else:
            part = _at(method, f, inputs, x, x0)
        parts.append(part.view(k, inputs.n_rows, *part.shape[1:]).sum(0))
    return torch.stack(parts).sum(0) / n


def _drawn(x: Tensor, k: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw noise for k copies, one after the other: it may not depend on how many are computed at once."""
    kwargs: dict[str, Any] = {"generator": generator, "device": x.device, "dtype": x.dtype}
    drawn = [(torch.randn(x.shape, **kwargs), torch.rand(1, **kwargs)) for _ in range(k)]
    noise, alpha = zip(*drawn, strict=True)
    return torch.cat(noise), torch.cat(alpha)


def _ones(x: Tensor) -> tuple[int, ...]:
    return (1,) * (x.ndim - 1)
