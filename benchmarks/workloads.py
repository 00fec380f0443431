"""Synthetic workloads of the tree benchmarks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_tree import Tree, TreeArray, TreeVectorizer
from sklearn_tree.datasets import make_listops

N_WORDS = 10_000


class Workload(NamedTuple):
    """Encoded trees, their classes and the parameters of the estimator."""

    X: TreeArray
    y: np.ndarray
    params: dict


def draw_words(rng: np.random.RandomState, n: int) -> np.ndarray:
    """Draw word ids from a Zipf-Mandelbrot distribution; ids 0 and 1 are reserved.

    In 128 sentences, 46 % of the words are distinct (47 % in the Stanford treebank).
    """
    weights = 1 / (np.arange(N_WORDS - 2) + 2.7)
    return 2 + np.searchsorted(np.cumsum(weights), weights.sum() * rng.rand(n))


def sst_like(n: int = 2000, seed: int = 0) -> Workload:
    """Return binary trees of about 19 leaves with words at the leaves only, as in the Stanford treebank."""
    rng = np.random.RandomState(seed)
    trees = []
    for _ in range(n):
        n_leaves = int(np.clip(rng.gamma(4.0, 19.3 / 4.0), 2, 52))
        words = draw_words(rng, n_leaves)
        trees.append(_random_binary(rng, words))
    labels, parents = zip(*trees)
    array = TreeArray.from_trees([Tree(a, b) for a, b in zip(labels, parents)])
    X = array.replace(n_labels=N_WORDS)
    params = {"cell": "nary_lstm", "max_arity": 2, "embedding_dim": 300, "hidden_size": 150}
    return Workload(X, rng.randint(5, size=n), params)


def _random_binary(rng: np.random.RandomState, words: np.ndarray) -> tuple[list[int], list[int]]:
    """Split the words at random positions, mostly near one end (as in right-branching English)."""
    labels: list[int] = []
    parents: list[int] = []
    stack = [(0, len(words), -1)]
    while stack:
        start, stop, parent = stack.pop()
        node = len(labels)
        parents.append(parent)
        if stop - start == 1:
            labels.append(int(words[start]))
            continue
        labels.append(0)
        share = rng.beta(0.45, 1.3)
        cut = start + 1 + int(share * (stop - start - 1))
        stack += [(cut, stop, node), (start, cut, node)]
    return labels, parents


def listops_like(n: int = 2000, seed: int = 0) -> Workload:
    """Return list operations of about 69 nodes with a token at every node."""
    candidates, y = make_listops(25 * n, max_depth=9, max_args=5, random_state=seed)
    # Most expressions are small: keep those of 30 to 200 nodes.
    keep = np.flatnonzero((candidates.sizes >= 30) & (candidates.sizes <= 200))[:n]
    X = TreeVectorizer().fit_transform(candidates[keep])
    params = {"cell": "child_sum_lstm", "embedding_dim": 64, "hidden_size": 64}
    return Workload(X, y[keep], params)


WORKLOADS = {"SST-like": sst_like, "ListOps-like": listops_like}
