"""The tree half of the recursive estimators: what X may be, and the sizes of the net."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from sklearn_tree.nn import CELLS, POOLINGS, RecursiveNet, TreeCell
from sklearn_tree.preprocessing import TreeVectorizer
from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.trees import TreeArray

TREE_CONSTRAINTS: dict = {
    "cell": [StrOptions(set(CELLS)), callable],
    "pooling": [StrOptions(set(POOLINGS))],
    "max_arity": [Interval(Integral, 1, None, closed="left"), None],
}
# With max_arity=None an N-ary cell tells at most so many children apart: its weights grow with
# the square of their number.
_MOST_CHILDREN = 8


class RecursiveInputMixin:
    """The tree half of an estimator: X to a ``TreeArray`` of ids, and the recursive module."""

    _module = RecursiveNet

    def _encode(self, X: Any, *, reset: bool) -> TreeArray:
        kind = kind_of(X)
        if reset:
            for name in ("vectorizer_", "n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
            self.input_kind_ = kind
        elif kind != self.input_kind_:
            raise ValueError(f"X must be {self.input_kind_}, as in fit, got {kind}")
        if kind == "a table":
            X = validate_data(self, X, dtype=[np.float64, np.float32], reset=reset)
            return TreeArray.from_table(X)
        array = to_tree_array(X)
        if kind == "encoded trees":
            return array
        if reset:
            self.vectorizer_ = TreeVectorizer()
            return self.vectorizer_.fit_transform(array)
        return self.vectorizer_.transform(array)

    def _module_params(self, X: TreeArray, weight: np.ndarray | None) -> dict[str, Any]:
        if not isinstance(self.cell, str) and not (
            isinstance(self.cell, type) and issubclass(self.cell, TreeCell)
        ):
            raise TypeError(
                f"cell must be one of {sorted(CELLS)} or a subclass of TreeCell, got {self.cell!r}"
            )
        arity = self.max_arity or min(max(int(X.arities.max(initial=1)), 1), _MOST_CHILDREN)
        shift, scale = value_statistics(X, weight)
        return {
            "n_labels": X.n_labels,
            "n_edge_labels": X.n_edge_labels or 0,
            "cell": self.cell,
            "pooling": self.pooling,
            "hidden_size": self.hidden_size,
            "embedding_dim": self.embedding_dim,
            "max_arity": arity,
            "dropout": self.dropout,
            "word_dropout": self.word_dropout,
            "value_shift": shift,
            "value_scale": scale,
            "dtype": self._dtype(X),
        }

    def _dtype(self, X: TreeArray) -> torch.dtype:
        # A table of doubles trains in doubles where the device has them, all else in floats.
        is_double = self.input_kind_ == "a table" and X.values.dtype == np.float64  # type: ignore[union-attr]
        return torch.float64 if is_double and self.device_.type != "mps" else torch.float32

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string = True
        return tags


def kind_of(X: Any) -> str:
    """Say what X is: "a table", "encoded trees" or "raw trees"."""
    if isinstance(X, TreeArray):
        return "encoded trees" if X.vocabulary is None else "raw trees"
    if sparse.issparse(X):
        return "a table"
    if hasattr(X, "iloc"):  # pandas
        kinds = [dtype.kind for dtype in (X.dtypes if X.ndim == 2 else [X.dtype])]
        is_column = len(kinds) == 1 and (kinds[0] in "OSUT" or not isinstance(X.dtypes, np.dtype))
        return "raw trees" if is_column and not _is_number(_first(X)) else "a table"
    if not isinstance(X, (list, tuple)) and hasattr(X, "__array__"):
        X = np.asarray(X)
    if isinstance(X, np.ndarray):
        is_column = X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1)
        return (
            "raw trees"
            if is_column and X.dtype.kind in "OSU" and len(X) and not _is_number(_first(X))
            else "a table"
        )
    if isinstance(X, (list, tuple)) and len(X):
        row = X[0]
        is_row = isinstance(row, (list, tuple, np.ndarray)) and len(row) and all(_is_number(x) for x in row)
        return "a table" if is_row or _is_number(row) else "raw trees"
    return "raw trees"


def _first(X: Any) -> Any:
    return np.asarray(X[:1] if not hasattr(X, "iloc") else X.iloc[:1], dtype=object).ravel()[0]


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, complex, np.number, np.bool_))


def value_statistics(
    X: TreeArray, weight: np.ndarray | None
) -> tuple[list[float] | None, list[float] | None]:
    """Return mean and standard deviation of the values of each label.

    Parameters
    ----------
    X : TreeArray
        Encoded trees.
    weight : array of float, shape (n_trees,), or None
        Weights of the trees.

    Returns
    -------
    shift, scale : list of float, length n_labels, or None
        Scale 1 where the values are constant, infinity for labels without values (a number that
        was never measured in training adds nothing); None for trees without values.
    """
    if X.values is None:
        return None, None
    with_value = ~np.isnan(X.values)
    labels, values = X.labels[with_value], X.values[with_value].astype(np.float64)
    w = np.repeat(np.ones(len(X)) if weight is None else weight, X.sizes)[with_value]

    def total(x: np.ndarray) -> np.ndarray:
        return np.bincount(labels, weights=x, minlength=X.n_labels)

    mass = np.maximum(total(w), np.finfo(float).tiny)
    mean = total(w * values) / mass
    scale = np.sqrt(total(w * (values - mean[labels]) ** 2) / mass)
    constant = scale <= 1e-12 * (1 + np.abs(mean))
    unmeasured = np.bincount(labels, minlength=X.n_labels) == 0
    scale = np.where(unmeasured, np.inf, np.where(constant, 1.0, scale))
    return mean.tolist(), scale.tolist()
