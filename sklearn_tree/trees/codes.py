"""Columns of labels stored as codes: positions in a vocabulary, or ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklearn_tree.trees.formats.excerpt import excerpt

PAD_ID = 0  # no label: its embedding is zero
UNKNOWN_ID = 1  # a label that is not in the vocabulary
N_RESERVED_IDS = 2
MAX_INFERRED_SIZE = 1 << 24  # of an id space, unless its ids are dense
_MAX_SPARSITY = 100  # ids per distinct id
_MAX_SIZE = 1 << 31  # ids are stored in 32 bits


def factorize(
    labels: Sequence,
    missing: str | None = None,
    noun: str = "labels",
    offsets: Sequence[int] | np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Number the distinct labels in order of appearance; int labels are ids and keep their values.

    Parameters
    ----------
    labels : sequence of str or of int
        The labels; some may be None.
    missing : str, default=None
        The text that replaces None among text labels. Among ids, None becomes 0.
    noun : str, default="labels"
        Plural noun for the labels, for error messages.
    offsets : sequence of int, shape (n_samples + 1,), default=None
        Positions at which samples begin and end, for error messages; None for one sample.

    Returns
    -------
    codes : ndarray of int32, shape (n_labels,)
        Positions in ``vocabulary``, or the ids themselves.
    vocabulary : ndarray of object, or None
        The distinct texts; None for ids.

    Raises
    ------
    TypeError
        If the labels are neither all str nor all int.
    ValueError
        If an id needs more than 32 bits. The message gives the row.
    """
    types = set(map(type, labels)) - {type(None)}
    if types == {int}:
        return _as_codes([label or PAD_ID for label in labels], offsets), None
    if not types <= {str}:
        wrong = next(label for label in labels if type(label) is not str)
        raise TypeError(f"{noun} must be all str or all int, got {wrong!r} ({type(wrong).__name__})")
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    codes = list(map(numbers.__getitem__, labels))
    texts = [missing if label is None else label for label in numbers]
    return np.array(codes, dtype=np.int32), np.array(texts, dtype=object)


def _as_codes(ids: list[int], offsets: Sequence[int] | np.ndarray | None) -> np.ndarray:
    try:
        return np.array(ids, dtype=np.int32)
    except OverflowError as error:
        i = next(i for i, label in enumerate(ids) if not -_MAX_SIZE <= label < _MAX_SIZE)
        row = find_row(offsets if offsets is not None else [0], i)
        raise ValueError(f"X[{row}] must hold ids < 2**31, got {excerpt(ids[i])}") from error


def find_row(offsets: Sequence[int] | np.ndarray, position: int) -> int:
    """Return the sample in which a position of a flat column is."""
    return int(np.searchsorted(offsets, position, side="right")) - 1


def merge_codes(
    columns: Sequence[tuple[np.ndarray, np.ndarray | None]],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Concatenate columns of codes and merge their vocabularies, if they have any.

    Parameters
    ----------
    columns : sequence of (ndarray of int, ndarray of object or None)
        Codes and vocabulary of each column.

    Returns
    -------
    codes : ndarray of int32
        The codes of all columns, as positions in ``vocabulary`` unless it is None.
    vocabulary : ndarray of object, or None
        The distinct texts; None if no column has a vocabulary.
    """
    vocabularies = [vocabulary for _, vocabulary in columns if vocabulary is not None]
    if not vocabularies:
        return concatenate_columns([codes for codes, _ in columns]), None
    numbers: dict[str, int] = {}
    merged = []
    for (codes, _), vocabulary in zip(columns, vocabularies, strict=True):
        table = [numbers.setdefault(label, len(numbers)) for label in vocabulary]
        merged.append(np.array(table, dtype=np.int32)[codes])
    return concatenate_columns(merged), np.array(list(numbers), dtype=object)


def concatenate_columns(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenate columns; no column at all gives an empty one."""
    return np.concatenate(columns) if columns else np.zeros(0, dtype=np.int32)


def decode(codes: np.ndarray, vocabulary: np.ndarray | None) -> list:
    """Return the texts of codes, or the ids if ``vocabulary`` is None, as a list."""
    return codes.tolist() if vocabulary is None else vocabulary[codes].tolist()


def are_columns_equal(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Return whether two columns are equal; NaN equals NaN, and None equals only None."""
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")


def count_codes(codes: np.ndarray, vocabulary: np.ndarray | None) -> int | None:
    """Return the size of the smallest id space that holds the codes and the reserved ids.

    It is None if an id is so large, and so much larger than the number of distinct ids, that a net with an
    embedding for every id would be a mistake; and for codes that are not in main memory.
    """
    if vocabulary is not None:
        return len(vocabulary)
    if not isinstance(codes, np.ndarray):
        return None
    size = int(codes.max(initial=N_RESERVED_IDS - 1)) + 1
    is_sparse = size > MAX_INFERRED_SIZE and size > _MAX_SPARSITY * len(np.unique(codes))
    return None if is_sparse else size


def merge_sizes(sizes: Sequence[int | None]) -> int | None:
    """Return the size of an id space that holds several others; None if one of them is not known."""
    known = [size for size in sizes if size is not None]
    return max(known) if len(known) == len(sizes) else None


def as_vocabulary(texts: Sequence[str] | np.ndarray | None) -> np.ndarray | None:
    """Return texts as a new array of objects, and None as None."""
    return None if texts is None else np.array(texts, dtype=object)
