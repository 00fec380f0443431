"""Accuracy on six data sets of trees, compared with linear models on the same trees.

Run ``python benchmarks/trees_accuracy.py --only GUM``. Missing data sets are reported and skipped.
Parameters were tuned on the development part, or on a part of the training trees if a data set has no
development part. For the ten folds of mutagenesis, they were tuned on other folds of the same trees.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
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
    """A data set, the required accuracy, the features of the linear models and the parameters of the net.

    ``more_tests`` are further test parts, by name, for a data set with one split. ``min_df`` is None for
    samples that the net reads without a vectorizer.
    """

    name: str
    splits: Callable[[], Iterator[Split]]
    goal: float | None
    counts: dict[str, Callable[[Any], dict]]
    min_df: int | None
    setting: dict[str, Any]
    more_tests: dict[str, Callable[[], tuple[Any, np.ndarray]]] | None = None


def words(tree: Tree) -> Counter:
    """Count the words of a dependency tree, in lower case, without tags and lemmas."""
    edges = tree.edges or (None,) * tree.n_nodes
    return Counter(label.lower() for label, edge in zip(tree.labels, edges) if edge not in ("tag", "lemma"))


def labels(tree: Tree) -> Counter:
    """Count all labels."""
    return Counter(tree.labels)


def labels_and_edges(tree: Tree) -> Counter:
    """Count all labels, and each label with its edge; for nodes with values, sum the values."""
    counts = Counter(tree.labels)
    edges, values = tree.edges or (None,) * tree.n_nodes, tree.values or (None,) * tree.n_nodes
    for label, edge, value in zip(tree.labels, edges, values):
        counts[f"{edge} -> {label}"] += 1 if value is None else value
    return counts


def sides(pair: tuple[Tree, Tree]) -> Counter:
    """Count the words of both trees of a pair separately."""
    return Counter(f"{i} {tree.labels[leaf]}" for i, tree in enumerate(pair) for leaf in tree.leaves)


def gum() -> Iterator[Split]:
    """Yield the official train and test parts of the dependency trees of GUM."""
    gum = load_gum(trees="dependency")
    train, test = gum.split == "train", gum.split == "test"
    yield gum.data[train], gum.target[train], gum.data[test], gum.target[test]


def functions() -> Iterator[Split]:
    """Yield the functions of the standard library, split by file."""
    functions = load_python_functions()
    train = functions.split == "train"
    yield functions.data[train], functions.target[train], functions.data[~train], functions.target[~train]


def mutagenesis() -> Iterator[Split]:
    """Yield ten stratified splits of the molecules."""
    X, y = load_mutagenesis()
    for train, test in StratifiedKFold(10, shuffle=True, random_state=0).split(y, y):
        yield X[train], y[train], X[test], y[test]


def ewt() -> Iterator[Split]:
    """Yield the official train and test parts of UD EWT."""
    yield *load_ewt("train"), *load_ewt("test")


def logic() -> Iterator[Split]:
    """Yield pairs of formulas with up to four operators for training, and with four for testing."""
    yield *load_logic("train", range(5), as_pairs=True), *load_logic("test", [4], as_pairs=True)


def quantifiers() -> Iterator[Split]:
    """Yield the published train and test parts."""
    yield *load_quantifiers("train", as_pairs=True), *load_quantifiers("test", as_pairs=True)


WIDE = {"hidden_size": 128, "embedding_dim": 128, "dropout": 0.5, "lr": 0.003, "lr_schedule": "cosine"}
PAIRS = {"embedding_dim": 64, "lr": 0.005, "weight_decay": 0.1, "lr_schedule": "cosine", "dropout": 0.0}
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
        0.97,
        {"words by side": sides},
        None,
        {**PAIRS, "hidden_size": 128, "max_epochs": 10},
        {f"test{n}": partial(load_logic, "test", [n], as_pairs=True) for n in (5, 6)},
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
        0.995,
        {"words by side": sides},
        None,
        {**PAIRS, "hidden_size": 64, "max_epochs": 20},
    ),
]


def iterate(X: Any) -> Any:
    """Return an iterable over samples, which are tuples if X is a frame of pairs."""
    return X.itertuples(index=False) if isinstance(X, pd.DataFrame) else X


def linear(count: Callable[[Any], dict]) -> Any:
    """Return a logistic regression on scaled counts."""
    counter = FunctionTransformer(lambda X: [count(sample) for sample in iterate(X)])
    return make_pipeline(counter, DictVectorizer(), MaxAbsScaler(), LogisticRegression(max_iter=2000))


def score(model: Any, splits: list[Split]) -> tuple[float, float]:
    """Fit on each split and return the mean accuracy and the total seconds of all fits."""
    scores, seconds = [], 0.0
    for X, y, X_test, y_test in splits:
        start = time.perf_counter()
        model.fit(X, y)
        seconds += time.perf_counter() - start
        scores.append(model.score(X_test, y_test))
    return float(np.mean(scores)), seconds


def main() -> None:
    """Fit and score all models and print a table."""
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
            print(f"{problem.name:28}skipped: {error.filename} not found")
            continue
        models = {f"{name}, linear": (linear(count), "") for name, count in problem.counts.items()}
        for seed in options.seeds:
            net = RecursiveNetClassifier(**problem.setting, linear_path=False, random_state=seed)
            steps = [] if problem.min_df is None else [TreeVectorizer(min_df=problem.min_df)]
            model = make_pipeline(*steps, net)
            models[f"recursive net, seed {seed}"] = model, f"{problem.goal or ''}"
        for name, (model, goal) in models.items():
            accuracy, seconds = score(model, splits)
            print(f"{problem.name:28}{name:34}{accuracy:9.3f}{goal:>7}{seconds:7.0f} s", flush=True)
            for test, load in (problem.more_tests or {}).items():
                print(f"{problem.name:28}{f'{name}, {test}':34}{model.score(*load()):9.3f}", flush=True)


if __name__ == "__main__":
    main()
