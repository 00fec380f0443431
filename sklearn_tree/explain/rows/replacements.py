"""Values that replace removed cells."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sklearn_tree.explain.rows.array import RowArray
from sklearn_tree.explain.rows.parts import Cells


def find_replacements(rows: RowArray) -> dict[str, dict[int, Any]]:
    """Return the value that replaces a removed cell, for each baseline and column.

    Categories are replaced by the most frequent one. A number is replaced by the median, which is one of the
    numbers of the column, by the mean, or by 0.

    Parameters
    ----------
    rows : RowArray
        Rows of ``fit``.
    """
    columns: dict[Any, pd.Series] = {}
    for part in rows.parts:
        if isinstance(part, Cells):
            columns.update((c, pd.Series(part.shown[:, k].tolist())) for k, c in enumerate(part.columns))
    found: dict[str, dict[int, Any]] = {"median": {}, "mean": {}, "zero": {}}
    for position, column in columns.items():
        is_number = pd.api.types.is_numeric_dtype(column) and column.notna().any()
        typical = _most_frequent(column)
        numbers = column.dropna()
        found["median"][position] = numbers.quantile(interpolation="lower") if is_number else typical
        found["mean"][position] = numbers.mean() if is_number else typical
        found["zero"][position] = type(numbers.iloc[0])(0) if is_number else typical
    return found


def _most_frequent(column: pd.Series) -> Any:
    counts = column.value_counts()
    return counts.index[0] if len(counts) else column.iloc[0]
