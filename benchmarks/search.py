"""Time of a grid search over a small LSTM with this package and with skorch, and a lower bound.

Run ``python benchmarks/search.py``: 12 candidates, 3 folds, 2,000 texts as padded ids, one epoch, no refit,
warm workers. All rows are measured alternately, several times. The lower bound ("floor") is half the time
of the tight loop of ``flat.py`` (ready tensors, length buckets, a fused optimizer) for all 36 fits: two
cores without any overhead.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from flat import step, timed
from flat_workloads import Workload, texts
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from skorch import NeuralNetClassifier
from torch import nn
from workloads import N_WORDS

from sklearn_tree import RNNClassifier

SIZES, RATES = (16, 32, 64), (0.001, 0.002, 0.005, 0.01)
BATCH_SIZE, EMBEDDING_DIM = 64, 32


class PaddedLSTM(nn.Module):
    """Embedding, one bidirectional layer, last states of both directions, and head.

    Parameters
    ----------
    hidden_size : int
        Size of the state of one direction.
    """

    def __init__(self, hidden_size: int = 32) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_WORDS, EMBEDDING_DIM, padding_idx=0)
        self.rnn = nn.LSTM(EMBEDDING_DIM, hidden_size, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(2 * hidden_size)
        self.head = nn.Linear(2 * hidden_size, 2)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Compute the logits of padded ids, shape (n, n_steps)."""
        h, _ = self.rnn(self.embedding(X))[1]
        return self.head(self.norm(torch.cat([h[0], h[1]], dim=1)))


def main() -> None:
    """Measure all rows and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--threads", type=int, default=torch.get_num_threads(), help="number of threads with n_jobs=1"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    work = texts(RNNClassifier, n=2000)
    rows: dict[str, Callable[[], float]] = {"floor: tight loops on two cores": lambda: floor(work) / 2}
    for n in (1, 2):
        rows[f"skorch default, n_jobs={n}"] = timed(lambda n=n: skorch_search(n).fit(work.padded, work.y))
        rows[f"sklearn_tree, n_jobs={n}"] = timed(lambda n=n: our_search(n).fit(work.X, work.y))
    times: dict[str, list[float]] = {name: [] for name in rows}
    for repeat in range(options.repeats + 1):  # the first run starts the workers
        for name, run in rows.items():
            seconds = run()
            if repeat:
                times[name].append(seconds)
    medians = {name: float(np.median(t)) for name, t in times.items()}
    print(f"torch {torch.__version__}, {options.threads} thread(s) in the main process, ", end="")
    print(f"median of {options.repeats}")
    for name, seconds in medians.items():
        print(f"{name:36}{seconds:8.2f} s{seconds / medians['sklearn_tree, n_jobs=2']:8.2f}x")


def our_search(n_jobs: int) -> GridSearchCV:
    """Return a search over this package's estimator."""
    clf = RNNClassifier(
        embedding_dim=EMBEDDING_DIM,
        linear_path=False,
        optimizer="adam",
        weight_decay=0.0,
        max_epochs=1,
        batch_size=BATCH_SIZE,
        random_state=0,
    )
    return search(clf, {"hidden_size": SIZES, "lr": RATES}, n_jobs)


def skorch_search(n_jobs: int) -> GridSearchCV:
    """Return a search over a skorch net with default settings, except that it holds out no rows."""
    net = NeuralNetClassifier(
        PaddedLSTM,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        max_epochs=1,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return search(net, {"module__hidden_size": SIZES, "lr": RATES}, n_jobs)


def search(estimator: Any, grid: dict, n_jobs: int) -> GridSearchCV:
    """Return a grid search without refit."""
    return GridSearchCV(estimator, grid, cv=StratifiedKFold(3), n_jobs=n_jobs, refit=False)


def floor(work: Workload) -> float:
    """Return the seconds of all fits and predictions of the search in a tight loop on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    X, y = torch.from_numpy(work.padded), torch.from_numpy(work.y)
    start = time.perf_counter()
    for rows, held_out in StratifiedKFold(3).split(work.padded, work.y):
        for size in SIZES:
            for lr in RATES:
                module = PaddedLSTM(size)
                tight_fit(module, X[rows], y[rows], lr)
                with torch.no_grad():
                    for batch in length_buckets(X[held_out], shuffle=False):
                        module(trim_padding(X[held_out][batch]))
    torch.set_num_threads(threads)
    return time.perf_counter() - start


def tight_fit(module: nn.Module, X: torch.Tensor, y: torch.Tensor, lr: float) -> None:
    """Train for one epoch with ready tensors, length buckets and a fused optimizer."""
    optimizer = torch.optim.Adam(module.parameters(), lr=lr, fused=True)
    for rows in length_buckets(X, shuffle=True):
        batch = trim_padding(X.index_select(0, rows))
        step(optimizer, lambda batch=batch: module(batch), y.index_select(0, rows))


def length_buckets(X: torch.Tensor, *, shuffle: bool) -> list[torch.Tensor]:
    """Return batches of row indices of similar length, in random order."""
    rows = torch.randperm(len(X)) if shuffle else torch.arange(len(X))
    batches = rows[(X[rows] != 0).sum(1).argsort()].split(BATCH_SIZE)
    return [batches[i] for i in torch.randperm(len(batches))]


def trim_padding(batch: torch.Tensor) -> torch.Tensor:
    """Remove the steps that are padding in all rows."""
    return batch[:, : int((batch != 0).sum(1).max())]


if __name__ == "__main__":
    main()
