"""Validation of arrays and tensors of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_array

from sklearn_tree.containers import is_tensor, to_numpy

if TYPE_CHECKING:
    import torch


def check_numbers(
    X: np.ndarray | torch.Tensor, ndim: int, integers: Any = np.float64
) -> np.ndarray | torch.Tensor:
    """Check an array or tensor of finite numbers and return it as floats.

    Parameters
    ----------
    X : ndarray or Tensor
        Numbers.
    ndim : int
        Required number of axes; none may have length 0.
    integers : numpy dtype, default=float64
        Type that integers are converted to.

    Returns
    -------
    ndarray or Tensor of float32 or float64
        A tensor if X is one.

    Raises
    ------
    ValueError
        If the shape is wrong, the tensor is sparse or complex or a number is not finite; the message gives
        its row.
    """
    if X.ndim != ndim or 0 in X.shape:
        raise ValueError(f"X must have {ndim} axes of at least one entry, got shape {tuple(X.shape)}")
    array: Any = X
    if is_tensor(array):
        array = _as_floats(array, integers)
        is_finite = array.isfinite().flatten(1).all(1).cpu().numpy()
    else:
        dtypes = [np.float64, np.float32] if array.dtype.kind in "fO" else integers
        array = check_array(
            widen_small_floats(array),
            allow_nd=True,
            dtype=dtypes,
            input_name="X",
            ensure_all_finite=False,
        )
        is_finite = np.asarray(np.isfinite(array).reshape(len(array), -1).all(axis=1))
    for row in np.flatnonzero(~is_finite)[:1]:
        numbers = to_numpy(array[row]).ravel()
        raise ValueError(f"X[{row}] must hold finite numbers, got {numbers[~np.isfinite(numbers)][0]}")
    return array


def _as_floats(X: Any, integers: Any) -> torch.Tensor:
    import torch

    if X.is_complex() or X.layout != torch.strided:
        remedy = "X.real" if X.is_complex() else "X.to_dense()"
        raise ValueError(
            f"X must be a dense tensor of real numbers, got {X.dtype}, {X.layout}: pass {remedy}"
        )
    X = X.detach()
    if X.dtype in (torch.float32, torch.float64):
        return X
    is_narrow = X.is_floating_point() or integers == np.float32
    return X.to(torch.float32 if is_narrow else torch.float64)


def widen_small_floats(X: Any) -> Any:
    """Return an array of half-precision floats or of foreign byte order as float32, all else unchanged."""
    is_small = isinstance(X, np.ndarray) and X.dtype.kind == "f" and X.dtype.itemsize <= 4
    return X.astype(np.float32, copy=False) if is_small else X


def check_n_channels(n_channels: int, expected: int) -> None:
    """Raise ValueError if series or images have another number of channels than in ``fit``."""
    if n_channels != expected:
        raise ValueError(f"X must have {expected} channels, as in fit, got {n_channels}")
