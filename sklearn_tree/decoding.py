"""Predictions from the outputs of nets, with numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, softmax


class ClassDecoder:
    """Base class of the decoders of classifiers.

    Margins and probabilities are those of the outputs divided by the temperatures.

    Attributes
    ----------
    classes : ndarray or list of ndarray
        The classes, sorted; for several columns of classes those of each column.
    n_classes : int or list of int
        Number of classes.
    temperatures : ndarray of float, shape (n_heads,), or None
        Temperature of each head; None without calibration.
    """

    classes: Any
    n_classes: Any
    temperatures: np.ndarray | None = None

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the net."""
        return sum(self.head_sizes)

    @property
    def head_sizes(self) -> list[int]:
        """Number of outputs of each head."""
        raise NotImplementedError

    @property
    def temperature(self) -> float | list[float]:
        """Temperature, or a list with that of each head if there can be several; 1.0 if not calibrated."""
        temperatures = np.ones(len(self.head_sizes)) if self.temperatures is None else self.temperatures
        return temperatures.tolist()

    def margin(self, outputs: np.ndarray) -> np.ndarray | list[np.ndarray]:
        """Return the calibrated logits; for two classes the log-odds of the second."""
        return self._margin(self._divide(outputs))

    def proba(self, outputs: np.ndarray) -> np.ndarray | list[np.ndarray]:
        """Return the calibrated probabilities of the classes."""
        return self._proba(self._divide(outputs))

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return the most probable classes from the net's outputs, shape (n, n_outputs)."""
        raise NotImplementedError

    @property
    def _divisors(self) -> np.ndarray:
        """Temperature of each output, shape (n_outputs,)."""
        return np.repeat(np.atleast_1d(self.temperature), self.head_sizes)

    def _divide(self, outputs: np.ndarray) -> np.ndarray:
        return outputs if self.temperatures is None else outputs / self._divisors.astype(outputs.dtype)

    def _heads(self, outputs: np.ndarray) -> list[np.ndarray]:
        return np.split(outputs, np.cumsum(self.head_sizes)[:-1], axis=1)

    def _margin(self, outputs: np.ndarray) -> np.ndarray | list[np.ndarray]:
        raise NotImplementedError

    def _proba(self, outputs: np.ndarray) -> np.ndarray | list[np.ndarray]:
        raise NotImplementedError


class OneClassDecoder(ClassDecoder):
    """Decoder of one class per sample."""

    name = "one class"

    @property
    def head_sizes(self) -> list[int]:
        """One head."""
        return [self.n_classes]

    @property
    def temperature(self) -> float:
        """Temperature; 1.0 if not calibrated."""
        return 1.0 if self.temperatures is None else float(self.temperatures[0])

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return the most probable class of each sample."""
        return self.classes[outputs.argmax(axis=1)]

    def _margin(self, outputs: np.ndarray) -> np.ndarray:
        return _margin(outputs)

    def _proba(self, outputs: np.ndarray) -> np.ndarray:
        return softmax(outputs, axis=1)


class MultiLabelDecoder(ClassDecoder):
    """Decoder of several independent labels per sample."""

    name = "labels"

    @property
    def head_sizes(self) -> list[int]:
        """One output for each label."""
        return [1] * self.n_classes

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return 0 or 1 for each label, int64, shape (n, n_labels)."""
        return (outputs > 0).astype(np.int64)

    def _margin(self, outputs: np.ndarray) -> np.ndarray:
        return outputs

    def _proba(self, outputs: np.ndarray) -> np.ndarray:
        return expit(outputs)


class MultiOutputDecoder(ClassDecoder):
    """Decoder of several columns of classes."""

    name = "columns of classes"

    @property
    def head_sizes(self) -> list[int]:
        """Number of classes of each column."""
        return self.n_classes

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return the most probable class of each column, shape (n, n_columns)."""
        pairs = zip(self._heads(outputs), self.classes, strict=True)
        return stack_columns([known[head.argmax(axis=1)] for head, known in pairs])

    def _margin(self, outputs: np.ndarray) -> list[np.ndarray]:
        return [_margin(head) for head in self._heads(outputs)]

    def _proba(self, outputs: np.ndarray) -> list[np.ndarray]:
        return [softmax(head, axis=1) for head in self._heads(outputs)]


class NumbersDecoder:
    """Decoder of numbers in one or several columns.

    Attributes
    ----------
    mean, scale : ndarray of float, shape (n_columns,)
        Weighted mean and standard deviation of the training targets; 1 for a constant column.
    n_columns : int or None
        Number of columns; None for 1-D targets.
    """

    name = "numbers"

    mean: np.ndarray
    scale: np.ndarray
    n_columns: int | None

    @property
    def n_outputs(self) -> int:
        """Number of columns."""
        return self.n_columns or 1

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return the targets in the user's units, shape (n,) or (n, n_columns)."""
        y = outputs * self.scale + self.mean
        return y[:, 0] if self.n_columns is None else y


def stack_columns(columns: list[np.ndarray]) -> np.ndarray:
    """Stack columns of classes, shape (n, n_columns); of dtype object if their types differ."""
    if len({column.dtype.kind for column in columns}) > 1:  # keep each column's own type
        columns = [column.astype(object) for column in columns]
    return np.stack(columns, axis=1)


def _margin(logits: np.ndarray) -> np.ndarray:
    return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits
