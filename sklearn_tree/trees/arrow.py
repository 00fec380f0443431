"""Arrow arrays of trees and sequences: lists of nodes and lists of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_tree.trees.codes import find_row

_PREFIX = "sklearn_tree."  # of the keys of metadata
_MAX_SIZE = 1 << 31  # ids are stored in 32 bits
_NODE_FIELDS = {"label", "depth", "value", "edge"}


@dataclass(frozen=True)
class ArrowLayout:
    """Conversion of the rows of an array, such as nodes, to an Arrow array and back.

    Attributes
    ----------
    expected : str
        Arrow type, for error messages.
    write : callable
        Returns the rows of an array of trees or sequences as an Arrow array.
    read : callable
        Returns the columns of an Arrow array of rows, given the offsets of the items.
    sizes : tuple of str
        Names of the sizes of id spaces, which become metadata.
    """

    expected: str
    write: Callable[[Any], Any]
    read: Callable[[Any, np.ndarray], dict[str, Any]]
    sizes: tuple[str, ...]


def import_pyarrow() -> Any:
    """Return the module ``pyarrow``.

    Raises
    ------
    ImportError
        If it is not installed. The message has the command that installs it.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError('Arrow arrays need pyarrow: pip install "sklearn-tree[arrow]"') from error
    return pyarrow


def to_arrow(array: Any, layout: ArrowLayout) -> Any:
    """Return an array of trees or sequences as a ``pyarrow.LargeListArray`` that shares its memory.

    Raises
    ------
    ValueError
        If the array has vectors of words, which an Arrow array has no place for.
    """
    pa = import_pyarrow()
    if array.vectors is not None:
        raise ValueError("an array with vectors cannot be converted to Arrow: call replace(vectors=None)")
    rows, sizes = layout.write(array), {name: getattr(array, name) for name in layout.sizes}
    metadata = {_PREFIX + name: str(size) for name, size in sizes.items() if size is not None}
    field = pa.field("item", rows.type, nullable=False, metadata=metadata)
    return pa.LargeListArray.from_arrays(pa.array(array.offsets), rows, type=pa.large_list(field))


def from_arrow(array: Any, layout: ArrowLayout) -> dict[str, Any]:
    """Return the columns of an array of trees or sequences by name.

    Parameters
    ----------
    array : pyarrow.Array, pyarrow.ChunkedArray or object with an Arrow stream
        The lists.
    layout : ArrowLayout
        Layout of their rows.

    Raises
    ------
    TypeError
        If the array is not an Arrow array or has another type.
    ValueError
        If an entry is null; the message gives its row. If the array is damaged.
    """
    array = _as_array(array)
    if not is_list(array.type):
        raise TypeError(f"array must have the Arrow type {layout.expected}, got {array.type}")
    if array.null_count:
        raise ValueError(f"array[{_first_null(array)}] is null: leave the row out")
    rows, offsets = _rows_of(array)
    metadata = _read_sizes(array.type.value_field.metadata or {}, layout.sizes)
    try:
        columns = layout.read(rows, offsets)
    except _WrongTypeError as error:
        raise TypeError(f"array must have the Arrow type {layout.expected}, got {array.type}") from error
    with_texts = {name for name in ("vocabulary", "edge_vocabulary") if columns.get(name) is not None}
    return columns | {k: v for k, v in metadata.items() if _VOCABULARIES[k] not in with_texts}


_VOCABULARIES = {"n_labels": "vocabulary", "n_edge_labels": "edge_vocabulary"}


class _WrongTypeError(TypeError):
    """An Arrow array of rows has an unexpected type."""


def _as_array(array: Any) -> Any:
    pa = import_pyarrow()
    if not isinstance(array, (pa.Array, pa.ChunkedArray)):
        if not hasattr(array, "__arrow_c_stream__"):
            raise TypeError(f"array must be a pyarrow Array or ChunkedArray, got {type(array).__name__}")
        array = pa.chunked_array(array)
    try:
        array.validate(full=True)
        if not isinstance(array, pa.ChunkedArray):
            return array
        if is_list(array.type):  # offsets of 64 bits, since the chunks may have 2**31 rows together
            array = array.cast(pa.large_list(array.type.value_field))
        return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    except pa.ArrowInvalid as error:
        raise ValueError(f"array is not a valid Arrow array: {error}") from error


def is_list(dtype: Any) -> bool:
    """Return whether an Arrow type is a list, large list or list of fixed size."""
    types = import_pyarrow().types
    return types.is_list(dtype) or types.is_large_list(dtype) or types.is_fixed_size_list(dtype)


def _rows_of(array: Any) -> tuple[Any, np.ndarray]:
    """Return the rows of all lists of an array, and the offsets of the lists from 0."""
    pa = import_pyarrow()
    if not len(array):
        return array.values[:0], np.zeros(1, dtype=np.int64)
    if pa.types.is_fixed_size_list(array.type):
        return array.flatten(), np.arange(len(array) + 1) * array.type.list_size
    offsets = array.offsets.to_numpy().astype(np.int64, copy=False)
    start, end = offsets[0], offsets[-1]
    return array.values[start:end], offsets - start if start else offsets


def _read_sizes(metadata: dict[bytes, bytes], names: tuple[str, ...]) -> dict[str, int]:
    sizes = {}
    for name in names:
        text = metadata.get(f"{_PREFIX}{name}".encode())
        if text is not None:
            if not (text.isdigit() and len(text) < 11 and int(text) <= _MAX_SIZE):
                raise ValueError(f"{name} in the metadata must be an int in [0, 2**31], got {text!r:.40}")
            sizes[name] = int(text)
    return sizes


def _first_null(array: Any) -> int:
    return int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])


def _refuse_nulls(column: Any, offsets: np.ndarray, noun: str) -> None:
    if column.null_count:
        raise ValueError(f"array[{find_row(offsets, _first_null(column))}] has a {noun} that is null")


# Columns of codes.


def _write_codes(codes: Any, vocabulary: np.ndarray | None) -> Any:
    """Return ids as an array of int32, and texts as an array with a dictionary."""
    pa = import_pyarrow()
    column = pa.array(np.asarray(codes, dtype=np.int32))
    if vocabulary is None:
        return column
    try:
        texts = pa.array(vocabulary.tolist(), pa.string())
    except UnicodeEncodeError as error:
        raise ValueError(f"labels must be valid Unicode to be converted to Arrow: {error}") from error
    return pa.DictionaryArray.from_arrays(column, texts)


def _read_codes(column: Any, offsets: np.ndarray, noun: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return codes and their vocabulary, which is None for ids."""
    types = import_pyarrow().types
    _refuse_nulls(column, offsets, noun)
    if types.is_dictionary(column.type) and not is_text(column.type.value_type):
        column = column.dictionary_decode()
    if types.is_integer(column.type):
        return column.to_numpy(), None
    if is_text(column.type):
        column = column.dictionary_encode()
    if not types.is_dictionary(column.type):
        raise _WrongTypeError
    return column.indices.to_numpy(), column.dictionary.to_numpy(zero_copy_only=False)


def is_text(dtype: Any) -> bool:
    """Return whether an Arrow type is a string, large string or string view."""
    types = import_pyarrow().types
    return types.is_string(dtype) or types.is_large_string(dtype) or types.is_string_view(dtype)


# Nodes of trees.


def _write_nodes(trees: Any) -> Any:
    pa = import_pyarrow()
    columns = {"label": _write_codes(trees.labels, trees.vocabulary), "depth": pa.array(trees.depths)}
    if trees.values is not None:
        columns["value"] = pa.array(np.asarray(trees.values), from_pandas=False)
    if trees.edges is not None:
        columns["edge"] = _write_codes(trees.edges, trees.edge_vocabulary)
    fields = [pa.field(name, column.type, nullable=False) for name, column in columns.items()]
    return pa.StructArray.from_arrays(list(columns.values()), fields=fields)


def _read_nodes(rows: Any, offsets: np.ndarray) -> dict[str, Any]:
    types = import_pyarrow().types
    names = {field.name for field in rows.type} if types.is_struct(rows.type) else set()
    if not ({"label", "depth"} <= names <= _NODE_FIELDS and types.is_integer(rows.field("depth").type)):
        raise _WrongTypeError
    _refuse_nulls(rows, offsets, "node")
    _refuse_nulls(rows.field("depth"), offsets, "depth")
    labels, vocabulary = _read_codes(rows.field("label"), offsets, "label")
    columns = {"labels": labels, "vocabulary": vocabulary, "depths": rows.field("depth").to_numpy()}
    if "value" in names:
        columns["values"] = _read_values(rows.field("value"))
    if "edge" in names:
        edges = _without_null_edges(rows.field("edge"))
        columns["edges"], columns["edge_vocabulary"] = _read_codes(edges, offsets, "edge")
    return {**columns, "offsets": offsets}


def _read_values(column: Any) -> np.ndarray:
    """Return values with NaN for nulls."""
    types = import_pyarrow().types
    if not (types.is_floating(column.type) or types.is_integer(column.type) or types.is_boolean(column.type)):
        raise _WrongTypeError
    return column.to_numpy(zero_copy_only=False)


def _without_null_edges(column: Any) -> Any:
    """Return edge labels with the empty text or id 0 for nulls."""
    if not column.null_count:
        return column
    if import_pyarrow().types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.fill_null("" if is_text(column.type) else 0)


# Steps of sequences.


def _write_steps(sequences: Any) -> Any:
    pa = import_pyarrow()
    if sequences.is_tokens:
        return _write_codes(sequences.values, sequences.vocabulary)
    values = np.asarray(sequences.values)
    if not values.shape[1]:
        raise ValueError("series must have at least one channel to be converted to Arrow, got 0")
    field = pa.field("channel", pa.from_numpy_dtype(values.dtype), nullable=False)
    numbers = pa.array(values.ravel(), from_pandas=False)
    return pa.FixedSizeListArray.from_arrays(numbers, type=pa.list_(field, values.shape[1]))


def _read_steps(rows: Any, offsets: np.ndarray) -> dict[str, Any]:
    types = import_pyarrow().types
    _refuse_nulls(rows, offsets, "step")
    if types.is_floating(rows.type):
        return {"values": rows.to_numpy()[:, None], "offsets": offsets}
    if is_list(rows.type):
        return {"values": _read_channels(rows, offsets), "offsets": offsets}
    values, vocabulary = _read_codes(rows, offsets, "step")
    return {"values": values, "vocabulary": vocabulary, "offsets": offsets}


def _read_channels(rows: Any, offsets: np.ndarray) -> np.ndarray:
    """Return the channels of all steps, ndarray of float, shape (n_steps, n_channels)."""
    numbers, bounds = _rows_of(rows)
    if not import_pyarrow().types.is_floating(numbers.type):
        raise _WrongTypeError
    if numbers.null_count:
        step = find_row(bounds, _first_null(numbers))
        raise ValueError(f"array[{find_row(offsets, step)}] has a channel that is null")
    sizes = np.diff(bounds)
    n_channels = int(sizes[0]) if len(sizes) else getattr(rows.type, "list_size", 1)
    for step in np.flatnonzero(sizes != n_channels)[:1]:
        raise ValueError(
            f"array[{find_row(offsets, step)}] must have {n_channels} channels like the first step, "
            f"got {sizes[step]}"
        )
    return numbers.to_numpy().reshape(len(rows), n_channels)


TREES = ArrowLayout(
    expected="list<struct<label: string or int, depth: int[, value: float][, edge: string or int]>>",
    write=_write_nodes,
    read=_read_nodes,
    sizes=("n_labels", "n_edge_labels"),
)
SEQUENCES = ArrowLayout(
    expected="list<string>, list<int>, list<float> or list<fixed_size_list<float>>",
    write=_write_steps,
    read=_read_steps,
    sizes=("n_labels",),
)
