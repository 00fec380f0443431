"""Vocabularies: which labels get an id, and which id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_tree.trees.flat import N_RESERVED_IDS, PAD_ID, UNKNOWN_ID
from sklearn_tree.validation import Interval, RealNotInt

PAD_TOKEN = "<pad>"  # noqa: S105
UNKNOWN_TOKEN = "<unk>"  # noqa: S105

VOCABULARY_CONSTRAINTS: dict = {
    "min_df": [Interval(Integral, 1, None, closed="left"), Interval(RealNotInt, 0.0, 1.0, closed="both")],
    "max_features": [Interval(Integral, 1, None, closed="left"), None],
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
    normalize: Callable[[str], str],
) -> dict[str, int]:
    """Choose the labels that are kept and number them.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Labels as positions in ``names``.
    rows : ndarray of int, shape (n,)
        Sample that each label stands in, never falling.
    names : iterable of str
        The distinct labels.
    n_rows : int
        Number of samples.
    min_df : int or float
        Labels in fewer samples (a count, or a share if a float) are dropped.
    max_features : int or None
        Only so many of the most frequent are kept.
    normalize : callable
        What is done to a name first (lower case, say).

    Returns
    -------
    dict of str to int
        The reserved tokens, then the labels kept, sorted.
    """
    numbers: dict[str, int] = {}
    table = [numbers.setdefault(normalize(name), len(numbers)) for name in names]
    labels, distinct = np.array(table, dtype=np.int64)[codes], list(numbers)
    size = max(len(distinct), 1)
    samples_with = _document_frequencies(labels, rows, size)
    counts = np.bincount(labels, minlength=size)
    least = min_df if isinstance(min_df, Integral) else min_df * n_rows
    kept = np.flatnonzero((samples_with >= least) & (counts > 0))
    if max_features is not None and len(kept) > max_features:
        kept = np.array(sorted(kept, key=lambda k: (-counts[k], distinct[k]))[:max_features])
    return with_reserved(sorted(distinct[k] for k in kept))


def _document_frequencies(labels: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    # Sorted by label, and in rising rows within one (numpy sorts 16 bits without comparing).
    order = np.argsort(labels.astype(np.uint16) if size <= 1 << 16 else labels, kind="stable")
    labels, rows = labels[order], rows[order]
    is_first = np.ones(len(labels), dtype=bool)
    is_first[1:] = (labels[1:] != labels[:-1]) | (rows[1:] != rows[:-1])
    return np.bincount(labels[is_first], minlength=size)


def with_reserved(names: Iterable[str]) -> dict[str, int]:
    """Number names behind the two reserved tokens."""
    reserved = {PAD_TOKEN: PAD_ID, UNKNOWN_TOKEN: UNKNOWN_ID}
    names = [name for name in names if name not in reserved]
    return {**reserved, **{name: i for i, name in enumerate(names, start=N_RESERVED_IDS)}}


def look_up(names: Any, vocabulary: dict[str, int], normalize: Callable[[str], str]) -> np.ndarray:
    """Return the id of each name, int32; an unknown "" is no label at all."""
    ids = [vocabulary.get(normalize(name), UNKNOWN_ID if name else PAD_ID) for name in names]
    return np.array(ids, dtype=np.int32)


def texts_of(vocabulary: dict[str, int]) -> np.ndarray:
    """Return the text of each id, ndarray of object; "" for "no label"."""
    texts = np.array(list(vocabulary), dtype=object)
    texts[PAD_ID] = ""
    return texts
