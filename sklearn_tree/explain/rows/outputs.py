"""Outputs of models that are explained as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import is_classifier

from sklearn_tree.estimators.targets import Numbers, OneClass, Target
from sklearn_tree.kinds.encoding import no_warnings_of_unknown

_SMALLEST_PROBABILITY = 1e-3  # forests and neighbours predict probabilities of 0


def find_function(model: Any, X: Any, predicted: np.ndarray) -> str:
    """Return the method of a model whose outputs are explained.

    Parameters
    ----------
    model : estimator
        Fitted classifier or regressor.
    X : samples
        Some rows.
    predicted : ndarray, shape (n,)
        Predictions of the model for the rows.

    Returns
    -------
    {"decision_function", "predict_proba", "predict"}
        "decision_function" if the model has no probabilities, or if its decisions are their logits.

    Raises
    ------
    ValueError
        If the model does not predict the class with the largest output, as with another threshold.
    """
    if not is_classifier(model):
        return "predict"
    names = [name for name in ("predict_proba", "decision_function") if hasattr(model, name)]
    with no_warnings_of_unknown():
        outputs = {name: as_logits(np.asarray(getattr(model, name)(X))) for name in names}
    faithful = [name for name in names if np.array_equal(_decide(model, outputs[name]), predicted)]
    if not faithful:
        raise ValueError(
            "estimator must predict the class with the largest probability or decision, got "
            f"{type(model).__name__}, which decides otherwise: explain the model inside it"
        )
    if len(faithful) == 2 and _are_logits(outputs["decision_function"], outputs["predict_proba"]):
        return "decision_function"
    return faithful[0]


def _decide(model: Any, outputs: np.ndarray) -> np.ndarray:
    return np.asarray(model.classes_)[outputs.argmax(axis=1)] if outputs.ndim == 2 else np.zeros(0)


def _are_logits(logits: np.ndarray, proba: np.ndarray) -> bool:
    return logits.shape == proba.shape and np.allclose(softmax(logits, axis=1), proba, atol=1e-5)


def predict_rows(model: Any, X: Any) -> np.ndarray:
    """Return the predictions of a model, ndarray of shape (n,).

    Raises
    ------
    ValueError
        If the model predicts several outputs.
    """
    with no_warnings_of_unknown():
        predicted = np.asarray(model.predict(X))
    if predicted.ndim != 1:
        raise ValueError(
            "estimator must predict one class or number per row if its net is inside another model, got "
            f"predictions of shape {predicted.shape}"
        )
    return predicted


def fit_target(model: Any, predicted: np.ndarray) -> Target:
    """Return the kind of the predictions of a model, given some of them."""
    target: Target = OneClass() if is_classifier(model) else Numbers()
    target.fit(np.asarray(model.classes_) if is_classifier(model) else predicted.astype(float))
    return target


def predict_outputs(model: Any, X: Any, function: str, target: Target) -> np.ndarray:
    """Return logits, or standardised numbers, float64, shape (n, n_outputs).

    Parameters
    ----------
    model : estimator
        The model.
    X : samples
        Rows.
    function : str
        Return value of :func:`find_function`.
    target : Target
        Kind of the predictions.
    """
    with no_warnings_of_unknown():
        found = np.asarray(getattr(model, function)(X), dtype=np.float64)
    if function == "predict":
        return target.encode(found)
    if function == "decision_function":
        return as_logits(found)
    return np.log(np.maximum(found, _SMALLEST_PROBABILITY))


def as_logits(decisions: np.ndarray) -> np.ndarray:
    """Return one column per class; the decisions of two classes are the log-odds of the second."""
    if decisions.ndim > 1:
        return decisions
    return np.stack([-decisions / 2, decisions / 2], axis=1)
