"""Sizes of the id spaces of encoded samples."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from scipy.sparse import csr_array

from sklearn_tree.containers import to_numpy
from sklearn_tree.trees.codes import MAX_INFERRED_SIZE, find_row
from sklearn_tree.trees.flat import N_RESERVED_IDS, UNKNOWN_ID


def count_ids(ids: Any, offsets: np.ndarray, n_labels: int) -> csr_array:
    """Count the ids of each sample.

    Parameters
    ----------
    ids : ndarray or Tensor of int, shape (n_positions,)
        Ids of all samples.
    offsets : ndarray of int, shape (n_samples + 1,)
        Positions at which samples begin and end.
    n_labels : int
        Size of the id space; larger ids count as unknown.

    Returns
    -------
    scipy.sparse.csr_array of float, shape (n_samples, n_labels)
        Counts without those of the reserved ids.
    """
    ids = to_numpy(ids)
    return _count(ids, _is_known(ids, n_labels), offsets, n_labels)


def count_bigrams(
    ids: Any, offsets: np.ndarray, n_labels: int, max_bigrams: int
) -> tuple[np.ndarray, csr_array]:
    """Count the pairs of successive known ids of each sample.

    Parameters
    ----------
    ids : ndarray or Tensor of int, shape (n_positions,)
        Ids of all samples.
    offsets : ndarray of int, shape (n_samples + 1,)
        Positions at which samples begin and end.
    n_labels : int
        Size of the id space; larger ids count as unknown.
    max_bigrams : int
        Number of bigrams to keep, the most frequent ones.

    Returns
    -------
    bigrams : ndarray of int64, shape (n_bigrams,)
        Bigrams in increasing order, as ``first_id * n_labels + second_id``.
    counts : scipy.sparse.csr_array of float, shape (n_samples, n_bigrams)
        Counts.
    """
    ids = to_numpy(ids).astype(np.int64)
    is_known = _is_known(ids, n_labels)
    is_bigram = is_known[:-1] & is_known[1:]
    is_bigram[offsets[(offsets > 0) & (offsets < len(ids))] - 1] = False  # these span two samples
    is_bigram = np.r_[is_bigram, np.zeros(min(len(ids), 1), dtype=bool)]
    codes = np.where(is_bigram, ids * n_labels + np.r_[ids[1:], 0][: len(ids)], -1)
    bigrams, index, n = np.unique(codes, return_inverse=True, return_counts=True)
    is_kept = bigrams >= 0
    if np.count_nonzero(is_kept) > max_bigrams:
        most_frequent_first = np.argsort(-np.where(is_kept, n, 0), kind="stable")
        is_kept[most_frequent_first[max_bigrams:]] = False
    columns = np.cumsum(is_kept) - 1
    counts = _count(columns[index], is_kept[index], offsets, int(is_kept.sum()))
    return bigrams[is_kept], counts


def _is_known(ids: np.ndarray, n_labels: int) -> np.ndarray:
    return (ids >= N_RESERVED_IDS) & (ids < n_labels)


def _count(columns: np.ndarray, is_counted: np.ndarray, offsets: np.ndarray, n_columns: int) -> csr_array:
    """Count the columns of each sample at the positions that count."""
    starts = np.r_[0, np.cumsum(is_counted)][offsets]
    counted = columns[is_counted]
    counts = csr_array((np.ones(len(counted)), counted, starts), shape=(len(offsets) - 1, n_columns))
    counts.sum_duplicates()
    return counts


def is_open_vocabulary(counts: csr_array, ids: Any) -> bool:
    """Return whether at least a third of the labels occur in a single sample.

    Parameters
    ----------
    counts : csr_array, shape (n_samples, n_labels)
        Return value of :func:`count_ids`.
    ids : ndarray or Tensor of int, shape (n_positions,)
        Ids of all samples. Each unknown one counts as a rare label of its own, since a vectorizer with a
        small ``min_df`` has made rare labels unknown. Frequent labels that ``max_features`` or a large
        ``min_df`` has cut are overcounted, so that such a vocabulary looks open.
    """
    n_samples = np.bincount(counts.indices)
    n_unknown = np.count_nonzero(to_numpy(ids) == UNKNOWN_ID)
    n_rare = np.count_nonzero(n_samples == 1) + n_unknown
    return bool(3 * n_rare >= np.count_nonzero(n_samples) + n_unknown > 0)


def refuse_sparse_ids(ids: Any, offsets: np.ndarray, parameter: str = "n_labels") -> NoReturn:
    """Raise the error for an id space whose size is not known because it is too sparse.

    Parameters
    ----------
    ids : ndarray or Tensor of int, shape (n_positions,)
        Ids of all samples.
    offsets : ndarray of int, shape (n_samples + 1,)
        Positions at which samples begin and end.
    parameter : str, default="n_labels"
        Parameter of the array with which the user can give the size.

    Raises
    ------
    ValueError
        Always; the message gives the row of the largest id.
    """
    ids = to_numpy(ids)
    row = find_row(offsets, int(ids.argmax()))
    raise ValueError(
        f"X[{row}] must hold ids < {MAX_INFERRED_SIZE} (2**24), got {ids.max()}, far more than "
        f"the number of distinct ids: let a vectorizer number the labels, or pass {parameter} to the array"
    )
