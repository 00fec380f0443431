"""Targets of classifiers: one class, several labels, or several columns of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.containers import is_number
from sklearn_tree.decoding import MultiLabelDecoder, MultiOutputDecoder, OneClassDecoder, stack_columns
from sklearn_tree.estimators.objective import Objective, check_index, find_class, is_predicted, one_hot
from sklearn_tree.estimators.targets.base import Target, check_y
from sklearn_tree.estimators.targets.class_target import (
    ClassTarget,
    check_listed,
    unique,
    unique_columns,
)
from sklearn_tree.estimators.targets.predictions import Predictions, predictions_of_class
from sklearn_tree.nn import MultiOutputCrossEntropy, SmoothedBinaryCrossEntropy, SmoothedCrossEntropy

_PRESENCE = np.array([0, 1])  # classes of a label


class OneClass(OneClassDecoder, ClassTarget):
    """One class per sample.

    Attributes
    ----------
    classes : ndarray, shape (n_classes,)
        The classes, sorted.
    n_classes : int
        Number of classes.
    """

    criterion = SmoothedCrossEntropy

    def fit(self, y: np.ndarray, *, classes: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Learn the classes and return their positions, int64, shape (n_samples,)."""
        self.classes = unique(column_or_1d(y, warn=True) if classes is None else classes)
        self.n_classes = len(self.classes)
        return self.encode(y)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return the positions of the classes, int64, shape (n_samples,)."""
        return _class_positions(column_or_1d(y), self.classes)

    def strata(self, encoded: np.ndarray) -> np.ndarray:
        """Return the encoded classes."""
        return encoded

    def labels(self, encoded: np.ndarray) -> np.ndarray:
        """Return the classes."""
        return self.classes[encoded]

    def score(self, outputs: Tensor, encoded: Tensor) -> float:
        """Return the accuracy."""
        return float((outputs.argmax(1) == encoded).double().mean())

    def predictions(self, outputs: np.ndarray, names: np.ndarray, target: Any) -> Predictions:
        """Return the predictions of the class, see :meth:`Target.predictions`."""
        return predictions_of_class(np.asarray(self.proba(outputs)), self.classes, names)

    def _choose(self, outputs: Tensor, target: Any, output: str) -> Objective:
        return _explained_class(outputs, target, output, self.classes, first=0)


class MultiLabel(MultiLabelDecoder, ClassTarget):
    """Several independent labels per sample, as a binary indicator matrix.

    Attributes
    ----------
    classes : ndarray of int, shape (n_labels,)
        Positions of the labels.
    n_classes : int
        Number of labels.
    """

    criterion = SmoothedBinaryCrossEntropy

    def fit(self, y: np.ndarray, *, classes: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Learn the number of labels and return the indicators, float32, shape (n_samples, n_labels)."""
        self.classes, self.n_classes = np.arange(y.shape[1]), y.shape[1]
        return self.encode(y)

    def check_classes(self, classes: Any) -> None:
        """Raise ValueError if the classes are neither 0 and 1 for each label nor the labels themselves."""
        if [np.unique(column).tolist() for column in check_listed(classes)] != [[0, 1]] * self.n_classes:
            super().check_classes(classes)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return the indicators, float32, shape (n_samples, n_labels)."""
        _check_n_columns(y.shape[1], self.n_classes)
        return y.astype(np.float32)

    def _logits(self, head: np.ndarray) -> np.ndarray:
        return np.hstack([np.zeros_like(head), head])

    def accuracy(self, predicted: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> float:
        """Return the weighted fraction of samples that are predicted correctly in all labels."""
        _check_n_columns(y.shape[1], self.n_classes)
        return super().accuracy(predicted, y, sample_weight)

    def score(self, outputs: Tensor, encoded: Tensor) -> float:
        """Return the accuracy averaged over the labels."""
        return float(((outputs > 0) == (encoded > 0)).double().mean())

    def predictions(self, outputs: np.ndarray, names: np.ndarray, target: Any) -> Predictions:
        """Return the predictions of the explained labels, see :meth:`Target.predictions`."""
        proba = np.asarray(self.proba(outputs))[np.arange(len(outputs)), names]
        values = explained = (proba > 0.5).astype(np.int64)
        if _is_pair(target) and not is_predicted(target[1]):
            explained = np.full(len(values), find_class(target[1], _PRESENCE, "target[1]"))
        return Predictions(
            outputs=names,
            values=values,
            probabilities=np.maximum(proba, 1 - proba),
            explained=explained,
            explained_probabilities=np.where(explained, proba, 1 - proba),
        )

    def _choose(self, outputs: Tensor, target: Any, output: str) -> Objective:
        label: Any = outputs.argmax(1)
        is_pair = _is_pair(target)
        if is_pair or not is_predicted(target):
            rule = "target[0] must be" if is_pair else "target must be 'predicted', (output, class) or"
            label = check_index(rule, target[0] if is_pair else target, self.n_classes)
        weights = one_hot(label, outputs)
        names = weights.argmax(1).cpu().numpy()
        if is_pair:
            is_absent = (outputs * weights).sum(1) <= 0
            if not is_predicted(target[1]):
                is_absent[:] = find_class(target[1], _PRESENCE, "target[1]") == 0
            weights = torch.where(is_absent.unsqueeze(1), -weights, weights)
        head = torch.zeros_like(weights, dtype=torch.bool) if output == "probability" else None
        return Objective(names=names, weights=weights, head=head)


class MultiOutput(MultiOutputDecoder, ClassTarget):
    """Several columns of classes, one head each.

    Attributes
    ----------
    classes : list of ndarray
        The classes of each column, sorted.
    n_classes : list of int
        Number of classes of each column.
    """

    criterion = MultiOutputCrossEntropy

    @property
    def criterion_params(self) -> dict[str, Any]:
        """Number of classes of each column."""
        return {"n_classes": self.n_classes}

    def fit(self, y: np.ndarray, *, classes: Any = None, sample_weight: Any = None) -> np.ndarray:
        """Learn the classes and return their positions, int64, shape (n_samples, n_columns)."""
        columns = [_infer_dtype(column) for column in y.T] if classes is None else classes
        self.classes = unique_columns(columns)
        self.n_classes = [len(column) for column in self.classes]
        return self.encode(y)

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return the positions of the classes, int64, shape (n_samples, n_columns)."""
        _check_n_columns(y.shape[1], len(self.classes))
        columns = zip(map(_infer_dtype, y.T), self.classes, strict=True)
        return np.stack([_class_positions(column, known) for column, known in columns], axis=1)

    def accepts(self, target: type[Target]) -> bool:
        """Return whether the targets have columns; some samples may have the classes 0 and 1 only."""
        return target in (MultiOutput, MultiLabel)

    def check_classes(self, classes: Any) -> None:
        """Raise ValueError if the classes differ from those of the first call of ``partial_fit``."""
        columns = unique_columns(classes)
        pairs = zip(columns, self.classes, strict=False)
        if len(columns) != len(self.classes) or not all(map(np.array_equal, *zip(*pairs, strict=True))):
            raise ValueError(
                "classes must be those of the first call of partial_fit, "
                f"{[known.tolist() for known in self.classes]}, got {[list(column) for column in classes]}"
            )

    def labels(self, encoded: np.ndarray) -> np.ndarray:
        """Return the classes, shape (n_samples, n_columns)."""
        columns = zip(encoded.T, self.classes, strict=True)
        return stack_columns([known[positions] for positions, known in columns])

    def accuracy(self, predicted: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> float:
        """Return the weighted fraction of samples that are predicted correctly in all columns."""
        _check_n_columns(y.shape[1], len(self.classes))
        columns = zip(predicted.T, map(_infer_dtype, y.T), strict=True)
        is_correct = np.all([guess == truth for guess, truth in columns], axis=0)
        return float(np.average(is_correct, weights=sample_weight))

    def score(self, outputs: Tensor, encoded: Tensor) -> float:
        """Return the accuracy averaged over the columns."""
        heads = zip(outputs.split(self.n_classes, dim=1), encoded.T, strict=True)
        return float(torch.stack([head.argmax(1) == y for head, y in heads]).double().mean())

    def predictions(self, outputs: np.ndarray, names: np.ndarray, target: Any) -> Predictions:
        """Return the predictions of the explained column, see :meth:`Target.predictions`."""
        column = target[0] if isinstance(target, tuple) else 0
        columns, proba = np.full(len(outputs), column), np.asarray(self.proba(outputs)[column])
        return predictions_of_class(proba, self.classes[column], names, columns)

    def _choose(self, outputs: Tensor, target: Any, output: str) -> Objective:  # by default in column 0
        column, wanted = 0, target
        if _is_pair(target):
            column = check_index("target[0] must be", target[0], len(self.classes))
            wanted = target[1]
        elif not is_predicted(target):
            n = len(self.classes)
            raise ValueError(f"target must be 'predicted' or (output, class) for {n} outputs, got {target!r}")
        classes, first = np.asarray(self.classes[column]), sum(self.n_classes[:column])
        name = "target[1]" if _is_pair(target) else "target"
        return _explained_class(outputs, wanted, output, classes, first=first, name=name)


def read_classes(y: Any, classes: Any = None) -> tuple[np.ndarray, type[ClassTarget]]:
    """Return the checked targets of a classifier and their target class.

    Parameters
    ----------
    y : array-like, shape (n_samples,) or (n_samples, n_columns)
        Targets.
    classes : array-like or list of array-like, default=None
        All classes that will ever occur. Columns of zeros and ones are labels unless there are other classes.

    Raises
    ------
    ValueError
        If y is continuous, empty or holds missing values.
    """
    y = check_y(y)
    if y.dtype == object:  # columns may differ in type
        columns = [_infer_dtype(column) for column in y.reshape(len(y), -1).T]
        for column in columns:
            check_classification_targets(column)
        if len(columns) > 1:
            return y, MultiOutput
        y = y if columns[0].dtype.kind == "U" else columns[0].reshape(y.shape)
    check_classification_targets(y)
    if y.ndim == 1 or y.shape[1] == 1:
        return y, OneClass
    is_indicator = type_of_target(y) == "multilabel-indicator" and not _exceed_labels(classes)
    return y, MultiLabel if is_indicator else MultiOutput


def _is_pair(target: Any) -> bool:
    """Return whether the target to explain is an output with one of its classes."""
    return isinstance(target, tuple) and len(target) == 2


def _explained_class(
    outputs: Tensor, target: Any, output: str, classes: np.ndarray, *, first: int, name: str = "target"
) -> Objective:
    """Choose a class of the head whose outputs begin at ``first``; ``name`` is that of the target."""
    n = len(classes)
    logits = outputs[:, first : first + n]
    chosen = logits.argmax(1) if is_predicted(target) else find_class(target, classes, name)
    weights, head = one_hot(chosen, logits), None
    names = classes[weights.argmax(1).cpu().numpy()]
    padding = (first, outputs.shape[1] - first - n)
    if output == "probability":
        head = F.pad(torch.ones_like(weights, dtype=torch.bool), padding)
    elif output == "margin" and n > 1:
        weights = weights - (1 - weights) / (n - 1)
    return Objective(names=names, weights=F.pad(weights, padding), head=head)


def _exceed_labels(classes: Any) -> bool:
    """Return whether there is one array of classes per column, and some are neither 0 nor 1."""
    columns = [] if classes is None else [np.asarray(column) for column in check_listed(classes)]
    return any(column.ndim == 1 and not np.isin(column, (0, 1)).all() for column in columns)


def _infer_dtype(column: np.ndarray) -> np.ndarray:
    # Columns of different types arrive as one object array.
    if column.dtype != object:
        return column
    first_is_text = isinstance(column[0], str)
    for i, label in enumerate(column):
        if isinstance(label, str) != first_is_text or not (first_is_text or is_number(label)):
            raise ValueError(f"y must hold str or numbers, not both, got {label!r} in y[{i}]")
    return np.array(column.tolist())


def _class_positions(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    positions = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    is_unknown = classes[positions] != y
    if np.any(is_unknown):
        raise ValueError(
            f"y must hold only the classes {classes.tolist()}, "
            f"got {y[is_unknown].tolist()[0]!r} in row {np.flatnonzero(is_unknown)[0]}"
        )
    return positions.astype(np.int64)


def _check_n_columns(n_columns: int, expected: int) -> None:
    if n_columns != expected:
        raise ValueError(f"y must have {expected} columns, got {n_columns}")
