"""Checks of a training: too few epochs, and samples that were memorized."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sklearn_tree.diagnosis.case import MIN_STEPS, SMALL_LOSS, Case, Trial, compute_loss, find_constant_loss
from sklearn_tree.diagnosis.report import Finding

MIN_SKILL = 0.1  # of the way from a constant to the best score; less is hardly better than a constant
LAST_FALL = 0.05  # of the loss of a constant, per epoch: a few more epochs change the result
MAX_RISE = 0.2  # of the loss of a constant; smaller rises are noise of the epochs
GOOD_SKILL = 0.5  # in training: after fewer steps, a net that learns this much may be trained long enough
MAX_GAP = 0.5  # of the skill in training: more than half of what was learned does not hold for new samples


def check_underfit(case: Case) -> Iterator[Finding]:
    """Find a training that has learned little, or ended while the loss was falling."""
    if case.n_steps < MIN_STEPS and case.train_skill < GOOD_SKILL:
        yield Finding(
            name="underfit",
            finding="The training is too short.",
            figure=f"{case.n_steps} steps in {len(case.losses)} epochs; skill {case.train_skill:.2f} on "
            "training samples (0 is a constant, 1 is perfect)",
            suggestion=f"Train for more epochs: max_epochs=None takes at least {MIN_STEPS} steps.",
        )
    elif case.train_skill < MIN_SKILL:
        yield Finding(
            name="underfit",
            finding="The net has learned little: it is hardly better than a constant, also in training.",
            figure=f"skill {case.train_skill:.2f} on training samples (0 is a constant, 1 is perfect)",
            suggestion="Train for more epochs, then search lr; if neither helps, check samples and targets.",
        )
    elif (fall := find_last_fall(case)) > LAST_FALL:
        loss = case.losses[-1]
        yield Finding(
            name="underfit",
            finding="The training ended while the loss was still falling.",
            figure=f"loss {loss:.3g} after {len(case.losses)} epochs, falling by {fall:.0%} of that of a "
            "constant per epoch",
            suggestion=f"Double the epochs: max_epochs={2 * len(case.losses)}, or early_stopping=True.",
        )


def find_last_fall(case: Case) -> float:
    """Return the fall of the loss per epoch at the end, relative to the loss of a constant.

    0 if early stopping has chosen the end, or the loss is small already.
    """
    losses, unit = case.losses, case.constant_loss
    if case.net.early_stopping or len(losses) < 2 or not losses[-1] > SMALL_LOSS * unit:
        return 0.0
    n = max(len(losses) // 5, 1)  # the last fifth, because single epochs are noisy
    return float((losses[-n - 1] - losses[-1]) / n / unit)


def check_overfit(case: Case) -> Iterator[Finding]:
    """Find a net that is much better on its training samples than on new ones."""
    trial = case.trial
    if trial is None or trial.train_skill < MIN_SKILL:
        return
    gap = trial.train_skill - trial.held_out_skill
    losses = find_losses(trial)
    if gap > MAX_GAP * trial.train_skill + find_error(trial) or losses[1] > losses[2] > 2 * losses[0]:
        source = "X_val" if case.validation is not None else "a held-out quarter of X, after a refit"
        yield Finding(
            name="overfit",
            finding="The net is much better on its training samples than on new ones.",
            figure=f"score {trial.train_score:.2f} in training and {trial.held_out_score:.2f} on {source} "
            f"(a constant: {trial.chance:.2f}); loss {losses[0]:.2g} and {losses[1]:.2g}",
            suggestion="Collect more samples, raise dropout or weight_decay, lower max_epochs or "
            "hidden_size, or pass early_stopping=True.",
        )


def check_validation_loss(case: Case) -> Iterator[Finding]:
    """Find a validation loss of the fit that rose after it was smallest."""
    losses = case.net.history_["valid_loss"].to_numpy()
    if case.net.early_stopping or not np.isfinite(losses).all():
        return
    best = int(losses.argmin())
    if losses[-1] - losses[best] > MAX_RISE * case.constant_loss:
        yield Finding(
            name="overfit",
            finding="The validation loss rose during the training.",
            figure=f"{losses[best]:.3g} after epoch {best + 1}, {losses[-1]:.3g} after epoch {len(losses)}",
            suggestion=f"End the training earlier: max_epochs={best + 1}, or early_stopping=True.",
        )


def find_error(trial: Trial) -> float:
    """Return the standard error of the held-out skill of a classifier; 0 for a regressor."""
    if trial.net.target_.strata(trial.held_out.target) is None:
        return 0.0
    p = trial.held_out_score
    return float(np.sqrt(p * (1 - p) / len(trial.held_out)) / max(1 - trial.chance, 1e-6))


def find_losses(trial: Trial) -> tuple[float, float, float]:
    """Return the loss in training, on held-out samples, and of a constant on held-out samples."""
    losses = [compute_loss(trial.net, samples) for samples in (trial.train, trial.held_out)]
    return losses[0], losses[1], find_constant_loss(trial.net, trial.held_out)
