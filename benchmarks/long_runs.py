"""Long runs: fits that are killed, and successive halving that continues instead of starting again.

Run ``python benchmarks/long_runs.py kills`` and ``python benchmarks/long_runs.py halving`` on one core.
TREC is read from the folder of ``datasets.py``; without it, only GUM is searched.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import skorch
import torch
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.datasets import load_gum, make_listops

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from datasets import load_trec
from killing import kill_often

EPOCHS: list[int] = []  # one entry per epoch that is trained
FACTORS = (2, 1.5, 1.25)
SPACES = {
    "lr": [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02],
    "dropout": [0.0, 0.2, 0.5],
    "batch_size": [32, 64, 128],
}
N_SAMPLES = 400


class CountEpochs(skorch.callbacks.Callback):
    """Callback that counts the epochs of all fits."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        EPOCHS.append(1)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["kills", "halving"])
    part = parser.parse_args().part
    torch.set_num_threads(1)
    {"kills": report_kills, "halving": report_halving}[part]()


# Kills.


def report_kills(n_kills: int = 50) -> None:
    """Kill fits at random moments, resume them, and compare the results with that of a whole fit."""
    X, y = make_listops(400, random_state=0)
    texts = [tree.to_brackets() for tree in X]
    params: dict[str, Any] = {"max_epochs": 10, "random_state": 0, "dropout": 0.2}
    print(f"{'estimator':24}{'kills':>7}{'runs':>6}{'equal':>7}{'seconds':>9}{'with checkpoints':>18}")
    for net, samples in (
        (RecursiveNetClassifier(**params, weight_averaging="ema"), X),
        (RNNClassifier(**params, early_stopping=True), texts),
        (CNNClassifier(**params, calibrate="temperature"), texts),
    ):
        net.fit(samples, y)  # warms up
        plain, whole = timed_fit(net, samples, y)
        folder = Path(tempfile.mkdtemp())
        net.set_params(checkpoint_dir=folder)
        saved, _ = timed_fit(net, samples, y)
        shutil.rmtree(folder)
        results: list[bool] = []
        finish = partial(resume, net, samples, y, whole, results)
        kill_often(partial(net.fit, samples, y), np.random.RandomState(0), n_kills, 1.2 * saved, finish)
        finish()
        name = type(net).__name__
        print(f"{name:24}{n_kills:7}{len(results):6}{sum(results):7}{plain:9.2f}{saved:18.2f}", flush=True)


def timed_fit(net: Any, X: Any, y: Any) -> tuple[float, np.ndarray]:
    """Return the seconds of a fit and the probabilities."""
    start = time.perf_counter()
    net.fit(X, y)
    return time.perf_counter() - start, net.predict_proba(X)


def resume(net: Any, X: Any, y: Any, whole: np.ndarray, results: list[bool]) -> None:
    """Resume a fit, and note whether its probabilities are those of a whole fit."""
    results.append(np.array_equal(timed_fit(net, X, y)[1], whole))
    shutil.rmtree(net.checkpoint_dir)


# Halving.


def report_halving() -> None:
    """Count the epochs of searches that continue, and of searches that start each candidate again."""
    problems: dict[str, Any] = {"GUM": (RecursiveNetClassifier(), *load_gum(return_X_y=True))}
    try:
        problems["TREC"] = (CNNClassifier(), *load_trec()[:2])
    except OSError as error:
        print(f"TREC is skipped: {error}")
    print(
        f"{'data':6}{'factor':>8}{'rounds':>8}{'again':>8}{'continued':>11}{'ratio':>7}{'winner':>8}{'seconds':>14}"
    )
    for name, (net, X, y) in problems.items():
        rows = np.random.RandomState(0).permutation(len(y))[:N_SAMPLES]
        samples = X[rows] if hasattr(X, "shape") else [X[i] for i in rows]
        for factor in FACTORS:
            again, *first = search(net, samples, np.asarray(y)[rows], factor, None)
            with tempfile.TemporaryDirectory() as folder:
                continued, *second = search(net, samples, np.asarray(y)[rows], factor, f"{folder}/{{digest}}")
            is_same = (again.best_params_, again.best_score_) == (
                continued.best_params_,
                continued.best_score_,
            )
            ratio, winner = first[0] / second[0], "same" if is_same else "other"
            print(
                f"{name:6}{factor:8}{again.n_iterations_:8}{first[0]:8}{second[0]:11}"
                f"{ratio:7.2f}{winner:>8}{first[1]:7.0f}{second[1]:7.0f}",
                flush=True,
            )


def search(net: Any, X: Any, y: np.ndarray, factor: float, folder: str | None) -> tuple[Any, int, float]:
    """Return a search, the number of epochs that it has trained, and its seconds."""
    EPOCHS.clear()
    net.set_params(checkpoint_dir=folder, random_state=0, lr_schedule=None, callbacks=[CountEpochs()])
    halving = HalvingRandomSearchCV(
        net, SPACES, n_candidates=16, resource="max_epochs", min_resources=2, max_resources=24, factor=factor,
        cv=2, random_state=0, scoring="accuracy",
    )  # fmt: skip
    start = time.perf_counter()
    halving.fit(X, y)
    return halving, len(EPOCHS), time.perf_counter() - start


if __name__ == "__main__":
    main()
