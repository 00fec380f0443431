"""Columns of labels stored as codes: positions in a vocabulary, or ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PAD_ID = 0  # no label: its embedding is zero
UNKNOWN_ID = 1  # a label that is not in the vocabulary
N_RESERVED_IDS = 2


def factorize(
    labels: Sequence, missing: str | None = None, noun: str = "labels"
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
    """
    types = set(map(type, labels)) - {type(None)}
    if types == {int}:
        return np.array([label or PAD_ID for label in labels], dtype=np.int32), None
    if not types <= {str}:
        wrong = next(label for label in labels if type(label) is not str)
        raise TypeError(f"{noun} must be all str or all int, got {wrong!r} ({type(wrong).__name__})")
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    codes = list(map(numbers.__getitem__, labels))
    texts = [missing if label is None else label for label in numbers]
    return np.array(codes, dtype=np.int32), np.array(texts, dtype=object)


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


def count_codes(codes: np.ndarray, vocabulary: np.ndarray | None) -> int:
    """Return the size of the smallest id space that holds the codes and the reserved ids."""
    return int(codes.max(initial=N_RESERVED_IDS - 1)) + 1 if vocabulary is None else len(vocabulary)


def as_vocabulary(texts: Sequence[str] | np.ndarray | None) -> np.ndarray | None:
    """Return texts as a new array of objects, and None as None."""
    return None if texts is None else np.array(texts, dtype=object)
