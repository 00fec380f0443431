"""Vocabularies that map labels and tokens to ids."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral

import numpy as np

from sklearn_tree.trees.flat import N_RESERVED_IDS, PAD_ID, UNKNOWN_ID
from sklearn_tree.trees.sorting import stable_argsort
from sklearn_tree.validation import POSITIVE_INT, Interval, RealNotInt

PAD_TOKEN = "<pad>"  # noqa: S105
UNKNOWN_TOKEN = "<unk>"  # noqa: S105

VOCABULARY_CONSTRAINTS: dict = {
    "min_df": [POSITIVE_INT, Interval(RealNotInt, 0.0, 1.0, closed="both")],
    "max_features": [POSITIVE_INT, None],
    "lowercase": ["boolean"],
}


def learn_vocabulary(
    codes: np.ndarray,
    rows: np.ndarray,
    names: Iterable[str],
    n_rows: int,
    *,
    min_df: int | float,
    max_features: int | None,
) -> dict[str, int]:
    """Select labels by their frequencies and number them.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Labels as positions in ``names``.
    rows : ndarray of int, shape (n,)
        Sample in which each label occurs, in ascending order.
    names : iterable of str
        The labels; equal ones are counted together.
    n_rows : int
        Number of samples.
    min_df : int or float
        Minimum number of samples in which a label must occur, or fraction of the samples if a float.
    max_features : int or None
        Maximum number of labels; the most frequent ones are kept.

    Returns
    -------
    dict of str to int
        The reserved tokens, followed by the selected labels in sorted order.
    """
    numbers: dict[str, int] = {}
    table = [numbers.setdefault(name, len(numbers)) for name in names]
    labels, distinct = np.array(table, dtype=np.int64)[codes], list(numbers)
    size = max(len(distinct), 1)
    document_frequencies = _count_documents(labels, rows, size)
    counts = np.bincount(labels, minlength=size)
    smallest = min_df if isinstance(min_df, Integral) else min_df * n_rows
    kept = np.flatnonzero((document_frequencies >= smallest) & (counts > 0))
    if max_features is not None and len(kept) > max_features:
        kept = np.array(sorted(kept, key=lambda k: (-counts[k], distinct[k]))[:max_features])
    return build_vocabulary(sorted(distinct[k] for k in kept))


def _count_documents(labels: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    order = stable_argsort(labels)  # the rows of one label stay in order
    labels, rows = labels[order], rows[order]
    is_first = np.ones(len(labels), dtype=bool)
    is_first[1:] = (labels[1:] != labels[:-1]) | (rows[1:] != rows[:-1])
    return np.bincount(labels[is_first], minlength=size)


def build_vocabulary(names: Iterable[str]) -> dict[str, int]:
    """Map the two reserved tokens to 0 and 1 and the names to 2, 3, ..."""
    reserved = {PAD_TOKEN: PAD_ID, UNKNOWN_TOKEN: UNKNOWN_ID}
    names = [name for name in names if name not in reserved]
    return {**reserved, **{name: i for i, name in enumerate(names, start=N_RESERVED_IDS)}}


def look_up(names: Iterable[str], vocabulary: dict[str, int]) -> np.ndarray:
    """Return the ids of names, ndarray of int32, shape (n_names,).

    A name that is not in the vocabulary gets id 1, or 0 if it is empty.
    """
    ids = [vocabulary.get(name, UNKNOWN_ID if name else PAD_ID) for name in names]
    return np.array(ids, dtype=np.int32)


def lower(names: Iterable[str]) -> np.ndarray:
    """Return names in lower case, ndarray of object, shape (n_names,)."""
    return np.array([name.lower() for name in names], dtype=object)


def invert_vocabulary(vocabulary: dict[str, int]) -> np.ndarray:
    """Return the text of each id, ndarray of object; the text of id 0 is empty."""
    texts = np.array(list(vocabulary), dtype=object)
    texts[PAD_ID] = ""
    return texts
