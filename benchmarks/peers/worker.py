"""Workload file and command loop of all peers."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np


class Tree(NamedTuple):
    """Tree with its nodes in preorder."""

    labels: list[int]
    children: list[list[int]]


class Task(NamedTuple):
    """Content of a workload file."""

    trees: list[Tree]
    y: np.ndarray
    cell: str
    lr: float
    weights: dict[str, np.ndarray]


WEIGHTS = ("embedding", "W", "b", "U", "U_k", "head_w", "head_b")


def read(path: str) -> Task:
    """Read a workload file."""
    with np.load(path) as file:
        columns = {name: file[name] for name in file.files}
    weights = {name: columns[name] for name in WEIGHTS if name in columns}
    bounds = columns["offsets"].tolist()
    labels, parents = columns["labels"].tolist(), columns["parents"].tolist()
    trees = [_tree(labels[a:b], parents[a:b]) for a, b in pairwise(bounds)]
    task = Task(trees, columns["y"], str(columns["cell"]), float(columns["lr"]), weights)
    _check(task)
    return task


def _tree(labels: list[int], parents: list[int]) -> Tree:
    children: list[list[int]] = [[] for _ in labels]
    for node, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(node)
    return Tree(labels, children)


def _check(task: Task) -> None:
    """Raise ValueError for trees that not all peers support."""
    is_binary = task.cell == "nary_lstm"
    for tree in task.trees:
        if len(tree.labels) < 2:
            raise ValueError(f"trees must have at least 2 nodes, got {len(tree.labels)}")
        for label, below in zip(*tree):
            if is_binary and below and (label or len(below) != 2):
                raise ValueError("inner nodes must have two children and no label for nary_lstm")
            if not label and not (is_binary and below):
                raise ValueError("all nodes must have a label, except inner nodes for nary_lstm")


class Net(ABC):
    """Net of a peer and its optimizer."""

    def __init__(self, task: Task, n_threads: int) -> None:
        self.task = task

    @abstractmethod
    def reset(self) -> None:
        """Restore the initial weights and make a new optimizer."""

    @abstractmethod
    def step(self, start: int, stop: int) -> Any:
        """Take one optimizer step on a range of trees."""

    @abstractmethod
    def logits(self, start: int, stop: int) -> np.ndarray:
        """Compute the logits of a range of trees without gradients, shape (n, n_classes)."""


def serve(net_class: type[Net]) -> None:
    """Execute the commands on stdin: ``python PEER.py FILE.npz BATCH_SIZE N_THREADS``.

    The commands are ``logits N PATH``, ``steps K PATH``, ``fit``, ``predict`` and ``quit``. Each starts from
    the initial weights and writes one line of JSON to stdout.
    """
    replies, sys.stdout = sys.stdout, sys.stderr  # keep the output of libraries out of the replies
    task = read(sys.argv[1])
    net = net_class(task, int(sys.argv[3]))
    net.reset()
    session = Session(net, len(task.trees), int(sys.argv[2]))
    for line in sys.stdin:
        command, *arguments = line.split(maxsplit=2)
        if command == "quit":
            break
        print(json.dumps(getattr(session, command)(*arguments)), file=replies, flush=True)


class Session:
    """Commands of a peer."""

    def __init__(self, net: Net, n_trees: int, batch_size: int) -> None:
        self.net = net
        starts = range(0, n_trees, batch_size)
        self.batches = [(start, min(start + batch_size, n_trees)) for start in starts]

    def logits(self, n: str, path: str) -> dict:
        np.save(path.strip(), self.net.logits(0, int(n)))
        return {}

    def steps(self, k: str, path: str) -> dict:
        for batch in self.batches[: int(k)]:
            self.net.step(*batch)
        np.save(path.strip(), self.net.logits(*self.batches[0]))
        self.net.reset()
        return {}

    def fit(self) -> dict:
        start = time.perf_counter()
        for batch in self.batches:
            self.net.step(*batch)
        seconds = time.perf_counter() - start
        self.net.reset()
        return {"seconds": seconds}

    def predict(self) -> dict:
        start = time.perf_counter()
        for batch in self.batches:
            self.net.logits(*batch)
        return {"seconds": time.perf_counter() - start}
