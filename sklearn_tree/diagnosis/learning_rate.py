"""Check of the learning rate: symptoms of the loss curve, explained by a range test."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import MIN_STEPS, SMALL_LOSS, Case
from sklearn_tree.diagnosis.lr_range import Range, find_range
from sklearn_tree.diagnosis.report import Finding

GOOD_SKILL = 0.5  # in training: a net that learns this much has no wrong learning rate, unless its loss rises
RISE = 0.2  # of the loss of a constant: more than the noise between epochs
OSCILLATION = 0.1  # of the loss of a constant, per epoch, while the loss is not small yet
ENOUGH_STEPS = 200  # a training that succeeds after more steps has too few epochs, not a small learning rate


def check_learning_rate(case: Case) -> Iterator[Finding]:
    """Find a learning rate outside of the range in which the net learns.

    The range test runs only if the loss curve has symptoms.
    """
    symptom = find_symptom(case)
    if not symptom:
        return
    n_steps = max(case.n_steps, ENOUGH_STEPS)
    found = find_range(case.net, case.train, case.constant_loss, n_steps, case.seed)
    if found is None:
        return
    lr = float(case.net.net_.lr)
    if lr > found.high:
        yield _report("lr_too_high", "above", symptom, lr, found)
    elif lr < found.low:
        yield _report("lr_too_low", "below", symptom, lr, found)


def find_symptom(case: Case) -> str:
    """Describe what a wrong learning rate may have caused in the loss curve; empty if nothing is wrong."""
    losses, unit = case.losses, case.constant_loss
    if not np.isfinite(losses).all():
        return "the loss became infinite or NaN"
    steps = np.diff(losses[len(losses) // 2 :])
    if losses[-1] - losses.min() > RISE * unit:
        return "the loss rises"
    is_large = losses[-1] > SMALL_LOSS * unit
    if is_large and len(steps) and np.abs(steps).mean() > OSCILLATION * unit and (steps > 0).any():
        return "the loss oscillates"
    has_failed = case.n_steps >= MIN_STEPS and case.train_skill < GOOD_SKILL
    return "the net has learned little" if has_failed else ""


def _report(name: str, side: str, symptom: str, lr: float, found: Range) -> Finding:
    middle = np.sqrt(found.low * found.high)  # the range is one of orders of magnitude
    return Finding(
        name=name,
        finding=f"The learning rate is {side} the range in which the net learns: {symptom}.",
        figure=f"lr={lr:.3g}; in a range test, the loss of a new net falls for lr from {found}",
        suggestion=f"Try lr={middle:.1g}, or search lr in this range.",
    )
