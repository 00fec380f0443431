"""Check of the sizes of the classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_tree.diagnosis.case import Case, count_classes
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.estimators.targets import MultiLabel

MIN_SAMPLES = 10  # of a class; with fewer, a held-out tenth has no sample of it
MAX_RATIO = 10  # of the largest to the smallest class; a net may then ignore the smallest at little loss


def check_classes(case: Case) -> Iterator[Finding]:
    """Find classes with few samples, and strong imbalance without class weights."""
    for column, counts in enumerate(count_classes(case.net, case.samples)):
        present = np.flatnonzero(counts)
        smallest, largest = (int(present[f(counts[present])]) for f in (np.argmin, np.argmax))
        n, most = int(counts[smallest]), int(counts[largest])
        is_imbalanced = most > MAX_RATIO * n and getattr(case.net, "class_weight", None) is None
        if n < MIN_SAMPLES or is_imbalanced:
            small, large = (_name_class(case.net.target_, column, i) for i in (smallest, largest))
            advice = 'pass class_weight="balanced", and score with balanced_accuracy or f1_macro.'
            yield Finding(
                name="small_classes",
                finding=f"{small} has few samples." if n < MIN_SAMPLES else "The classes are imbalanced.",
                figure=f"{n} samples of {small}, {most} of {large}",
                suggestion=f"Collect more samples of {small}, or {advice}",
            )


def _name_class(target: Any, column: int, index: int) -> str:
    if isinstance(target, MultiLabel):
        return f"value {index} of label {column}"
    is_single = isinstance(target.n_classes, int)
    classes = target.classes if is_single else target.classes[column]
    label = classes.tolist()[index]
    return f"class {label!r}" + ("" if is_single else f" of output {column}")
