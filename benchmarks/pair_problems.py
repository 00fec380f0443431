"""Problems whose samples are pairs, and features of pairs for linear models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from datasets import load_sst_sentences, load_trec
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from tree_datasets import load_ewt, load_logic, load_quantifiers

from sklearn_tree.datasets import make_negation

Data = tuple[pd.DataFrame, np.ndarray]


def load_agreement(seed: int, n: int = 1500) -> Data:
    """Return pairs of sentences of the sentiment grammar, and whether their polarities are equal."""
    bunch = make_negation(2 * n, random_state=seed)
    X = pd.DataFrame({"first": list(bunch.data[:n]), "second": list(bunch.data[n:])})
    return X, (bunch.target[:n] == bunch.target[n:]).astype(int)


def load_same_question(part: str) -> Data:
    """Return pairs of TREC's questions, and whether their coarse classes are equal."""
    X, y, X_test, y_test = load_trec()
    return same_class(*((X, y) if part == "train" else (X_test, y_test)))


def load_same_genre(part: str) -> Data:
    """Return pairs of dependency trees of UD EWT, and whether their genres are equal."""
    return same_class(*load_ewt(part))


def same_class(X: Any, y: np.ndarray) -> Data:
    """Pair each sample with another one, half of the time of the same class; return whether it is."""
    rng = np.random.RandomState(0)
    groups = {label: np.flatnonzero(y == label) for label in np.unique(y)}
    is_same = rng.rand(len(y)) < 0.5
    others = [
        rng.choice(groups[label] if same else np.flatnonzero(y != label)) for label, same in zip(y, is_same)
    ]
    frame = pd.DataFrame({"first": list(X), "second": [X[int(i)] for i in others]})
    return frame, (y == y[others]).astype(int)


def load_more_positive(part: str) -> Data:
    """Return pairs of a positive and a negative sentence of SST, and the place of the positive one."""
    X, y = load_sst_sentences("binary", part)
    rng = np.random.RandomState(0)
    positive, negative = ([text for text, label in zip(X, y) if label == k] for k in "10")
    pairs = [list(pair) for pair in zip(rng.permutation(positive), rng.permutation(negative))]
    place = rng.randint(2, size=len(pairs))
    return pd.DataFrame(
        [pair[::-1] if k else pair for pair, k in zip(pairs, place)], columns=["first", "second"]
    ), place


class PairFeatures(TransformerMixin, BaseEstimator):
    """Absolute difference and product of the features of both samples of a pair, and the features themselves.

    Parameters
    ----------
    features : transformer
        Computes sparse features of single samples.
    has_sides : bool, default=True
        Whether the features of each sample are columns, too.
    """

    def __init__(self, features: Any, has_sides: bool = True) -> None:
        self.features = features
        self.has_sides = has_sides

    def fit(self, X: pd.DataFrame, y: Any = None) -> PairFeatures:
        """Fit the features on the samples of both columns."""
        self.features_ = clone(self.features).fit([*X.iloc[:, 0], *X.iloc[:, 1]])
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        """Return the features of pairs."""
        a, b = (self.features_.transform(list(X.iloc[:, k])) for k in (0, 1))
        sides = [a, b] if self.has_sides else []
        return sparse.hstack([*sides, abs(a - b), a.multiply(b)]).tocsr()


LOADERS: dict[str, dict[str, tuple[Callable[[], Data], Callable[[], Data]]]] = {
    "pairs of texts": {
        "same question": (lambda: load_same_question("train"), lambda: load_same_question("test")),
        "more positive": (lambda: load_more_positive("train"), lambda: load_more_positive("test")),
    },
    "pairs of trees": {
        "logic pairs": (
            lambda: load_logic("train", range(5), as_pairs=True),
            lambda: load_logic("test", range(5), as_pairs=True),
        ),
        "quantifier pairs": (
            lambda: load_quantifiers("train", as_pairs=True),
            lambda: load_quantifiers("test", as_pairs=True),
        ),
        "agreement": (lambda: load_agreement(0), lambda: load_agreement(1)),
        "same genre": (lambda: load_same_genre("train"), lambda: load_same_genre("test")),
    },
}
