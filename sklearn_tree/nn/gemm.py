"""Matrix products at the rate of the CPU: oneDNN's where torch has it, torch's own elsewhere.

torch's single-precision products go to MKL, which runs at less than half of oneDNN's rate on many CPUs
of AMD. The operator that reaches oneDNN is private, so it is asked for here alone and may be missing.

Under ``torch.autocast`` the factors of single precision are rounded to its type, and nothing else is:
the sums inside a product and all that products go into stay in single precision.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Multiply two matrices, of any strides; not for autograd.

    Parameters
    ----------
    a : Tensor of float, shape (m, k)
        Left factor.
    b : Tensor of float, shape (k, n)
        Right factor.

    Returns
    -------
    Tensor of float, shape (m, n)
    """
    rows = bucket(len(a)) if _has_kernels(a) else len(a)
    padded = a if rows == len(a) else F.pad(a, (0, 0, 0, rows - len(a)))
    return _multiply(padded, b)[: len(a)]


def low_precision(x: Tensor) -> torch.dtype | None:
    """Return the type that autocast rounds the factors of products to; None if it leaves them alone."""
    kind = x.device.type
    if x.dtype != torch.float32 or kind == "meta" or not torch.is_autocast_enabled(kind):
        return None
    return torch.get_autocast_dtype(kind)


def again(dtype: torch.dtype | None, device: torch.device) -> AbstractContextManager:
    """Return a context in which autocast is as it was, for a way back."""
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def _has_kernels(a: Tensor) -> bool:
    """Whether a kernel is built for each shape."""
    return _ONEDNN is not None and a.dtype == torch.float32 and a.device.type == "cpu" and a.numel() > 0


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    dtype = low_precision(a)
    if dtype is not None:
        return (a.to(dtype) @ b.to(dtype)).to(a.dtype)
    if not _has_kernels(a):
        return a @ b
    if not b.is_contiguous() and not b.t().is_contiguous():
        b = b.contiguous()  # any other layout sends oneDNN to its slowest path
    return _ONEDNN(a, b.t(), None, "none", [], "")


def matmul_rows(a: Tensor, start: int, stop: int, b: Tensor) -> Tensor:
    """Multiply some rows of ``a`` with ``b``; spares :func:`matmul` its copy.

    Parameters
    ----------
    a : Tensor of float, shape (m, k)
        Left factor. Rows behind ``stop`` may be read, their values do not matter.
    start, stop : int
        The rows wanted.
    b : Tensor of float, shape (k, n)
        Right factor.

    Returns
    -------
    Tensor of float, shape (stop - start, n)
    """
    end = start + bucket(stop - start)
    return matmul(a[start : end if end <= len(a) else stop], b)[: stop - start]


def matmul_transposed(a: Tensor, b: Tensor) -> Tensor:
    """Compute ``a.T @ b``, a sum over rows of which there may be any number.

    Parameters
    ----------
    a : Tensor of float, shape (m, k)
        Left factor.
    b : Tensor of float, shape (m, n)
        Right factor.

    Returns
    -------
    Tensor of float, shape (k, n)
    """
    if a.shape[1] > b.shape[1]:  # faster with the narrower factor in front
        return matmul_transposed(b, a).t()
    if _has_kernels(a) and bucket(len(a)) != len(a):  # zeros add nothing, and spare a kernel
        missing = (0, 0, 0, bucket(len(a)) - len(a))
        a, b = F.pad(a, missing), F.pad(b, missing)
    return _multiply(a.t(), b)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute ``x @ weight.T + bias`` as ``torch.nn.functional.linear`` does, also for autograd.

    Parameters
    ----------
    x : Tensor of float, shape (m, k)
        Inputs.
    weight : Tensor of float, shape (n, k)
        Weights.
    bias : Tensor of float, shape (n,)
        Biases.

    Returns
    -------
    Tensor of float, shape (m, n)
    """
    if x.dtype != weight.dtype:  # what autocast has rounded, it goes on with
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


def product(x: Tensor, weight: Tensor) -> Tensor:
    """Compute ``x @ weight.T`` of two matrices, also for autograd."""
    return _Linear.apply(x, weight, None)


class Linear(nn.Linear):
    """``torch.nn.Linear`` by :func:`linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """Map the last axis."""
        y = linear(input.reshape(-1, input.shape[-1]), self.weight, self.bias)
        return y.view(*input.shape[:-1], self.out_features)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dtype = low_precision(x)
        y = matmul(x, weight.t())
        return y if bias is None else y.add_(bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        with again(ctx.dtype, x.device):
            return (
                matmul(grad, weight) if needs_x else None,
                matmul_transposed(grad, x) if needs_weight else None,
                grad.sum(0) if needs_bias else None,
            )


def bucket(n: int) -> int:
    """Round a number of rows up: oneDNN builds a kernel per shape, which costs as much as a product."""
    step = 16 if n <= 128 else 64 if n <= 1024 else 256
    return -(-n // step) * step


def _find_onednn() -> Any:
    operator = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if operator is None or not torch.backends.mkldnn.is_available():
        return None
    x = torch.ones(16, 2)
    try:
        works = torch.equal(operator(x, x, None, "none", [], ""), x @ x.t())
    except Exception:  # a private operator may ask for anything
        return None
    return operator if works else None


_ONEDNN = _find_onednn()
