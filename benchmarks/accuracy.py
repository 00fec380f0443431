"""Accuracy and log loss of the default parameters on the test parts of the panel, beside simple baselines.

Run ``python benchmarks/accuracy.py``. Each fit appends a line to ``benchmarks/results/accuracy.csv``;
combinations that the file holds already are skipped. ``--summary`` prints the table. Missing data sets are
reported and skipped. The baselines are those of ``panel.py`` and, for series, the nearest neighbour under
dynamic time warping. Problems without an official test part are cross-validated in five folds.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from defaults import calibration_error
from panel import BASELINES, NETS, Problem, load_problems, take
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold
from tslearn.neighbors import KNeighborsTimeSeriesClassifier

RESULTS = Path(__file__).parent / "results" / "accuracy.csv"
KEYS = ["problem", "model", "seed"]
Split = tuple[Any, np.ndarray, Any, np.ndarray]


def splits(problem: Problem) -> list[Split]:
    """Return the training and test parts of a problem."""
    X, y = problem.load(problem.max_train)
    if problem.test is not None:
        return [(X, y, *problem.test())]
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(y, y)
    return [(take(X, train), y[train], take(X, test), y[test]) for train, test in folds]


def predict(model: Any, parts: list[Split]) -> dict[str, Any]:
    """Fit a model on each training part and return what it predicts for all test parts."""
    correct, losses, errors, start = [], [], [], time.perf_counter()
    for X, y, X_test, y_test in parts:
        fitted = clone(model).fit(X, y)
        proba = np.clip(fitted.predict_proba(X_test), 1e-7, 1)
        proba /= proba.sum(axis=1, keepdims=True)
        is_class = y_test[:, None] == fitted.classes_
        correct.append(fitted.classes_[proba.argmax(axis=1)] == y_test)
        losses.append(-np.log(np.where(is_class, proba, 0).sum(axis=1).clip(1e-7)))
        errors.append(calibration_error(proba, y_test, fitted.classes_))
    seconds = (time.perf_counter() - start) / len(parts)
    return {
        "correct": np.concatenate(correct),
        "losses": np.concatenate(losses),
        "calibration_error": float(np.mean(errors)),
        "seconds": seconds,
    }


def measures(result: dict[str, Any]) -> dict[str, Any]:
    """Return the measures of a result, without the values of the single samples."""
    return {
        "accuracy": result["correct"].mean(),
        "log_loss": result["losses"].mean(),
        "calibration_error": result["calibration_error"],
        "seconds": result["seconds"],
    }


def standard_error(difference: np.ndarray) -> float:
    """Return the standard error of the mean of paired differences."""
    return float(difference.std(ddof=1) / np.sqrt(len(difference)))


def run(problem: Problem, seeds: list[int], known: set) -> Iterator[dict[str, Any]]:
    """Yield the results of all models on a problem that are not known yet.

    The nets are compared with the most accurate baseline, and in log loss with the linear one, which is the
    last. Standard errors are those of the differences over the test samples.
    """
    jobs = [
        (type(net).__name__, seed, type(net)(random_state=seed))
        for net in NETS[problem.family]
        for seed in seeds
    ]
    jobs = [job for job in jobs if (problem.name, *job[:2]) not in known]
    if not jobs:
        return
    parts = splits(problem)
    names = [f"baseline {i}" for i in range(len(BASELINES[problem.family]))]
    models = dict(zip(names, BASELINES[problem.family]))
    if problem.family == "series":
        models = {"baseline DTW": KNeighborsTimeSeriesClassifier(1, metric="dtw"), **models}
    baselines = {name: predict(model, parts) for name, model in models.items()}
    for name, result in baselines.items():
        if (problem.name, name, 0) not in known:
            yield {"problem": problem.name, "model": name, "seed": 0, **measures(result)}
    best = max(baselines.values(), key=lambda result: result["correct"].mean())
    linear = list(baselines.values())[-1]
    for name, seed, model in jobs:
        result = predict(model, parts)
        gains = result["correct"].astype(float) - best["correct"], result["losses"] - linear["losses"]
        yield {
            "problem": problem.name,
            "model": name,
            "seed": seed,
            **measures(result),
            "accuracy gain": gains[0].mean(),
            "accuracy error": standard_error(gains[0]),
            "log loss gain": gains[1].mean(),
            "log loss error": standard_error(gains[1]),
        }


COLUMNS = [*KEYS, "accuracy", "log_loss", "calibration_error", "seconds"]
COLUMNS += ["accuracy gain", "accuracy error", "log loss gain", "log loss error"]


def summarize() -> None:
    """Print the means over seeds, and whether the nets keep up with the baselines within a standard error."""
    table = pd.read_csv(RESULTS)
    nets = table[~table.model.str.startswith("baseline")]
    groups = nets.groupby(["problem", "model"], sort=False)
    means = groups[COLUMNS[3:]].mean()
    means.insert(1, "spread", groups.accuracy.std())
    means["not worse"] = means["accuracy gain"] >= -means["accuracy error"]
    means["better"] = means["accuracy gain"] > means["accuracy error"]
    means["loss not worse"] = means["log loss gain"] <= means["log loss error"]
    print(means.round(3).to_string())
    print(means[["not worse", "better", "loss not worse"]].sum().to_string(), "of", len(means))


def main() -> None:
    """Run the nets and the baselines on the chosen problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--family", default="")
    parser.add_argument("--only", default="", help="part of a problem's name")
    parser.add_argument("--summary", action="store_true")
    options = parser.parse_args()
    if options.summary:
        summarize()
        return
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    known: set = set()
    if RESULTS.exists():
        known = set(pd.read_csv(RESULTS)[KEYS].itertuples(index=False, name=None))
    for problem in load_problems():
        is_chosen = options.only in problem.name and options.family in problem.family
        if not is_chosen or not problem.max_train:
            continue
        try:
            for row in run(problem, options.seeds, known):
                line = pd.DataFrame([row], columns=COLUMNS).round(5)
                line.to_csv(RESULTS, mode="a", index=False, header=not RESULTS.exists())
                print(
                    " ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()), flush=True
                )
        except FileNotFoundError as error:
            print(f"{problem.name} skipped: {error.filename} not found")


if __name__ == "__main__":
    main()
