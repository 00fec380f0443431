"""Source columns of a table, traced through the steps before a net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from sklearn_tree.containers import take_columns


@dataclass(frozen=True, kw_only=True)
class SourceColumns:
    """Map from the columns that enter a net to the user's columns.

    Attributes
    ----------
    names : ndarray of str objects, shape (n_sources,)
        Names of the source columns.
    groups : ndarray of int, shape (n_columns,)
        Source of each column that enters the net, an index into ``names``.
    positions : ndarray of int, shape (n_sources,)
        Position of each source in the user's table; -1 if a step has computed it from several columns.
    """

    names: np.ndarray
    groups: np.ndarray
    positions: np.ndarray

    def sum(self, rows: np.ndarray) -> np.ndarray:
        """Sum the columns of each source, shape (n, n_columns) to (n, n_sources)."""
        total = np.zeros((len(rows), len(self.names)), dtype=rows.dtype)
        np.add.at(total.T, self.groups, rows.T)
        return total

    def values(self, X: Any, encoded: np.ndarray) -> np.ndarray:
        """Return the values of the source columns, in the user's units where they are known.

        Parameters
        ----------
        X : array-like or DataFrame
            The user's table.
        encoded : ndarray of float, shape (n, n_columns)
            Columns that enter the net.

        Returns
        -------
        ndarray of float or object, shape (n, n_sources)
        """
        is_known = self.positions >= 0
        values = np.zeros((len(encoded), len(self.names)), dtype=encoded.dtype)
        values[:, self.groups] = encoded
        if not is_known.any():
            return values
        table = take_columns(X, self.names[is_known].tolist(), self.positions[is_known])
        if table.dtype.kind not in "biuf" or not is_known.all():
            values, table = values.astype(object), table.astype(object)
        values = values.astype(table.dtype)
        values[:, is_known] = table
        return values


def trace_columns(steps: list[Any], net: Any, names: Any = None) -> SourceColumns:
    """Trace the columns of a table through the steps before a net.

    Parameters
    ----------
    steps : list of fitted transformers
        Steps before the net, in order.
    net : estimator
        Net fitted on a table.
    names : array-like of str, default=None
        Names of the columns of the user's table; None for those seen in ``fit``, or ``x0, x1, ...``.

    Returns
    -------
    SourceColumns
        A column that a step computes from several columns, such as a component of a PCA, is its own source,
        named by the step.
    """
    table_names = _names_in([*steps, net][0]) if names is None else list(names)
    sources = _trace_steps(steps, table_names, net.n_features_in_, getattr(net, "feature_names_in_", None))
    if len(sources) != net.n_features_in_:  # the output columns of some step are unknown
        table_names, sources = [], _names_in(net)
    distinct = list(dict.fromkeys(sources))
    indices = {name: i for i, name in enumerate(distinct)}
    positions = {name: i for i, name in enumerate(table_names)}
    return SourceColumns(
        names=np.array(distinct, dtype=object),
        groups=np.array([indices[name] for name in sources]),
        positions=np.array([positions.get(name, -1) for name in distinct]),
    )


def _names_in(step: Any) -> list[str]:
    generic = [f"x{i}" for i in range(getattr(step, "n_features_in_", 0))]
    return list(getattr(step, "feature_names_in_", generic))


def _trace_steps(steps: list[Any], names: list[str], n_out: int | None, names_out: Any) -> list[str]:
    """Return the source of each output column of consecutive steps.

    Parameters
    ----------
    steps : list of fitted transformers
        The steps.
    names : list of str
        Sources of the input columns.
    n_out, names_out : int and array-like of str, or None
        Number and names of the output columns, if they are known.
    """
    steps = [step for step in steps if step is not None and step != "passthrough"]
    inputs = [(getattr(s, "n_features_in_", None), getattr(s, "feature_names_in_", None)) for s in steps[1:]]
    for step, (n, known) in zip(steps, [*inputs, (n_out, names_out)], strict=False):
        names = _trace_step(step, names, n, known)
    return names


def _trace_step(step: Any, names: list[str], n_out: int | None = None, names_out: Any = None) -> list[str]:
    """Return the source of each output column of a step, see :func:`_trace_steps`."""
    if isinstance(step, Pipeline):
        return _trace_steps([inner for _, inner in step.steps], names, n_out, names_out)
    if isinstance(step, ColumnTransformer):
        return _trace_column_transformer(step, names)
    if isinstance(step, FeatureUnion):
        parts = [(name, inner) for name, inner in step.transformer_list if inner != "drop"]
        return [out for name, inner in parts for out in _add_prefix(name, _trace_step(inner, names), names)]
    if isinstance(step, OneHotEncoder):
        return [name for name, n in zip(names, _count_categories(step), strict=True) for _ in range(n)]
    if isinstance(step, SelectorMixin):
        return list(np.array(names, dtype=object)[step.get_support()])
    if not hasattr(step, "get_feature_names_out"):
        return _trace_unnamed(step, names, n_out, names_out)
    names_in = getattr(step, "feature_names_in_", names)
    sources = dict(zip(names_in, names, strict=False))  # vectorizers of texts have no input names
    return [sources.get(name, name) for name in step.get_feature_names_out(names_in)]


def _trace_unnamed(step: Any, names: list[str], n_out: int | None, names_out: Any) -> list[str]:
    if names_out is not None:
        return list(names_out)
    if isinstance(step, FunctionTransformer) and n_out in (None, len(names)):
        return names  # assume that the function works on each column separately, as a logarithm does
    return [f"{type(step).__name__.lower()}{i}" for i in range(n_out or 0)]


def _trace_column_transformer(step: ColumnTransformer, names: list[str]) -> list[str]:
    sources: list[str] = []
    labels = list(getattr(step, "feature_names_in_", names))
    for name, inner, columns in step.transformers_:
        piece = step.output_indices_[name]
        if inner == "drop" or piece.stop == piece.start:
            continue
        chosen = list(np.array(names, dtype=object)[_column_positions(columns, labels)])
        traced = chosen if inner == "passthrough" else _trace_step(inner, chosen, piece.stop - piece.start)
        sources += _add_prefix(name, traced, names)
    return sources


def _add_prefix(prefix: str, outputs: list[str], names: list[str]) -> list[str]:
    """Prepend the name of a step to the columns that it has computed from several columns."""
    known = set(names)
    return [name if name in known else f"{prefix}__{name}" for name in outputs]


def _column_positions(columns: Any, labels: list[str]) -> np.ndarray:
    """Return the positions of the columns that a part of a ``ColumnTransformer`` selects."""
    if isinstance(columns, slice):
        ends = [labels.index(end) if isinstance(end, str) else end for end in (columns.start, columns.stop)]
        ends[1] = ends[1] + 1 if isinstance(columns.stop, str) else ends[1]  # slices of labels are inclusive
        return np.arange(len(labels))[ends[0] : ends[1] : columns.step]
    columns = np.atleast_1d(columns)
    if columns.dtype.kind in "OUT":
        columns = np.array([labels.index(column) for column in columns], dtype=int)
    return np.arange(len(labels))[columns]


def _count_categories(step: OneHotEncoder) -> list[int]:
    """Return how many output columns each input column of an encoder has."""
    counts = [len(categories) for categories in step.categories_]
    for i, infrequent in enumerate(getattr(step, "infrequent_categories_", [None] * len(counts))):
        counts[i] -= 0 if infrequent is None else len(infrequent) - 1
    dropped = [None] * len(counts) if step.drop_idx_ is None else step.drop_idx_
    return [n - (index is not None) for n, index in zip(counts, dropped, strict=True)]
