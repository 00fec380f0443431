"""Which columns of a table the columns that reach a net were made of, one-hot columns together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder


class Columns(NamedTuple):
    """Columns of a table as users know them.

    Attributes
    ----------
    names : ndarray of str, shape (n_names,)
        The names.
    groups : ndarray of int, shape (n_columns,)
        Which of them each column that reaches the net was made of.
    sources : ndarray of int, shape (n_names,)
        The column of the user's table that each name is that of; -1 where a step made it of several.
    """

    names: np.ndarray
    groups: np.ndarray
    sources: np.ndarray

    def summed(self, rows: np.ndarray) -> np.ndarray:
        """Sum the columns of each name, shape (n, n_columns) to (n, n_names)."""
        total = np.zeros((len(rows), len(self.names)), dtype=rows.dtype)
        np.add.at(total.T, self.groups, rows.T)
        return total

    def shown(self, X: Any, numbers: np.ndarray) -> np.ndarray:
        """Return what is in the columns, as users gave it where that is known.

        Parameters
        ----------
        X : array-like or DataFrame
            What the whole estimator takes.
        numbers : ndarray of float, shape (n, n_columns)
            What reaches the net.

        Returns
        -------
        ndarray of float or object, shape (n, n_names)
        """
        is_known = self.sources >= 0
        made = np.zeros((len(numbers), len(self.names)), dtype=numbers.dtype)
        made[:, self.groups] = numbers
        if not is_known.any():
            return made
        given = _in_numpy(X)
        if given.dtype.kind not in "biuf" or not is_known.all():
            made, given = made.astype(object), given.astype(object)
        made = made.astype(given.dtype)
        made[:, is_known] = given[:, self.sources[is_known]]
        return made


def _in_numpy(X: Any) -> np.ndarray:
    if hasattr(X, "detach"):  # a tensor
        X = X.detach().cpu()
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)


def columns_of(steps: list[Any], net: Any, names: Any = None) -> Columns:
    """Follow the columns of a table through the steps before a net.

    Parameters
    ----------
    steps : list of fitted transformers
        The steps.
    net : estimator
        The net behind them, fitted on a table.
    names : array-like of str, default=None
        Names of the table's columns; None for those that were given in ``fit``, or ``x0, x1, ...``.

    Returns
    -------
    Columns
        A column that was made of several (as those of a PCA are) has the name that its step gives it.
    """
    given = _names_in([*steps, net][0]) if names is None else list(names)
    reached = _along(steps, given, net.n_features_in_, getattr(net, "feature_names_in_", None))
    if len(reached) != net.n_features_in_:  # some step tells nobody what it makes
        given, reached = [], _names_in(net)
    distinct = list(dict.fromkeys(reached))
    positions = {name: i for i, name in enumerate(distinct)}
    places = {name: i for i, name in enumerate(given)}
    return Columns(
        np.array(distinct, dtype=object),
        np.array([positions[name] for name in reached]),
        np.array([places.get(name, -1) for name in distinct]),
    )


def _names_in(step: Any) -> list[str]:
    generic = [f"x{i}" for i in range(getattr(step, "n_features_in_", 0))]
    return list(getattr(step, "feature_names_in_", generic))


def _along(steps: list[Any], names: list[str], n_out: int | None, names_out: Any) -> list[str]:
    """Return the source of each column behind some steps, of the columns ``names`` before them."""
    steps = [step for step in steps if step is not None and step != "passthrough"]
    behind = [(getattr(s, "n_features_in_", None), getattr(s, "feature_names_in_", None)) for s in steps[1:]]
    for step, (n, known) in zip(steps, [*behind, (n_out, names_out)], strict=False):
        names = _through(step, names, n, known)
    return names


def _through(step: Any, names: list[str], n_out: int | None = None, names_out: Any = None) -> list[str]:
    """Return the source of each column that a step makes, of the columns ``names``."""
    if isinstance(step, Pipeline):
        return _along([inner for _, inner in step.steps], names, n_out, names_out)
    if isinstance(step, ColumnTransformer):
        return _through_columns(step, names)
    if isinstance(step, FeatureUnion):
        parts = [(name, inner) for name, inner in step.transformer_list if inner != "drop"]
        return [out for name, inner in parts for out in _prefixed(name, _through(inner, names), names)]
    if isinstance(step, OneHotEncoder):
        return [name for name, n in zip(names, _n_categories(step), strict=True) for _ in range(n)]
    if isinstance(step, SelectorMixin):
        return list(np.array(names, dtype=object)[step.get_support()])
    if not hasattr(step, "get_feature_names_out"):
        return _of_unnamed(step, names, n_out, names_out)
    given = getattr(step, "feature_names_in_", names)
    source = dict(zip(given, names, strict=False))  # vectorizers of texts are given none
    return [source.get(name, name) for name in step.get_feature_names_out(given)]


def _of_unnamed(step: Any, names: list[str], n_out: int | None, names_out: Any) -> list[str]:
    if names_out is not None:
        return list(names_out)
    if isinstance(step, FunctionTransformer) and n_out in (None, len(names)):
        return names  # a logarithm, say: the usual one works on each column by itself
    return [f"{type(step).__name__.lower()}{i}" for i in range(n_out or 0)]


def _through_columns(step: ColumnTransformer, names: list[str]) -> list[str]:
    found: list[str] = []
    labels = list(getattr(step, "feature_names_in_", names))
    for name, inner, columns in step.transformers_:
        piece = step.output_indices_[name]
        if inner == "drop" or piece.stop == piece.start:
            continue
        chosen = list(np.array(names, dtype=object)[_positions(columns, labels)])
        made = chosen if inner == "passthrough" else _through(inner, chosen, piece.stop - piece.start)
        found += _prefixed(name, made, names)
    return found


def _prefixed(prefix: str, made: list[str], names: list[str]) -> list[str]:
    """Put a step's name before the names of columns that it made of several."""
    known = set(names)
    return [name if name in known else f"{prefix}__{name}" for name in made]


def _positions(columns: Any, labels: list[str]) -> np.ndarray:
    """Return the numbers of the columns that a part of a ``ColumnTransformer`` takes."""
    if isinstance(columns, slice):
        ends = [labels.index(end) if isinstance(end, str) else end for end in (columns.start, columns.stop)]
        ends[1] = ends[1] + 1 if isinstance(columns.stop, str) else ends[1]  # labels include the last
        return np.arange(len(labels))[ends[0] : ends[1] : columns.step]
    columns = np.atleast_1d(columns)
    if columns.dtype.kind in "OUT":
        columns = np.array([labels.index(column) for column in columns], dtype=int)
    return np.arange(len(labels))[columns]


def _n_categories(step: OneHotEncoder) -> list[int]:
    counts = [len(categories) for categories in step.categories_]
    for i, rare in enumerate(getattr(step, "infrequent_categories_", [None] * len(counts))):
        counts[i] -= 0 if rare is None else len(rare) - 1
    dropped = [None] * len(counts) if step.drop_idx_ is None else step.drop_idx_
    return [n - (d is not None) for n, d in zip(counts, dropped, strict=True)]
