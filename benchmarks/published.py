"""Accuracy on problems with published figures, with parameters that were chosen on development parts.

Run ``python benchmarks/published.py --only MR --seeds 0 1 2``. The problems are:

- MR and the sentences of SST as texts, with pretrained vectors. For SST, the training samples are all
  distinct phrases of the training trees and their labels, as published nets use them; they are read as texts.
- ListOps: 90,000 generated expressions, read as left-branching binary trees, as published, by a Tree-LSTM,
  and as texts with brackets by an LSTM.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from datasets import FOLDER, load_mr, load_sst_sentences

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, Tree, TreeArray, TreeVectorizer
from sklearn_tree.datasets import fetch_sst, make_listops

Split = tuple[Any, np.ndarray, Any, np.ndarray]
GLOVE = "glove.6B.50d"
LISTOPS: dict[str, Any] = {"n_samples": 90_000, "max_depth": 20, "max_args": 5}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A data set, the estimator with its parameters, and published accuracies."""

    name: str
    load: Callable[[], Split]
    estimator: type
    published: str
    params: dict[str, Any] = field(default_factory=dict)


def lower(texts: list[str]) -> list[str]:
    """Return texts in lower case."""
    return [text.lower() for text in texts]


def mr() -> Split:
    """Return the movie reviews, nine tenths for training."""
    (X, y), (X_test, y_test) = load_mr("train"), load_mr("test")
    return lower(X), y, lower(X_test), y_test


def sst(classes: str) -> Split:
    """Return the phrases of SST for training, and its test sentences; classes is fine or binary."""
    bunch = fetch_sst(root_only=False, data_home=FOLDER / "sst", download_if_missing=False)
    train = bunch.split == "train"
    labels: dict[str, int] = {}
    for tree, node_y in zip(bunch.data[train], bunch.node_target[train]):
        labels |= zip(phrases(tree), node_y)
    X, y = list(labels), np.array(list(labels.values()))
    if classes == "binary":
        polar = y != 2
        X, y = [text for text, keep in zip(X, polar) if keep], (y[polar] > 2).astype(int)
    X_test, y_test = load_sst_sentences(classes, "test")
    return X, y.astype(int), lower(X_test), y_test.astype(int)


def phrases(tree: Tree) -> list[str]:
    """Return the words below each node as a text in lower case."""
    below: list[list[str]] = [[] for _ in tree.nodes]
    for i in reversed(tree.nodes):
        children = tree.children(i)
        below[i] = [word for k in children for word in below[k]] if children else [tree.labels[i].lower()]
    return [" ".join(words) for words in below]


def listops() -> Split:
    """Return 90,000 expressions for training and 10,000 others for testing."""
    X, y = make_listops(**LISTOPS, random_state=0)
    return X, y, *make_listops(**{**LISTOPS, "n_samples": 10_000}, random_state=1)


def binary_listops() -> Split:
    """Return the expressions as encoded binary trees."""
    X, y, X_test, y_test = listops()
    vectorizer = TreeVectorizer(binarize="left").fit(X)
    return vectorizer.transform(X), y, vectorizer.transform(X_test), y_test


def listops_as_texts() -> Split:
    """Return the expressions as texts with brackets."""
    X, y, X_test, y_test = listops()
    return bracketed(X), y, bracketed(X_test), y_test


def bracketed(trees: TreeArray) -> list[list[str]]:
    """Return trees as lists of brackets and labels."""
    return [tree.to_brackets().replace("(", " ( ").replace(")", " ) ").split() for tree in trees]


CNN = {"embeddings": GLOVE, "embedding_lr": 0.001, "kernel_sizes": (2, 3, 4), "lr": 0.001}
PHRASES = {"batch_size": 64, "linear_path": False}
RNN = {**PHRASES, "embeddings": "wordllama", "hidden_size": 128, "pooling": "max", "dropout": 0.5}
RNN |= {"lr": 0.002, "embedding_lr": 0.0005, "max_epochs": 3}
SAME_SIZE = {"hidden_size": 128, "embedding_dim": 64, "dropout": 0.0, "linear_path": False, "batch_size": 64}
KIM = "Kim (2014), 300-d word2vec:"
PROBLEMS = [
    Problem(
        name="MR",
        load=mr,
        estimator=CNNClassifier,
        published=f"{KIM} .815",
        params={**CNN, "n_filters": 200, "dropout": 0.4, "max_epochs": 8},
    ),
    Problem(
        name="SST-2 phrases",
        load=lambda: sst("binary"),
        estimator=CNNClassifier,
        published=f"{KIM} .872",
        params={**CNN, **PHRASES, "n_filters": 200, "dropout": 0.4, "max_epochs": 8},
    ),
    Problem(
        name="SST-5 phrases",
        load=lambda: sst("fine"),
        estimator=CNNClassifier,
        published=f"{KIM} .480",
        params={**CNN, **PHRASES, "n_filters": 100, "dropout": 0.3, "max_epochs": 5},
    ),
    Problem(
        name="SST-2 phrases",
        load=lambda: sst("binary"),
        estimator=RNNClassifier,
        published="Tai et al. (2015), 300-d GloVe: .875",
        params=RNN,
    ),
    Problem(
        name="SST-5 phrases",
        load=lambda: sst("fine"),
        estimator=RNNClassifier,
        published="Tai et al. (2015), 300-d GloVe: .491",
        params=RNN,
    ),
    Problem(
        name="ListOps",
        load=binary_listops,
        estimator=RecursiveNetClassifier,
        published="Tree-LSTM on the given trees: about .98",
        params={
            **SAME_SIZE,
            "cell": "nary_lstm",
            "max_arity": 2,
            "lr": 0.004,
            "weight_decay": 0.01,
            "lr_schedule": "one_cycle",
            "gradient_clip": 1.0,
            "max_epochs": 15,
        },
    ),
    Problem(
        name="ListOps as texts",
        load=listops_as_texts,
        estimator=RNNClassifier,
        published="LSTM: .71 to .74",
        params={
            **SAME_SIZE,
            "bidirectional": False,
            "lr": 0.002,
            "lr_schedule": "one_cycle",
            "gradient_clip": 1.0,
            "max_epochs": 4,
        },
    ),
]


def main() -> None:
    """Fit and score all nets and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of a problem's name")
    parser.add_argument("--estimator", default="", help="part of an estimator's name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    for problem in PROBLEMS:
        estimator = problem.estimator.__name__
        if options.only not in problem.name or options.estimator not in estimator:
            continue
        X, y, X_test, y_test = problem.load()
        print(f"{problem.name}, {len(y)} training samples; published: {problem.published}")
        for seed in options.seeds:
            net = problem.estimator(**problem.params, random_state=seed)
            start = time.perf_counter()
            net.fit(X, y)
            seconds = time.perf_counter() - start
            print(f"  {estimator:24}seed {seed}{net.score(X_test, y_test):9.4f}{seconds:7.0f} s", flush=True)


if __name__ == "__main__":
    main()
