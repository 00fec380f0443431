"""Methods shared by all classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.net import ClassifierNet
from sklearn_tree.estimators.targets import ClassTarget, check_length, read_classes
from sklearn_tree.estimators.training import TrainingPlan
from sklearn_tree.validation import SHARE, Real, StrOptions

CLASSIFIER_CONSTRAINTS: dict = {
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "label_smoothing": [SHARE],
    "calibrate": [StrOptions({"temperature"}), None],
}


class NetClassifierMixin(ClassifierMixin, BaseNet):
    """Methods of a classifier."""

    _net_class = ClassifierNet

    class_weight: dict | str | None
    label_smoothing: float
    calibrate: str | None
    target_: ClassTarget

    @property
    def classes_(self) -> Any:
        """Class labels, sorted; for several columns of classes a list with one array per column."""
        return self.target_.classes

    @property
    def n_classes_(self) -> Any:
        """Number of classes; for several columns of classes a list."""
        return self.target_.n_classes

    @property
    def temperature_(self) -> float | list[float]:
        """Temperature that divides the logits; a list for several labels or columns of classes."""
        return self.target_.temperature

    def _read_y(self, y: Any, classes: Any = None) -> tuple[np.ndarray, type[ClassTarget]]:
        return read_classes(y, classes)

    def _weigh(self, target: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return sample_weight
        if isinstance(self.class_weight, dict):
            _check_class_weight(self.class_weight)
        weight = compute_sample_weight(self.class_weight, self.target_.labels(target))
        weight = weight if sample_weight is None else weight * sample_weight
        if not weight.any():
            where = "the classes in y" if sample_weight is None else "samples of sample_weight > 0"
            raise ValueError(
                f"class_weight must have at least one weight > 0 for {where}, got {self.class_weight!r}: no "
                "sample would count"
            )
        return weight

    def _criterion_params(self) -> dict[str, Any]:
        params = super()._criterion_params()
        if "criterion" in (self.net_params or {}) and not self.label_smoothing:
            return params  # a loss of the user may not have the parameter
        return {**params, "label_smoothing": self.label_smoothing}

    @property
    def _split_reason(self) -> str | None:
        return super()._split_reason or (self.calibrate and f"calibrate={self.calibrate!r}")

    def _train(self, plan: TrainingPlan, callbacks: list, bridges: list) -> None:
        super()._train(plan, callbacks, bridges)
        if self.calibrate is None:
            self.target_ = self.target_.with_temperatures(None)
        elif plan.valid is not None:
            self._calibrate(plan.valid)

    def _calibrate(self, valid: EncodedDataset) -> None:
        """Fit the temperatures to held-out samples, weighted as in the loss."""
        outputs = self._run_encoded(valid.X, self.net_.module_.forward)
        self.target_ = self.target_.calibrated(outputs, valid.y.numpy(), valid.y_weight)

    def decision_function(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the logits divided by ``temperature_``.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) for two classes, otherwise (n_samples, n_classes)
            For two classes the log-odds of the second, otherwise one logit per class or label. For several
            columns of classes, a list with one array per column.
        """
        outputs = self._run(X, "forward")
        return self.target_.margin(outputs)

    def predict_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_classes)
            For multi-label targets the probability of each label. For several columns of classes, a list
            with an array per column.
        """
        outputs = self._run(X, "forward")
        return self.target_.proba(outputs)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_outputs)
            For multi-label targets 0 or 1 for each label.
        """
        outputs = self._run(X, "forward")
        return self.target_.predict(outputs)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: the fraction of samples that are predicted correctly in all outputs.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            True classes.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        predicted, y = self.predict(X), self._read_more_y(y)
        check_length(y, predicted)
        return self.target_.accuracy(predicted, y, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _check_class_weight(class_weight: dict) -> None:
    for label, weight in class_weight.items():
        if not isinstance(weight, Real) or not np.isfinite(float(weight)) or weight < 0:
            raise ValueError(f"class_weight[{label!r}] must be a finite number >= 0, got {weight!r}")
