"""Speed of exported nets: scoring compared with ``predict_proba`` of the estimators, and loading.

Run ``python benchmarks/serving.py`` on one core of an idle machine. The medians are of interleaved runs on
one thread. To load is to start a process, import what is needed, and open the file of ONNX or the pickle.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from workloads import draw_words, sst_like

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.export import to_onnx
from sklearn_tree.serve import OnnxClassifier

LOAD = {
    "onnx": "from sklearn_tree.serve import OnnxClassifier\nmodel = OnnxClassifier(path + '.onnx')",
    "pickle": "import pickle\nmodel = pickle.load(open(path + '.pickle', 'rb'))",
}


def main() -> None:
    """Print one row per estimator, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    print(f"{'estimator':24}{'estimator':>11}{'onnx':>8}{'ratio':>7}{'load':>9}{'onnx':>8}{'ratio':>7}")
    for name, (estimator, X) in problems().items():
        estimator.fit(X, np.arange(len(X)) % 2)
        with tempfile.TemporaryDirectory() as folder:
            own, onnx, own_load, onnx_load = measure(estimator, X, f"{folder}/model", repeats)
        print(
            f"{name:24}{own:11.1f}{onnx:8.1f}{own / onnx:7.2f}{own_load:9.0f}{onnx_load:8.0f}"
            f"{own_load / onnx_load:7.1f}",
            flush=True,
        )


def measure(estimator: Any, X: Any, path: str, repeats: int) -> list[float]:
    """Return the times to score with the estimator and the exported net, and to load both."""
    to_onnx(estimator, f"{path}.onnx")
    Path(f"{path}.pickle").write_bytes(pickle.dumps(estimator))
    model = OnnxClassifier(f"{path}.onnx")
    np.testing.assert_allclose(model.predict_proba(X), estimator.predict_proba(X), atol=1e-5)
    scores = medians([lambda: estimator.predict_proba(X), lambda: model.predict_proba(X)], repeats)
    loads = [partial(run_fresh, kind, path) for kind in ("pickle", "onnx")]
    return scores + medians(loads, repeats)


def problems() -> dict[str, tuple[Any, Any]]:
    """Return estimators and their samples."""
    rng = np.random.RandomState(0)
    params: dict[str, Any] = {"max_epochs": 1, "random_state": 0}
    trees = sst_like().X
    texts = [" ".join(map(str, draw_words(rng, n))) for n in rng.randint(5, 40, 3000)]
    series = rng.randn(500, 200, 3).astype(np.float32)
    images = rng.randint(0, 255, (500, 28, 28), dtype=np.uint8)
    return {
        "child-sum LSTM": (RecursiveNetClassifier("child_sum_lstm", **params), trees),
        "n-ary LSTM": (RecursiveNetClassifier("nary_lstm", **params), trees),
        "child-sum LSTM, 150": (RecursiveNetClassifier("child_sum_lstm", hidden_size=150, **params), trees),
        "LSTM, texts": (RNNClassifier(**params), texts),
        "GRU, texts": (RNNClassifier("gru", **params), texts),
        "LSTM, series": (RNNClassifier(**params), series),
        "CNN, texts": (CNNClassifier(**params), texts),
        "CNN, series": (CNNClassifier(**params), series),
        "CNN, images": (CNNClassifier(input_kind="image", **params), images),
    }


def medians(calls: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Return the median times of interleaved calls in milliseconds."""
    times: list[list[float]] = [[] for _ in calls]
    for i in range(repeats + 1):
        for call, own in zip(calls, times):
            start = time.perf_counter()
            call()
            if i:  # the first run warms up
                own.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(own) for own in times]


def run_fresh(kind: str, path: str) -> None:
    """Open a model in a fresh process."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", f"path = {path!r}\n{LOAD[kind]}"], check=True, env=env)


if __name__ == "__main__":
    main()
