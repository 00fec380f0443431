"""Base class of the targets of classifiers, and their calibration."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from sklearn.metrics import accuracy_score
from torch import Tensor

from sklearn_tree.decoding import ClassDecoder
from sklearn_tree.estimators.objective import Objective
from sklearn_tree.estimators.targets.base import Target
from sklearn_tree.estimators.targets.temperature import fit_temperature
from sklearn_tree.missing import without_nullable_types


class ClassTarget(ClassDecoder, Target):
    """Base class of the targets of classifiers.

    Margins, probabilities and explained numbers are those of the outputs divided by the temperatures.
    """

    _fitted = ("classes", "n_classes", "temperatures")

    def check_classes(self, classes: Any) -> None:
        """Raise ValueError if the classes differ from those of the first call of ``partial_fit``."""
        if not np.array_equal(unique(classes), self.classes):
            raise ValueError(
                f"classes must be those of the first call of partial_fit, {self.classes.tolist()}, "
                f"got {list(classes)}"
            )

    def labels(self, encoded: np.ndarray) -> np.ndarray:
        """Return encoded targets as the labels that class weights refer to."""
        return encoded

    def calibrated(
        self, outputs: np.ndarray, encoded: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> Self:
        """Return a copy whose temperatures minimise the log loss of held-out samples.

        Parameters
        ----------
        outputs : ndarray of float, shape (n, n_outputs)
            Outputs of the net.
        encoded : ndarray, shape (n,) or (n, n_heads)
            Encoded targets.
        sample_weight : ndarray of float, shape (n,), default=None
            Weights of the samples.
        """
        columns = encoded.reshape(len(encoded), -1).T.astype(np.int64)
        heads = zip(self._heads(outputs), columns, strict=True)
        return self.with_temperatures(
            np.array([fit_temperature(self._logits(head), y, sample_weight) for head, y in heads])
        )

    def with_temperatures(self, temperatures: np.ndarray | None) -> Self:
        """Return a copy with other temperatures."""
        target = copy(self)
        target.temperatures = temperatures
        return target

    def explained(self, outputs: Tensor, target: Any, output: str) -> Objective:
        """Choose a class, see :meth:`Target.explained`."""
        if self.temperatures is None:
            return self._choose(outputs, target, output)
        divisors = torch.as_tensor(self._divisors).to(outputs)
        return replace(self._choose(outputs / divisors, target, output), divisors=divisors)

    def accuracy(self, predicted: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> float:
        """Return the weighted fraction of samples that are predicted correctly in all outputs.

        ``y`` is the first return value of :func:`read_classes`.
        """
        return accuracy_score(y, predicted, sample_weight=sample_weight)

    def _logits(self, head: np.ndarray) -> np.ndarray:
        """Return the logits of all classes from the outputs of a head."""
        return head

    def _choose(self, outputs: Tensor, target: Any, output: str) -> Objective:
        """Choose a class of the calibrated outputs."""
        raise NotImplementedError


def unique(classes: Any, name: str = "classes") -> np.ndarray:
    """Return the sorted distinct classes of an array-like."""
    distinct = np.unique(np.asarray(without_nullable_types(check_listed(classes, name))))
    if not len(distinct):
        raise ValueError(f"{name} must hold at least one class, got {classes!r}")
    return distinct


def unique_columns(classes: Any) -> list[np.ndarray]:
    """Return the sorted distinct classes of each column."""
    return [unique(column, f"classes[{i}]") for i, column in enumerate(check_listed(classes))]


def check_listed(classes: Any, name: str = "classes") -> Any:
    """Return classes that are array-like, or raise TypeError."""
    is_sequence = hasattr(classes, "__len__") and hasattr(classes, "__getitem__")
    if isinstance(classes, (str, dict)) or not is_sequence:
        raise TypeError(f"{name} must be array-like, got {type(classes).__name__}: pass a list")
    return classes
