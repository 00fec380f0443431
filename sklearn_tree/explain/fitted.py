"""Fitted attributes of explainers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.features import Features

N_FOR_IMPORTANCES = 1000  # samples of `fit` that the importances are computed from


class ExplainerAttributesMixin:
    """Fitted attributes that are read from the estimator and the output columns, or computed on demand.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    """

    estimator_: Any
    _features: Features
    _samples: Any  # encoded samples for the importances; None once these are computed
    _importances: np.ndarray

    @property
    def feature_importances_(self) -> np.ndarray:
        """Mean absolute value of each column of ``transform`` over the first 1,000 samples of ``fit``."""
        check_is_fitted(self, "estimator_")
        samples = self._samples
        if samples is not None:
            columns = self._compute_columns(self._explained_net(), samples)
            self._importances = np.abs(columns).mean(axis=0)
            self._samples = None
        return self._importances

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Output column of each word (trees and texts only)."""
        if self._features.vocabulary is None:
            raise AttributeError("vocabulary_ is available for trees and texts only")
        return self._features.vocabulary

    @property
    def n_features_in_(self) -> int:
        """Number of columns (tables, and columns of texts or trees, only)."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns (only if all are strings)."""
        return self.estimator_.feature_names_in_

    def _explained_net(self) -> ExplainedNet:
        raise NotImplementedError

    def _compute_columns(self, net: ExplainedNet, encoded: Any) -> np.ndarray:
        raise NotImplementedError
