"""What all regressors share: targets of one or several columns, standardised for the net."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_is_fitted

from sklearn_tree.estimators.net import RegressorNet


class NetRegressorMixin(RegressorMixin):
    """The regression half of an estimator."""

    _net_class = RegressorNet
    _criterion = torch.nn.MSELoss

    def _encode_y(self, y: Any, *, reset: bool, classes: Any = None) -> np.ndarray:
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        n_outputs = None if y.ndim == 1 else y.shape[1]
        if reset:
            self._n_targets = n_outputs
        elif n_outputs != self._n_targets:
            raise ValueError(f"y must have the columns of the first fit, {self._n_targets}, got {n_outputs}")
        return y.reshape(len(y), -1)

    def _scale_y(self, target: np.ndarray, weight: np.ndarray | None, *, reset: bool) -> np.ndarray:
        """Standardise: nets learn targets of mean 0 and variance 1 at any scale of the user's."""
        if reset:
            self._y_mean = np.average(target, axis=0, weights=weight)
            scale = np.sqrt(np.average((target - self._y_mean) ** 2, axis=0, weights=weight))
            self._y_scale = np.where(scale > 1e-12 * (1 + np.abs(self._y_mean)), scale, 1.0)
        return (target - self._y_mean) / self._y_scale

    def _task_params(self) -> dict[str, Any]:
        return {"module__n_outputs": self._n_targets or 1}

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        return None

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) or (n_samples, n_outputs)
            As many columns as ``fit`` was given.
        """
        check_is_fitted(self, "net_")
        y = self._run(X, "forward") * self._y_scale + self._y_mean
        return y[:, 0] if self._n_targets is None else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
