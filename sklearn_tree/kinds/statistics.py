"""Means and standard deviations of channels, columns and node values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sklearn_tree.containers import to_numpy
from sklearn_tree.trees import TreeArray

_CHUNK_SIZE = 100_000  # rows converted to doubles at once: images of bytes become eight times as large


def channel_statistics(
    channels: np.ndarray, sample_weight: np.ndarray | None, n_rows: np.ndarray
) -> tuple[list[float], list[float]]:
    """Return the mean and standard deviation of each channel of series or images, or column of a table.

    Parameters
    ----------
    channels : ndarray or Tensor, shape (n_rows_total, n_channels)
        Steps, pixels or table rows of all samples.
    sample_weight : ndarray of float, shape (n_samples,), or None
        Weights of the samples.
    n_rows : ndarray of int, shape (n_samples,)
        Number of rows of each sample.

    Returns
    -------
    shift, scale : list of float, length n_channels
        Means and standard deviations; the scale of a constant channel is 1.
    """
    n_channels = channels.shape[1]
    if not len(channels):
        return [0.0] * n_channels, [1.0] * n_channels
    weight = np.repeat(np.ones(len(n_rows)) if sample_weight is None else sample_weight, n_rows)
    weight = weight if weight.any() else np.ones_like(weight)

    chunks = [slice(start, start + _CHUNK_SIZE) for start in range(0, len(channels), _CHUNK_SIZE)]

    def read(chunk: slice) -> np.ndarray:
        return to_numpy(channels[chunk]).astype(np.float64)

    def total(function: Callable) -> np.ndarray:
        result = np.zeros(n_channels)
        for chunk in chunks:
            # einsum instead of BLAS, whose threads would wait for each other longer than they compute
            result += np.einsum("i,ij->j", weight[chunk], function(read(chunk) / unit))
        return result

    unit = unit_of(np.max([np.abs(read(chunk)).max(axis=0) for chunk in chunks], axis=0))
    mean = total(lambda x: x) / weight.sum()
    scale = np.sqrt(total(lambda x: (x - mean) ** 2) / weight.sum())
    return (mean * unit).tolist(), replace_zero_scale(scale, mean, len(channels), unit).tolist()


def value_statistics(
    trees: TreeArray, sample_weight: np.ndarray | None
) -> tuple[list[float] | None, list[float] | None]:
    """Return the mean and standard deviation of the node values of each label.

    Parameters
    ----------
    trees : TreeArray
        Encoded trees.
    sample_weight : ndarray of float, shape (n_trees,), or None
        Weights of the trees.

    Returns
    -------
    shift, scale : list of float, length n_labels, or None
        Means and standard deviations; None for trees without values. The scale of a constant value is 1. The
        scale of a label that never has a value is infinity, so that values first seen in prediction are
        ignored.
    """
    if trees.values is None:
        return None, None
    labels, values, n_labels = to_numpy(trees.labels), to_numpy(trees.values), trees.n_labels or 0
    has_value = ~np.isnan(values)
    labels, values = labels[has_value], values[has_value].astype(np.float64)
    weight = np.repeat(np.ones(len(trees)) if sample_weight is None else sample_weight, trees.sizes)
    weight = weight[has_value]

    def total(x: np.ndarray) -> np.ndarray:
        return np.bincount(labels, weights=x, minlength=n_labels)

    largest = np.zeros(n_labels)
    np.maximum.at(largest, labels, np.abs(values))
    unit = unit_of(largest)
    values /= unit[labels]
    mass = np.maximum(total(weight), np.finfo(float).tiny)
    mean = total(weight * values) / mass
    scale = np.sqrt(total(weight * (values - mean[labels]) ** 2) / mass)
    never_measured = np.bincount(labels, minlength=n_labels) == 0
    scale = np.where(never_measured, np.inf, replace_zero_scale(scale, mean, len(values), unit))
    return (mean * unit).tolist(), scale.tolist()


def unit_of(largest: np.ndarray) -> np.ndarray:
    """Return the powers of two to divide numbers by before they are squared and added up.

    Squares of quotients of about 1 neither underflow nor overflow, and dividing by a power of two does not
    round.

    Parameters
    ----------
    largest : ndarray of float64, shape (n,)
        Largest absolute values of the numbers.
    """
    exponents = np.frexp(largest)[1]
    return np.ldexp(1.0, exponents.clip(-1000, 1000))  # beyond 1022, units or their inverses are not normal


def replace_zero_scale(
    scale: np.ndarray, mean: np.ndarray, n_samples: int, unit: np.ndarray | float = 1.0
) -> np.ndarray:
    """Return standard deviations with 1 in place of those that are 0 up to rounding errors.

    The bound is that of scikit-learn's ``StandardScaler``: it is relative to the mean, so numbers that are
    merely small do not count as constant.

    Parameters
    ----------
    scale, mean : ndarray of float64, shape (n,)
        Standard deviations and means, divided by ``unit``.
    n_samples : int
        Number of samples that they were computed from.
    unit : ndarray of float64, shape (n,), or float, default=1.0
        Unit of the standard deviations and means, see :func:`unit_of`.
    """
    eps = n_samples * np.finfo(np.float64).eps
    is_constant = scale**2 <= eps * scale**2 + (eps * mean) ** 2
    return np.where(is_constant, 1.0, scale * unit)
