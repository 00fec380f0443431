"""Rows of the user's data, of which pieces are removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sklearn_tree.explain.rows.parts import Part
from sklearn_tree.validation import safe_indexing


class Item(NamedTuple):
    """Part of a single row: its name, its class, what pictures show, and the names of its cells."""

    name: str
    part: type[Part]
    shown: Any
    cell_names: np.ndarray
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class RowArray:
    """Rows of the user's data, divided into parts.

    Behaves like a sequence: an index returns the items of a row, an index array or slice some rows.

    Attributes
    ----------
    parts : tuple of Part
        Texts and trees in the order of their columns, then all other columns that the model reads.
    X : DataFrame, ndarray or None
        The rows; None if they have no columns, or if they are only shown.
    """

    parts: tuple[Part, ...]
    X: Any = None

    def __len__(self) -> int:
        return len(self.parts[0].sizes)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, (int, np.integer)):
            return [
                Item(part.name, type(part), part.item(int(rows)), part.item_names, int(part.sizes[rows]))
                for part in self.parts
            ]
        X = None if self.X is None else safe_indexing(self.X, np.arange(len(self))[rows])
        return replace(self, parts=tuple(part.take(rows) for part in self.parts), X=X)

    @property
    def sizes(self) -> np.ndarray:
        """Number of positions of each row, ndarray of int, shape (n_rows,)."""
        return np.sum([part.sizes for part in self.parts], axis=0)

    def without_table(self) -> RowArray:
        """Return the rows for pictures and frames only."""
        return replace(self, X=None)

    def join(self, columns: list[np.ndarray]) -> np.ndarray:
        """Join a column of each part, shape (n_positions_of_the_part,), in the order of the rows."""
        return np.concatenate([piece for row in zip(*self._cut(columns), strict=True) for piece in row])

    def split(self, numbers: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Split the numbers of each row into those of its parts; return one list per part."""
        bounds = np.cumsum([part.sizes for part in self.parts], axis=0)[:-1]
        rows = [np.split(row, bounds[:, i]) for i, row in enumerate(numbers)]
        return [[row[k] for row in rows] for k in range(len(self.parts))]

    def list_subtrees(self, i: int) -> list[tuple[int, int]]:
        """Return the first and the last position, plus 1, of each subtree of a row with several nodes."""
        found, start = [], 0
        for part in self.parts:
            found += [(start + node, start + end) for node, end in part.list_subtrees(i)]
            start += int(part.sizes[i])
        return found

    def change(self, rows: np.ndarray, is_present: np.ndarray, replacements: dict[int, Any]) -> Any:
        """Return rows in which some positions are removed.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Rows, which may repeat.
        is_present : ndarray of bool, shape (n, n_positions)
            Positions that are kept; what exceeds the size of a row is ignored.
        replacements : dict of int to any
            Value that replaces a removed cell of each column.

        Returns
        -------
        DataFrame or ndarray with ``n`` rows, or list
        """
        columns: dict[int | None, list[Any]] = {c: [] for part in self.parts for c in part.columns}
        sizes = [part.sizes for part in self.parts]
        for i, flags in zip(rows.tolist(), is_present, strict=True):
            start = 0
            for part, n in zip(self.parts, sizes, strict=True):
                values = part.restore(i, flags[start : start + n[i]], replacements)
                for column, value in zip(part.columns, values, strict=True):
                    columns[column].append(value)
                start += n[i]
        return columns[None] if self.X is None else _replace_columns(safe_indexing(self.X, rows), columns)

    def restore(self, rows: Any = slice(None)) -> Any:
        """Return the user's rows, of which nothing is removed."""
        chosen = self[rows]
        return chosen.parts[0].values if chosen.X is None else chosen.X

    def _cut(self, columns: list[np.ndarray]) -> list[list[np.ndarray]]:
        pairs = zip(columns, self.parts, strict=True)
        return [np.split(column, np.cumsum(part.sizes)[:-1]) for column, part in pairs]


def as_table(X: Any) -> Any:
    """Return a table as a pandas DataFrame or an array."""
    if hasattr(X, "iloc"):
        return X
    if hasattr(X, "columns"):  # polars
        return pd.DataFrame({str(name): X[name].to_list() for name in X.columns})
    table = np.asarray(X)
    return table if table.dtype.kind in "biufO" else np.asarray(X, dtype=object)


def _replace_columns(X: Any, columns: dict[Any, list[Any]]) -> Any:
    """Replace columns of a frame or array; columns of numbers may become float."""
    X = X.copy()
    if not hasattr(X, "iloc"):
        table = X if X.dtype == object else X.astype(np.result_type(X.dtype, np.float32))
        for column, values in columns.items():
            table[:, column] = values
        return table
    for column, values in columns.items():
        dtype = X.dtypes.iloc[column]
        is_number = isinstance(dtype, np.dtype) and dtype.kind in "biuf"
        filled = pd.Series(values, index=X.index, dtype=None if is_number else dtype)
        X.isetitem(column, filled)
    return X
