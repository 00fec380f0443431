"""Accuracy of every estimator with default parameters, for several values of ``random_state``.

Run ``python benchmarks/accuracy.py``. Missing data sets are reported and skipped.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from datasets import load_mr, load_series, load_trec
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.model_selection import StratifiedKFold

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier

Split = tuple[Any, np.ndarray, Any, np.ndarray]


def folds(X: Any, y: np.ndarray, n: int = 5) -> Callable[[], Iterator[Split]]:
    """Return the splits of a stratified cross-validation with a fixed seed, as a factory of iterators."""

    def splits() -> Iterator[Split]:
        rows = np.array(X, dtype=object) if isinstance(X, list) else X
        for train, test in StratifiedKFold(n, shuffle=True, random_state=0).split(y, y):
            yield rows[train], y[train], rows[test], y[test]

    return splits


def fixed(*split: Any) -> Callable[[], Iterator[Split]]:
    """Return a factory of iterators over one split."""
    return lambda: iter([split])  # type: ignore[list-item]


def images() -> Callable[[], Iterator[Split]]:
    """Return the splits of the 8 x 8 digits as images."""
    digits = load_digits()
    return folds(digits.images[..., None].astype(np.float32), digits.target)


def first_fold(X: Any, y: np.ndarray) -> Callable[[], Iterator[Split]]:
    """Return the first of ten splits."""
    return lambda: iter([next(folds(X, y, 10)())])


CNN, RNN, TREE = CNNClassifier(), RNNClassifier(), RecursiveNetClassifier()
# name, factory of the splits, required accuracy, estimators
PROBLEMS: list[tuple[str, Callable, float, list]] = [
    ("iris, 5-fold", lambda: folds(*load_iris(return_X_y=True)), 0.93, [CNN, RNN, TREE]),
    ("breast_cancer, 5-fold", lambda: folds(*load_breast_cancer(return_X_y=True)), 0.95, [CNN, RNN, TREE]),
    ("digits as images, 5-fold", images, 0.97, [CNN]),
    ("GunPoint", lambda: fixed(*load_series("GunPoint")), 0.95, [CNN]),
    ("ItalyPowerDemand", lambda: fixed(*load_series("ItalyPowerDemand")), 0.95, [CNN]),
    ("BasicMotions", lambda: fixed(*load_series("BasicMotions")), 0.97, [CNN, RNN]),
    ("TREC coarse", lambda: fixed(*load_trec()), 0.85, [CNN, RNN]),
    ("MR, one fold of ten", lambda: first_fold(*load_mr()), 0.73, [CNN, RNN]),
]


def main() -> None:
    """Fit and score all estimators and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", default="", help="part of a problem's name")
    parser.add_argument("--precision", default="float32", help="precision of the estimators")
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = "".join(f"{'seed ' + str(seed):>8}" for seed in options.seeds)
    print(f"{'problem':26}{'estimator':24}{'floor':>6}{seeds}{'fit':>9}")
    for name, load, floor, estimators in PROBLEMS:
        if options.only not in name:
            continue
        try:
            splits = load()
        except FileNotFoundError as error:
            print(f"{name:26}skipped: {error.filename} not found")
            continue
        for estimator in estimators:
            scores, times = [], []
            for seed in options.seeds:
                start, parts = time.perf_counter(), []
                for X, y, X_test, y_test in splits():
                    model = clone(estimator).set_params(random_state=seed, precision=options.precision)
                    model.fit(X, y)
                    parts.append(model.score(X_test, y_test))
                scores.append(float(np.mean(parts)))
                times.append((time.perf_counter() - start) / len(parts))
            figures = "".join(f"{score:8.3f}" for score in scores)
            seconds = f"{np.median(times):7.1f} s"
            print(f"{name:26}{type(estimator).__name__:24}{floor:6.2f}{figures}{seconds}", flush=True)


if __name__ == "__main__":
    main()
