"""Methods that average gradients over noise.

Captum's ``NoiseTunnel`` and ``GradientShap`` repeat each row in place, which breaks batches of trees, so the
noisy copies are made here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods.base import Method, register_method, register_wrapper
from sklearn_tree.explain.methods.gradients import slope
from sklearn_tree.explain.request import ExplainedBatch

_N_SAMPLES = 25
_PARAMS = ("n_samples", "stdevs")


def gradient_shap(batch: ExplainedBatch) -> Tensor:
    """Average the gradient over random points between the baseline and the noisy input [1]_.

    Parameters
    ----------
    batch : ExplainedBatch
        A single sample. ``params`` may hold ``n_samples``, 25 by default, and ``stdevs``, the standard
        deviation of the noise, 0 by default.

    Returns
    -------
    Tensor of float, shape of ``batch.inputs.x``

    References
    ----------
    .. [1] S. Lundberg, S.-I. Lee (2017). A Unified Approach to Interpreting Model Predictions. NeurIPS.
    """
    parts = []
    for x, x0, alpha in _noisy_copies(batch, default_stdevs=0.0):
        points = alpha.repeat_interleave(batch.inputs.n_rows).view(-1, *_ones(x))
        parts.append(slope(batch, x0 + points * (x - x0)) * (x - x0))
    return _mean(batch, parts)


def noise_tunnel(inner: Method) -> Method:
    """Return the method that averages a gradient method over noisy inputs.

    The standard deviation of the noise is ``method_params["stdevs"]``, by default a tenth of the standard
    deviation of the differences between inputs and baselines; ``method_params["n_samples"]``, 25 by default,
    is the number of noisy copies.

    Parameters
    ----------
    inner : Method
        The method to average. A method that is not a gradient is refused.
    """
    name, gradient = f"noise_tunnel({inner.name})", inner.gradient

    def attribute(batch: ExplainedBatch) -> Tensor:
        assert gradient is not None
        stdevs = 0.1 * float((batch.inputs.x - batch.inputs.x0).std(unbiased=False))
        copies = _noisy_copies(batch, default_stdevs=stdevs)
        return _mean(batch, [gradient(batch, x, x0) for x, x0, _ in copies])

    def refuse(net: ExplainedNet) -> str | None:
        reason = f"noise_tunnel averages gradients, and {inner.name} is not a gradient at one point"
        return inner.refuse(net) or (reason if gradient is None else None)

    return dataclasses.replace(
        inner,
        name=name,
        attribute=attribute,
        gradient=None,
        is_stochastic=True,
        params=_PARAMS,
        refuse=refuse,
    )


def _noisy_copies(batch: ExplainedBatch, default_stdevs: float) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield copies of a single sample with noise, their baselines, and a random number per copy."""
    inputs, n = batch.inputs, int(batch.params.get("n_samples", _N_SAMPLES))
    generator = torch.Generator(inputs.x.device).manual_seed(batch.seed)
    stdevs, most = float(batch.params.get("stdevs", default_stdevs)), batch.limits.n_copies(inputs)
    ones = _ones(inputs.x)
    for start in range(0, n, most):
        k = min(most, n - start)
        x, x0 = inputs.x.repeat(k, *ones), inputs.x0.repeat(k, *ones)
        noise, alpha = _draw(inputs.x, k, generator)
        yield x + stdevs * noise * inputs.removable.unsqueeze(-1).repeat(k, *ones), x0, alpha


def _draw(x: Tensor, k: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw the noise of k copies one by one, so that it does not depend on the size of a chunk."""
    draws = []
    for _ in range(k):
        noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        draws.append((noise, torch.rand(1, generator=generator, device=x.device, dtype=x.dtype)))
    noises, alphas = zip(*draws, strict=True)
    return torch.cat(noises), torch.cat(alphas)


def _mean(batch: ExplainedBatch, parts: list[Tensor]) -> Tensor:
    """Average the attributions of copies, in chunks of copies."""
    n_rows, n = batch.inputs.n_rows, int(batch.params.get("n_samples", _N_SAMPLES))
    sums = [part.view(len(part) // n_rows, n_rows, *part.shape[1:]).sum(0) for part in parts]
    return torch.stack(sums).sum(0) / n


def _ones(x: Tensor) -> tuple[int, ...]:
    return (1,) * (x.ndim - 1)


register_method(Method(name="gradient_shap", attribute=gradient_shap, is_stochastic=True, params=_PARAMS))
register_wrapper("noise_tunnel", noise_tunnel)
