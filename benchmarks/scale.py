"""Engines on one machine: a grid search on dask and Ray beside ``n_jobs=2``, and scoring beside ``predict``.

Run ``python benchmarks/scale.py grid`` and ``python benchmarks/scale.py scoring`` on two idle cores.
Engines are started before the clock, and every way is warmed up by one call.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the workers too
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import GridSearchCV
from workloads import draw_words, sst_like

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, Scorer, save
from sklearn_tree.export import to_onnx

GRID = {"hidden_size": [16, 32, 64, 128], "lr": [0.001, 0.003, 0.01]}  # 12 candidates, 3 folds
N_REPEATS = 3
N_ROWS = 40_000


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["grid", "scoring"])
    part = parser.parse_args().part
    torch.set_num_threads(1)
    with ExitStack() as stack:
        {"grid": report_grid, "scoring": report_scoring}[part](stack)


# Searches.


def report_grid(stack: ExitStack) -> None:
    """Print the seconds of a search of 36 fits in two processes."""
    net = RecursiveNetClassifier("child_sum_lstm", max_epochs=1, random_state=0)
    trees = sst_like().X
    X, y = trees[:1500], np.arange(1500) % 2
    start_dask(stack)
    start_ray(stack)
    ways = {
        "n_jobs=2": lambda: joblib.parallel_config("loky", n_jobs=2),
        "dask, 2 workers": lambda: joblib.parallel_config("dask"),
        "Ray, 2 CPUs": lambda: joblib.parallel_config("ray", n_jobs=2),
    }
    scores: list[np.ndarray] = []

    def search(context: Callable[[], Any]) -> None:
        with context():
            found = GridSearchCV(net, GRID, cv=3, refit=False).fit(X, y).cv_results_
        scores.append(found["mean_test_score"])

    def start() -> None:
        with ways["Ray, 2 CPUs"]():
            joblib.Parallel()(joblib.delayed(import_module)("sklearn_tree.estimators") for _ in range(2))

    calls = {name: partial(search, context) for name, context in ways.items()}
    calls["start of the workers of Ray"] = start  # every search starts new ones, which import torch
    print_medians(calls, "n_jobs=2", 36, "fits/s")
    assert all(np.array_equal(scores[0], other) for other in scores)


# Scoring.


def report_scoring(stack: ExitStack) -> None:
    """Print the rows per second of a scorer in each engine."""
    rng = np.random.RandomState(0)
    texts = [" ".join(map(str, draw_words(rng, n))) for n in rng.randint(5, 40, N_ROWS)]
    net = RNNClassifier(max_epochs=1, random_state=0).fit(texts[:2000], np.arange(2000) % 2)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    save(net, folder / "net.safetensors")
    to_onnx(net, folder / "net.onnx")
    frame = pd.DataFrame({"text": texts})
    ways: dict[str, Callable[[], Any]] = {"predict_proba, one process": lambda: net.predict_proba(texts)}
    for name in ("net.safetensors", "net.onnx"):
        scorer, suffix = Scorer(folder / name, column="text"), name.removeprefix("net.")
        ways[f"Scorer, {suffix}"] = lambda scorer=scorer: scorer(frame)
        for engine, function in engines(stack, frame).items():
            ways[f"{engine}, {suffix}"] = lambda function=function, scorer=scorer: function(scorer)
    print_medians(ways, "predict_proba, one process", N_ROWS, "rows/s")


def engines(stack: ExitStack, frame: pd.DataFrame) -> dict[str, Callable[[Scorer], Any]]:
    """Return functions that score a frame in two processes of each engine."""
    import dask.dataframe as dd
    import ray

    start_dask(stack)
    start_ray(stack)
    parts = dd.from_pandas(frame, npartitions=8)
    dataset = ray.data.from_pandas([frame[i : i + 5000] for i in range(0, N_ROWS, 5000)])
    found = {
        "dask": lambda scorer: parts.map_partitions(scorer, meta=scorer(frame[:0])).compute(),
        "Ray": lambda scorer: dataset.map_batches(scorer, batch_size=5000, batch_format="pandas").to_pandas(),
    }
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        return found
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    table = spark.createDataFrame(frame).repartition(8).cache()
    schema = "prediction long, proba_0 float, proba_1 float"
    return {**found, "Spark": lambda scorer: table.mapInPandas(scorer.map, schema).toPandas()}


def start_dask(stack: ExitStack) -> None:
    """Start a dask cluster of two workers once."""
    from distributed import Client, LocalCluster, default_client

    try:
        default_client()
    except ValueError:
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        cluster = stack.enter_context(LocalCluster(**options))
        stack.enter_context(Client(cluster))


def start_ray(stack: ExitStack) -> None:
    """Start Ray with two CPUs once."""
    import ray
    from ray.util.joblib import register_ray

    if not ray.is_initialized():
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        stack.callback(ray.shutdown)
        register_ray()
        ray.data.DataContext.get_current().enable_progress_bars = False


def print_medians(ways: dict[str, Callable[[], Any]], base: str, n: int, unit: str) -> None:
    """Print the median seconds of interleaved calls, and their ratio to the first way."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(N_REPEATS + 1):
        for name, call in ways.items():
            start = time.perf_counter()
            call()
            if i:  # the first call warms up
                times[name].append(time.perf_counter() - start)
    print(f"{'':34}{'seconds':>9}{unit:>10}{'ratio':>7}")
    for name, seconds in rows(times):
        ratio = seconds / statistics.median(times[base])
        print(f"{name:34}{seconds:9.2f}{n / seconds:10.0f}{ratio:7.2f}", flush=True)


def rows(times: dict[str, list[float]]) -> Iterator[tuple[str, float]]:
    """Yield the names and the medians."""
    return ((name, statistics.median(seconds)) for name, seconds in times.items())


if __name__ == "__main__":
    main()
