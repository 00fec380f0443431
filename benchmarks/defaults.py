"""Study of the default parameters: settings compared by cross-validation on the training parts of a panel.

Run ``python benchmarks/defaults.py --settings default one_cycle``. Each fit appends a line to
``benchmarks/results/defaults.csv``; combinations that the file holds already are skipped. ``--summary``
prints the table of all settings. Missing data sets are reported and skipped.
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
from panel import BASELINES, NETS, Problem, load_problems, take
from settings import SETTINGS
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedShuffleSplit

RESULTS = Path(__file__).parent / "results" / "defaults.csv"
KEYS = ["problem", "model", "setting", "seed"]
N_BINS = 10  # of the expected calibration error


def calibration_error(proba: np.ndarray, y: np.ndarray, classes: np.ndarray) -> float:
    """Return the expected calibration error: the gap between confidence and accuracy, averaged over bins."""
    confidence, correct = proba.max(axis=1), classes[proba.argmax(axis=1)] == y
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = [abs((confidence - correct)[bins == b].sum()) for b in range(N_BINS)]
    return float(sum(gaps) / len(y))


def evaluate(model: Any, X: Any, y: np.ndarray, seed: int) -> dict[str, float]:
    """Fit on four fifths of the training part and score the rest."""
    [(train, test)] = StratifiedShuffleSplit(1, test_size=0.2, random_state=seed).split(y, y)
    start = time.perf_counter()
    model.fit(take(X, train), y[train])
    seconds = time.perf_counter() - start
    proba = np.clip(model.predict_proba(take(X, test)), 1e-7, 1)
    classes = model.classes_
    return {
        "accuracy": accuracy_score(y[test], classes[proba.argmax(axis=1)]),
        "log_loss": log_loss(y[test], proba / proba.sum(axis=1, keepdims=True), labels=classes),
        "calibration_error": calibration_error(proba, y[test], classes),
        "seconds": seconds,
    }


def models(problem: Problem, settings: list[str], seed: int) -> Iterator[tuple[str, str, Any]]:
    """Yield the name of each model, the name of its setting, and the model."""
    yield "baseline", "", clone(BASELINES[problem.family][0])
    for net in NETS[problem.family]:
        name = type(net).__name__
        for setting in settings:
            params = SETTINGS[setting](problem.family, name)
            if params is not None:
                yield name, setting, type(net)(**params, random_state=seed)


def run(problem: Problem, settings: list[str], seeds: list[int], known: set) -> Iterator[dict[str, Any]]:
    """Yield the results of all models on a problem that are not known yet."""
    data = None
    for seed in seeds:
        for name, setting, model in models(problem, settings, seed):
            keys = dict(zip(KEYS, (problem.name, name, setting, seed)))
            if tuple(keys.values()) in known:
                continue
            if data is None:
                data = problem.load(problem.max_samples)
            yield {"family": problem.family, **keys, **evaluate(model, *data, seed)}


def summarize() -> None:
    """Print the mean of each measure for each family, model and setting, relative to the baseline."""
    table = pd.read_csv(RESULTS, keep_default_na=False)
    measures = ["accuracy", "log_loss", "calibration_error", "seconds"]
    means = table.groupby(["family", "problem", "model", "setting"])[measures].mean().reset_index()
    baseline = means[means.model == "baseline"].set_index("problem")
    nets = means[means.model != "baseline"].copy()
    for measure in ("accuracy", "log_loss"):
        nets[f"{measure} - baseline"] = nets[measure] - nets.problem.map(baseline[measure])
    nets["wins"] = nets["accuracy - baseline"] >= 0
    nets["n"] = 1
    groups = nets.groupby(["family", "model", "setting"])
    columns = [*measures, "accuracy - baseline", "log_loss - baseline", "wins"]
    print(groups[columns].mean().assign(n=groups.n.sum()).round(4).to_string())


def main() -> None:
    """Run the chosen settings on the chosen problems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", nargs="+", default=["default"], choices=sorted(SETTINGS))
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
    RESULTS.parent.mkdir(exist_ok=True)
    known: set = set()
    if RESULTS.exists():
        known = set(pd.read_csv(RESULTS, keep_default_na=False)[KEYS].itertuples(index=False, name=None))
    for problem in load_problems():
        if options.only not in problem.name or options.family not in problem.family:
            continue
        try:
            for row in run(problem, options.settings, options.seeds, known):
                pd.DataFrame([row]).round(5).to_csv(
                    RESULTS, mode="a", index=False, header=not RESULTS.exists()
                )
                print(
                    " ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()), flush=True
                )
        except FileNotFoundError as error:
            print(f"{problem.name} skipped: {error.filename} not found")


if __name__ == "__main__":
    main()
