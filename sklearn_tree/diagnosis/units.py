"""Check of the units of the encoder."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import Case, compute_outputs
from sklearn_tree.diagnosis.report import Finding

MAX_DEAD = 0.5  # most units: a net of half the size would do the same
CONSTANT = 1e-3  # standard deviation relative to the size of the outputs: the last layer cannot use less
MIN_SAMPLES = 20  # few samples may differ in few units


def check_units(case: Case) -> Iterator[Finding]:
    """Find units whose output is the same for all samples: they never fire, or their gates are saturated."""
    if len(case.train) < MIN_SAMPLES:
        return
    outputs = compute_outputs(case.net, case.train, "encode").astype(np.float64)
    is_dead = outputs.std(axis=0) <= CONSTANT * np.sqrt((outputs**2).mean())
    if is_dead.mean() > MAX_DEAD:
        yield Finding(
            name="dead_units",
            finding="Most units of the encoder have the same output for all samples.",
            figure=f"{is_dead.sum()} of {len(is_dead)} units are constant on {len(outputs)} samples, "
            f"{(outputs[:, is_dead] == 0).all(axis=0).sum()} of them 0",
            suggestion="Lower lr and refit, with gradient_clip=1.0 if the loss oscillates; otherwise lower "
            "hidden_size or n_filters.",
        )
