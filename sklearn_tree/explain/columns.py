"""Which columns of a table the columns that reach a net were made of, one-hot columns together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder


class Columns(NamedTuple):
    """Columns of a table as users know them.

    Attributes
    ----------
    names : ndarray of str, shape (n_names,)
        The names.
    groups : ndarray of int, shape (n_columns,)
        Which of them each column that reaches the net was made of.
    """

    names: np.ndarray
    groups: np.ndarray

    def summed(self, rows: np.ndarray) -> np.ndarray:
        """Sum the columns of each name, shape (n, n_columns) to (n, n_names)."""
        total = np.zeros((len(rows), len(self.names)), dtype=rows.dtype)
        np.add.at(total.T, self.groups, rows.T)
        return total

    def shown(self, X: Any, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of the names, as users gave them where that is known.

        Parameters
        ----------
        X : array-like or DataFrame
            What the whole estimator takes.
        numbers : ndarray of float, shape (n, n_columns)
            What reaches the net.

        Returns
        -------
        ndarray, shape (n, n_names)
            NaN where one name stands for several columns whose source is not known.
        """
        if hasattr(X, "columns") and set(self.names) <= set(X.columns):
            return X[list(self.names)].to_numpy(dtype=object)
        if len(self.names) == len(self.groups):
            return numbers
        given = np.asarray(X)
        if given.ndim == 2 and given.shape[1] == len(self.names):
            return given
        return np.full((len(numbers), len(self.names)), np.nan)


def columns_of(steps: list[Any], net: Any) -> Columns:
    """Follow the columns of a table through the steps before a net.

    Parameters
    ----------
    steps : list of fitted transformers
        The steps.
    net : estimator
        The net behind them, fitted on a table.

    Returns
    -------
    Columns
        A column that was made of several (as those of a PCA are) has the name that its step gives it.
    """
    first = steps[0] if steps else net
    n = first.n_features_in_ if hasattr(first, "n_features_in_") else net.n_features_in_
    names = list(getattr(first, "feature_names_in_", [f"x{i}" for i in range(n)]))
    for step in steps:
        names = _through(step, names)
    distinct = list(dict.fromkeys(names))
    positions = {name: i for i, name in enumerate(distinct)}
    return Columns(np.array(distinct, dtype=object), np.array([positions[name] for name in names]))


def _through(step: Any, names: list[str]) -> list[str]:
    """Return the source of each column that a step makes, of the columns ``names``."""
    if step is None or step == "passthrough" or isinstance(step, OneToOneFeatureMixin):
        return names
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            names = _through(inner, names)
        return names
    if isinstance(step, ColumnTransformer):
        return _through_columns(step, names)
    if isinstance(step, FeatureUnion):
        return [
            name for _, inner in step.transformer_list if inner != "drop" for name in _through(inner, names)
        ]
    if isinstance(step, OneHotEncoder):
        return [name for name, n in zip(names, _n_categories(step), strict=True) for _ in range(n)]
    if isinstance(step, SelectorMixin):
        return list(np.array(names, dtype=object)[step.get_support()])
    return list(step.get_feature_names_out(names if not hasattr(step, "feature_names_in_") else None))


def _through_columns(step: ColumnTransformer, names: list[str]) -> list[str]:
    found: list[str] = []
    for name, inner, columns in step.transformers_:
        piece = step.output_indices_[name]
        if inner == "drop" or piece.stop == piece.start:
            continue
        chosen = np.array(names, dtype=object)[_positions(columns, names)]
        found += _through(inner, list(np.atleast_1d(chosen)))
    return found


def _positions(columns: Any, names: list[str]) -> Any:
    if isinstance(columns, str):
        return [names.index(columns)]
    if isinstance(columns, (list, tuple)) and columns and isinstance(columns[0], str):
        return [names.index(column) for column in columns]
    return columns


def _n_categories(step: OneHotEncoder) -> list[int]:
    counts = [len(categories) for categories in step.categories_]
    for i, rare in enumerate(getattr(step, "infrequent_categories_", [None] * len(counts))):
        counts[i] -= 0 if rare is None else len(rare) - 1
    dropped = [None] * len(counts) if step.drop_idx_ is None else step.drop_idx_
    return [n - (d is not None) for n, d in zip(counts, dropped, strict=True)]
