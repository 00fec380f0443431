"""Rows per second and peak memory of vocabularies and nets that are streamed from Parquet files.

Run ``python benchmarks/streams.py``, or ``--rows 100000`` for one size. Files of short texts and of small
trees are generated in row groups. One pass over a file learns the vocabulary, a second one is an epoch of
``partial_fit``. Each case runs in a process of its own; "start" is its peak memory after the imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, SequenceVectorizer, TreeVectorizer

SIZES = (100_000, 1_000_000)
GROUP_SIZE = 10_000  # rows of a row group and of a batch
N_WORDS = 20_000
MB = 1024  # kilobytes


def draw_words(rng: np.random.RandomState, n: int) -> list[str]:
    """Return words whose frequencies fall with their rank."""
    return [f"w{rank}" for rank in np.minimum(rng.zipf(1.3, n), N_WORDS).tolist()]


def make_texts(rng: np.random.RandomState, y: np.ndarray) -> list[str]:
    """Return texts of 10 words, one of which tells the class."""
    words = draw_words(rng, 9 * len(y))
    return [" ".join([f"class{c}", *words[9 * i : 9 * i + 9]]) for i, c in enumerate(y.tolist())]


def make_trees(rng: np.random.RandomState, y: np.ndarray) -> list[str]:
    """Return bracketed trees of 11 nodes whose shape tells the class."""
    shapes = ("(S (NP {} {}) (VP {} (NP {} {}) {}))", "(S (NP {}) (VP {} {} (PP {} {}) {}))")
    words = iter(draw_words(rng, 6 * len(y)))
    return [shapes[c].format(*(next(words) for _ in range(6))) for c in y.tolist()]


CASES: dict[str, tuple[Callable, Any, Any]] = {
    "texts": (make_texts, SequenceVectorizer, RNNClassifier),
    "trees": (make_trees, TreeVectorizer, RecursiveNetClassifier),
}


def write_file(path: Path, make: Callable, n_rows: int) -> None:
    """Write a Parquet file of samples and classes, one row group at a time."""
    rng = np.random.RandomState(0)
    schema = pa.schema({"x": pa.string(), "y": pa.int64()})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, n_rows, GROUP_SIZE):
            y = rng.randint(2, size=min(GROUP_SIZE, n_rows - start))
            writer.write_table(pa.table({"x": make(rng, y), "y": y}, schema=schema))


def read_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the row groups of a file; by default, Arrow would read the whole file ahead of slow training."""
    options = ds.ParquetFragmentScanOptions(pre_buffer=False)
    data = ds.dataset(path, format=ds.ParquetFileFormat(default_fragment_scan_options=options))
    return data.to_batches(batch_size=GROUP_SIZE, batch_readahead=0, use_threads=False)


def peak_memory() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB


def measure(path: Path, case: str) -> dict[str, float]:
    """Stream a file twice: for the vocabulary and for an epoch."""
    _, vectorizer, cls = CASES[case]
    vectorizer, net = vectorizer(), cls(hidden_size=32, batch_size=256, random_state=0)
    result, seconds = {"start": peak_memory()}, []
    start = time.perf_counter()
    for batch in read_batches(path):
        vectorizer.partial_fit(batch["x"])
    seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    for batch in read_batches(path):
        net.partial_fit(vectorizer.transform(batch["x"]), batch["y"], classes=[0, 1])
    seconds.append(time.perf_counter() - start)
    n_rows = ds.dataset(path).count_rows()
    result |= {"vocabulary": n_rows / seconds[0], "epoch": n_rows / seconds[1], "peak": peak_memory()}
    return {**result, "loss": float(net.history_["train_loss"].iloc[-1])}


def run_in_child(path: Path, case: str) -> dict[str, float]:
    """Return the result of :func:`measure` in a new process."""
    command = [sys.executable, __file__, "--measure", str(path), case]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Write the files, stream them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(Path(options.measure[0]), options.measure[1])))
        return
    print("case         rows  file MB  vocabulary rows/s  epoch rows/s  start MB  peak MB  last loss")
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in options.rows:
            for case, (make, *_) in CASES.items():
                path = Path(folder) / f"{case}.parquet"
                write_file(path, make, n_rows)
                r = run_in_child(path, case)
                print(
                    f"{case:6}{n_rows:11,}{path.stat().st_size / 1e6:9.1f}{r['vocabulary']:19,.0f}"
                    f"{r['epoch']:14,.0f}{r['start']:10,.0f}{r['peak']:9,.0f}{r['loss']:11.4f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
