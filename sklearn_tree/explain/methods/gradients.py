"""Methods that take a single gradient."""

from __future__ import annotations

from collections.abc import Callable

from captum.attr import Saliency
from torch import Tensor

from sklearn_tree.explain.methods.base import Method, register_method
from sklearn_tree.explain.request import ExplainedBatch


def slope(batch: ExplainedBatch, x: Tensor) -> Tensor:
    """Return the gradient of the explained function with respect to the inputs.

    Parameters
    ----------
    batch : ExplainedBatch
        The samples.
    x : Tensor of float, shape (k * n_rows, ..., size)
        Inputs of k copies.

    Returns
    -------
    Tensor of float, shape of ``x``
    """
    saliency = Saliency(batch.evaluate_sum)
    return saliency.attribute(x.detach().requires_grad_(), abs=False).detach()


def input_x_gradient(batch: ExplainedBatch, x: Tensor, x0: Tensor) -> Tensor:
    """Return the gradient times the difference from the baseline, see :func:`slope`."""
    return slope(batch, x) * (x - x0)


def saliency(batch: ExplainedBatch, x: Tensor, x0: Tensor) -> Tensor:
    """Return the absolute gradient, see :func:`slope`.

    Returns
    -------
    Tensor of float
        Shape of ``x``; for embedded positions the Euclidean norm, without the last axis.
    """
    gradient, inputs = slope(batch, x), batch.inputs
    if not inputs.is_embedded:
        return gradient.abs()
    n_copies = len(x) // len(inputs.x)
    return gradient.norm(dim=-1) * inputs.removable.repeat(n_copies, *(1,) * (inputs.removable.ndim - 1))


def _make_method(name: str, gradient: Callable[[ExplainedBatch, Tensor, Tensor], Tensor]) -> Method:
    def attribute(batch: ExplainedBatch) -> Tensor:
        return gradient(batch, batch.inputs.x, batch.inputs.x0)

    return Method(name=name, attribute=attribute, gradient=gradient)


register_method(_make_method("input_x_gradient", input_x_gradient))
register_method(_make_method("saliency", saliency))
