"""Nested columns that pandas reads from Parquet, Arrow and Spark."""

from __future__ import annotations

from typing import Any

import numpy as np


def unnest(item: Any) -> Any:
    """Return an array of arrays as one array if it holds numbers, and anything else unchanged.

    Parameters
    ----------
    item : any
        Sample of a column. Parquet, Arrow and Spark keep a series of several channels as a list of lists, of
        which pandas makes an object array of arrays.

    Returns
    -------
    ndarray or any
        Array of numbers if all inner arrays have one shape, otherwise ``item``.
    """
    is_nested = isinstance(item, np.ndarray) and item.dtype == object and item.ndim == 1 and len(item)
    if not (is_nested and isinstance(item[0], np.ndarray)):
        return item
    parts = [unnest(part) for part in item]
    is_regular = len({getattr(part, "shape", None) for part in parts}) == 1
    return np.stack(parts) if is_regular and parts[0].dtype != object else item
