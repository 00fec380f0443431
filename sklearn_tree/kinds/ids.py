"""Sizes of the id spaces of encoded samples."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from scipy.sparse import csr_array

from sklearn_tree.containers import to_numpy
from sklearn_tree.trees.codes import MAX_INFERRED_SIZE, find_row
from sklearn_tree.trees.flat import N_RESERVED_IDS


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
    is_known = (ids >= N_RESERVED_IDS) & (ids < n_labels)
    starts = np.r_[0, np.cumsum(is_known)][offsets]
    known = ids[is_known]
    counts = csr_array((np.ones(len(known)), known, starts), shape=(len(offsets) - 1, n_labels))
    counts.sum_duplicates()
    return counts


def is_open_vocabulary(counts: csr_array) -> bool:
    """Return whether at least a third of the ids occur in a single sample, given their counts."""
    n_samples = np.bincount(counts.indices)
    return bool(3 * np.count_nonzero(n_samples == 1) >= np.count_nonzero(n_samples) > 0)


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
