"""Vocabularies that map labels and tokens to ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from sklearn_tree.trees.flat import N_RESERVED_IDS, PAD_ID, UNKNOWN_ID
from sklearn_tree.trees.sorting import stable_argsort
from sklearn_tree.validation import POSITIVE_INT, Interval, RealNotInt

PAD_TOKEN = "<pad>"  # noqa: S105
UNKNOWN_TOKEN = "<unk>"  # noqa: S105
_RESERVED = {PAD_TOKEN: PAD_ID, UNKNOWN_TOKEN: UNKNOWN_ID}

VOCABULARY_CONSTRAINTS: dict = {
    "min_df": [POSITIVE_INT, Interval(RealNotInt, 0.0, 1.0, closed="both")],
    "max_features": [POSITIVE_INT, None],
    "lowercase": ["boolean"],
}


class Frequencies:
    """Frequencies of labels in the samples of several calls of ``partial_fit``.

    Attributes
    ----------
    n_rows : int
        Number of samples.
    documents, counts : Counter
        Number of samples in which each label occurs, and number of its occurrences.
    limits : tuple or None
        ``min_df`` and ``max_features`` of the last selection of labels.
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self.limits: tuple | None = None
        self.documents: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def to_state(self) -> dict[str, Any]:
        """Return the frequencies as plain values."""
        return {"n_rows": self.n_rows, "documents": dict(self.documents), "counts": dict(self.counts)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Frequencies:
        """Rebuild the frequencies from the return value of :meth:`to_state`."""
        frequencies = cls()
        frequencies.n_rows = state["n_rows"]
        frequencies.documents.update(state["documents"])
        frequencies.counts.update(state["counts"])
        return frequencies

    def add(
        self, names: list[str], documents: np.ndarray, counts: np.ndarray, n_rows: int, limits: tuple
    ) -> tuple[list[str], np.ndarray, np.ndarray, int]:
        """Add the frequencies in further samples and return the labels that may be new in the vocabulary.

        Parameters
        ----------
        names : list of str
            Labels.
        documents, counts : ndarray of int, shape (n_labels,)
            Frequencies of the labels in the further samples.
        n_rows : int
            Number of further samples.
        limits : tuple
            ``min_df`` and ``max_features``.

        Returns
        -------
        candidates : list of str
            The labels of the further samples: with the limits of the last call, a label that was not selected
            then cannot be selected before it occurs again. All labels if the limits have changed.
        documents, counts : ndarray of int64, shape (n_candidates,)
            Frequencies of the candidates in all samples.
        n_rows : int
            Number of all samples.
        """
        self.n_rows += n_rows
        present = [names[i] for i in np.flatnonzero(counts)]
        for total, further in ((self.documents, documents), (self.counts, counts)):
            total.update(dict(zip(present, further[counts > 0].tolist(), strict=True)))
        candidates = present if limits == self.limits else list(self.counts)
        self.limits = limits
        columns = [
            np.array([total[name] for name in candidates], dtype=np.int64)
            for total in (self.documents, self.counts)
        ]
        return candidates, columns[0], columns[1], self.n_rows


def learn_vocabulary(
    codes: np.ndarray,
    rows: np.ndarray,
    names: Iterable[str],
    n_rows: int,
    *,
    min_df: int | float,
    max_features: int | None,
    known: dict[str, int] | None = None,
    seen: Frequencies | None = None,
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
    known : dict of str to int, default=None
        Vocabulary to extend.
    seen : Frequencies, default=None
        Frequencies in earlier samples, to which those in these samples are added.

    Returns
    -------
    dict of str to int
        The known vocabulary or the reserved tokens, followed by the selected labels in sorted order.
    """
    limits, numbers = (min_df, max_features), dict[str, int]()
    table = [numbers.setdefault(name, len(numbers)) for name in names]
    labels, distinct = np.array(table, dtype=np.int64)[codes], list(numbers)
    size = max(len(distinct), 1)
    document_frequencies = _count_documents(labels, rows, size)
    counts = np.bincount(labels, minlength=size)
    if seen is not None:
        distinct, document_frequencies, counts, n_rows = seen.add(
            distinct, document_frequencies[: len(distinct)], counts[: len(distinct)], n_rows, limits
        )
    smallest = min_df if isinstance(min_df, Integral) else min_df * n_rows
    known = known or _RESERVED
    kept = np.flatnonzero((document_frequencies >= smallest) & (counts > 0)).tolist()
    kept = [k for k in kept if distinct[k] not in known]
    if max_features is not None:
        n_free = max(max_features + N_RESERVED_IDS - len(known), 0)
        kept = sorted(kept, key=lambda k: (-counts[k], distinct[k]))[:n_free]
    return build_vocabulary(sorted(distinct[k] for k in kept), known)


def _count_documents(labels: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    order = stable_argsort(labels)  # the rows of one label stay in order
    labels, rows = labels[order], rows[order]
    is_first = np.ones(len(labels), dtype=bool)
    is_first[1:] = (labels[1:] != labels[:-1]) | (rows[1:] != rows[:-1])
    return np.bincount(labels[is_first], minlength=size)


def build_vocabulary(names: Iterable[str], known: dict[str, int] | None = None) -> dict[str, int]:
    """Extend a vocabulary, by default the two reserved tokens with the ids 0 and 1, by names in order.

    The vocabulary itself is returned if no name is new, so that its size does not matter then.
    """
    further = [name for name in names if name not in (known or _RESERVED)]
    if known and not further:
        return known
    known = known or _RESERVED
    return {**known, **{name: i for i, name in enumerate(further, start=len(known))}}


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
