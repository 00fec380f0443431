"""Panel of problems on which the default parameters are chosen, and a simple baseline for each family.

Everything is chosen by cross-validation on the training parts that :attr:`Problem.train` returns. The test
parts, :attr:`Problem.test`, are used by ``accuracy.py`` only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from datasets import FOLDER, load_mr, load_series, load_sst_sentences, load_trec
from pair_problems import LOADERS, PairFeatures
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from tree_datasets import load_ewt, load_logic, load_mutagenesis, load_quantifiers, load_trec_trees

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, Tree
from sklearn_tree.datasets import fetch_sst, load_gum, load_python_functions, make_listops, make_negation

Data = tuple[Any, np.ndarray]
Parts = tuple[Callable[[], Data], Callable[[], Data] | None]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A classification problem of the panel.

    Attributes
    ----------
    name : str
        Name.
    family : {"text", "trees", "series", "images", "tables", "pairs of texts", "pairs of trees"}
        Family of problems that share their defaults.
    train : callable
        Function that returns the samples and the classes of the training part.
    test : callable or None, default=None
        Function that returns those of the test part; None if the data set has no official one.
    max_samples : int, default=2500
        Number of training samples that the study uses, drawn once.
    max_train : int, default=10_000
        Number of training samples for a fit that is scored on the test part; 0 leaves the test part out.
    """

    name: str
    family: str
    train: Callable[[], Data]
    test: Callable[[], Data] | None = None
    max_samples: int = 2500
    max_train: int = 10_000

    def load(self, n: int) -> Data:
        """Return at most ``n`` samples of the training part, without classes of fewer than 5 samples."""
        X, y = self.train()
        classes, counts = np.unique(y, return_counts=True)
        frequent = np.flatnonzero(np.isin(y, classes[counts >= 5]))
        X, y = take(X, frequent), y[frequent]
        if len(y) <= n:
            return X, y
        rows, _ = train_test_split(np.arange(len(y)), train_size=n, stratify=y, random_state=0)
        return take(X, np.sort(rows)), y[np.sort(rows)]


def take(X: Any, rows: np.ndarray) -> Any:
    """Return some samples."""
    if isinstance(X, pd.DataFrame):
        return X.iloc[rows]
    return [X[i] for i in rows] if isinstance(X, list) else X[rows]


def official(load: Callable[..., Any], part: str, *args: Any, **params: Any) -> Data:
    """Return a part of a data set with an official split."""
    bunch = load(*args, **params)
    return bunch.data[bunch.split == part], bunch.target[bunch.split == part]


def negation(seed: int) -> Data:
    """Return sentences of the sentiment grammar and their polarities."""
    bunch = make_negation(2000, random_state=seed)
    return bunch.data, bunch.target


def texts_of(load: Callable[[], Data]) -> Data:
    """Return the leaves of trees as texts."""
    trees, y = load()
    return [" ".join(str(tree.labels[i]) for i in tree.leaves) for tree in trees], y


def digits() -> Data:
    """Return the 8 x 8 digits as images."""
    images, y = load_digits(return_X_y=True)
    return images.reshape(-1, 8, 8, 1).astype(np.float32), y


def shapes(seed: int, n: int = 1200, size: int = 28) -> Data:
    """Return images of noisy circles, squares, triangles and crosses at random places and sizes."""
    rng = np.random.RandomState(seed)
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


def textures(seed: int, n: int = 1200, size: int = 24) -> Data:
    """Return noisy images of gratings; the class is the orientation, frequencies and phases are random."""
    rng = np.random.RandomState(seed)
    rows, columns = np.mgrid[:size, :size]
    y = rng.randint(5, size=n)
    angle, frequency = np.pi * y / 5 + rng.randn(n) * 0.08, rng.uniform(0.5, 1.5, n)
    waves = np.cos(angle)[:, None, None] * rows + np.sin(angle)[:, None, None] * columns
    X = np.sin(frequency[:, None, None] * waves + rng.uniform(0, 7, n)[:, None, None])
    return (X + 1.5 * rng.randn(n, size, size))[..., None].astype(np.float32), y


def distant_steps(seed: int, n: int = 600, n_steps: int = 400) -> Data:
    """Return noisy series of two bumps at random places; the class is the shapes of both."""
    rng = np.random.RandomState(seed)
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
    fetch = partial(fetch_sst, data_home=FOLDER / "sst", download_if_missing=False)

    def parts(load: Callable[..., Data], train: Any, test: Any) -> Parts:
        return partial(load, train), partial(load, test)

    def official_parts(load: Callable[..., Any], *args: Any, **params: Any) -> Parts:
        return tuple(partial(official, load, part, *args, **params) for part in ("train", "test"))

    gum = {
        f"GUM {task}, {trees}": official_parts(load_gum, task, trees=trees)
        for task in ("sentence_type", "genre")
        for trees in ("constituency", "dependency")
    }
    ewt = parts(load_ewt, "train", "test")
    listops = partial(make_listops, 2500, max_depth=4, max_args=4)
    trees: dict[str, Parts] = {
        **gum,
        "EWT genre": ewt,
        "SST-5 trees": official_parts(fetch),
        "SST-2 trees": official_parts(fetch, binary=True),
        "TREC dependencies": parts(load_trec_trees, "train", "test"),
        "verbs": official_parts(load_python_functions),
        "logic": (partial(load_logic, "train", range(5)), partial(load_logic, "test", range(5))),
        "quantifiers": parts(load_quantifiers, "train", "test"),
        "mutagenesis": (load_mutagenesis, None),
        "ListOps": (partial(listops, random_state=0), partial(listops, random_state=1)),
        "negation": parts(negation, 0, 1),
    }
    texts: dict[str, Parts] = {
        "TREC": (lambda: load_trec()[:2], lambda: load_trec()[2:]),
        "MR": parts(load_mr, "train", "test"),
        "SST-2": parts(partial(load_sst_sentences, "binary"), "train", "test"),
        "SST-5": parts(partial(load_sst_sentences, "fine"), "train", "test"),
        "EWT genre as texts": tuple(partial(texts_of, part) for part in ewt),
        "GUM sentence type as texts": tuple(
            partial(texts_of, part) for part in gum["GUM sentence_type, constituency"]
        ),
    }
    series: dict[str, Parts] = {
        name: (lambda name=name: load_series(name)[:2], lambda name=name: load_series(name)[2:])
        for name in ("ArrowHead", "GunPoint", "ItalyPowerDemand", "BasicMotions", "ACSF1")
    }
    series["distant steps"] = parts(distant_steps, 0, 1)
    images: dict[str, Parts] = {
        "digits": (digits, None),
        "shapes": parts(shapes, 0, 1),
        "textures": parts(textures, 0, 1),
    }
    tables: dict[str, Parts] = {
        "iris": (partial(load_iris, return_X_y=True), None),
        "breast cancer": (partial(load_breast_cancer, return_X_y=True), None),
    }
    families = {
        "text": texts,
        "trees": trees,
        "series": series,
        "images": images,
        "tables": tables,
        **LOADERS,
    }
    problems = [
        Problem(name=name, family=family, train=train, test=test)
        for family, members in families.items()
        for name, (train, test) in members.items()
    ]
    small = {"TREC", "MR", "GUM genre, dependency", "EWT genre", "verbs", "digits", "shapes"}
    large = {"MR", "SST-2", "EWT genre as texts", "EWT genre", "SST-5 trees", "GUM genre, dependency"}
    return [
        *problems,
        *(
            replace(p, name=f"{p.name}, 200", max_samples=200, max_train=200)
            for p in problems
            if p.name in small
        ),
        *(
            replace(p, name=f"{p.name}, 8000", max_samples=8000, max_train=0)
            for p in problems
            if p.name in large
        ),
    ]


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


TFIDF = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
BAGS = make_pipeline(
    FunctionTransformer(lambda trees: [bag(tree) for tree in trees]), DictVectorizer(), MaxAbsScaler()
)
LINEAR = make_pipeline(FunctionTransformer(flatten), StandardScaler(), LogisticRegression(max_iter=2000))
# The models that a default must not lose to; the study uses the first.
BASELINES: dict[str, list[Any]] = {
    "text": [make_pipeline(TFIDF, LogisticRegression(C=10, max_iter=2000))],
    "trees": [make_pipeline(BAGS, LogisticRegression(max_iter=2000))],
    "pairs of texts": [make_pipeline(PairFeatures(TFIDF), LogisticRegression(C=10, max_iter=2000))],
    "pairs of trees": [make_pipeline(PairFeatures(BAGS), LogisticRegression(max_iter=2000))],
    "series": [make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(1)), LINEAR],
    "images": [make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(3)), LINEAR],
    "tables": [LINEAR],
}
NETS: dict[str, list[Any]] = {
    "text": [CNNClassifier(), RNNClassifier()],
    "trees": [RecursiveNetClassifier()],
    "series": [CNNClassifier()],
    "images": [CNNClassifier()],
    "pairs of texts": [CNNClassifier(), RNNClassifier()],
    "pairs of trees": [RecursiveNetClassifier()],
    "tables": [CNNClassifier(), RNNClassifier(), RecursiveNetClassifier()],
}
