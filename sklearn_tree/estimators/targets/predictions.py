"""Predictions of the outputs that an explainer explains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """Predictions of the explained outputs of some samples.

    Attributes
    ----------
    outputs : ndarray of int, shape (n,), or None
        Index of the explained label or column; None if the target has one output.
    values : ndarray, shape (n,)
        Predicted class, label (0 or 1) or number.
    probabilities : ndarray of float, shape (n,)
        Probabilities of ``values``; NaN for numbers.
    explained : ndarray, shape (n,)
        Explained class; the predicted number for numbers, and the predicted label for labels.
    explained_probabilities : ndarray of float, shape (n,)
        Probabilities of the explained class; NaN for numbers.
    averages : ndarray of float, shape (n,), or None
        Mean of the output over the training samples; None for classes.
    """

    outputs: np.ndarray | None
    values: np.ndarray
    probabilities: np.ndarray
    explained: np.ndarray
    explained_probabilities: np.ndarray
    averages: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Self:
        """Return the predictions of some of the samples."""
        columns = {name: column[rows] for name, column in vars(self).items() if column is not None}
        return replace(self, **columns)

    def select(self, y: np.ndarray) -> np.ndarray:
        """Return the true values of the explained outputs, shape (n,).

        Parameters
        ----------
        y : ndarray, shape (n,) or (n, n_outputs)
            Targets.

        Raises
        ------
        ValueError
            If ``y`` lacks the column of an explained output.
        """
        y = y.reshape(len(y), -1)
        n_columns = 1 if self.outputs is None else int(self.outputs.max(initial=0)) + 1
        if y.shape[1] < n_columns:
            raise ValueError(
                f"y must have one column per output, got {y.shape[1]} for output {n_columns - 1}"
            )
        return y[np.arange(len(y)), 0 if self.outputs is None else self.outputs]


def predictions_of_class(
    proba: np.ndarray, classes: Any, explained: np.ndarray, outputs: np.ndarray | None = None
) -> Predictions:
    """Return the predictions of one column of classes.

    Parameters
    ----------
    proba : ndarray of float, shape (n, n_classes)
        Probabilities of the classes.
    classes : ndarray, shape (n_classes,)
        The classes.
    explained : ndarray, shape (n,)
        Explained class of each sample.
    outputs : ndarray of int, shape (n,), default=None
        See :class:`Predictions`.
    """
    rows, top = np.arange(len(proba)), proba.argmax(axis=1)
    return Predictions(
        outputs=outputs,
        values=classes[top],
        probabilities=proba[rows, top],
        explained=explained,
        explained_probabilities=proba[rows, np.searchsorted(classes, explained)],
    )
