"""Methods shared by all regressors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.net import RegressorNet
from sklearn_tree.estimators.targets import Numbers, read_numbers


class NetRegressorMixin(RegressorMixin, BaseNet):
    """Methods of a regressor."""

    _net_class = RegressorNet

    target_: Numbers

    def _read_y(self, y: Any, classes: Any = None) -> tuple[np.ndarray, type[Numbers]]:
        return read_numbers(y)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) or (n_samples, n_outputs)
            The shape of the targets that ``fit`` received.
        """
        outputs = self._run(X, "forward")
        return self.target_.predict(outputs)
