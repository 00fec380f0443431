"""Diagnosis of a fitted net: the checks in their order, and the function that runs them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.containers import as_reusable
from sklearn_tree.diagnosis.baseline import check_baseline
from sklearn_tree.diagnosis.case import Case
from sklearn_tree.diagnosis.classes import check_classes
from sklearn_tree.diagnosis.columns import check_scale
from sklearn_tree.diagnosis.copies import check_duplicates
from sklearn_tree.diagnosis.leaks import check_leak
from sklearn_tree.diagnosis.learning_rate import check_learning_rate
from sklearn_tree.diagnosis.report import Diagnosis, Finding
from sklearn_tree.diagnosis.samples import read_samples
from sklearn_tree.diagnosis.sizes import check_huge, check_truncated
from sklearn_tree.diagnosis.training import check_overfit, check_underfit, check_validation_loss
from sklearn_tree.diagnosis.units import check_units
from sklearn_tree.diagnosis.words import check_words
from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.estimators.threads import limit_threads
from sklearn_tree.estimators.wrapped import split_estimator

MIN_SAMPLES = 20  # smallest value of max_samples; fewer samples have no score

# From the samples to the training, causes before effects.
CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    check_words,
    check_truncated,
    check_huge,
    check_classes,
    check_scale,
    check_duplicates,
    check_leak,
    check_learning_rate,
    check_underfit,
    check_overfit,
    check_validation_loss,
    check_units,
    check_baseline,
)


def diagnose(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    X_val: Any = None,
    y_val: Any = None,
    max_samples: int = 2000,
    random_state: int = 0,
) -> Diagnosis:
    """Look for common problems of a fitted net, its samples and its training.

    The checks are heuristics: each finding has the figure that it is based on, and a remedy to try first.

    ==================== ====================================================================================
    Name                 Problem
    ==================== ====================================================================================
    ``unknown_words``    Many words or labels are not in the vocabulary, or occur in a single sample.
    ``truncated``        ``max_length`` or ``max_nodes`` of a vectorizer cuts off many samples.
    ``huge_samples``     Single samples are more than 50 times as large as the median.
    ``small_classes``    A class has fewer than 10 samples, or classes are imbalanced without class weights.
    ``scale``            Columns or channels are constant, or have extreme outliers.
    ``duplicates``       Held-out samples occur in X, or equal samples have different targets.
    ``leak``             A single word, label or column determines the target, or copies raise the score.
    ``lr_too_high``      The loss does not fall, and the learning rate is above the range in which it would.
    ``lr_too_low``       The loss hardly falls, and the learning rate is below the range in which it would.
    ``underfit``         The net is hardly better than a constant, or its loss was still falling at the end.
    ``overfit``          The net is much better on its training samples than on held-out ones.
    ``dead_units``       Most units of the encoder have the same output for all samples.
    ``linear_baseline``  A linear model is as good as the net on held-out samples.
    ==================== ====================================================================================

    Parameters
    ----------
    estimator : estimator
        Fitted net, or fitted pipeline, search or frozen estimator that ends in one. It is not changed.
    X : samples
        Training samples of the estimator.
    y : array-like, shape (n_samples,) or (n_samples, n_outputs)
        Targets of the training samples.
    X_val, y_val : same as X, y, default=None
        Held-out samples. None trains a copy of the net on three quarters of the samples, and holds out the
        others.
    max_samples : int, default=2000
        Number of samples, drawn at random, that nets and linear models are trained and scored on. Duplicates,
        words and classes are counted in all samples.
    random_state : int, default=0
        Seed of the subsets, the held-out split and the copies of the net.

    Returns
    -------
    Diagnosis
        The findings, which print as a report; empty if there are none.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError, TypeError
        If the estimator does not end in a net of this package, or another parameter is invalid.

    Notes
    -----
    The learning rate is compared with a range test [1]_, which trains a copy of the net for 240 steps, if the
    loss curve has symptoms. Sample weights are not known to the diagnosis. Columns and linear baselines are
    left out for samples of more than 10,000 numbers.

    References
    ----------
    .. [1] L. Smith (2017). Cyclical Learning Rates for Training Neural Networks. WACV.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetClassifier, diagnose
    >>> from sklearn_tree.datasets import make_negation
    >>> negation = make_negation(200, random_state=0)
    >>> clf = RecursiveNetClassifier(lr=1e-6, random_state=0)
    >>> clf = clf.fit(negation.data, negation.target)
    >>> diagnose(clf, negation.data, negation.target).names
    ['lr_too_low']
    """
    _check_numbers(max_samples, random_state)
    steps, net = _split_fitted(estimator)
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val must be given together")
    X = as_reusable(X)
    with warnings.catch_warnings(), default_modes(), limit_threads(None):
        warnings.simplefilter("ignore")  # what they report, the checks report too
        samples = read_samples(net, steps, X, y)
        validation = None
        if X_val is not None:
            validation = read_samples(net, steps, X_val, y_val, ("X_val", "y_val"))
        case = Case(
            net=net,
            steps=steps,
            raw=X,
            samples=samples,
            validation=validation,
            max_samples=max_samples,
            seed=random_state,
        )
        return Diagnosis(_drop_effects([finding for check in CHECKS for finding in check(case)]))


def _check_numbers(max_samples: Any, random_state: Any) -> None:
    for name, number, low, high in (
        ("max_samples", max_samples, MIN_SAMPLES, None),
        ("random_state", random_state, 0, 2**32 - 1),
    ):
        is_int = isinstance(number, Integral) and not isinstance(number, bool)
        if not is_int or number < low or (high is not None and number > high):
            rule = f">= {low}" if high is None else f"in [{low}, {high}]"
            raise ValueError(f"{name} must be an int {rule}, got {number!r}")


def _split_fitted(estimator: Any) -> tuple[list[Any], BaseNet]:
    """Return the steps before the net and the net, or raise an error."""
    if isinstance(estimator, BaseEstimator):
        check_is_fitted(estimator)
    steps, net = split_estimator(estimator, with_transformed_targets=False)
    check_is_fitted(net)
    return steps, net


def _drop_effects(findings: list[Finding]) -> list[Finding]:
    """Drop an underfit that a wrong learning rate explains."""
    is_explained = any(finding.name in ("lr_too_high", "lr_too_low") for finding in findings)
    return [finding for finding in findings if not (is_explained and finding.name == "underfit")]
