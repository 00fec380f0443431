"""Trees per second of training and prediction, beside naive recursion in the same run.

Run ``python benchmarks/trees.py``; ``--help`` lists the options. Each row is measured in turn,
several times over, and the medians are printed with their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from naive import NaiveNet, train_naively
from workloads import WORKLOADS, Workload

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.nn import TreeBatch


def main() -> None:
    """Parse the options, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[25, 128])
    parser.add_argument("--naive-trees", type=int, default=256, help="trees that naive recursion gets")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s), median of {options.repeats}")
    print(f"{'workload':14}{'batch':>6}  {'what':10}{'naive':>10}{'sklearn_tree':>14}{'ratio':>8}   trees/s")
    for name in options.workloads:
        workload = WORKLOADS[name]()
        for batch_size in options.batch_sizes:
            report(name, workload, batch_size, options.repeats, options.naive_trees)


def report(name: str, work: Workload, batch_size: int, repeats: int, n_naive: int) -> None:
    """Measure one workload at one batch size and print its rows."""
    clf = RecursiveNetClassifier(
        **work.params,
        optimizer="adagrad",
        weight_decay=0.0,
        max_epochs=1,
        batch_size=batch_size,
        random_state=0,
    )
    clf.fit(work.X, work.y)
    few = list(work.X[:n_naive])
    y = torch.from_numpy(work.y[:n_naive].astype(np.int64))
    naive = NaiveNet(clf.net_.module_)
    check_parity(naive, few[:20], work)

    rows: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "fit": (lambda: train_naively(naive, few, y, batch_size), lambda: clf.fit(work.X, work.y)),
        "predict": (lambda: predict_naively(naive, few), lambda: clf.predict(work.X)),
    }
    for what, (slow, fast) in rows.items():
        pairs = [(timed(slow), timed(fast)) for _ in range(repeats)]  # interleaved
        slow_rate = len(few) / statistics.median(pair[0] for pair in pairs)
        fast_rate = len(work.X) / statistics.median(pair[1] for pair in pairs)
        ratio = f"{fast_rate / slow_rate:.1f}x"
        print(f"{name:14}{batch_size:6}  {what:10}{slow_rate:10.0f}{fast_rate:14.0f}{ratio:>8}", flush=True)


def predict_naively(naive: NaiveNet, trees: list) -> torch.Tensor:
    """Return logits without gradients."""
    naive.eval()
    with torch.no_grad():
        return naive(trees)


def check_parity(naive: NaiveNet, trees: list, work: Workload) -> None:
    """Refuse to measure nets that do not compute the same."""
    net = naive.net.eval()
    with torch.no_grad():
        batched = net(TreeBatch.from_array(work.X[: len(trees)]))
    torch.testing.assert_close(predict_naively(naive, trees), batched, rtol=0, atol=1e-5)


def timed(function: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
