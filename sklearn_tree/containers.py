"""Containers of samples, which no other file depends on; tensors are recognized without importing torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from sklearn_tree.missing import is_missing
from sklearn_tree.nested import unnest
from sklearn_tree.trees import RaggedArray, Tree, TreeArray
from sklearn_tree.trees.arrow_containers import without_arrow

_NESTED_TYPES = (list, tuple, dict, np.ndarray)
_N_INSPECTED = 100  # items of a list that are inspected for the first one that is not missing


def is_tensor(X: Any) -> bool:
    """Return whether X is a torch tensor."""
    return hasattr(X, "detach") and hasattr(X, "cpu")


def to_numpy(X: Any) -> np.ndarray:
    """Return any array, tensor, frame, sparse matrix or list as a numpy array."""
    if is_tensor(X):
        X = X.detach().cpu().resolve_neg()
        return (X.float() if str(X.dtype) == "torch.bfloat16" else X).numpy()
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)


def as_reusable(X: Any) -> Any:
    """Return an iterator, which can be read only once, as a list, and other containers unchanged."""
    return list(X) if isinstance(X, Iterator) else X


def as_known(X: Any, name: str = "X") -> Any:
    """Return Arrow data, a polars Series or an iterator as another container; errors use ``name``.

    Raises
    ------
    ValueError
        If X is a structured array, an array with masked entries, a tensor without numbers of its own or a
        frame whose column names are not unique.
    """
    X = without_arrow(as_reusable(X))
    if isinstance(X, memoryview):
        return np.asarray(X)
    refuse_unreadable(X, name)
    if isinstance(X, (list, tuple)):
        refuse_unreadable_rows(X, f"{name}[{{}}]")
    if fields := getattr(getattr(X, "dtype", None), "names", None):
        raise ValueError(
            f"{name} must be an array without fields, got a structured array of {list(fields)}: pass "
            f"pandas.DataFrame({name}) or one of the fields"
        )
    names = list(getattr(X, "columns", ()))
    if len(set(names)) < len(names):
        repeated = next(column for column in names if names.count(column) > 1)
        raise ValueError(f"{name} must have unique column names, got {repeated!r} more than once: rename")
    return X.to_list() if hasattr(X, "to_list") and not hasattr(X, "iloc") else X


def as_column(X: Any, what: str = "trees", *, allow_missing: bool = False) -> list:
    """Return the items of a one-column container as a list.

    Parameters
    ----------
    X : list, Series, iterable, 1-D array, or array or frame of one column
        The container.
    what : str, default="trees"
        Plural noun for the items, for error messages.
    allow_missing : bool, default=False
        Whether items may be None or NaN.

    Raises
    ------
    TypeError
        If X is a single sample or not iterable.
    ValueError
        If X has several columns or no items, or an item is missing.
    """
    if isinstance(X, (str, bytes, dict, Tree)):
        raise TypeError(f"X must be a list, Series or array of {what}, got a single {type(X).__name__}")
    if isinstance(X, (set, frozenset)):
        raise TypeError(
            f"X must be a list, Series or array of {what}, got a {type(X).__name__}, which has no order"
        )
    if not hasattr(X, "iloc") and len(getattr(X, "shape", ())) == 2:
        X = np.asarray(X)  # a polars DataFrame
    if hasattr(X, "iloc") or isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X.iloc[:, 0] if hasattr(X, "iloc") else X[:, 0]
        if X.ndim != 1:
            remedy = "; estimators read two columns as pairs" if X.shape[1:] == (2,) else ""
            raise ValueError(f"X must be one column of {what}, got an array of shape {X.shape}{remedy}")
    elif not isinstance(X, Iterable):
        raise TypeError(f"X must be a list, Series or array of {what}, got {type(X).__name__}")
    column = [unnest(item) for item in X]
    refuse_unreadable_rows(column, "X[{}]")
    if not column:
        raise ValueError(f"X must contain at least one sample, a column of {what}, got 0 samples")
    i = None if allow_missing else next((i for i, item in enumerate(column) if is_missing(item)), None)
    if i is not None:
        remedy = "leave the row out" if what in ("trees", "images") else 'fill it, e.g. with X.fillna("")'
        raise ValueError(f"X[{i}] is missing ({column[i]}): {remedy}")
    return column


def as_rows(X: Any) -> list:
    """Return the rows of a column of sequences or of a table as a list, tensors as arrays."""
    if is_tensor(X):
        X = to_numpy(X)
    is_table = getattr(X, "ndim", 1) == 2 and not is_column(X)
    rows = list(to_numpy(X)) if is_table else as_column(X, "sequences")
    return [to_numpy(row) if is_tensor(row) else row for row in rows]


def column_items(X: Any) -> list | None:
    """Return the items of a numpy or pandas column of objects; None for numbers and tables."""
    if X.ndim > 2 or (X.ndim == 2 and X.shape[1] != 1):
        return None
    dtypes = list(X.dtypes) if hasattr(X, "iloc") and X.ndim == 2 else [X.dtype]
    if getattr(dtypes[0], "kind", "O") in "biufcmM":
        return None
    return [unnest(item) for item in np.asarray(X, dtype=object).ravel().tolist()]


def is_column(X: Any) -> bool:
    """Return whether X is a 2-D array or frame of one column of texts or objects."""
    return _is_dense_table(X) and column_items(_frame_to_numpy(X)) is not None


def _is_dense_table(X: Any) -> bool:
    """Return whether X is a 2-D array or frame, but not a tensor or a sparse matrix."""
    return len(getattr(X, "shape", ())) == 2 and not is_tensor(X) and not sparse.issparse(X)


def holds_pairs(X: Any) -> bool:
    """Return whether X is an object array or frame of two columns of texts, trees or sequences."""
    if not _is_dense_table(X) or X.shape[1] != 2:
        return False
    if getattr(getattr(X, "dtype", None), "kind", "O") != "O":  # an array of str may be token sequences
        return False
    return all(map(_holds_objects, _columns_of(X)))


def pair_columns(X: Any) -> tuple[np.ndarray, tuple]:
    """Return the entries of two columns row by row, and the names or positions of the columns.

    Parameters
    ----------
    X : array or DataFrame, shape (n_samples, 2)
        The columns.

    Returns
    -------
    entries : ndarray of object, shape (2 * n_samples,)
        Both entries of the first row, both of the second, and so on.
    columns : tuple of length 2
        Names of the columns of a frame, otherwise (0, 1).

    Raises
    ------
    ValueError
        If X does not have two columns, or no rows.
    """
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) != 2 or shape[1] != 2:
        got = f"shape {shape}" if shape else type(X).__name__
        raise ValueError(
            "X must be a DataFrame of two columns or an object array of shape (n, 2) to be read as pairs, "
            f"got {got}: a tuple or list in a list is a single tree or sequence, so pass pandas.DataFrame(X)"
        )
    if not shape[0]:
        raise ValueError("X must contain at least one pair, got 0 pairs")
    entries = np.empty(shape, dtype=object)
    for i, column in enumerate(_columns_of(X)):
        entries[:, i] = column
    return entries.ravel(), tuple(getattr(X, "columns", (0, 1)))


def _columns_of(X: Any) -> list[np.ndarray]:
    """Return the columns of an array or frame as arrays of objects."""
    columns = [X.iloc[:, i] for i in range(X.shape[1])] if hasattr(X, "iloc") else list(_frame_to_numpy(X).T)
    return [_object_column(column) for column in columns]


def _object_column(column: Any) -> np.ndarray:
    items = np.empty(len(column), dtype=object)
    items[:] = list(column)  # asarray would make an array of two axes of lists of equal length
    return items


def _holds_objects(column: np.ndarray) -> bool:
    item = _first_present(column)
    return not (item is None or is_number(item))


def _first_present(items: Any) -> Any:
    """Return the first item that is not missing; None if there is none."""
    return next((item for item in items if not is_missing(item)), None)


def refuse_texts(X: Any, remedy: str) -> None:
    """Refuse a 2-D array or frame that holds texts or a single side of pairs.

    Parameters
    ----------
    X : any container
        The container.
    remedy : str
        How to pass texts that are in all columns of an array.
    """
    if not _is_dense_table(X) or X.shape[1] == 1:
        return
    is_frame = hasattr(X, "columns")
    columns = dict(zip(X.columns if is_frame else range(X.shape[1]), _columns_of(X), strict=True))
    first = {name: _first_present(x[:_N_INSPECTED]) for name, x in columns.items()}
    texts = [name for name, item in first.items() if isinstance(item, (str, *_NESTED_TYPES))]
    missing = [name for name, x in columns.items() if _first_present(x) is None]
    if len(columns) == 2 and len(missing) == 1 and any(map(_holds_objects, columns.values())):
        raise ValueError(
            f"X has 2 columns and all entries of {missing[0]!r} are missing: fill them to pass pairs, or "
            "pass the other column"
        )
    if texts and not is_frame and len(texts) == X.shape[1]:
        pairs = "; X.astype(object) makes pairs of it" if len(texts) == 2 else ""
        raise ValueError(f"X is a 2-D array of str: {remedy}{pairs}")
    for name in texts[:1]:
        column = f"X[{name!r}]" if is_frame else f"X[:, {name}]"
        content = "strings" if isinstance(first[name], str) else "lists"
        raise ValueError(
            f"X has {X.shape[1]} columns and {name!r} holds {content}: pass one column ({column}) or join "
            'columns with a ColumnTransformer (see "Mixed tables")'
        )


def take_columns(X: Any, names: list, positions: np.ndarray) -> np.ndarray:
    """Return columns of a table as an array, by name if it has columns of these names."""
    has_names = set(names) <= set(getattr(X, "columns", ()))
    return to_numpy(X[names]) if has_names else to_numpy(X)[:, positions]


def move_channels_last(X: Any, axis: int) -> Any:
    """Return an array or tensor with the given axis moved to the end, without a copy."""
    return X.movedim(axis, -1) if is_tensor(X) else np.moveaxis(np.asarray(X), axis, -1)


def is_number(x: Any) -> bool:
    """Return whether x is a number of Python or numpy, or a Decimal; True and False count as numbers."""
    return isinstance(x, (Number, np.bool_))


def refuse_unreadable(array: Any, name: str) -> None:
    """Raise ValueError if an array has masked entries, or a tensor is nested or on the device "meta"."""
    if is_tensor(array) and array.is_meta:
        raise ValueError(f"{name} must hold numbers, got a tensor on the device 'meta', which has none")
    if is_tensor(array) and array.is_nested:
        raise ValueError(
            f"{name} must be a tensor of one shape, got a nested one: pass list({name}.unbind())"
        )
    if not (isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array)):
        return
    row = int(np.argwhere(np.atleast_1d(np.ma.getmaskarray(array)))[0, 0])
    raise ValueError(
        f"{name} must not have masked entries, got one in {name}[{row}]: leave the row out or pass "
        f"{name}.filled(value)"
    )


def refuse_unreadable_rows(rows: Iterable, place: str) -> None:
    """Refuse rows that are unreadable arrays; ``place`` is the format of a row's name: "X[{}]"."""
    for i, row in enumerate(rows):
        if hasattr(row, "dtype"):
            refuse_unreadable(row, place.format(i))


class Layout(NamedTuple):
    """Layout of the samples in a container, inferred from the first informative sample.

    Attributes
    ----------
    ndim : int or None
        Number of axes of the numbers, the axis of the samples included; None for anything but numbers.
    is_ragged : bool
        Whether the samples are sequences: of unequal length, or items of a column.
    is_integer : bool
        Whether all numbers of a ragged container are integers.
    """

    ndim: int | None
    is_ragged: bool = False
    is_integer: bool = False


def layout_of(X: Any) -> Layout:
    """Inspect the samples of a container.

    Parameters
    ----------
    X : any container of samples
        The samples.
    """
    if isinstance(X, RaggedArray):
        return Layout(None if X.vocabulary is not None else 2, True, X.is_tokens)
    if sparse.issparse(X):
        return Layout(2)
    if is_tensor(X):
        return Layout(X.ndim if X.ndim in (3, 4) else 2)
    X = _frame_to_numpy(X)
    rows, has_items = X, hasattr(X, "ndim")
    if has_items:  # numpy and pandas
        if X.ndim in (3, 4):
            return Layout(X.ndim)
        rows = column_items(X)
        if rows is None:
            return Layout(2)
    is_known = isinstance(rows, (list, tuple)) and len(rows)
    return _layout_of_rows(rows, is_column=has_items) if is_known else Layout(None)


def _layout_of_rows(rows: Any, *, is_column: bool) -> Layout:
    row = next((r for r in rows if not is_missing(r) and not _is_empty(r)), "")
    row = to_numpy(row) if is_tensor(row) else row
    if isinstance(row, str) or (isinstance(row, (list, tuple)) and isinstance(row[0], str)):
        return Layout(None)
    if not hasattr(row, "__len__") or isinstance(row, (set, frozenset, dict)):
        return Layout(2 if is_number(row) else None)
    if not is_number(row[0]):
        ndim = np.ndim(row)
        return Layout(ndim + 1 if ndim in (2, 3) else None)
    if not is_column and len({len(row) if hasattr(row, "__len__") else -1 for row in rows}) == 1:
        return Layout(2)
    return Layout(2, True, all(map(_holds_integers, rows)))


def _holds_integers(row: Any) -> bool:
    """Return whether no item of a sequence is a number with a fraction; other items are refused later."""
    if hasattr(row, "dtype"):
        return not len(row) or "int" in str(row.dtype)
    types = set(map(type, row)) if isinstance(row, (list, tuple)) else set()
    return not any(issubclass(t, (float, np.floating)) for t in types)


def holds_trees(X: Any) -> bool:
    """Return whether a container holds trees rather than rows of numbers."""
    if isinstance(X, TreeArray):
        return True
    if sparse.issparse(X) or is_tensor(X):
        return False
    X = _frame_to_numpy(X)
    if hasattr(X, "ndim"):  # numpy and pandas
        items = column_items(X)
        if items is None:
            return False
    else:
        items = list(X[:_N_INSPECTED]) if isinstance(X, (list, tuple)) else []
    item = _first_present(items)
    if item is None:  # an empty column counts as trees, a column of missing values as a table
        return not items
    is_row = isinstance(item, (list, tuple, np.ndarray)) and len(item) and all(map(is_number, item))
    return not (is_row or is_number(item))


def is_int_array(X: Any) -> bool:
    """Return whether X is a 2-D array or tensor of integers."""
    return getattr(X, "ndim", 0) == 2 and "int" in str(getattr(X, "dtype", ""))


def may_be_sequences(X: Any) -> bool:
    """Return whether X could be a column of sequences of numbers, all of one length or all empty.

    Such a column looks like a table or, if all its rows are empty, like texts.
    """
    layout = layout_of(X)
    if layout.ndim == 2 and not layout.is_ragged:
        return isinstance(X, (list, tuple)) or (hasattr(X, "ndim") and _object_items(X) is not None)
    rows = _object_items(X) if hasattr(X, "ndim") else X
    if layout.ndim is not None or not isinstance(rows, (list, tuple)):
        return False
    return all(_is_empty(row) and not isinstance(row, str) for row in rows)


def _frame_to_numpy(X: Any) -> Any:
    """Return array-likes other than pandas objects and lists such as polars frames as numpy arrays."""
    is_array_like = hasattr(X, "__array__") and not hasattr(X, "iloc")
    return np.asarray(X) if is_array_like and not isinstance(X, (list, tuple)) else X


def _object_items(X: Any) -> list | None:
    is_table = is_tensor(X) or sparse.issparse(X)
    return None if is_table else column_items(np.asarray(X, dtype=object))


def _is_empty(row: Any) -> bool:
    return hasattr(row, "__len__") and not len(row)
