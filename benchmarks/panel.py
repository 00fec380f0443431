"""Panel of problems on which the default parameters are chosen, and a simple baseline for each family.

Everything is chosen by cross-validation on the training parts that :attr:`Problem.train` returns. The test
parts are used by ``accuracy.py`` only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from datasets import FOLDER, load_mr, load_series, load_sst_sentences, load_trec
from sklearn.datasets import load_digits
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler
from tree_datasets import load_ewt, load_logic, load_mutagenesis, load_quantifiers, load_trec_trees

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, Tree
from sklearn_tree.datasets import fetch_sst, load_gum, load_python_functions, make_listops, make_negation

Data = tuple[Any, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A classification problem of the panel.

    Attributes
    ----------
    name : str
        Name.
    family : {"text", "trees", "series", "images"}
        Family of problems that share their defaults.
    train : callable
        Function that returns the samples and the classes of the training part.
    max_samples : int, default=2500
        Number of training samples that the study uses, drawn once.
    """

    name: str
    family: str
    train: Callable[[], Data]
    max_samples: int = 2500

    def load(self) -> Data:
        """Return the training part without classes of fewer than 5 samples, reduced to ``max_samples``."""
        X, y = self.train()
        classes, counts = np.unique(y, return_counts=True)
        frequent = np.flatnonzero(np.isin(y, classes[counts >= 5]))
        X, y = take(X, frequent), y[frequent]
        if len(y) <= self.max_samples:
            return X, y
        rows, _ = train_test_split(np.arange(len(y)), train_size=self.max_samples, stratify=y, random_state=0)
        return take(X, np.sort(rows)), y[np.sort(rows)]


def take(X: Any, rows: np.ndarray) -> Any:
    """Return some samples."""
    return [X[i] for i in rows] if isinstance(X, list) else X[rows]


def official(load: Callable[..., Any], *args: Any, **params: Any) -> Data:
    """Return the training part of a data set with an official split."""
    bunch = load(*args, **params)
    return bunch.data[bunch.split == "train"], bunch.target[bunch.split == "train"]


def negation() -> Data:
    """Return sentences of the sentiment grammar and their polarities."""
    bunch = make_negation(2000, random_state=0)
    return bunch.data, bunch.target


def texts_of(load: Callable[[], Data]) -> Data:
    """Return the leaves of trees as texts."""
    trees, y = load()
    return [" ".join(str(tree.labels[i]) for i in tree.leaves) for tree in trees], y


def digits() -> Data:
    """Return the 8 x 8 digits as images."""
    images, y = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8, 1).astype(np.float32), y


def shapes(n: int = 1200, size: int = 28) -> Data:
    """Return images of noisy circles, squares, triangles and crosses at random places and sizes."""
    rng = np.random.RandomState(0)
    rows, columns = np.mgrid[:size, :size]
    X, y = rng.rand(n, size, size, 1).astype(np.float32) * 0.5, rng.randint(4, size=n)
    for image, shape in zip(X, y):
        radius = rng.uniform(3, 8)
        i, j = rows - rng.uniform(8, size - 8), columns - rng.uniform(8, size - 8)
        distance = [
            np.hypot(i, j),
            np.maximum(abs(i), abs(j)),
            np.maximum(abs(j) * 1.7 - (i + radius) * 0.5, abs(i)),
            np.minimum(abs(i), abs(j)) * 3 + np.maximum(abs(i), abs(j)) * (np.hypot(i, j) > radius),
        ][shape]
        image[abs(distance - radius * (shape < 3)) < 1.2] += rng.uniform(0.4, 0.8)
    return X, y


def textures(n: int = 1200, size: int = 24) -> Data:
    """Return noisy images of gratings; the class is the orientation, frequencies and phases are random."""
    rng = np.random.RandomState(0)
    rows, columns = np.mgrid[:size, :size]
    y = rng.randint(5, size=n)
    angle, frequency = np.pi * y / 5 + rng.randn(n) * 0.08, rng.uniform(0.5, 1.5, n)
    waves = np.cos(angle)[:, None, None] * rows + np.sin(angle)[:, None, None] * columns
    X = np.sin(frequency[:, None, None] * waves + rng.uniform(0, 7, n)[:, None, None])
    return (X + 1.5 * rng.randn(n, size, size))[..., None].astype(np.float32), y


def distant_steps(n: int = 600, n_steps: int = 400) -> Data:
    """Return noisy series of two bumps at random places; the class is the shapes of both."""
    rng = np.random.RandomState(0)
    y, steps = rng.randint(4, size=n), np.arange(n_steps)
    X = 0.5 * rng.randn(n, n_steps, 1).astype(np.float32)
    for series, label in zip(X, y):
        for k, low in enumerate((20, 220)):
            place = rng.uniform(low, low + 160)
            bump = np.exp(-(((steps - place) / 6) ** 2)) * 2
            series[:, 0] += bump if label >> k & 1 else bump * np.sin((steps - place) / 2) * 1.5
    return X, y


def load_problems() -> list[Problem]:
    """Return all problems of the panel."""
    gum = {
        f"GUM {task}, {trees}": partial(official, load_gum, task, trees=trees)
        for task in ("sentence_type", "genre")
        for trees in ("constituency", "dependency")
    }
    trees: dict[str, Callable[[], Data]] = {
        **gum,
        "EWT genre": partial(load_ewt, "train"),
        "SST-5 trees": partial(official, fetch_sst, data_home=FOLDER / "sst", download_if_missing=False),
        "SST-2 trees": partial(
            official, fetch_sst, data_home=FOLDER / "sst", download_if_missing=False, binary=True
        ),
        "TREC dependencies": load_trec_trees,
        "verbs": partial(official, load_python_functions),
        "logic": partial(load_logic, "train", range(5)),
        "quantifiers": partial(load_quantifiers, "train"),
        "mutagenesis": load_mutagenesis,
        "ListOps": lambda: make_listops(2500, max_depth=4, max_args=4, random_state=0),
        "negation": negation,
    }
    texts: dict[str, Callable[[], Data]] = {
        "TREC": lambda: load_trec()[:2],
        "MR": load_mr,
        "SST-2": partial(load_sst_sentences, "binary", "train"),
        "SST-5": partial(load_sst_sentences, "fine", "train"),
        "EWT genre as texts": partial(texts_of, partial(load_ewt, "train")),
        "GUM sentence type as texts": partial(texts_of, gum["GUM sentence_type, constituency"]),
    }
    series: dict[str, Callable[[], Data]] = {
        name: lambda name=name: load_series(name)[:2]
        for name in ("ArrowHead", "GunPoint", "ItalyPowerDemand", "BasicMotions", "ACSF1")
    }
    series["distant steps"] = distant_steps
    images = {"digits": digits, "shapes": shapes, "textures": textures}
    families = {"text": texts, "trees": trees, "series": series, "images": images}
    problems = [
        Problem(name=name, family=family, train=train)
        for family, members in families.items()
        for name, train in members.items()
    ]
    small = {"TREC", "MR", "GUM genre, dependency", "EWT genre", "verbs", "digits", "shapes"}
    problems += [
        Problem(name=f"{p.name}, 200", family=p.family, train=p.train, max_samples=200)
        for p in problems
        if p.name in small
    ]
    return problems


def bag(tree: Tree) -> Counter:
    """Count the labels of a tree, and each label with its parent's label and its edge; sum values."""
    edges, values = tree.edges or (None,) * tree.n_nodes, tree.values or (None,) * tree.n_nodes
    counts: Counter = Counter()
    for label, parent, edge, value in zip(tree.labels, tree.parents, edges, values):
        above = "" if parent < 0 else tree.labels[parent]
        size = 1 if value is None else value
        counts.update({f"{label}": 1, f"{above} > {edge} > {label}": size})
    return counts


def flatten(X: Any) -> np.ndarray:
    """Return series or images as rows of numbers."""
    return np.asarray(X).reshape(len(X), -1)


# The models that a default must not lose to.
BASELINES: dict[str, Callable[[], Any]] = {
    "text": lambda: make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=2000)
    ),
    "trees": lambda: make_pipeline(
        FunctionTransformer(lambda trees: [bag(tree) for tree in trees]),
        DictVectorizer(),
        MaxAbsScaler(),
        LogisticRegression(max_iter=2000),
    ),
    "series": lambda: make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(1)),
    "images": lambda: make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(3)),
}
NETS: dict[str, list[Any]] = {
    "text": [CNNClassifier(), RNNClassifier()],
    "trees": [RecursiveNetClassifier()],
    "series": [CNNClassifier()],
    "images": [CNNClassifier()],
}
