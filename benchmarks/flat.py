"""Speed of training and prediction of RNNs and CNNs, compared with common alternatives.

Run ``python benchmarks/flat.py``; ``--help`` lists the options. All rows of a workload are measured
alternately, several times; the table shows the medians and the speed of sklearn_tree relative to each row.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from flat_workloads import WORKLOADS, Workload
from peers.client import Peer, installed_peers
from plain_nets import make_plain
from skorch import NeuralNetClassifier
from threadpoolctl import threadpool_limits
from torch.nn.functional import cross_entropy

from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset
from sklearn_tree.kinds import KINDS, find_kind
from sklearn_tree.nn import compile_cells

LR = 0.001
OURS = "sklearn_tree"
Row = tuple[Callable[[], float], Callable[[], float] | None]


def main() -> None:
    """Parse the options, measure all workloads and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--workloads", nargs="+", default=list(WORKLOADS), choices=list(WORKLOADS))
    parser.add_argument(
        "--peers", type=Path, default=Path(__file__).parent / "peers" / ".venvs", help="see peers/install.py"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    threadpool_limits(options.threads, "blas")
    compile_cells(["gru"])
    print(f"torch {torch.__version__}, {options.threads} thread(s), median of {options.repeats}")
    print(f"{'workload':14}{'':28}{'fit':>8}{'':>8}{'predict':>9}    rows/s")
    for name in options.workloads:
        report(name, WORKLOADS[name](), options)


def report(name: str, work: Workload, options: argparse.Namespace) -> None:
    """Measure one workload and print its rows."""
    settings = {
        "dropout": 0.0,
        "linear_path": False,
        "optimizer": "adam",
        "lr": LR,
        "lr_schedule": None,
        "weight_decay": 0.0,
        "max_epochs": 1,
        "batch_size": options.batch_size,
        "random_state": 0,
    }
    clf = work.make(**settings).fit(work.X, work.y)
    net = clf.net_.module_.eval()
    default = skorch_default(net, work, options.batch_size)
    wanted = logits(net, work)
    with torch.no_grad():
        check(make_plain(net)(torch.from_numpy(for_torch(work)[:8])), wanted, "skorch's net")
    with ExitStack() as stack:
        rows: dict[str, Row] = {
            "skorch default": (
                timed(lambda: default.fit(for_torch(work), work.y)),
                timed(lambda: default.predict_proba(for_torch(work))),
            ),
            "tight loop": (timed(lambda: tight_loop(net, work, options.batch_size)), None),
            "its net's bare loop": (timed(lambda: bare_loop(net, work, options.batch_size)), None),
        }
        if "keras" in installed_peers(options.peers):
            path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "workload.npz"
            write(path, net, work)
            peer = stack.enter_context(
                Peer("keras", options.peers, path, options.batch_size, options.threads)
            )
            check(torch.from_numpy(peer.logits(8)), wanted, "Keras")
            rows["Keras on TensorFlow"] = peer.fit, peer.predict
        ours = {OURS: clf, f"{OURS}, bfloat16": work.make(**settings, precision="bfloat16")}
        for label, estimator in ours.items():
            rows[label] = (
                timed(lambda e=estimator: e.fit(work.X, work.y)),
                timed(lambda e=estimator: e.predict(work.X)),
            )
            rows[label][0]()
        times: dict[str, list] = {label: [] for label in rows}
        for _ in range(options.repeats):
            for label, (fit, predict) in rows.items():
                times[label].append((fit(), predict() if predict else np.nan))
    rates = {label: len(work.X) / np.median(t, axis=0) for label, t in times.items()}
    for label, (fit, predict) in rates.items():
        line = f"{name:14}{label:28}{fit:8.0f}{rates[OURS][0] / fit:7.2f}x"
        if predict == predict:
            line += f"{predict:9.0f}{rates[OURS][1] / predict:7.2f}x"
        print(line, flush=True)


def for_torch(work: Workload) -> np.ndarray:
    """Return the padded samples with channels in the second axis, as torch expects them."""
    return work.padded if work.padded.ndim == 2 else np.ascontiguousarray(np.moveaxis(work.padded, -1, 1))


def skorch_default(net: torch.nn.Module, work: Workload, batch_size: int) -> NeuralNetClassifier:
    """Return the plain version of a net in skorch with default settings, except that it holds out no rows."""
    return NeuralNetClassifier(
        make_plain(net),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LR,
        max_epochs=1,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).fit(for_torch(work), work.y)


def tight_loop(net: torch.nn.Module, work: Workload, batch_size: int) -> None:
    """Train the plain version of a net for one epoch: ready tensors, length buckets, a fused optimizer."""
    module = make_plain(net).train()
    X, y = torch.from_numpy(for_torch(work)), torch.from_numpy(work.y)
    lengths = (X != 0).sum(1) if X.ndim == 2 else None
    optimizer = torch.optim.Adam(module.parameters(), lr=LR, fused=True)
    rows = torch.randperm(len(X))
    if lengths is not None:
        rows = torch.cat([part[lengths[part].argsort()] for part in rows.split(50 * batch_size)])
    batches = rows.split(batch_size)
    for i in torch.randperm(len(batches)).tolist():
        batch = X.index_select(0, batches[i])
        if lengths is not None:
            batch = batch[:, : lengths[batches[i]].max()]
        step(optimizer, lambda batch=batch: module(batch), y.index_select(0, batches[i]))


def bare_loop(net: torch.nn.Module, work: Workload, batch_size: int) -> None:
    """Train the package's net for one epoch on the batches of ``fit``, without any overhead."""
    module = net.train()
    optimizer = torch.optim.Adam(module.parameters(), lr=LR, fused=True)
    dataset = EncodedDataset(work.X, work.y.astype(np.int64), kind=find_kind(work.X, KINDS)())
    for batch, y in BatchIterator(dataset, batch_size, shuffle=True):
        step(optimizer, lambda batch=batch: module(batch), y)


def step(optimizer: torch.optim.Optimizer, forward: Callable[[], torch.Tensor], y: torch.Tensor) -> None:
    """Take one optimizer step."""
    optimizer.zero_grad()
    cross_entropy(forward(), y).backward()
    optimizer.step()


def logits(net: torch.nn.Module, work: Workload) -> torch.Tensor:
    """Return the logits of the first eight samples."""
    with torch.no_grad():
        return net(find_kind(work.X, KINDS)().batch(work.X, np.arange(8)))


def check(found: torch.Tensor, wanted: torch.Tensor, name: str) -> None:
    """Raise AssertionError if two implementations compute different logits."""
    torch.testing.assert_close(
        found.to(wanted),
        wanted,
        rtol=0,
        atol=1e-4,
        msg=lambda text: f"{name} must compute the same logits: {text}",
    )


def write(path: Path, net: Any, work: Workload) -> None:
    """Write the samples and the initial weights for Keras."""
    columns = {name: value.numpy() for name, value in net.state_dict().items()}
    X = work.padded.astype(np.int32) if work.padded.ndim == 2 else work.padded
    if hasattr(net.encoder, "forwards"):
        columns["rnn"] = type(net.encoder.forwards[0]).__name__.lower()
    np.savez(path, X=X, y=work.y.astype(np.int32), lr=LR, **columns)


def timed(function: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that calls another and returns the seconds it takes."""

    def run() -> float:
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return run


if __name__ == "__main__":
    main()
