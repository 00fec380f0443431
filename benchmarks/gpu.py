"""Speed of training and prediction on a GPU, compared with the CPU of the same machine.

Run ``python benchmarks/gpu.py``; ``--help`` lists the options. All rows of a workload are measured
alternately, several times (those of the CPU once); the table shows the medians. "busy" is the share of the
time of a fit in which the GPU runs kernels, "kernels" their number per batch.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import cache
from typing import Any

import flat_workloads
import torch
import workloads
from torch.profiler import ProfilerActivity, profile

from sklearn_tree import RecursiveNetClassifier

COMMON = {
    "max_epochs": 1,
    "random_state": 0,
    "dropout": 0.0,
    "linear_path": False,
    "lr_schedule": None,
    "weight_decay": 0.0,
    "lr": 0.001,
}


def main() -> None:
    """Parse the options, measure all workloads and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[25, 128, 1024])
    names = [*workloads.WORKLOADS, *flat_workloads.WORKLOADS]
    parser.add_argument("--workloads", nargs="+", default=names, choices=names)
    parser.add_argument("--hidden-size", type=int, help="width of the nets; that of each workload by default")
    options = parser.parse_args()
    params = {} if options.hidden_size is None else {"hidden_size": options.hidden_size}
    print(
        f"torch {torch.__version__}, {torch.cuda.get_device_name()}, median of {options.repeats}",
        params or "",
    )
    print(
        f"{'workload':14}{'batch':>6}  {'':22}{'fit':>9}{'predict':>9} samples/s  {'kernels':>8}{'busy':>6}"
    )
    for name in options.workloads:
        for batch_size in options.batch_sizes:
            report(name, batch_size, options.repeats, params)


def make(name: str, **params: Any) -> tuple[Any, Any, Any]:
    """Return an estimator, samples and classes of a workload."""
    work = load(name)
    if isinstance(work, workloads.Workload):
        settings = {**COMMON, **work.params, "optimizer": "adagrad", **params}
        return RecursiveNetClassifier(**settings), work.X, work.y
    return work.make(**{**COMMON, "optimizer": "adam", **params}), work.X[:2048], work.y[:2048]


@cache
def load(name: str) -> Any:
    """Return a workload of 2,048 samples or, of series, 1,000."""
    if name in workloads.WORKLOADS:
        return workloads.WORKLOADS[name](n=2048)
    return flat_workloads.WORKLOADS[name]()


def report(name: str, batch_size: int, repeats: int, changed: dict[str, Any]) -> None:
    """Measure one workload at one batch size and print its rows."""
    rows = {
        "CPU, 1 thread": (1, {"device": "cpu"}),
        "CPU, all threads": (torch.get_num_threads(), {"device": "cpu"}),
        "GPU": (1, {"device": "cuda"}),
        "GPU, bfloat16": (1, {"device": "cuda", "precision": "bfloat16"}),
    }
    made = {row: make(name, batch_size=batch_size, **params, **changed) for row, (_, params) in rows.items()}
    n_threads = torch.get_num_threads()
    times: dict[str, list[tuple[float, float]]] = {row: [] for row in rows}
    for repeat in range(-1, repeats):  # the first round warms up the GPU
        for row, (threads, _) in rows.items():
            if "CPU" in row and repeat != 0:
                continue
            torch.set_num_threads(threads)
            estimator, X, y = made[row]
            fit, predict = seconds(estimator.fit, X, y), seconds(estimator.predict, X)
            if repeat >= 0:
                times[row].append((fit, predict))
    torch.set_num_threads(1)
    for row, (estimator, X, y) in made.items():
        fit, predict = (len(X) / statistics.median(t[k] for t in times[row]) for k in (0, 1))
        line = f"{name:14}{batch_size:6}  {row:22}{fit:9.0f}{predict:9.0f}"
        if "GPU" in row:
            n_kernels, busy = kernels(estimator, X, y)
            line += f"           {n_kernels / -(-len(X) // batch_size):8.0f}{busy:6.0%}"
        print(line, flush=True)
    torch.set_num_threads(n_threads)


def seconds(function: Any, *args: Any) -> float:
    """Return the seconds that a call takes until the GPU is idle."""
    start = time.perf_counter()
    function(*args)
    torch.cuda.synchronize()
    return time.perf_counter() - start


def kernels(estimator: Any, X: Any, y: Any) -> tuple[int, float]:
    """Return the number of kernels of a fit, and the share of a fit's time in which they run."""
    wall = seconds(estimator.fit, X, y)
    with profile(activities=[ProfilerActivity.CUDA]) as record:
        seconds(estimator.fit, X, y)
    events = [event for event in record.events() if event.device_type == torch.autograd.DeviceType.CUDA]
    return len(events), sum(event.time_range.elapsed_us() for event in events) / 1e6 / wall


if __name__ == "__main__":
    main()
