"""Explanations made from the attributions of an explainer."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.features import Features
from sklearn_tree.explain.methods import Method
from sklearn_tree.explain.request import Attributions
from sklearn_tree.explain.views import Samples, find_view


def make_explanations(
    net: ExplainedNet,
    samples: Samples,
    found: Attributions,
    features: Features,
    method: Method,
    target: Any,
    truths: np.ndarray | None,
    nodes: np.ndarray | None = None,
) -> Explanations:
    """Return the explanations of samples.

    Parameters
    ----------
    net : ExplainedNet
        The net.
    samples : Samples
        The samples.
    found : Attributions
        Their attributions.
    features : Features
        Output columns of the explainer.
    method : Method
        Method of the explainer.
    target : "predicted", class, int or tuple
        Explained target.
    truths : ndarray, shape (n,) or (n, n_outputs), or None
        True classes or numbers.
    nodes : ndarray of int, shape (n,), default=None
        Explained node of each tree; None for the roots.
    """
    view, own, targets = find_view(net.kind), features.merge(found.own), np.array(list(found.targets))
    offset = net.target.offset(targets)
    predictions = net.predict(samples.encoded, targets, target, nodes)
    return Explanations(
        kind=net.kind.name,
        view=view,
        samples=features.values(samples.X, samples.shown),
        attributions=found.attributions if view.has_subtrees else own,
        own=own,
        targets=targets,
        values=found.values + offset,
        baseline_values=found.baseline_values + offset,
        names=features.channels,
        method=method.name,
        predictions=predictions,
        texts=samples.texts,
        nodes=nodes,
        truths=None if truths is None else predictions.select(truths),
        complete=method.complete,
    )
