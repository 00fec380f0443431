"""Accuracy on trees of many kinds, beside linear models on the same trees in the same run.

Run ``python benchmarks/trees_accuracy.py --only GUM``; data sets that are not there are named and left
out. Settings were chosen on the development parts, or on a part of the training trees where there is
none; the ten folds of mutagenesis have neither, so its setting was chosen on other folds of the same trees.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler
from tree_datasets import load_ewt, load_logic, load_mutagenesis, load_quantifiers

from sklearn_tree import RecursiveNetClassifier, Tree, TreeVectorizer
from sklearn_tree.datasets import load_gum, load_python_functions

Split = tuple[Any, np.ndarray, Any, np.ndarray]


class Problem(NamedTuple):
    """A data set, the accuracy to reach, what linear models count, and the net's setting."""

    name: str
    splits: Callable[[], Iterator[Split]]
    goal: float | None
    counts: dict[str, Callable[[Tree], dict]]
    min_df: int
    setting: dict[str, Any]


def words(tree: Tree) -> Counter:
    """The words of a dependency tree, in lower case, without what hangs on them."""
    edges = tree.edges or (None,) * tree.n_nodes
    return Counter(label.lower() for label, edge in zip(tree.labels, edges) if edge not in ("tag", "lemma"))


def labels(tree: Tree) -> Counter:
    """All labels."""
    return Counter(tree.labels)


def labels_and_edges(tree: Tree) -> Counter:
    """All labels, and each with the edge above it; of numbers the sum."""
    counts = Counter(tree.labels)
    edges, values = tree.edges or (None,) * tree.n_nodes, tree.values or (None,) * tree.n_nodes
    for label, edge, value in zip(tree.labels, edges, values):
        counts[f"{edge} -> {label}"] += 1 if value is None else value
    return counts


def sides(tree: Tree) -> Counter:
    """The words of both halves of a pair, told apart."""
    second = tree.children(tree.root)[-1]
    return Counter(f"{i >= second} {tree.labels[i]}" for i in tree.leaves)


def gum() -> Iterator[Split]:
    """The dependency trees of GUM: train and test of the official split."""
    gum = load_gum(trees="dependency")
    train, test = gum.split == "train", gum.split == "test"
    yield gum.data[train], gum.target[train], gum.data[test], gum.target[test]


def functions() -> Iterator[Split]:
    """Functions of the standard library, split by file."""
    functions = load_python_functions()
    train = functions.split == "train"
    yield functions.data[train], functions.target[train], functions.data[~train], functions.target[~train]


def mutagenesis() -> Iterator[Split]:
    """Ten stratified folds."""
    X, y = load_mutagenesis()
    for train, test in StratifiedKFold(10, shuffle=True, random_state=0).split(y, y):
        yield X[train], y[train], X[test], y[test]


def ewt() -> Iterator[Split]:
    """The official train and test parts."""
    yield *load_ewt("train"), *load_ewt("test")


def logic() -> Iterator[Split]:
    """Up to four operators a formula in training, four in the test."""
    yield *load_logic("train", range(5)), *load_logic("test", range(4, 5))


def quantifiers() -> Iterator[Split]:
    """The parts as published."""
    yield *load_quantifiers("train"), *load_quantifiers("test")


WIDE = {"hidden_size": 128, "embedding_dim": 128, "dropout": 0.5, "lr": 0.003, "lr_schedule": "cosine"}
PAIRS = {"cell": "nary_lstm", "max_arity": 4, "lr": 0.005, "weight_decay": 0.1, "lr_schedule": "cosine"}
PROBLEMS = [
    Problem(
        "GUM, sentence type",
        gum,
        None,
        {"words": words, "labels and edges": labels_and_edges},
        2,
        {**WIDE, "word_dropout": 0.1, "max_epochs": 20},
    ),
    Problem(
        "mutagenesis, 10-fold",
        mutagenesis,
        0.86,
        {"labels": labels, "labels, edges, values": labels_and_edges},
        1,
        {"hidden_size": 32, "embedding_dim": 32, "max_epochs": 20},
    ),
    Problem(
        "propositional logic, test4",
        logic,
        0.93,
        {"words by side": sides},
        1,
        {**PAIRS, "max_epochs": 10},
    ),
    Problem(
        "UD EWT, genre",
        ewt,
        0.63,
        {"words": words, "labels and edges": labels_and_edges},
        2,
        {**WIDE, "word_dropout": 0.2, "max_epochs": 10},
    ),
    Problem(
        "Python functions, verb",
        functions,
        0.60,
        {"labels": labels},
        2,
        {**WIDE, "cell": "nary_lstm", "max_arity": 5, "word_dropout": 0.1, "max_epochs": 25},
    ),
    Problem(
        "quantifiers, f1",
        quantifiers,
        0.97,
        {"words by side": sides},
        1,
        {**PAIRS, "max_epochs": 30},
    ),
]


def linear(count: Callable[[Tree], dict]) -> Any:
    """Logistic regression on scaled counts."""
    counter = FunctionTransformer(lambda trees: [count(tree) for tree in trees])
    return make_pipeline(counter, DictVectorizer(), MaxAbsScaler(), LogisticRegression(max_iter=2000))


def score(model: Any, splits: list[Split]) -> tuple[float, float]:
    """Fit on each split: the mean accuracy, and the seconds of all fits together."""
    scores, seconds = [], 0.0
    for X, y, X_test, y_test in splits:
        start = time.perf_counter()
        model.fit(X, y)
        seconds += time.perf_counter() - start
        scores.append(model.score(X_test, y_test))
    return float(np.mean(scores)), seconds


def main() -> None:
    """Fit, score, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", default="", help="part of a problem's name")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'problem':28}{'model':34}{'accuracy':>9}{'goal':>7}{'fit':>9}")
    for problem in PROBLEMS:
        if options.only not in problem.name:
            continue
        try:
            splits = list(problem.splits())
        except FileNotFoundError as error:
            print(f"{problem.name:28}left out: {error.filename} is not there")
            continue
        models = {f"{name}, linear": (linear(count), "") for name, count in problem.counts.items()}
        for seed in options.seeds:
            net = RecursiveNetClassifier(**problem.setting, random_state=seed)
            model = make_pipeline(TreeVectorizer(min_df=problem.min_df), net)
            models[f"recursive net, seed {seed}"] = model, f"{problem.goal or ''}"
        for name, (model, goal) in models.items():
            accuracy, seconds = score(model, splits)
            print(f"{problem.name:28}{name:34}{accuracy:9.3f}{goal:>7}{seconds:7.0f} s", flush=True)


if __name__ == "__main__":
    main()
