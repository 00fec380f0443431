"""Estimators of all families for all kinds of samples and targets."""

import numpy as np
import pandas as pd
from samples import BRACKETS, CONTAINERS, ESTIMATORS, TABLE, TEXTS, Y

_ROWS = np.arange(len(Y))
KINDS = {
    "trees": BRACKETS,
    "tokens": TEXTS,
    "series": CONTAINERS["series: list of arrays"].X,
    "images": CONTAINERS["images: with channels"].X,
    "table": TABLE,
    "pairs of tokens": pd.DataFrame({"a": TEXTS, "b": TEXTS[::-1]}),
    "pairs of trees": pd.DataFrame({"a": BRACKETS, "b": BRACKETS[::-1]}),
}
TARGETS = {
    "one class": np.where(Y, "yes", "no"),
    "labels": np.stack([Y, _ROWS % 2], axis=1),
    "columns of classes": np.stack([Y + 1, _ROWS % 3], axis=1),
    "numbers": _ROWS / 7,
    "columns of numbers": np.stack([_ROWS / 7, -_ROWS], axis=1),
}


def _reads(cls, kind, y):
    """Return whether an estimator reads the samples and the targets."""
    is_regressor = cls.__name__.endswith("Regressor")
    return kind.split()[-1] in {known.name for known in cls._kinds} and is_regressor == (y.dtype == float)


CASES = {
    f"{cls.__name__}, {kind}, {target}": (cls, X, y)
    for kind, X in KINDS.items()
    for target, y in TARGETS.items()
    for cls in ESTIMATORS
    if _reads(cls, kind, y)
}


def all_outputs(estimator, X):
    """Return the predictions and the probabilities of an estimator, a list of arrays."""
    proba = estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else []
    return [estimator.predict(X), estimator.transform(X), *(proba if isinstance(proba, list) else [proba])]
