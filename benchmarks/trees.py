"""Speed of training and prediction on trees, compared with naive recursion and other libraries.

Run ``python benchmarks/trees.py``; ``--help`` lists the options. All rows of a workload are measured
alternately, several times; the table shows the medians and the speed of sklearn_tree relative to each row.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from naive import NaiveNet, train_naively
from peers.client import PEERS, Peer, installed_peers, write_workload
from roofline import product_seconds
from sklearn.base import clone
from threadpoolctl import threadpool_limits
from workloads import WORKLOADS, Workload

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset
from sklearn_tree.estimators.rowwise import RowwiseAdagrad, sparse_gradients
from sklearn_tree.kinds import Trees
from sklearn_tree.nn import TreeBatch, compile_cells
from sklearn_tree.nn.compiled import kernels

LR = 0.005
OURS = "sklearn_tree"


def main() -> None:
    """Parse the options, measure all workloads and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[25, 128])
    parser.add_argument("--naive-trees", type=int, default=256, help="number of trees for naive recursion")
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    parser.add_argument(
        "--peers", type=Path, default=Path(__file__).parent / "peers" / ".venvs", help="see peers/install.py"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    threadpool_limits(options.threads, "blas")
    compile_cells(["child_sum_lstm", "nary_lstm"])
    print(f"torch {torch.__version__}, {options.threads} thread(s), median of {options.repeats}")
    print(f"{'workload':14}{'batch':>6}  {'':22}{'fit':>8}{'':>8}{'predict':>10}    trees/s")
    for name in options.workloads:
        workload = WORKLOADS[name]()
        for batch_size in options.batch_sizes:
            report(name, workload, batch_size, options)


def report(name: str, work: Workload, batch_size: int, options: argparse.Namespace) -> None:
    """Measure one workload at one batch size and print its rows."""
    clf = RecursiveNetClassifier(
        **work.params,
        optimizer="adagrad",
        lr=LR,
        weight_decay=0.0,
        dropout=0.0,
        linear_path=False,
        max_epochs=1,
        batch_size=batch_size,
        random_state=0,
    ).fit(work.X, work.y)
    net, n = clf.net_.module_, len(work.X)
    few = list(work.X[: options.naive_trees])
    y = torch.from_numpy(work.y[: len(few)].astype(np.int64))
    naive = NaiveNet(net)
    check(naive_logits(naive, few[:20]), logits(net, work, 20), 1e-5, "naive recursion")

    def same_batches() -> BatchIterator:
        dataset = EncodedDataset(work.X, work.y.astype(np.int64), kind=Trees())
        return BatchIterator(dataset, batch_size, shuffle=True, share_subtrees=True)

    with ExitStack() as stack:
        rows: dict[str, tuple[int, Callable[[], float], Callable[[], float]]] = {
            "naive recursion": (
                len(few),
                timed(lambda: train_naively(naive, few, y, batch_size)),
                timed(lambda: naive_logits(naive, few)),
            )
        }
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for peer in open_peers(work, net, batch_size, options, folder, stack):
            rows[peer.name] = (n, peer.fit, peer.predict)
        rows["its net's bare loop"] = (n, timed(lambda: bare_loop(net, same_batches())), lambda: np.nan)
        rows["without numba"] = (
            n,
            without_numba(timed(lambda: clf.fit(work.X, work.y))),
            without_numba(timed(lambda: clf.predict(work.X))),
        )
        rows["nothing shared"] = (n, without_sharing(timed(lambda: clf.fit(work.X, work.y))), lambda: np.nan)
        rounded = clone(clf).set_params(precision="bfloat16").fit(work.X, work.y)
        rows["bfloat16"] = (
            n,
            timed(lambda: rounded.fit(work.X, work.y)),
            timed(lambda: rounded.predict(work.X)),
        )
        if options.threads == 1 < (os.cpu_count() or 1):
            rows["two threads"] = (
                n,
                on_two_threads(timed(lambda: clf.fit(work.X, work.y))),
                on_two_threads(timed(lambda: clf.predict(work.X))),
            )
        rows[OURS] = (n, timed(lambda: clf.fit(work.X, work.y)), timed(lambda: clf.predict(work.X)))
        times = [
            {row: (fit(), predict()) for row, (_, fit, predict) in rows.items()}
            for _ in range(options.repeats)
        ]
    rates = {
        row: [size / statistics.median(time[row][k] for time in times) for k in (0, 1)]
        for row, (size, *_) in rows.items()
    }
    fit_limit, _ = product_seconds(net, (X for X, _ in same_batches()))
    _, predict_limit = product_seconds(net, [TreeBatch.from_array(work.X)])
    rates["its matrix products"] = [n / fit_limit, n / predict_limit]
    for row, (fit, predict) in rates.items():
        line = f"{name:14}{batch_size:6}  {row:22}{fit:8.0f}{rates[OURS][0] / fit:7.2f}x"
        if predict == predict:
            line += f"{predict:10.0f}{rates[OURS][1] / predict:7.2f}x"
        print(line, flush=True)


def open_peers(
    work: Workload,
    net: torch.nn.Module,
    batch_size: int,
    options: argparse.Namespace,
    folder: Path,
    stack: ExitStack,
) -> Iterator[Peer]:
    """Start the peers that implement the cell; check their logits before and after training."""
    path = folder / "workload.npz"
    write_workload(path, work, net, LR)
    n = min(100, len(work.X))
    for name in installed_peers(options.peers):
        if work.params["cell"] not in PEERS[name].cells:
            continue
        peer = stack.enter_context(Peer(name, options.peers, path, batch_size, options.threads))
        check(torch.from_numpy(peer.logits(n)), logits(net, work, n), 1e-5, name)
        # The first steps of Adagrad depend on the sign of a gradient, even if it is only a rounding error.
        check(torch.from_numpy(peer.steps(3)), after_steps(net, work, batch_size, 3), 3e-4, name)
        yield peer


def check(found: torch.Tensor, wanted: torch.Tensor, tolerance: float, name: str) -> None:
    """Raise AssertionError if two implementations compute different logits."""
    torch.testing.assert_close(
        found.to(wanted),
        wanted,
        rtol=0,
        atol=tolerance,
        msg=lambda text: f"{name} must compute the same logits: {text}",
    )


def logits(net: torch.nn.Module, work: Workload, n: int) -> torch.Tensor:
    """Return the logits of the first ``n`` trees, without gradients."""
    with torch.no_grad():
        return net.eval()(TreeBatch.from_array(work.X[:n]))


def naive_logits(naive: NaiveNet, trees: list) -> torch.Tensor:
    """Return the logits of naive recursion, without gradients."""
    naive.eval()
    with torch.no_grad():
        return naive(trees)


def after_steps(net: torch.nn.Module, work: Workload, batch_size: int, k: int) -> torch.Tensor:
    """Return the logits of the first batch after ``k`` steps, and restore the net."""
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    dataset = EncodedDataset(work.X, work.y.astype(np.int64), kind=Trees())
    bare_loop(net, itertools.islice(BatchIterator(dataset, batch_size), k))
    found = logits(net, work, batch_size)
    net.load_state_dict(before)
    return found


def bare_loop(net: torch.nn.Module, batches: Iterable[tuple[TreeBatch, torch.Tensor]]) -> None:
    """Train as ``fit`` does, in a minimal loop."""
    optimizer = RowwiseAdagrad(net.parameters(), lr=LR, fused=True)
    net.train()
    with sparse_gradients([net.embedding.labels]):
        for X, y in batches:
            loss = torch.nn.functional.cross_entropy(net(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def timed(function: Callable[[], object]) -> Callable[[], float]:
    """Return a function that calls another and returns the seconds it takes."""

    def call() -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return call


def without_numba(function: Callable[[], float]) -> Callable[[], float]:
    """Return a function that calls another while torch computes the walks."""

    def call() -> float:
        with mock.patch.object(kernels, "has_numba", return_value=False):
            return function()

    return call


def on_two_threads(function: Callable[[], float]) -> Callable[[], float]:
    """Return a function that calls another while torch may use two threads."""

    def call() -> float:
        torch.set_num_threads(2)
        try:
            return function()
        finally:
            torch.set_num_threads(1)

    return call


def without_sharing(function: Callable[[], float]) -> Callable[[], float]:
    """Return a function that calls another with batches in which equal nodes are not shared."""

    @contextmanager
    def patched() -> Iterator[None]:
        right = TreeBatch.__dict__["from_array"]
        plain = classmethod(
            lambda cls, array: replace(right.__get__(None, cls)(array), distinct=None, inverse=None)
        )
        TreeBatch.from_array = plain
        try:
            yield
        finally:
            TreeBatch.from_array = right

    def call() -> float:
        with patched():
            return function()

    return call


if __name__ == "__main__":
    main()
