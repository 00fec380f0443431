"""Check of the numbers of samples of a numeric kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import Case
from sklearn_tree.diagnosis.report import Finding

MAX_CONSTANT = 0.1  # of the columns; single constant columns are common and harmless
MAX_STRETCH = 20.0  # ratio of two estimates of the scale; above, nets see most numbers as nearly equal
NORMAL_IQR = 1.349  # interquartile range of a normal distribution, in standard deviations


def check_scale(case: Case) -> Iterator[Finding]:
    """Find constant columns and channels, and numbers that are far from all others."""
    numbers = case.train.read_numbers()
    if numbers is None or not numbers.size:
        return
    flat = numbers.reshape(-1, numbers.shape[-1])  # columns of a table, or channels
    is_constant = np.ptp(flat, axis=0) <= 1e-9 * np.abs(flat).max(axis=0)
    what = "columns" if numbers.ndim == 2 else "channels"
    if is_constant.mean() > MAX_CONSTANT:
        yield Finding(
            name="scale",
            finding=f"Some {what} are constant.",
            figure=f"{is_constant.sum()} of {len(is_constant)}, the first of which is {is_constant.argmax()}",
            suggestion=f"Remove the constant {what} (VarianceThreshold), or check how they are read.",
        )
    iqr = np.subtract(*np.percentile(flat, [75, 25], axis=0))
    stretch = NORMAL_IQR * flat.std(axis=0) / np.where(iqr > 0, iqr, np.inf)  # 0 for mostly equal numbers
    if stretch.max() > MAX_STRETCH:
        yield Finding(
            name="scale",
            finding=f"Some {what} have outliers beside which the other numbers are nearly equal.",
            figure=f"{what[:-1]} {stretch.argmax()}: the standard deviation is {stretch.max():.0f} times "
            "that of the middle half",
            suggestion="Correct the outliers, take logarithms, or use RobustScaler or QuantileTransformer.",
        )
