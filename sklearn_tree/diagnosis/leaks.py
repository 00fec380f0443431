"""Check of leaks: a single word, label or column that determines the target."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import Case, count_classes
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.diagnosis.samples import Samples
from sklearn_tree.drawing import cut
from sklearn_tree.preprocessing.vocabulary import invert_vocabulary

MIN_CLASS = 10  # samples: a word separates few samples by accident
PERFECT = 0.995  # recall and specificity; the rest may be errors of the targets
PERFECT_CORRELATION = 0.9999  # of a column and a number to be predicted

_LONGEST = 40  # characters of a word


def check_leak(case: Case) -> Iterator[Finding]:
    """Find a single word or column from which the targets can be read."""
    find = find_word if case.train.item_kind.has_labels else find_column
    found = find(case)
    if found:
        yield Finding(
            name="leak",
            finding=f"The target can be read from {found}.",
            figure=f"in {len(case.train)} samples with at most {1 - PERFECT:.1%} exceptions",
            suggestion="Check whether it is known when predictions are made: if not, remove it; if so, the "
            "task needs no net.",
        )


def find_word(case: Case) -> str:
    """Describe a word or label whose presence is equivalent to a class; empty if there is none."""
    samples = case.train
    items = samples.items
    counts = samples.item_kind.count_labels(items, items.n_labels or 0)
    for side in range(len(items) // len(samples)):
        present = (counts[side :: len(items) // len(samples)] > 0).astype(np.float64)
        for is_class in list_classes(case, samples):
            n_in, n_out = present.T @ is_class, present.T @ ~is_class
            share_in, share_out = n_in / is_class.sum(), n_out / (~is_class).sum()
            gap = np.abs(share_in - share_out)
            if len(gap) and gap.max() >= 2 * PERFECT - 1:
                return f"the presence of {name_word(case, int(gap.argmax()))}"
    return ""


def list_classes(case: Case, samples: Samples) -> list[np.ndarray]:
    """Return which samples have a class, for each class that has enough samples inside and outside; bool."""
    classes = []
    for column, counts in zip(samples.columns.T, count_classes(case.net, samples), strict=False):
        kept = (counts >= MIN_CLASS) & (counts.sum() - counts >= MIN_CLASS)
        classes += [column == i for i in np.flatnonzero(kept)]
    return classes


def name_word(case: Case, index: int) -> str:
    """Return a label as a text, or its id without a vocabulary."""
    readers = [case.net.kind_.vectorizer, *case.steps[::-1]]
    vocabulary = next((v for reader in readers if (v := getattr(reader, "vocabulary_", None))), None)
    return (
        f"id {index}"
        if vocabulary is None
        else repr(cut(str(invert_vocabulary(vocabulary)[index]), _LONGEST))
    )


def find_column(case: Case) -> str:
    """Describe a number of each sample that separates the classes or determines the target."""
    numbers = case.train.read_numbers()
    if numbers is None or len(numbers) < 2 * MIN_CLASS:
        return ""
    flat = numbers.reshape(len(numbers), -1)
    found = [_correlate(flat, column) >= PERFECT_CORRELATION for column in case.train.columns.T]
    found = [_separates(flat, is_class) for is_class in list_classes(case, case.train)] or found
    columns = [np.flatnonzero(is_found) for is_found in found if is_found.any()]
    return name_number(case, int(columns[0][0]), numbers.shape) if columns else ""


def name_number(case: Case, index: int, shape: tuple[int, ...]) -> str:
    """Return the name or position of a number of a sample."""
    if len(shape) == 2 and (names := getattr(case.net.kind_, "feature_names_in_", None)) is not None:
        return f"the column {cut(str(names[index]), _LONGEST)!r}"
    position = np.unravel_index(index, shape[1:])
    return f"X[:, {', '.join(str(int(i)) for i in position)}]"


def _separates(flat: np.ndarray, is_class: np.ndarray) -> np.ndarray:
    """Return whether each column is larger, or smaller, for one class than for all others."""
    inside, outside = flat[is_class], flat[~is_class]
    return (inside.min(0) > outside.max(0)) | (inside.max(0) < outside.min(0))


def _correlate(flat: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the absolute correlation of each column with a target."""
    x, y = flat - flat.mean(axis=0), target - target.mean()
    norms = np.sqrt((x**2).sum(axis=0) * (y**2).sum())
    return np.abs(y @ x) / np.maximum(norms, np.finfo(float).tiny)
