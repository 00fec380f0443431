"""Small samples of every kind in every container that the API table lists, and quick estimators."""

from typing import Any, NamedTuple

import nltk
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RaggedArray,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    Tree,
    TreeArray,
    TreeVectorizer,
)

CLASSIFIERS = [RecursiveNetClassifier, RNNClassifier, CNNClassifier]
REGRESSORS = [RecursiveNetRegressor, RNNRegressor, CNNRegressor]
ESTIMATORS = [*CLASSIFIERS, *REGRESSORS]


def quick(cls, **params):
    """Return a small estimator with a fixed seed that trains for 2 epochs."""
    return cls(**{"max_epochs": 2, "hidden_size": 8, "random_state": 0, **params})


def tree_classifier(**params):
    """Return a recursive net that learns the structure of small trees in 8 epochs."""
    return RecursiveNetClassifier(**{"random_state": 0, "max_epochs": 8, "hidden_size": 16, **params})


def tree_regressor(**params):
    """Return a recursive net that learns to count words of small trees in 40 epochs."""
    return RecursiveNetRegressor(**{"random_state": 0, "max_epochs": 40, "hidden_size": 16, **params})


def cnn_classifier(**params):
    """Return a small convolutional net with a fixed seed."""
    return CNNClassifier(**{"random_state": 0, "n_filters": 16, "hidden_size": 16, **params})


def outputs(estimator, X):
    """Return the probabilities of a classifier, or the predictions of a regressor."""
    return getattr(estimator, "predict_proba", estimator.predict)(X)


def object_array(items):
    """Return a 1-D object array of any items, sequences included."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


N = 24
Y = np.arange(N) % 3 % 2
_RNG = np.random.RandomState(0)
TUPLES = [
    ("S", ("NP", "it"), ("VP", "works" if y else "fails", *["well"] * (i % 4))) for i, y in enumerate(Y)
]
BRACKETS = [Tree.from_any(tree).to_brackets() for tree in TUPLES]
TEXTS = [" ".join(["it"] + ["really"] * (i % 5) + ["works" if y else "fails"]) for i, y in enumerate(Y)]
TOKENS = [text.split() for text in TEXTS]
IDS = [[2, 3 + int(y)] + [5] * (i % 4) for i, y in enumerate(Y)]
WAVES = [_RNG.rand(3 + i % 5, 2) + y for i, y in enumerate(Y)]
DENSE, TABLE = _RNG.rand(N, 7, 2), _RNG.rand(N, 4)
PIXELS = _RNG.randint(0, 255, (N, 6, 5), dtype=np.uint8)


class Sample(NamedTuple):
    """Container of samples and how estimators read it."""

    readers: list  # estimator classes
    kind: str  # name of the kind
    X: Any
    params: dict  # parameters of the estimators


_SEQUENCES = [RNNClassifier, RNNRegressor, CNNClassifier, CNNRegressor]


def _trees(X):
    return Sample([RecursiveNetClassifier, RecursiveNetRegressor], "trees", X, {})


def _tokens(X, **params):
    return Sample(_SEQUENCES, "tokens", X, params)


def _series(X, **params):
    return Sample(_SEQUENCES, "series", X, params)


def _table(X):
    return Sample(ESTIMATORS, "table", X, {})


def _images(X, **params):
    return Sample([CNNClassifier, CNNRegressor], "images", X, params)


CONTAINERS = {
    "trees: TreeArray": _trees(TreeArray.from_trees(TUPLES)),
    "trees: encoded": _trees(TreeVectorizer().fit_transform(TUPLES)),
    "trees: list of tuples": _trees(TUPLES),
    "trees: list of nltk": _trees([nltk.Tree.fromstring(tree) for tree in BRACKETS]),
    "trees: object array": _trees(object_array(TUPLES)),
    "trees: Series": _trees(pd.Series(TUPLES)),
    "trees: DataFrame": _trees(pd.DataFrame({"tree": TUPLES})),
    "trees: list of str": _trees(BRACKETS),
    "trees: array of str": _trees(np.array(BRACKETS)),
    "trees: Series of str": _trees(pd.Series(BRACKETS, dtype="string")),
    "trees: polars Series": _trees(pl.Series(BRACKETS)),
    "trees: Arrow strings": _trees(pa.array(BRACKETS)),
    "trees: Arrow lists": _trees(TreeArray.from_trees(TUPLES).to_arrow()),
    "trees: Arrow table": _trees(pa.table({"tree": TreeArray.from_trees(TUPLES).to_arrow()})),
    "texts: list": _tokens(TEXTS),
    "texts: array of str": _tokens(np.array(TEXTS)),
    "texts: object array": _tokens(np.array(TEXTS, dtype=object)),
    "texts: object column": _tokens(np.array(TEXTS, dtype=object)[:, None]),
    "texts: Series": _tokens(pd.Series(TEXTS)),
    "texts: Series of string": _tokens(pd.Series(TEXTS, dtype="string")),
    "texts: Series of category": _tokens(pd.Series(TEXTS, dtype="category")),
    "texts: DataFrame": _tokens(pd.DataFrame({"text": TEXTS})),
    "texts: polars Series": _tokens(pl.Series(TEXTS)),
    "texts: polars DataFrame": _tokens(pl.DataFrame({"text": TEXTS})),
    "texts: Arrow strings": _tokens(pa.chunked_array([TEXTS[:5], TEXTS[5:]])),
    "texts: Arrow dictionary": _tokens(pa.array(TEXTS).dictionary_encode()),
    "texts: Arrow table": _tokens(pa.table({"text": TEXTS})),
    "tokens: list of lists": _tokens(TOKENS),
    "tokens: Arrow lists": _tokens(pa.array(TOKENS)),
    "tokens: Series of lists": _tokens(pd.Series(TOKENS)),
    "tokens: RaggedArray": _tokens(RaggedArray.from_sequences(TOKENS)),
    "ids: list of lists": _tokens(IDS),
    "ids: RaggedArray": _tokens(SequenceVectorizer().fit_transform(TEXTS)),
    "ids: equal length": _tokens([row[:2] for row in IDS], input_kind="tokens"),
    "ids: Series of lists": _tokens(pd.Series(IDS)),
    "ids: object array": _tokens(object_array(IDS)),
    "ids: polars Series": _tokens(pl.Series(IDS)),
    "ids: tensor": _tokens(torch.tensor([row[:2] for row in IDS]), input_kind="tokens"),
    "ids: Arrow lists": _tokens(pa.array(IDS)),
    "series: list of arrays": _series(WAVES),
    "series: Arrow lists": _series(RaggedArray.from_sequences(WAVES).to_arrow()),
    "series: list of tensors": _series([torch.tensor(wave) for wave in WAVES]),
    "series: Series of arrays": _series(pd.Series(WAVES)),
    "series: Series of floats": _series(pd.Series([wave[:, 0].tolist() for wave in WAVES])),
    "series: RaggedArray": _series(RaggedArray.from_sequences(WAVES)),
    "series: one channel": _series([wave[:, 0].tolist() for wave in WAVES]),
    "series: tensor of rows": _series(torch.tensor(TABLE), input_kind="series"),
    "series: float64": _series(DENSE),
    "series: float32": _series(DENSE.astype(np.float32)),
    "series: half precision": _series(DENSE.astype(np.float16)),
    "series: tensor": _series(torch.tensor(DENSE)),
    "table: float64": _table(TABLE),
    "table: float32": _table(TABLE.astype(np.float32)),
    "table: ints": _table((TABLE * 9).astype(int)),
    "table: DataFrame": _table(pd.DataFrame(TABLE, columns=list("abcd"))),
    "table: polars DataFrame": _table(pl.DataFrame(TABLE)),
    "table: Arrow table": _table(pa.table(dict(zip("abcd", TABLE.T, strict=True)))),
    "table: nested list": _table(TABLE.tolist()),
    "table: tensor": Sample(_SEQUENCES, "table", torch.tensor(TABLE), {}),
    "images: uint8": _images(PIXELS, input_kind="image"),
    "images: float": _images(PIXELS / 255, input_kind="image"),
    "images: ints": _images(PIXELS.astype(int), input_kind="image"),
    "images: with channels": _images(np.stack([PIXELS] * 3, axis=3)),
    "images: list": _images(list(PIXELS), input_kind="image"),
    "images: list with channels": _images(list(PIXELS[..., None])),
    "images: list of tensors": _images(list(torch.tensor(PIXELS)), input_kind="image"),
    "images: tensor": _images(torch.tensor(PIXELS[..., None])),
}
