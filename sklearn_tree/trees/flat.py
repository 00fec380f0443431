"""Storage shared by arrays of trees and arrays of sequences: flat columns and offsets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

from sklearn_tree.trees.codes import N_RESERVED_IDS, PAD_ID, UNKNOWN_ID

__all__ = ["N_RESERVED_IDS", "PAD_ID", "UNKNOWN_ID", "FlatArray"]


class FlatArray:
    """Immutable one-dimensional array of items of unequal size.

    Item ``i`` consists of rows ``offsets[i]`` to ``offsets[i + 1] - 1`` of every column. A subclass is a
    frozen dataclass that lists its columns in ``_columns`` and builds an item in ``_item``.
    """

    _columns: ClassVar[tuple[str, ...]] = ()
    _noun: ClassVar[str] = "item"

    offsets: np.ndarray

    def replace(self, **fields: Any) -> Self:
        """Return an array with some fields replaced; the others are shared, not copied.

        Parameters
        ----------
        **fields : array, sequence, int or None
            New columns, vocabularies or sizes by name. They are not validated.

        Returns
        -------
        TreeArray or RaggedArray
        """
        cls: Any = type(self)
        return cls(**{**vars(self), **fields}, validate=False)

    def _set(self, **fields: Any) -> None:
        for name, field in fields.items():
            object.__setattr__(self, name, field)

    def _item(self, i: int) -> Any:
        raise NotImplementedError

    @property
    def codes(self) -> Any:
        """Labels or tokens of all rows as numbers; the numbers of a series."""
        return getattr(self, self._columns[0])

    def replace_codes(self, codes: np.ndarray, **fields: Any) -> Self:
        """Return an array with other labels or tokens, and with further fields replaced."""
        return self.replace(**{self._columns[0]: codes}, **fields)

    @property
    def shape(self) -> tuple[int]:
        """Shape of the array, ``(n,)`` for n items."""
        return (len(self),)

    @property
    def ndim(self) -> int:
        """Number of dimensions, always 1."""
        return 1

    @property
    def dtype(self) -> np.dtype:
        """Data type of the items, always object."""
        return np.dtype(object)

    @property
    def sizes(self) -> np.ndarray:
        """Number of rows of each item, ndarray of int64, shape (n,)."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __sizeof__(self) -> int:
        """Return the size in bytes with the columns, by which dask and Ray decide what to send only once."""
        arrays = [field for field in vars(self).values() if isinstance(field, np.ndarray)]
        return object.__sizeof__(self) + sum(max(sys.getsizeof(a), a.nbytes) for a in arrays)

    def __iter__(self) -> Iterator:
        return (self._item(i) for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]
        if isinstance(key, (int, np.integer)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"{self._noun} {key} is out of range for {len(self)} {self._noun}s")
            return self._item(int(key) % len(self))
        if isinstance(key, slice) and key.step in (None, 1):
            start, stop, _ = key.indices(len(self))
            offsets = self.offsets[start : max(start, stop) + 1]
            return self._select(slice(offsets[0], offsets[-1]), offsets - offsets[0])
        return self._take(self._as_positions(key))

    def _take(self, items: np.ndarray) -> Self:
        starts = self.offsets[items]
        sizes = self.offsets[items + 1] - starts
        offsets = np.zeros(len(items) + 1, dtype=np.int64)
        np.cumsum(sizes, out=offsets[1:])
        rows = np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])
        return self._select(rows, offsets)

    def _select(self, rows: slice | np.ndarray, offsets: np.ndarray) -> Self:
        columns = {name: getattr(self, name) for name in self._columns}
        selected = {name: None if column is None else column[rows] for name, column in columns.items()}
        return self.replace(offsets=offsets, **selected)

    def _as_positions(self, key: Any) -> np.ndarray:
        n = len(self)
        if isinstance(key, slice):
            return np.arange(n)[key]
        index = np.asarray(key)
        if index.dtype == bool:
            if index.shape != (n,):
                raise IndexError(f"a mask must have shape ({n},), got {index.shape}")
            return np.flatnonzero(index)
        if index.size == 0:
            return np.zeros(0, dtype=np.int64)
        if index.dtype.kind not in "iu" or index.ndim != 1:
            raise IndexError(f"{self._noun}s are indexed by ints, slices and 1-D arrays, got {key!r:.60}")
        for wrong in index[(index < -n) | (index >= n)][:1]:
            raise IndexError(f"index {wrong} is out of range for {n} {self._noun}s")
        return np.where(index < 0, index + n, index)

    def __add__(self, other: Any) -> Any:
        cls: Any = type(self)
        return cls.concatenate([self, other]) if type(other) is cls else NotImplemented

    def __array_function__(self, func: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        """Concatenate arrays of one class; any other function of numpy receives object arrays of items."""
        cls: Any = type(self)
        along_rows = func is np.concatenate and args[1:] in ((), (0,)) and kwargs in ({}, {"axis": 0})
        if along_rows and all(type(array) is cls for array in args[0]):
            return cls.concatenate(args[0])
        return func._implementation(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.empty(len(self), dtype=object)
        for i, item in enumerate(self):
            array[i] = item
        return array
