"""Files of columns in the safetensors format, which are memory-mapped."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_tree.trees.codes import find_row

_VERSION = "1"
_MAX_HEADER = 100_000_000  # bytes, as in safetensors
_MAX_SIZE = 1 << 31  # ids are stored in 32 bits
_DTYPES = {
    **{f"F{8 * n}": f"<f{n}" for n in (2, 4, 8)},
    **{f"{kind}{8 * n}": f"<{kind.lower()}{n}" for kind in "IU" for n in (1, 2, 4, 8)},
    "BOOL": "|b1",
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_ENDS = ".ends"  # suffix of the column with the ends of texts
_BLOCK_SIZE = 1 << 20  # rows that are validated together


_INTS, _FLOATS = frozenset({"<i4 1"}), frozenset(f"<f{n} 2" for n in (2, 4, 8))  # dtype and number of axes


@dataclass(frozen=True)
class FileLayout:
    """Layout of the files of a class of arrays.

    Attributes
    ----------
    kind : str
        Name of the class.
    rows : dict of str to frozenset of str
        Columns with an entry per row, such as a node, and their dtypes and numbers of axes: "<i4 1".
    vocabularies : dict of str to str
        Columns of texts by the name of their size.
    optional : frozenset of str
        Columns of ``rows`` that may be absent.
    """

    kind: str
    rows: dict[str, frozenset[str]]
    vocabularies: dict[str, str]
    optional: frozenset[str]

    @property
    def columns(self) -> dict[str, frozenset[str]]:
        """Dtypes of all columns; those with ``vectors`` and ``offsets`` do not have an entry per row."""
        texts = dict.fromkeys(self.vocabularies.values(), frozenset({"|O 1"}))
        return {"offsets": frozenset({"<i8 1"}), **self.rows, **texts, "vectors": _FLOATS}


TREES = FileLayout(
    kind="TreeArray",
    rows={
        **dict.fromkeys(("labels", "depths", "parents", "edges"), _INTS),
        "values": frozenset(f"{dtype} 1" for dtype in _DTYPES.values()),
    },
    vocabularies={"n_labels": "vocabulary", "n_edge_labels": "edge_vocabulary"},
    optional=frozenset({"values", "edges"}),
)
SEQUENCES = FileLayout(
    kind="RaggedArray",
    rows={"values": _INTS | _FLOATS},
    vocabularies={"n_labels": "vocabulary"},
    optional=frozenset(),
)


def save_array(array: Any, path: Path, layout: FileLayout) -> None:
    """Write the columns of an array of trees or sequences to a file.

    Parameters
    ----------
    array : TreeArray or RaggedArray
        The array.
    path : Path
        File to write.
    layout : FileLayout
        Layout of the file.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    TypeError
        If a column has a dtype that safetensors does not have.
    """
    try:
        from safetensors.numpy import save_file
    except ImportError as error:
        raise ImportError('files of arrays need safetensors: pip install "sklearn-tree[save]"') from error
    content: dict[str, np.ndarray] = {}
    for name in layout.columns:
        if (column := getattr(array, name)) is not None:
            column = np.asarray(column)
            is_text = column.dtype == object
            content |= _encode_texts(name, column) if is_text else {name: _as_plain(name, column)}
    sizes = json.dumps({name: getattr(array, name) for name in layout.vocabularies})
    save_file(content, path, {"format": _format_of(layout), "version": _VERSION, "sizes": sizes})


def _format_of(layout: FileLayout) -> str:
    return f"sklearn_tree.{layout.kind}"


def _as_plain(name: str, column: np.ndarray) -> np.ndarray:
    column = np.asarray(column, dtype=column.dtype.newbyteorder("="), order="C")
    if column.dtype not in _NAMES:
        raise TypeError(f"{name} must hold numbers of at most 64 bits to be saved, got {column.dtype}")
    return column


def _encode_texts(name: str, texts: np.ndarray) -> dict[str, np.ndarray]:
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts.tolist()]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return {name: np.frombuffer(b"".join(encoded), np.uint8), name + _ENDS: ends}


def open_array(cls: Any, path: str | os.PathLike, layout: FileLayout, *, mmap: bool, validate: bool) -> Any:
    """Return the array in a file.

    Parameters
    ----------
    cls : type
        TreeArray or RaggedArray.
    path : str or path-like
        File.
    layout : FileLayout
        Layout of the file.
    mmap : bool
        Whether to map the columns into memory instead of reading them.
    validate : bool
        Whether to check all rows, in blocks.

    Returns
    -------
    TreeArray or RaggedArray
        Its columns cannot be written to.

    Raises
    ------
    ValueError
        If the file is damaged or has another format.
    OSError
        If the file cannot be read.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise FileNotFoundError(f"{name} is not a file")
    data: Any = np.memmap(name, np.uint8, "r") if os.path.getsize(name) else np.zeros(0, np.uint8)
    try:
        columns, sizes = _read_columns(data, layout)
        _check_columns(columns, layout)
        if validate:
            _check_rows(cls, columns, sizes, layout)
        if not mmap:
            columns = {key: _to_memory(column) for key, column in columns.items()}
        return cls(**columns, **sizes, validate=False)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(f"{name} cannot be opened: {error}") from error


def _read_columns(
    data: np.ndarray, layout: FileLayout
) -> tuple[dict[str, np.ndarray], dict[str, int | None]]:
    header, start = _read_header(data)
    metadata = header.pop("__metadata__", {})
    if metadata.get("format") != _format_of(layout):
        raise ValueError(f"it is not a file of {layout.kind}.save")
    if metadata.get("version") != _VERSION:
        raise ValueError(f"format version {metadata.get('version')!r:.20} is not known")
    columns = {key: _view(data, start, key, entry) for key, entry in header.items()}
    for key in {*layout.vocabularies.values()} & columns.keys():
        columns[key] = _decode_texts(columns[key], columns.pop(key + _ENDS))
    return columns, _check_sizes(json.loads(metadata["sizes"]), layout)


def _read_header(data: np.ndarray) -> tuple[dict[str, Any], int]:
    """Return the header and the position of the first column."""
    length = int.from_bytes(data[:8].tobytes(), "little")
    if len(data) < 8 or length > min(len(data) - 8, _MAX_HEADER):
        raise ValueError(f"its header has {length} bytes, more than the file")
    header = json.loads(data[8 : 8 + length].tobytes().decode())
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    return header, 8 + length


def _view(data: np.ndarray, start: int, name: str, entry: dict[str, Any]) -> np.ndarray:
    """Return a column as a view of the file."""
    dtype, shape, (begin, end) = np.dtype(_DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
    if not all(type(n) is int and n >= 0 for n in (*shape, begin, end)) or len(shape) not in (1, 2):
        raise ValueError(f"column {name!r:.40} has the shape {shape!r:.40} at {[begin, end]!r:.40}")
    size = dtype.itemsize * shape[0] * (shape[1] if len(shape) == 2 else 1)
    if end > len(data) - start or begin + size != end:
        raise ValueError(f"column {name!r:.40} has {size} bytes at {[begin, end]!r:.60}")
    if (start + begin) % dtype.itemsize:
        raise ValueError(f"column {name!r:.40} is not aligned")
    # A plain array rather than a memmap: faster to index, and joblib still finds the file.
    return np.asarray(data[start + begin : start + end]).view(dtype).reshape(shape)


def _to_memory(column: np.ndarray) -> np.ndarray:
    if column.dtype == object:
        return column
    column = column.copy()
    column.flags.writeable = False
    return column


def _decode_texts(data: np.ndarray, ends: np.ndarray) -> np.ndarray:
    if data.dtype != np.uint8 or ends.dtype != np.int64 or data.ndim != 1 or ends.ndim != 1:
        raise ValueError("texts must be bytes and their ends")
    starts = np.concatenate([[0], ends])[:-1].astype(np.int64)
    if np.any(starts > ends) or np.any(starts < 0) or (ends[-1] if len(ends) else 0) != len(data):
        raise ValueError("the ends of texts must increase")
    content = data.tobytes()
    texts = np.empty(len(ends), dtype=object)
    for i, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        texts[i] = content[start:end].decode("utf-8", "surrogatepass")
    return texts


def _check_sizes(sizes: dict[str, Any], layout: FileLayout) -> dict[str, int | None]:
    if sizes.keys() != layout.vocabularies.keys():
        raise ValueError(f"its header must have the sizes {list(layout.vocabularies)}, got {sizes!r:.60}")
    for name, size in sizes.items():
        if size is not None and not (type(size) is int and 0 <= size <= _MAX_SIZE):
            raise ValueError(f"{name} must be an int in [0, 2**31], got {size!r:.40}")
    return sizes


def _check_columns(columns: dict[str, np.ndarray], layout: FileLayout) -> None:
    """Check the names, dtypes and lengths of columns, and the first and last offset."""
    if unknown := columns.keys() - layout.columns.keys():
        raise ValueError(f"column {min(unknown)!r:.40} is unknown")
    if missing := {"offsets", *layout.rows} - layout.optional - columns.keys():
        raise ValueError(f"column {min(missing)!r} is missing")
    for name, column in columns.items():
        if f"{column.dtype.str} {column.ndim}" not in layout.columns[name]:
            raise ValueError(f"column {name!r} has the dtype {column.dtype} and the shape {column.shape}")
    offsets = columns["offsets"]
    if not len(offsets) or offsets[0] != 0:
        raise ValueError("offsets must start at 0")
    for name in layout.rows.keys() & columns.keys():
        if len(columns[name]) != offsets[-1]:
            raise ValueError(f"column {name!r} must have {offsets[-1]} entries, got {len(columns[name])}")


def _check_rows(
    cls: Any, columns: dict[str, np.ndarray], sizes: dict[str, int | None], layout: FileLayout
) -> None:
    """Validate all rows in blocks, so that the memory needed does not depend on their number."""
    offsets, n_new = columns["offsets"], len(columns.get("vectors", ()))
    if np.any(offsets[1:] < offsets[:-1]):
        raise ValueError("offsets must never decrease")
    limits = {}
    for name, vocabulary in layout.vocabularies.items():
        size = len(columns[vocabulary]) if vocabulary in columns else sizes[name]
        limits[name] = None if size is None else size + (n_new if name == "n_labels" else 0)
    start, n = 0, len(offsets) - 1
    while start < n:
        stop = max(find_row(offsets, offsets[start] + _BLOCK_SIZE), start + 1)
        rows = slice(offsets[start], offsets[stop])
        block = {name: columns[name][rows] for name in layout.rows if name in columns}
        try:
            cls(**block, offsets=offsets[start : stop + 1] - offsets[start], **limits)
        except ValueError as error:
            raise ValueError(f"items {start} to {stop - 1}: {error}") from error
        start = stop
