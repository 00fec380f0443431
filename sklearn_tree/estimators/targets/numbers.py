"""Targets of regressors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_array, check_consistent_length
from torch import Tensor

from sklearn_tree.decoding import NumbersDecoder
from sklearn_tree.estimators.objective import Objective, check_index, is_predicted, one_hot
from sklearn_tree.estimators.targets.base import Target, check_y
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.kinds.statistics import replace_zero_scale, unit_of

_LARGEST_EXPONENT = 32  # of two; products of such numbers are far from the limits of single precision, 2**126


class Numbers(NumbersDecoder, Target):
    """Numbers in one or several columns, standardised for the net.

    Attributes
    ----------
    mean, scale : ndarray of float, shape (n_columns,)
        Weighted mean and standard deviation of the training targets; 1 for a constant column.
    n_columns : int or None
        Number of columns; None for 1-D targets.
    """

    criterion = torch.nn.MSELoss
    _fitted = ("mean", "scale", "n_columns")

    def fit(
        self, y: np.ndarray, *, classes: Any = None, sample_weight: np.ndarray | None = None
    ) -> np.ndarray:
        """Learn mean and scale and return the standardised targets, float64, shape (n_samples, n_columns)."""
        check_consistent_length(sample_weight, y)
        self.n_columns = None if y.ndim == 1 else y.shape[1]
        columns = y.reshape(len(y), -1)
        unit = unit_of(np.abs(columns).max(axis=0))
        columns = columns / unit
        mean = np.average(columns, axis=0, weights=sample_weight)
        scale = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=sample_weight))
        self.mean, self.scale = mean * unit, replace_zero_scale(scale, mean, len(columns), unit)
        return self.encode(y)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return the standardised targets, float64, shape (n_samples, n_columns)."""
        n_columns = None if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_columns:
            raise ValueError(f"y must have {_columns(self.n_columns)}, as in fit, got {_columns(n_columns)}")
        return (y.reshape(len(y), -1) - self.mean) / self.scale

    def score(self, outputs: Tensor, encoded: Tensor) -> float:
        """Return R squared averaged over the columns that are not constant; NaN if all are."""
        encoded = encoded.reshape(outputs.shape).double()
        residual = ((encoded - outputs.double()) ** 2).sum(0)
        total = ((encoded - encoded.mean(0)) ** 2).sum(0)
        varies = (encoded != encoded[0]).any(0)
        return float((1 - residual[varies] / total[varies]).mean())

    def explained(self, outputs: Tensor, target: Any, output: str) -> Objective:
        """Choose a column, see :meth:`Target.explained`; its number is in the user's units."""
        column = 0
        if not is_predicted(target):
            column = check_index("target must be 'predicted' or", target, outputs.shape[1])
        weights = one_hot(column, outputs) * torch.as_tensor(self.scale / self.units).to(outputs)
        unit = float(self.units[column])
        return Objective(names=np.full(len(outputs), column), weights=weights, unit=unit)

    def predictions(self, outputs: np.ndarray, names: np.ndarray, target: Any) -> Predictions:
        """Return the predictions of the explained columns, see :meth:`Target.predictions`."""
        values = self.predict(outputs).reshape(len(outputs), -1)[np.arange(len(outputs)), names]
        unknown = np.full(len(outputs), np.nan)
        return Predictions(
            outputs=None if self.n_outputs == 1 else names,
            values=values,
            probabilities=unknown,
            explained=values,
            explained_probabilities=unknown,
            averages=self.mean[names],
        )

    @property
    def units(self) -> np.ndarray:
        """Units of the explained columns: 1 unless the scale is extreme in single precision."""
        unit = unit_of(self.scale)
        return np.where(np.abs(np.log2(unit)) > _LARGEST_EXPONENT, unit, 1.0)

    def offset(self, names: np.ndarray) -> np.ndarray:
        """Return the mean of the explained column."""
        return self.mean[names]


def read_numbers(y: Any) -> tuple[np.ndarray, type[Numbers]]:
    """Return the checked targets of a regressor and their target class."""
    y = check_y(y)
    try:
        return check_array(y, ensure_2d=False, dtype=np.float64, input_name="y"), Numbers
    except (TypeError, ValueError) as error:
        raise ValueError(f"y must hold numbers: {error}") from error


def _columns(n: int | None) -> str:
    return "one dimension" if n is None else f"{n} columns"
