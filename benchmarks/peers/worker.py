"""What all peers share: the file with the trees and the weights, and the commands on stdin."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np


class Tree(NamedTuple):
    """A tree, its nodes in preorder."""

    labels: list[int]
    children: list[list[int]]


class Task(NamedTuple):
    """What a file holds."""

    trees: list[Tree]
    y: np.ndarray
    cell: str
    lr: float
    weights: dict[str, np.ndarray]


WEIGHTS = ("embedding", "W", "b", "U", "U_k", "head_w", "head_b")


def read(path: str) -> Task:
    """Read the trees and the initial weights."""
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
    """Refuse trees for which what the peers leave out would matter."""
    is_binary = task.cell == "nary_lstm"
    for tree in task.trees:
        if len(tree.labels) < 2:
            raise ValueError("a tree needs two nodes")
        for label, below in zip(*tree):
            if is_binary and below and (label or len(below) != 2):
                raise ValueError("nary_lstm needs binary trees whose inner nodes have no label")
            if not label and not (is_binary and below):
                raise ValueError("this node needs a label")


class Net(ABC):
    """A peer's net with its optimizer; trees are named by their range."""

    def __init__(self, task: Task, n_threads: int) -> None:
        self.task = task

    @abstractmethod
    def reset(self) -> None:
        """Return to the initial weights and to a fresh optimizer."""

    @abstractmethod
    def step(self, start: int, stop: int) -> Any:
        """Make one step of the optimizer on some trees."""

    @abstractmethod
    def logits(self, start: int, stop: int) -> np.ndarray:
        """Compute the logits of some trees without gradients, shape (n, n_classes)."""


def serve(net_class: type[Net]) -> None:
    """Obey the commands on stdin: ``python PEER.py FILE.npz BATCH_SIZE N_THREADS``.

    ``logits N PATH``, ``steps K PATH``, ``fit``, ``predict`` and ``quit``; each is answered by a
    line of JSON, and each starts from the initial weights.
    """
    replies, sys.stdout = sys.stdout, sys.stderr  # what libraries print must not be taken for a reply
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
    """The commands."""

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
