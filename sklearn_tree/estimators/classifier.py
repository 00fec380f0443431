"""What all classifiers share: labels in, classes and probabilities out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from sklearn_tree.estimators.net import ClassifierNet


class NetClassifierMixin(ClassifierMixin):
    """The classification half of an estimator."""

    _net_class = ClassifierNet
    _criterion = torch.nn.CrossEntropyLoss

    def _encode_y(self, y: Any, *, reset: bool, classes: Any = None) -> np.ndarray:
        y = check_array(y, ensure_2d=False, allow_nd=True, dtype=None, input_name="y")
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if reset:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
            self.n_classes_ = len(self.classes_)
        codes = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        unknown = self.classes_[codes] != y
        if np.any(unknown):
            raise ValueError(
                f"y must hold the classes {self.classes_.tolist()} only, "
                f"got {y[unknown].tolist()[0]!r} in row {np.flatnonzero(unknown)[0]}"
            )
        return codes.astype(np.int64)

    def _task_params(self) -> dict[str, Any]:
        return {"module__n_outputs": len(self.classes_)}

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        return target

    def _weigh(self, target: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return sample_weight
        present = np.unique(target)
        weights = compute_class_weight(
            self.class_weight, classes=self.classes_[present], y=self.classes_[target]
        )
        table = np.ones(len(self.classes_))
        table[present] = weights
        return table[target] * (1.0 if sample_weight is None else sample_weight)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the logits.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) for two classes, else (n_samples, n_classes)
            For two classes the log-odds of the second, otherwise one logit per class.
        """
        logits = self._run(X, "forward")
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_classes)
        """
        return softmax(self._run(X, "forward"), axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray, shape (n_samples,)
        """
        check_is_fitted(self, "net_")
        best = self._run(X, "forward").argmax(axis=1)
        return self.classes_[best]
