"""Check of duplicates: copies in the held-out samples, and equal samples with different targets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import Case, compute_score
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.diagnosis.samples import Samples

MAX_COPIES = 0.05  # of the held-out samples, more than among X: a score differs by up to as much
MAX_REPEATS = 0.5  # of the samples: most held-out samples then measure memory
MAX_CONFLICTS = 0.05  # of the samples: they bound the score of every model
MAX_SPREAD = 0.1  # standard deviations between the targets of equal samples of a regression
MIN_NEW = 20  # held-out samples without a copy; fewer do not have a score


def check_duplicates(case: Case) -> Iterator[Finding]:
    """Find samples that occur more than once."""
    keys = case.samples.digest()
    repeated = find_repeats(keys)
    conflicts = find_conflicts(case.samples, keys)
    if conflicts.mean() > MAX_CONFLICTS:
        yield Finding(
            name="duplicates",
            finding="Equal samples have different targets.",
            figure=f"{conflicts.sum()} of {len(conflicts)} samples, the first of which is "
            f"X[{conflicts.argmax()}]",
            suggestion="Correct the targets, or add to the samples what distinguishes them.",
        )
    if case.validation is None:
        if repeated > MAX_REPEATS:
            figure = f"{repeated:.0%} of the samples have a copy in X"
            yield _report("Most samples occur more than once, so held-out parts of X contain copies.", figure)
        return
    is_copy = np.isin(case.validation.digest(), keys)
    share = is_copy.mean()
    if share > MAX_REPEATS or share > MAX_COPIES + repeated:
        figure = f"{share:.0%} of X_val is in X, where {repeated:.0%} of the samples have a copy"
        yield _report("Held-out samples are copies of training samples.", figure)
        yield from check_copied_score(case, is_copy)


def check_copied_score(case: Case, is_copy: np.ndarray) -> Iterator[Finding]:
    """Find a held-out score that is high because of copies."""
    assert case.validation is not None
    rows = case.validation_rows
    parts = [rows[is_copy[rows]], rows[~is_copy[rows]]]
    if min(map(len, parts)) < MIN_NEW:
        return
    copied, new = (compute_score(case.net, case.validation.take(part)) for part in parts)
    if copied - new > MAX_COPIES + 1 / np.sqrt(len(parts[1])):  # two standard errors at most
        yield Finding(
            name="leak",
            finding="The score on X_val is too high, because the net knows a part of X_val.",
            figure=f"score {copied:.2f} on copies of training samples, {new:.2f} on the others",
            suggestion="Report the score on the samples that are not in X.",
        )


def find_repeats(keys: list[bytes]) -> float:
    """Return the share of samples that are equal to another one."""
    _, counts = np.unique(keys, return_counts=True)
    return float(counts[counts > 1].sum() / len(keys))


def find_conflicts(samples: Samples, keys: list[bytes]) -> np.ndarray:
    """Return whether each sample is equal to another one with a different target, bool."""
    _, groups = np.unique(keys, return_inverse=True)
    conflicts = np.zeros(len(keys), dtype=bool)
    for column in samples.columns.T:
        largest, smallest = np.full((2, len(keys)), -np.inf)
        np.maximum.at(largest, groups, column)
        np.maximum.at(smallest, groups, -column)
        conflicts |= (largest + smallest)[groups] > MAX_SPREAD  # classes differ by 1 at least
    return conflicts


def _report(finding: str, figure: str) -> Finding:
    return Finding(
        name="duplicates",
        finding=finding,
        figure=figure,
        suggestion="Remove the copies before the split, or split by groups (GroupShuffleSplit).",
    )
