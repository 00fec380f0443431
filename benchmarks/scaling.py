"""Time and memory per node of a training step on 1,000 to 1,000,000 nodes; both should be constant.

Run ``python benchmarks/scaling.py``. Each row is measured in a separate process, after a small fit that
loads all libraries. Walks of 20,000 nodes or more are compiled if numba is installed.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import torch

from sklearn_tree import RecursiveNetClassifier, TreeArray
from sklearn_tree.nn import compile_cells

SHAPES = {
    "trees of 50 nodes": [1_000, 10_000, 100_000, 1_000_000],
    "two large trees": [1_000, 10_000, 100_000, 1_000_000],
    "two chains": [1_000, 10_000, 100_000, 200_000],
}


def main() -> None:
    """Measure the row given by ``--row``, or all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", nargs=2, metavar=("SHAPE", "NODES"))
    row = parser.parse_args().row
    if row:
        measure(row[0], int(row[1]))
        return
    print(f"{'shape':20}{'nodes':>10}{'us a node':>11}{'bytes a node':>14}", flush=True)
    for shape, sizes in SHAPES.items():
        for n in sizes:
            subprocess.run([sys.executable, __file__, "--row", shape, str(n)], check=True)


def measure(shape: str, n: int) -> None:
    """Measure one shape and size and print its row."""
    torch.set_num_threads(1)
    compile_cells(["child_sum_lstm"])
    clf = RecursiveNetClassifier(
        "child_sum_lstm",
        dropout=0.0,
        linear_path=False,
        max_epochs=1,
        batch_size=1_000_000,
        max_batch_nodes=None,
        random_state=0,
    )
    small = random_trees(500, 50)  # enough for compiled walks
    clf.fit(small, np.arange(500) % 2)
    X = chains(n) if shape == "two chains" else random_trees(n // 50, 50)
    if shape == "two large trees":
        X = random_trees(2, n // 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    clf.fit(X, np.arange(len(X)) % 2)
    seconds = time.perf_counter() - start
    n_bytes = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    print(
        f"{shape:20}{X.n_nodes:10,}{1e6 * seconds / X.n_nodes:11.1f}{n_bytes / X.n_nodes:14,.0f}", flush=True
    )


def chains(n: int) -> TreeArray:
    """Return two chains with ``n`` nodes in total."""
    depths = np.tile(np.arange(n // 2), 2)
    return TreeArray(np.full(len(depths), 2), depths, np.arange(3) * (n // 2))


def random_trees(n_trees: int, n_nodes: int) -> TreeArray:
    """Return random trees with words at all nodes and a depth of at most 20."""
    rng = np.random.RandomState(0)
    steps = rng.random_sample(n_nodes)
    depths = np.zeros(n_nodes, dtype=int)
    for i in range(1, n_nodes):
        depths[i] = 1 + int(steps[i] * min(depths[i - 1] + 1, 20))
    labels = rng.randint(2, 1000, n_trees * n_nodes)
    return TreeArray(labels, np.tile(depths, n_trees), np.arange(n_trees + 1) * n_nodes)


if __name__ == "__main__":
    main()
