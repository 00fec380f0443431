"""Checks of the sizes of samples: truncated ones, and single huge ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_tree.containers import as_reusable
from sklearn_tree.diagnosis.case import Case
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer

MAX_TRUNCATED = 0.1  # a limit is meant for the few longest samples
HUGE = 50  # times the median: such a sample costs about as much as the rest of its batch of 64

_LIMITS = ("max_length", "max_nodes")


def check_truncated(case: Case) -> Iterator[Finding]:
    """Find vectorizers that truncate many samples."""
    X = as_reusable(case.raw)
    for step in case.steps:
        for limit in _LIMITS if isinstance(step, BaseVectorizer) else ():
            largest = getattr(step, limit, None)
            share = 0.0 if largest is None else _find_truncated_share(step, limit, X)
            if share > MAX_TRUNCATED:
                yield Finding(
                    name="truncated",
                    finding=f"{limit} of {type(step).__name__} cuts off many samples.",
                    figure=f"{share:.0%} of the samples are larger than {limit}={largest}",
                    suggestion=f"Raise {limit}, or shorten the samples to the part that matters.",
                )
        X = as_reusable(step.transform(X))


def _find_truncated_share(step: Any, limit: str, X: Any) -> float:
    unlimited = copy.copy(step)
    setattr(unlimited, limit, None)
    return float((unlimited.transform(X).sizes > getattr(step, limit)).mean())


def check_huge(case: Case) -> Iterator[Finding]:
    """Find single samples that cost as much as a batch of others."""
    sizes = case.samples.kind.n_positions(case.samples.encoded)
    median, row = max(float(np.median(sizes)), 1.0), int(sizes.argmax())
    if sizes[row] > HUGE * median:
        n = int((sizes > HUGE * median).sum())
        yield Finding(
            name="huge_samples",
            finding=f"{_count(n)} dominate{'s' if n == 1 else ''} the time and the memory of a batch.",
            figure=f"X[{row}] has {sizes[row]} positions, the median is {median:.0f}",
            suggestion="Limit the size with max_length or max_nodes of a vectorizer, or split the sample.",
        )


def _count(n: int) -> str:
    return "A single huge sample" if n == 1 else f"{n} huge samples"
