"""Overhead of ``fit`` around its net, in microseconds per batch, compared with that of skorch.

Run ``python benchmarks/overhead.py``. The nets are tiny, so the overhead dominates. The bare loop has its
batches ready, computes the loss and steps a fused optimizer; ``fit`` also makes the batches. The two are
measured alternately, one epoch at a time; the overhead is the difference of their medians.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.functional import cross_entropy

from sklearn_tree import CNNClassifier, RaggedArray, RecursiveNetClassifier, RNNClassifier, TreeArray
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset

BATCH_SIZE, N_BATCHES = 64, 200
N = BATCH_SIZE * N_BATCHES


def main() -> None:
    """Measure all families and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=N)
    tokens = RaggedArray(rng.randint(2, 20, 4 * N), np.arange(N + 1) * 4, n_labels=20)
    table = rng.randn(N, 4).astype(np.float32)
    trees = TreeArray(rng.randint(2, 20, 4 * N), np.tile([0, 1, 1, 1], N), np.arange(N + 1) * 4)
    small: dict[str, Any] = {"hidden_size": 4, "embedding_dim": 4, "max_epochs": 1, "random_state": 0}
    small |= {"optimizer": "adam", "weight_decay": 0.0, "batch_size": BATCH_SIZE, "lr": 0.001}
    small |= {"dropout": 0.0, "linear_path": False, "lr_schedule": None}
    print(f"torch {torch.__version__}, 1 thread, median of {repeats}; microseconds a batch of {BATCH_SIZE}")
    print(f"{'':36}{'bare loop':>10}{'fit':>8}{'around the net':>16}")
    for name, clf, X in (
        ("RNNClassifier, tokens", RNNClassifier("rnn", bidirectional=False, **small), tokens),
        ("RNNClassifier, a table", RNNClassifier("rnn", bidirectional=False, **small), table),
        ("CNNClassifier, tokens", CNNClassifier((1,), n_filters=4, **small), tokens),
        ("RecursiveNetClassifier, trees", RecursiveNetClassifier("rnn", **small), trees),
    ):
        report(name, repeats, *our_epochs(clf, X, y))
    report("skorch's defaults, a linear net", repeats, *skorch_epochs(table, y))


def report(name: str, repeats: int, bare: Callable[[], float], fit: Callable[[], float]) -> None:
    """Measure the two epochs alternately and print their medians."""
    bare(), fit()
    times = 1e6 / N_BATCHES * np.median([(bare(), fit()) for _ in range(repeats)], axis=0)
    print(f"{name:36}{times[0]:10.0f}{times[1]:8.0f}{times[1] - times[0]:16.0f}", flush=True)


def our_epochs(clf: Any, X: Any, y: np.ndarray) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return functions that time a bare epoch of an estimator's net, and the epoch of its ``fit``."""
    net = clf.fit(X, y).net_.module_
    batches = list(BatchIterator(EncodedDataset(X, y, kind=clf.kind_), BATCH_SIZE, shuffle=True))

    def fit() -> float:
        return clf.fit(X, y).net_.history[-1]["dur"]

    return lambda: bare_epoch(net, batches), fit


def skorch_epochs(X: np.ndarray, y: np.ndarray) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return functions that time a bare epoch of a linear net, and one of skorch with default callbacks."""
    module = nn.Linear(4, 2)
    rows = torch.randperm(N).split(BATCH_SIZE)
    batches = [(torch.from_numpy(X)[part], torch.from_numpy(y)[part]) for part in rows]
    net = NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.Adam, lr=0.001, max_epochs=1
    )
    net.set_params(batch_size=BATCH_SIZE, iterator_train__shuffle=True, train_split=None, verbose=0)
    return lambda: bare_epoch(module, batches), lambda: net.fit(X, y).history[-1]["dur"]


def bare_epoch(net: nn.Module, batches: list) -> float:
    """Train for one epoch on ready batches and return the seconds."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001, fused=True)
    net.train()
    start = time.perf_counter()
    for X, y in batches:
        loss = cross_entropy(net(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
