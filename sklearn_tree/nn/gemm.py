"""Fast matrix products on CPUs: oneDNN's kernels if torch has them, torch's own otherwise.

torch computes single-precision products with MKL, which runs at less than half of oneDNN's rate on many AMD
CPUs. The operator that calls oneDNN is private and may be missing, so no other module uses it.

Under ``torch.autocast`` only the operands of single-precision products are rounded to the autocast dtype;
sums inside a product and all results stay in single precision.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Multiply two matrices of any strides, without support for autograd.

    Parameters
    ----------
    a : Tensor of float, shape (m, k)
        Left operand.
    b : Tensor of float, shape (k, n)
        Right operand.

    Returns
    -------
    Tensor of float, shape (m, n)
    """
    rows = bucket_size(len(a)) if _uses_kernels(a) else len(a)
    padded = a if rows == len(a) else F.pad(a, (0, 0, 0, rows - len(a)))
    return _multiply(padded, b)[: len(a)]


def matmul_rows(a: Tensor, start: int, stop: int, b: Tensor) -> Tensor:
    """Multiply rows of ``a`` by ``b``, without the copy that :func:`matmul` makes to pad them.

    Parameters
    ----------
    a : Tensor of float, shape (m, k)
        Left operand. Rows from ``stop`` on may be read and do not affect the result.
    start, stop : int
        Range of rows to multiply.
    b : Tensor of float, shape (k, n)
        Right operand.

    Returns
    -------
    Tensor of float, shape (stop - start, n)
    """
    end = start + bucket_size(stop - start)
    return matmul(a[start : end if end <= len(a) else stop], b)[: stop - start]


def matmul_transposed(a: Tensor, b: Tensor) -> Tensor:
    """Compute ``a.T @ b``, a sum over any number of rows.

    Parameters
    ----------
    a : Tensor of float, shape (m, k)
        Left operand.
    b : Tensor of float, shape (m, n)
        Right operand.

    Returns
    -------
    Tensor of float, shape (k, n)
    """
    if a.shape[1] > b.shape[1]:  # faster if the narrower operand is the left one
        return matmul_transposed(b, a).t()
    if _uses_kernels(a) and bucket_size(len(a)) != len(a):  # padding with zeros avoids building a kernel
        missing = (0, 0, 0, bucket_size(len(a)) - len(a))
        a, b = F.pad(a, missing), F.pad(b, missing)
    return _multiply(a.t(), b)


def linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute ``x @ weight.T + bias`` like ``torch.nn.functional.linear``, with support for autograd.

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
    if x.dtype != weight.dtype:  # x was rounded by autocast already
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


def linear_without_bias(x: Tensor, weight: Tensor) -> Tensor:
    """Compute ``x @ weight.T`` of two matrices, with support for autograd."""
    return _Linear.apply(x, weight, None)


class Linear(nn.Linear):
    """``torch.nn.Linear`` that computes its products with :func:`linear`."""

    def forward(self, input: Tensor) -> Tensor:
        """Map the last axis."""
        y = linear(input.reshape(-1, input.shape[-1]), self.weight, self.bias)
        return y.view(*input.shape[:-1], self.out_features)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.autocast_dtype = autocast_dtype(x)
        y = matmul(x, weight.t())
        return y if bias is None else y.add_(bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        with restore_autocast(ctx.autocast_dtype, x.device):
            return (
                matmul(grad, weight) if needs_x else None,
                matmul_transposed(grad, x) if needs_weight else None,
                grad.sum(0) if needs_bias else None,
            )


def autocast_dtype(x: Tensor) -> torch.dtype | None:
    """Return the dtype that autocast rounds the operands of products to; None if it does not round them."""
    kind = x.device.type
    if x.dtype != torch.float32 or kind == "meta" or not torch.is_autocast_enabled(kind):
        return None
    return torch.get_autocast_dtype(kind)


def restore_autocast(dtype: torch.dtype | None, device: torch.device) -> AbstractContextManager:
    """Return a context that restores the autocast state of the forward pass in a backward pass."""
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def bucket_size(n: int) -> int:
    """Round up a number of rows, since oneDNN builds a kernel per shape, which takes as long as a product."""
    step = 16 if n <= 128 else 64 if n <= 1024 else 256
    return -(-n // step) * step


def _uses_kernels(a: Tensor) -> bool:
    """Return whether products with ``a`` need a kernel per shape."""
    return _ONEDNN is not None and a.dtype == torch.float32 and a.device.type == "cpu" and a.numel() > 0


def _multiply(a: Tensor, b: Tensor) -> Tensor:
    dtype = autocast_dtype(a)
    if dtype is not None:
        return (a.to(dtype) @ b.to(dtype)).to(a.dtype)
    if not _uses_kernels(a):
        return a @ b
    if not b.is_contiguous() and not b.t().is_contiguous():
        b = b.contiguous()  # oneDNN is slow with any other layout
    return _ONEDNN(a, b.t(), None, "none", [], "")


def _find_onednn() -> Any:
    """Return torch's private oneDNN operator; None if it is missing or computes something else."""
    operator = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if operator is None or not torch.backends.mkldnn.is_available():
        return None
    x = torch.ones(16, 2, dtype=torch.float32, device="cpu")  # whatever the modes at import
    try:
        works = bool((operator(x, x, None, "none", [], "") == 2).all())
    except Exception:  # the signature of a private operator may change
        return None
    return operator if works else None


_ONEDNN = _find_onednn()
