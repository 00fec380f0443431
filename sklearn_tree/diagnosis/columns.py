"""Check of the numbers of samples of a numeric kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import Case
from sklearn_tree.diagnosis.report import Finding

MAX_CONSTANT = 0.1  # of the columns; single constant columns are common and harmless
OUTLIER = 30.0  # standard deviations; one such number makes all others of its column nearly equal


def check_scale(case: Case) -> Iterator[Finding]:
    """Find constant columns and channels, and numbers that are far from all others."""
    numbers = case.train.read_numbers()
    if numbers is None or not numbers.size:
        return
    flat = numbers.reshape(-1, numbers.shape[-1])  # columns of a table, or channels
    spread = np.abs(flat - flat.mean(axis=0))
    scale = flat.std(axis=0)
    is_constant = spread.max(axis=0) <= 1e-9 * np.abs(flat).max(axis=0)
    what = "columns" if numbers.ndim == 2 else "channels"
    if is_constant.mean() > MAX_CONSTANT:
        yield Finding(
            name="scale",
            finding=f"Some {what} are constant.",
            figure=f"{is_constant.sum()} of {len(is_constant)}, the first of which is {is_constant.argmax()}",
            suggestion=f"Remove the constant {what} (VarianceThreshold), or check how they are read.",
        )
    largest = (spread / np.where(is_constant, np.inf, scale)).max(axis=0)
    if largest.max() > OUTLIER:
        yield Finding(
            name="scale",
            finding=f"Some numbers are so far from the others that their {what} are nearly constant.",
            figure=f"{largest.max():.0f} standard deviations from the mean in {what[:-1]} {largest.argmax()}",
            suggestion="Correct the outliers, take logarithms, or use RobustScaler or QuantileTransformer.",
        )
