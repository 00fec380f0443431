"""Missing entries, and the types of pandas that allow them."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_missing(x: Any) -> bool:
    """Return whether x is None, NaN or a missing value of pandas."""
    return x is None or (isinstance(x, float) and x != x) or type(x).__name__ in ("NAType", "NaTType")


def first_missing(array: np.ndarray) -> int | None:
    """Return the first row of an array with a missing value, or None."""
    is_object = array.dtype == object
    absent = np.frompyfunc(is_missing, 1, 1)(array).astype(bool) if is_object else array != array
    rows = np.flatnonzero(absent.reshape(len(array), -1).any(axis=1))
    return int(rows[0]) if len(rows) else None


def without_nullable_types(y: Any) -> Any:
    """Return a Series or frame of pandas' nullable numbers, none of which is missing, as an array.

    Other containers are returned unchanged. scikit-learn reads nullable integers as floats, which makes one
    class of several above 2**53.
    """
    if not hasattr(y, "iloc"):
        return y
    dtypes = list(y.dtypes) if y.ndim == 2 else [y.dtype]
    types = [getattr(dtype, "numpy_dtype", dtype) for dtype in dtypes]
    are_numbers = all(getattr(numpy_type, "kind", "O") in "biuf" for numpy_type in types)
    is_nullable = any(hasattr(dtype, "numpy_dtype") for dtype in dtypes)
    return y.to_numpy(dtype=np.result_type(*types)) if are_numbers and is_nullable else y
