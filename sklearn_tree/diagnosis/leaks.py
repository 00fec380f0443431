"""Check of leaks: a single word, label or column that determines the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_tree.diagnosis.case import Case, count_classes
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.drawing import cut
from sklearn_tree.preprocessing.vocabulary import invert_vocabulary

MIN_CLASS = 10  # samples: a word separates few samples by accident
PERFECT = 0.995  # recall and specificity; the rest may be errors of the targets
PERFECT_CORRELATION = 0.9999  # of a column and a number to be predicted

_LONGEST = 40  # characters of a word
_N_NAMED = 3  # words


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
    """Describe words or labels whose presence is equivalent to the classes; empty if there are none."""
    samples = case.train
    n_sides = len(samples.items) // len(samples)
    counts = samples.item_kind.count_labels(samples.items, samples.items.n_labels or 0)
    for side in range(n_sides if counts.shape[1] else 0):
        present = (counts[side::n_sides] > 0).astype(np.float64)
        for column in list_targets(case):
            words = _match_words(present, column)
            if words:
                names = ", ".join(name_word(case, word) for word in words[:_N_NAMED])
                return f"the presence of {names}{', ...' if len(words) > _N_NAMED else ''}"
    return ""


def _match_words(present: Any, column: np.ndarray) -> list[int]:
    """Return a word for each class, which occurs in this class only or in all others only.

    Empty unless all classes have one.
    """
    words = []
    for number in np.unique(column[column >= 0]):
        is_class = (column == number).astype(np.float64)
        is_other = ((column != number) & (column >= 0)).astype(np.float64)
        gap = np.abs(present.T @ is_class / is_class.sum() - present.T @ is_other / is_other.sum())
        if gap.max() < 2 * PERFECT - 1:
            return []
        words.append(int(gap.argmax()))
    return list(dict.fromkeys(words))


def list_targets(case: Case) -> list[np.ndarray]:
    """Return the columns of encoded classes that have at least two large classes; -1 for small classes."""
    columns = []
    for column, counts in zip(case.train.columns.T, count_classes(case.net, case.train), strict=False):
        kept = counts >= MIN_CLASS
        column = column.astype(np.int64)
        columns += [np.where(kept[column], column, -1)] if kept.sum() > 1 else []
    return columns


def name_word(case: Case, index: int) -> str:
    """Return a label as a text, or its id without a vocabulary."""
    readers = [case.net.kind_.vectorizer, *case.steps[::-1]]
    vocabulary = next((v for reader in readers if (v := getattr(reader, "vocabulary_", None))), None)
    if vocabulary is None:
        return f"id {index}"
    return repr(cut(str(invert_vocabulary(vocabulary)[index]), _LONGEST))


def find_column(case: Case) -> str:
    """Describe a number of each sample that separates the classes or determines the target."""
    numbers = case.train.read_numbers()
    if numbers is None or len(numbers) < 2 * MIN_CLASS:
        return ""
    flat = numbers.reshape(len(numbers), -1)
    found = [_separates(flat, column) for column in list_targets(case)]
    if not count_classes(case.net, case.train):
        found = [_correlate(flat, column) >= PERFECT_CORRELATION for column in case.train.columns.T]
    columns = [np.flatnonzero(is_found) for is_found in found if is_found.any()]
    return name_number(case, int(columns[0][0]), numbers.shape) if columns else ""


def name_number(case: Case, index: int, shape: tuple[int, ...]) -> str:
    """Return the name or position of a number of a sample."""
    if len(shape) == 2 and (names := getattr(case.net.kind_, "feature_names_in_", None)) is not None:
        return f"the column {cut(str(names[index]), _LONGEST)!r}"
    position = np.unravel_index(index, shape[1:])
    return f"X[:, {', '.join(str(int(i)) for i in position)}]"


def _separates(flat: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return whether the classes have disjoint intervals of numbers, for each column of the samples."""
    parts = [flat[column == number] for number in np.unique(column[column >= 0])]
    lows, highs = (np.array([f(part, axis=0) for part in parts]) for f in (np.min, np.max))
    order = np.argsort(lows, axis=0)
    lows, highs = (np.take_along_axis(ends, order, axis=0) for ends in (lows, highs))
    return np.asarray((lows[1:] > highs[:-1]).all(axis=0))


def _correlate(flat: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the absolute correlation of each column with a target."""
    x, y = flat - flat.mean(axis=0), target - target.mean()
    norms = np.sqrt((x**2).sum(axis=0) * (y**2).sum())
    return np.abs(y @ x) / np.maximum(norms, np.finfo(float).tiny)
