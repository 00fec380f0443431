"""``FlatArray``: the storage idea shared by arrays of trees and of sequences, columns and offsets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

PAD_ID = 0  # "nothing here": its embedding is zero
UNKNOWN_ID = 1  # a label that the vocabulary does not hold
N_RESERVED_IDS = 2


class FlatArray:
    """A one-dimensional array of ragged items, item ``i`` being rows ``offsets[i]:offsets[i + 1]``.

    A subclass names its columns in ``_columns`` and builds one item in ``_item``.
    """

    _columns: ClassVar[tuple[str, ...]] = ()
    _noun: ClassVar[str] = "item"

    offsets: np.ndarray

    def replace(self, **fields: Any) -> Any:
        """Return an array that shares all columns with this one but those given.

        Parameters
        ----------
        **fields : array or sequence
            New columns or sizes by name; they are not checked.

        Returns
        -------
        TreeArray or RaggedArray
        """
        return type(self).__new__(type(self))._fill(**{**self.__dict__, **fields})

    def _fill(self, **fields: Any) -> Any:
        self.__dict__.update(fields)
        return self

    def _item(self, i: int) -> Any:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int]:
        """The number of items as a numpy array would say it, ``(n,)``."""
        return (len(self),)

    @property
    def ndim(self) -> int:
        """Always 1."""
        return 1

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the items, object."""
        return np.dtype(object)

    @property
    def sizes(self) -> np.ndarray:
        """Number of rows of each item, ndarray of int64, shape (n,)."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

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

    def _take(self, items: np.ndarray) -> Any:
        sizes = self.sizes[items]
        offsets = np.r_[0, np.cumsum(sizes)]
        rows = np.repeat(self.offsets[items] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return self._select(rows, offsets)

    def _select(self, rows: Any, offsets: np.ndarray) -> Any:
        columns = {name: getattr(self, name) for name in self._columns}
        taken = {name: None if c is None else c[rows] for name, c in columns.items()}
        return self.replace(offsets=offsets, **taken)

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
        for bad in index[(index < -n) | (index >= n)][:1]:
            raise IndexError(f"index {bad} is out of range for {n} {self._noun}s")
        return np.where(index < 0, index + n, index)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = np.empty(len(self), dtype=object)
        for i, item in enumerate(self):
            array[i] = item
        return array

    __hash__ = None  # type: ignore[assignment]


def numbered(
    labels: list, none: str | None = None, what: str = "labels"
) -> tuple[np.ndarray, np.ndarray | None]:
    """Number the distinct labels in order of appearance; int labels are ids already.

    Parameters
    ----------
    labels : list of str, or list of int
        The labels; None may stand among them.
    none : str, default=None
        What None is among text labels; among ids it is 0.
    what : str, default="labels"
        How an error calls them.

    Returns
    -------
    codes : ndarray of int32
        Positions in ``vocabulary``, or the ids themselves.
    vocabulary : ndarray of object, or None
        The distinct texts; None for ids.
    """
    kinds = set(map(type, labels)) - {type(None)}
    if kinds == {int}:
        return np.array([label or PAD_ID for label in labels], dtype=np.int32), None
    if not kinds <= {str}:
        bad = next(label for label in labels if type(label) is not str)
        raise TypeError(f"{what} must be all str or all int, got {bad!r} beside others")
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    codes = list(map(numbers.__getitem__, labels))
    text = [none if label is None else label for label in numbers]
    return np.array(codes, dtype=np.int32), np.array(text, dtype=object)


def merged_codes(
    columns: list[tuple[np.ndarray, np.ndarray | None]],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Join columns of codes whose vocabularies differ; without vocabularies just join them."""
    if columns[0][1] is None:
        return joined([codes for codes, _ in columns]), None
    numbers: dict[str, int] = {}
    merged = []
    for codes, text in columns:
        table = [numbers.setdefault(label, len(numbers)) for label in text]  # type: ignore[union-attr]
        merged.append(np.array(table, dtype=np.int32)[codes])
    return joined(merged), np.array(list(numbers), dtype=object)


def joined(columns: list[np.ndarray]) -> np.ndarray:
    """Concatenate, also nothing."""
    return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int32)


def decoded(column: np.ndarray, text: np.ndarray | None) -> list:
    """Return texts where there is a vocabulary, else the ids."""
    return column.tolist() if text is None else text[column].tolist()


def same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Whether two columns are equal, NaN equal to NaN."""
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")
