"""Arrow arrays and tables of samples as other containers."""

from __future__ import annotations

from typing import Any

from sklearn_tree.trees.array import TreeArray
from sklearn_tree.trees.arrow import import_pyarrow, is_list, is_text
from sklearn_tree.trees.ragged import RaggedArray

_FRAMES = ("pandas", "polars")
_NODE_KEYS = {"label", "depth", "value", "edge"}


def without_arrow(X: Any) -> Any:
    """Return an Arrow array, record batch or table as a container of another library.

    Parameters
    ----------
    X : any
        The samples. Columns of nodes are also found in a Series of pandas or polars and in lists, where
        their rows are lists of dicts.

    Returns
    -------
    TreeArray, RaggedArray, ndarray, list or DataFrame
        Lists of nodes become a TreeArray, and lists of tokens, ids or numbers a RaggedArray. Texts become an
        array of objects, numbers an array, and other items a list. A table becomes a DataFrame, unless its
        only column holds lists. Any other X is returned unchanged.
    """
    if type(X).__module__.partition(".")[0] != "pyarrow":
        rows = _find_rows_of_nodes(X)
        return X if rows is None else TreeArray.from_arrow(import_pyarrow().array(rows))
    pa = import_pyarrow()
    if isinstance(X, (pa.RecordBatch, pa.Table)):
        if X.num_columns != 1 or not is_list(X.column(0).type):
            return X.to_pandas()
        X = X.column(0)
    return _convert_column(X) if isinstance(X, (pa.Array, pa.ChunkedArray)) else X


def _find_rows_of_nodes(X: Any) -> list | None:
    """Return the rows of a list, Series or one-column frame if they hold the nodes of trees, as in Arrow."""
    if not isinstance(X, (list, tuple)):
        if type(X).__module__.partition(".")[0] not in _FRAMES:
            return None
        if len(getattr(X, "columns", ())) == 1:
            X = X[next(iter(X.columns))]
        if not hasattr(X, "to_list"):
            return None
    first: Any = next(iter(X), None)
    is_array = type(first).__module__.partition(".")[0] in ("numpy", *_FRAMES) and len(first.shape) == 1
    is_row = isinstance(first, (list, tuple)) or is_array
    node = first[0] if is_row and len(first) else None
    if not (isinstance(node, dict) and {"label", "depth"} <= set(node) <= _NODE_KEYS):
        return None
    rows = X.to_list() if hasattr(X, "to_list") else X
    is_complete = all(hasattr(row, "__len__") for row in rows)  # readers name the rows that are missing
    return list(map(list, rows)) if is_complete else None


def _convert_column(X: Any) -> Any:
    types = import_pyarrow().types
    dtype = X.type
    if types.is_dictionary(dtype):
        X, dtype = X.cast(dtype.value_type), dtype.value_type
    if is_list(dtype) and not X.null_count:
        if _holds_nodes(dtype.value_type):
            return TreeArray.from_arrow(X)
        if _holds_steps(dtype.value_type):
            return RaggedArray.from_arrow(X)
    if is_text(dtype):
        return X.to_numpy(zero_copy_only=False)
    is_number = types.is_integer(dtype) or types.is_floating(dtype)
    return X.to_numpy(zero_copy_only=False) if is_number else X.to_pylist()


def _holds_nodes(dtype: Any) -> bool:
    return import_pyarrow().types.is_struct(dtype) and {"label", "depth"} <= {field.name for field in dtype}


def _holds_steps(dtype: Any) -> bool:
    types = import_pyarrow().types
    if is_list(dtype):
        return types.is_floating(dtype.value_type)
    if types.is_dictionary(dtype):
        dtype = dtype.value_type
    return is_text(dtype) or types.is_integer(dtype) or types.is_floating(dtype)
