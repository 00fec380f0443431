"""What all classifiers share: labels in, classes and probabilities out.

Targets are of one of three kinds: one class per sample; several labels that hold or not (a binary
indicator matrix, "multi-label"); or several columns of classes ("multi-output", one head each).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from sklearn_tree.estimators.net import ClassifierNet
from sklearn_tree.nn.losses import MultiOutputCrossEntropy

_ONE, _LABELS, _COLUMNS = "one class", "labels", "columns of classes"


class NetClassifierMixin(ClassifierMixin):
    """The classification half of an estimator."""

    _net_class = ClassifierNet
    classes_: Any
    n_classes_: Any

    @property
    def _criterion(self) -> type[torch.nn.Module]:
        return {
            _ONE: torch.nn.CrossEntropyLoss,
            _LABELS: torch.nn.BCEWithLogitsLoss,
            _COLUMNS: MultiOutputCrossEntropy,
        }[self._target_kind]

    def _task_params(self) -> dict[str, Any]:
        if self._target_kind == _COLUMNS:
            return {"module__n_outputs": sum(self.n_classes_), "criterion__n_classes": self.n_classes_}
        return {"module__n_outputs": self.n_classes_}

    def _encode_y(self, y: Any, *, reset: bool, classes: Any = None) -> np.ndarray:
        y = check_array(y, ensure_2d=False, dtype=None, input_name="y")
        kind = _kind_of_target(y)
        if reset:
            self._target_kind = kind
        elif kind != self._target_kind:
            raise ValueError(f"y must hold {self._target_kind} per sample, as in the first fit, got {kind}")
        if kind == _COLUMNS:
            return self._encode_columns(y, reset=reset, classes=classes)
        if kind == _LABELS:
            return self._encode_labels(y, reset=reset)
        y = column_or_1d(y, warn=True)
        if reset:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
            self.n_classes_ = len(self.classes_)
        return _codes(y, self.classes_)

    def _encode_columns(self, y: np.ndarray, *, reset: bool, classes: Any) -> np.ndarray:
        columns = [_infer_dtype(column) for column in y.T]
        if reset:
            given = columns if classes is None else classes
            self.classes_ = [np.unique(np.asarray(column)) for column in given]
            self.n_classes_ = [len(column) for column in self.classes_]
        if len(columns) != len(self.classes_):
            raise ValueError(f"y must have {len(self.classes_)} columns, got {len(columns)}")
        pairs = zip(columns, self.classes_, strict=True)
        return np.stack([_codes(column, known) for column, known in pairs], axis=1)

    def _encode_labels(self, y: np.ndarray, *, reset: bool) -> np.ndarray:
        if reset:
            self.classes_ = np.arange(y.shape[1])
            self.n_classes_ = y.shape[1]
        if y.shape[1] != self.n_classes_:
            raise ValueError(f"y must have {self.n_classes_} columns, got {y.shape[1]}")
        return y.astype(np.float32)

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        return target if self._target_kind == _ONE else None

    def _weigh(self, target: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return sample_weight
        labels = target
        if self._target_kind == _ONE:
            labels = self.classes_[target]
        elif self._target_kind == _COLUMNS:
            pairs = zip(target.T, self.classes_, strict=True)
            labels = np.stack([known[codes] for codes, known in pairs], axis=1)
        weight = compute_sample_weight(self.class_weight, labels)
        return weight if sample_weight is None else weight * sample_weight

    def decision_function(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the logits.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) for two classes, else (n_samples, n_classes)
            For two classes the log-odds of the second, otherwise one logit per class or label.
            Multi-output: a list with such an array per output.
        """
        heads = self._logits(X)
        if self._target_kind != _LABELS:
            heads = [_margin(logits) for logits in heads]
        return heads if self._target_kind == _COLUMNS else heads[0]

    def predict_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_classes)
            Multi-label: the probability of each label. Multi-output: a list with an array per
            output.
        """
        logits = self._logits(X)
        if self._target_kind == _LABELS:
            return expit(logits[0])
        heads = [softmax(head, axis=1) for head in logits]
        return heads if self._target_kind == _COLUMNS else heads[0]

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_outputs)
            Multi-label: 0 or 1 for each label.
        """
        logits = self._logits(X)
        if self._target_kind == _ONE:
            return self.classes_[logits[0].argmax(axis=1)]
        if self._target_kind == _LABELS:
            return (logits[0] > 0).astype(np.int64)
        columns = [known[head.argmax(axis=1)] for head, known in zip(logits, self.classes_, strict=True)]
        if len({column.dtype.kind for column in columns}) > 1:  # keep each column's own type
            columns = [column.astype(object) for column in columns]
        return np.stack(columns, axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of samples whose prediction is right in all outputs.

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
        check_is_fitted(self, "net_")
        if self._target_kind != _COLUMNS:
            return super().score(X, y, sample_weight)
        is_right = (self.predict(X) == np.asarray(y)).all(axis=1)
        return float(np.average(is_right, weights=sample_weight))

    def _logits(self, X: Any) -> list[np.ndarray]:
        """One array per output."""
        check_is_fitted(self, "net_")
        logits = self._run(X, "forward")
        if self._target_kind != _COLUMNS:
            return [logits]
        return np.split(logits, np.cumsum(self.n_classes_)[:-1], axis=1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.classifier_tags.multi_label = True
        return tags


def _kind_of_target(y: np.ndarray) -> str:
    if y.ndim == 2 and y.shape[1] > 1 and y.dtype == object:  # columns may differ in type
        for column in y.T:
            check_classification_targets(_infer_dtype(column))
        return _COLUMNS
    check_classification_targets(y)
    if y.ndim == 1 or y.shape[1] == 1:
        return _ONE
    return _LABELS if type_of_target(y) == "multilabel-indicator" else _COLUMNS


def _infer_dtype(column: np.ndarray) -> np.ndarray:
    # Columns of different types arrive as one object array.
    return np.array(column.tolist()) if column.dtype == object else column


def _codes(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = classes[codes] != y
    if np.any(unknown):
        raise ValueError(
            f"y must hold the classes {classes.tolist()} only, "
            f"got {y[unknown].tolist()[0]!r} in row {np.flatnonzero(unknown)[0]}"
        )
    return codes.astype(np.int64)


def _margin(logits: np.ndarray) -> np.ndarray:
    return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits
