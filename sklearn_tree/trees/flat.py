"""Storage shared by arrays of trees and arrays of sequences: flat columns and offsets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np

from sklearn_tree.files import replacing
from sklearn_tree.trees.arrow import ArrowLayout, from_arrow, to_arrow
from sklearn_tree.trees.codes import N_RESERVED_IDS, PAD_ID, UNKNOWN_ID
from sklearn_tree.trees.mapped import FileLayout, open_array, save_array
from sklearn_tree.trees.summaries import N_SAMPLES, ArraySummary
from sklearn_tree.trees.summary_html import draw_summary
from sklearn_tree.trees.summary_text import write_summary

__all__ = ["N_RESERVED_IDS", "PAD_ID", "UNKNOWN_ID", "FlatArray"]


class FlatArray:
    """Immutable one-dimensional array of items of unequal size.

    Item ``i`` consists of rows ``offsets[i]`` to ``offsets[i + 1] - 1`` of every column. A subclass is a
    frozen dataclass that lists its columns in ``_columns`` and builds an item in ``_item``.
    """

    _arrow_layout: ClassVar[ArrowLayout]
    _file_layout: ClassVar[FileLayout]
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

    def _summarize(self) -> ArraySummary:
        raise NotImplementedError

    def _heads(self, n_rows: int) -> Self:
        """Return the first three items, each without the rows after the first ``n_rows``."""
        starts = self.offsets[:-1][:N_SAMPLES]
        sizes = np.minimum(self.sizes[:N_SAMPLES], n_rows)
        rows = [np.arange(start, start + size) for start, size in zip(starts, sizes, strict=True)]
        return self._select(np.concatenate([np.zeros(0, dtype=np.int64), *rows]), np.r_[0, np.cumsum(sizes)])

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

    def __str__(self) -> str:
        """Return a summary: sizes, most frequent labels and the first items, one property per line."""
        return write_summary(self._summarize())

    def _repr_html_(self) -> str:
        return draw_summary(self._summarize())

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

    def to_arrow(self) -> Any:
        """Return an Arrow array of lists, which shares the memory of the columns.

        It needs pyarrow. A column of a ``pyarrow.Table`` that is written to a Parquet or Arrow file and read
        again keeps everything, including ``n_labels``. Texts are stored in a dictionary, so each occurs once.

        Returns
        -------
        pyarrow.LargeListArray
            Trees have the type ``large_list<struct<label, depth, value, edge>>``, with ``value`` and ``edge``
            if the trees have them and the nodes in preorder; tokens have the type ``large_list<string>`` or
            ``large_list<int32>``, and series ``large_list<fixed_size_list<float>>``.

        Raises
        ------
        ImportError
            If pyarrow is not installed.
        ValueError
            If the array has ``vectors``, or a text is not valid Unicode.

        Examples
        --------
        >>> from sklearn_tree import TreeArray
        >>> trees = TreeArray.from_trees(["(S (NP I) (VP run))", "(S (VP stop))"])
        >>> array = trees.to_arrow()
        >>> array[1].as_py()
        [{'label': 'S', 'depth': 0}, {'label': 'VP', 'depth': 1}, {'label': 'stop', 'depth': 2}]
        >>> TreeArray.from_arrow(array) == trees
        True
        """
        return to_arrow(self, self._arrow_layout)

    @classmethod
    def from_arrow(cls, array: Any) -> Self:
        """Return the trees or sequences of an Arrow array, without a copy where possible.

        Columns are shared with Arrow if they have the dtypes that :meth:`to_arrow` gives them and are in one
        chunk; several chunks are concatenated.

        Parameters
        ----------
        array : pyarrow.Array, pyarrow.ChunkedArray, or another column with an Arrow stream
            Lists of the types that :meth:`to_arrow` returns. Labels and tokens may also be plain strings,
            and a channel of a series may be a plain float. A null ``value`` or ``edge`` means none.

        Returns
        -------
        TreeArray or RaggedArray
            Shared columns cannot be written to.

        Raises
        ------
        TypeError
            If the array has another type. The message names the expected one.
        ValueError
            If a tree, sequence, label, depth or step is null; the message gives the row. If depths or ids
            are invalid, as in the constructor.
        ImportError
            If pyarrow is not installed.
        """
        return cls(**from_arrow(array, cls._arrow_layout))

    def save(self, path: str | os.PathLike) -> None:
        """Save the array to a safetensors file, which :meth:`open` maps into memory.

        The file replaces an older one in one step. Processes that have opened the older one keep it.

        Parameters
        ----------
        path : str or path-like
            File to write.

        Raises
        ------
        ImportError
            If safetensors is not installed.
        OSError
            If the file cannot be written.
        """
        with replacing(path) as temporary:
            save_array(self, temporary, self._file_layout)

    @classmethod
    def open(cls, path: str | os.PathLike, *, mmap: bool = True, validate: bool = True) -> Self:
        """Open a file that :meth:`save` has written.

        Parameters
        ----------
        path : str or path-like
            File.
        mmap : bool, default=True
            Whether to map the columns into memory. The system then reads the parts that are used, and
            processes on one machine share them. With False, the columns are read into memory. The vocabulary
            is always read.
        validate : bool, default=True
            Whether to check every row, which reads the file once, in blocks. With False, only names, dtypes
            and sizes are checked, so the file must come from a trusted source.

        Returns
        -------
        TreeArray or RaggedArray
            Its columns cannot be written to. A pickle of a mapped array holds the rows, not the path, so it
            can be loaded on another machine; joblib passes the path to its worker processes.

        Raises
        ------
        ValueError
            If the file is damaged, is the file of another class or has a later version.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> import tempfile
        >>> from sklearn_tree import TreeArray
        >>> trees = TreeArray.from_trees(["(S (NP I) (VP run))", "(S (VP stop))"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     trees.save(f"{folder}/trees.safetensors")
        ...     TreeArray.open(f"{folder}/trees.safetensors", mmap=False) == trees
        True
        """
        return open_array(cls, path, cls._file_layout, mmap=mmap, validate=validate)

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
