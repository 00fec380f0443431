"""The tree half of the recursive estimators: what X may be, and the sizes of the net."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import validate_data

from sklearn_tree.nn import CELLS, POOLINGS, RecursiveNet, TreeCell
from sklearn_tree.preprocessing import TreeVectorizer
from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.formats.unpicklable import name_the_remedy
from sklearn_tree.validation import Interval, StrOptions

TREE_CONSTRAINTS: dict = {
    "cell": [StrOptions(set(CELLS)), callable],
    "pooling": [StrOptions(set(POOLINGS))],
    "max_arity": [Interval(Integral, 1, None, closed="left"), None],
    "max_batch_nodes": [Interval(Integral, 1, None, closed="left"), None],
}
# With max_arity=None an N-ary cell tells at most so many children apart: its weights grow with
# the square of their number.
_MOST_CHILDREN = 8


class RecursiveInputMixin:
    """The tree half of an estimator: X to a ``TreeArray`` of ids, and the recursive module."""

    _module = RecursiveNet

    def _encode(self, X: Any, *, reset: bool) -> TreeArray:
        X = plain(X)
        if isinstance(X, torch.Tensor):
            X = on_host(X.detach())  # a table, the only tensor that is read, becomes a TreeArray
        kind = kind_of(X)
        if kind != "a table":
            X = to_tree_array(X)
            kind = "encoded trees" if X.vocabulary is None else "raw trees"
        if reset:
            for name in ("vectorizer_", "n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
            self.input_kind_ = kind
        elif kind != self.input_kind_:
            raise ValueError(f"X must be {self.input_kind_}, as in fit, got {kind}")
        if kind == "a table":
            X = validate_data(self, X, dtype=[np.float64, np.float32], reset=reset)
            return TreeArray.from_table(X)
        if kind == "encoded trees":
            return X
        if reset:
            self.vectorizer_ = TreeVectorizer()
            return self.vectorizer_.fit_transform(X)
        return self.vectorizer_.transform(X)

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
            "dtype": self._precision(X.values if self.input_kind_ == "a table" else None),
        }

    def _iterator_params(self) -> dict[str, Any]:
        return {
            "iterator_train__max_nodes": self.max_batch_nodes,
            "iterator_valid__max_nodes": self.max_batch_nodes,
            # Dropped at random, equal subtrees are not equal; for one prediction the search is not worth it.
            "iterator_train__share_subtrees": not self.dropout and not self.word_dropout,
        }

    def __sklearn_clone__(self) -> Any:
        name_the_remedy()  # before a search sends trees to its workers, or a pipeline to its cache
        return super().__sklearn_clone__()  # type: ignore[misc]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string = True
        return tags


def on_host(column: Any) -> np.ndarray:
    """Return a column as a numpy array, wherever it is."""
    return column.cpu().numpy() if isinstance(column, torch.Tensor) else column


def kind_of(X: Any) -> str:
    """Say what X is: "trees" or "a table"."""
    if isinstance(X, TreeArray):
        return "trees"
    if sparse.issparse(X):
        return "a table"
    if not isinstance(X, (list, tuple)) and not hasattr(X, "iloc") and hasattr(X, "__array__"):
        X = np.asarray(X)
    if hasattr(X, "ndim"):  # numpy and pandas
        items = items_of_column(X)
        if items is None:
            return "a table"
    else:
        items = list(X[:100]) if isinstance(X, (list, tuple)) else []
    item = next((item for item in items if not is_missing(item)), None)
    if item is None:  # nothing to go by, or NaN alone
        return "a table" if len(items) else "trees"
    is_row = isinstance(item, (list, tuple, np.ndarray)) and len(item) and all(map(is_number, item))
    return "a table" if is_row or is_number(item) else "trees"


def plain(X: Any) -> Any:
    """Return a Series of polars as a list, all else as it is."""
    return X.to_list() if hasattr(X, "to_list") and not hasattr(X, "iloc") else X


def items_of_column(X: Any) -> list | None:
    """Return the items of a numpy or pandas column; None for numbers and real tables."""
    if X.ndim > 2 or (X.ndim == 2 and X.shape[1] != 1):
        return None
    dtypes = list(X.dtypes) if hasattr(X, "iloc") and X.ndim == 2 else [X.dtype]
    if getattr(dtypes[0], "kind", "O") in "biufcmM":
        return None
    return np.asarray(X, dtype=object).ravel().tolist()


def is_number(x: Any) -> bool:
    """Whether x is a number of Python or numpy, True and False included."""
    return isinstance(x, (int, float, complex, np.number, np.bool_))


def is_missing(x: Any) -> bool:
    """Whether x is None, NaN or pandas' NA."""
    return x is None or (isinstance(x, float) and x != x) or type(x).__name__ in ("NAType", "NaTType")


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
    labels, values = on_host(X.labels), on_host(X.values)
    with_value = ~np.isnan(values)
    labels, values = labels[with_value], values[with_value].astype(np.float64)
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
