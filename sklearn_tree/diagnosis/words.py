"""Checks of the vocabulary: unknown words, and words that occur in a single sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.containers import to_numpy
from sklearn_tree.diagnosis.case import Case
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.diagnosis.samples import Samples
from sklearn_tree.trees.flat import PAD_ID, UNKNOWN_ID

MAX_UNKNOWN = 0.25  # every fourth word: a window of four words then holds an unknown one on average
MAX_SINGLE = 1 / 3  # as in the definition of an open vocabulary, but of all positions, not of distinct words

_LEARN_MORE = (
    "Fit the vocabulary on more samples, lower min_df, or pass embeddings with vectors of the words."
)
_LEARN_LESS = (
    'Join rare words: SequenceVectorizer or TreeVectorizer with min_df=2, lowercase=True or split="words"; '
    "or pass embeddings."
)


def check_words(case: Case) -> Iterator[Finding]:
    """Find samples of unknown words, and vocabularies of words that hardly recur."""
    if not case.samples.item_kind.has_labels:
        return
    for name, samples in (("X", case.samples), ("X_val", case.validation)):
        share = 0.0 if samples is None else find_unknown_share(samples)
        if share > MAX_UNKNOWN:
            finding = f"Many words or labels of {name} are not in the vocabulary."
            yield Finding(
                name="unknown_words",
                finding=finding,
                figure=f"{share:.0%} of the positions are unknown",
                suggestion=_LEARN_MORE,
            )
    single = find_single_share(case.samples)
    if single > MAX_SINGLE:
        yield Finding(
            name="unknown_words",
            finding="Most words or labels are too rare to be learned: the vocabulary is too large.",
            figure=f"{single:.0%} of the positions of X have a word that occurs in no other sample",
            suggestion=_LEARN_LESS,
        )


def find_unknown_share(samples: Samples) -> float:
    """Return the share of unknown ids among the positions with a label."""
    ids = to_numpy(samples.items.codes)
    return float((ids == UNKNOWN_ID).sum() / max((ids != PAD_ID).sum(), 1))


def find_single_share(samples: Samples) -> float:
    """Return the share of the known positions whose label occurs in a single sample."""
    items = samples.items
    counts = samples.item_kind.count_labels(items, items.n_labels or 0)
    n_samples = np.bincount(counts.indices, minlength=counts.shape[1])
    n_positions = counts.sum(axis=0)
    return float(n_positions[n_samples == 1].sum() / max(n_positions.sum(), 1))
