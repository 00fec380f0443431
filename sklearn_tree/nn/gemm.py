"""Fast matrix products on CPUs: numpy's BLAS for large products on one thread, torch's own otherwise.

torch computes single-precision products with MKL, which runs at half of OpenBLAS's rate on some AMD CPUs.
OpenBLAS has threads of its own. They would wait for those of torch, and torch's for them, so it is used only
if torch has one thread; ``limit_threads`` of the estimators then limits OpenBLAS to one as well. Nets with
compiled walks split these products among the threads of the walks.

Under ``torch.autocast`` only the operands of single-precision products are rounded to the autocast dtype;
sums inside a product and all results stay in single precision.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.parallel import count_walk_threads, run_parallel

_MIN_MULTIPLICATIONS = 4_000_000  # of a product that numpy computes
_MIN_MULTIPLICATIONS_PER_THREAD = 20_000_000


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
    dtype = autocast_dtype(a)
    if dtype is not None:
        return (a.to(dtype) @ b.to(dtype)).to(a.dtype)
    if _uses_numpy(a, b):
        return torch.from_numpy(_dot(a.detach().numpy(), b.detach().numpy()))
    return a @ b


def matmul_out(a: Tensor, b: Tensor, out: Tensor) -> None:
    """Compute :func:`matmul` into a tensor of shape (m, n)."""
    if _uses_torch(a, b):
        torch.mm(a, b, out=out)
    else:
        out.copy_(matmul(a, b))


def add_matmul_(out: Tensor, a: Tensor, b: Tensor) -> None:
    """Add :func:`matmul` to a tensor of shape (m, n), in place."""
    if _uses_torch(a, b):
        out.addmm_(a, b)
    else:
        out.add_(matmul(a, b))


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
    return matmul(a.t(), b)


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


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute ``a @ b``, in the threads of the compiled walks."""
    n = min(count_walk_threads(), len(a) * b.size // _MIN_MULTIPLICATIONS_PER_THREAD)
    if n <= 1:
        return np.dot(a, b)
    product = np.empty((len(a), b.shape[1]), a.dtype)
    blocks = zip(np.array_split(a, n), np.array_split(product, n), strict=True)
    run_parallel([partial(np.dot, block, b, out=out) for block, out in blocks])
    return product


def _uses_torch(a: Tensor, b: Tensor) -> bool:
    """Return whether torch computes ``a @ b`` in the precision of the operands."""
    return autocast_dtype(a) is None and not _uses_numpy(a, b)


def _uses_numpy(a: Tensor, b: Tensor) -> bool:
    """Return whether numpy computes ``a @ b``; never in a graph that torch traces."""
    if torch.compiler.is_compiling():
        return False
    is_large = len(a) * b.numel() >= _MIN_MULTIPLICATIONS
    return is_large and a.dtype == torch.float32 and a.device.type == "cpu" and torch.get_num_threads() == 1
