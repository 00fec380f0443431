"""Samples that a vectorizer has encoded, or should have."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from sklearn_tree.trees.flat import PAD_ID, UNKNOWN_ID

_is_quiet = ContextVar("_is_quiet", default=False)  # unlike warnings.catch_warnings, of one thread only


class NotEncodedError(ValueError):
    """Texts or raw trees were passed to a net fitted on ids."""


@contextmanager
def no_warnings_of_unknown() -> Iterator[None]:
    """Read samples in the block without warnings about unknown tokens, in this thread."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def warn_of_unknown(ids: np.ndarray, offsets: np.ndarray) -> None:
    """Warn if at least half of the tokens or labels are unknown in at least a tenth of the samples.

    Parameters
    ----------
    ids : ndarray of int, shape (n_total,)
        Ids of the tokens or labels of all samples.
    offsets : ndarray of int, shape (n_samples + 1,)
        Bounds of the samples in ``ids``.
    """
    if _is_quiet.get():
        return
    totals = np.zeros((2, len(ids) + 1), dtype=np.int64)
    np.cumsum([ids == UNKNOWN_ID, ids != PAD_ID], axis=1, out=totals[:, 1:])
    n_unknown, n_tokens = np.diff(totals[:, offsets])
    rows = np.flatnonzero((n_unknown > 0) & (2 * n_unknown >= n_tokens))
    if len(rows) and 10 * len(rows) >= len(n_tokens):
        warnings.warn(
            f"at least half of the tokens are unknown in {len(rows)} of {len(n_tokens)} samples, the first "
            f"of which is X[{rows[0]}]: such predictions are hardly better than a guess; fit on more samples "
            "or with word_dropout",
            stacklevel=3,
        )
