"""Explanations of several classes of each sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_tree.estimators.objective import Rank
from sklearn_tree.estimators.targets.classes import OneClass
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.views import Samples
from sklearn_tree.plot.switch import MAX_CHOICES


def explain_classes(
    explainer: Any, net: ExplainedNet, samples: Samples, y: Any, nodes: np.ndarray | None
) -> Explanations:
    """Explain the classes of each sample, at most the five most probable.

    Parameters
    ----------
    explainer : CaptumExplainer
        A copy of the fitted explainer; its target changes.
    net : ExplainedNet
        The net.
    samples : Samples
        The samples.
    y : array-like, shape (n_samples,), or None
        True classes.
    nodes : ndarray of int, shape (n_samples,), or None
        Explained node of each tree; None for whole samples.

    Returns
    -------
    Explanations
        The classes of a sample follow each other, the most probable first.

    Raises
    ------
    ValueError
        If the estimator does not predict one class per sample.
    """
    target = net.target
    if not isinstance(target, OneClass):
        name = type(net.estimator).__name__
        raise ValueError(
            f"target='all' is for classifiers with one class per sample, not for a {name} of {target.name}: "
            "pass the index of one output"
        )
    parts = []
    for rank in range(min(target.n_classes, MAX_CHOICES)):
        explainer.target = Rank(rank)
        parts.append(explainer._explain(net, samples, y, nodes))
    return _interleave(parts, target.n_classes)


def _interleave(parts: list[Explanations], n_classes: int) -> Explanations:
    """Combine the explanations of one class each: first those of the first sample, then of the second."""
    first, n = parts[0], len(parts[0])
    ids = np.repeat(np.arange(n), len(parts))
    predictions: dict[str, Any] = {
        name: None if column is None else _stack([getattr(part.predictions, name) for part in parts])
        for name, column in vars(first.predictions).items()
    }
    return replace(
        first[ids],  # samples, truths and texts; the other fields follow
        attributions=[part.attributions[i] for i in range(n) for part in parts],
        own=[part.own[i] for i in range(n) for part in parts],
        targets=_stack([part.targets for part in parts]),
        values=_stack([part.values for part in parts]),
        baseline_values=_stack([part.baseline_values for part in parts]),
        predictions=Predictions(**predictions),
        sample_ids=ids,
        n_classes=n_classes,
    )


def _stack(columns: list[np.ndarray]) -> np.ndarray:
    return np.stack(columns, axis=1).ravel()
