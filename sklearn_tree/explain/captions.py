"""Captions of explanations: the prediction, the truth and the explained class."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.drawing import cut
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.trees import TreeArray

_LONGEST = 40  # characters of a phrase


def write_captions(predictions: Predictions, truths: np.ndarray | None) -> list[str]:
    """Return a caption for each sample.

    Parameters
    ----------
    predictions : Predictions
        Predictions of the explained outputs.
    truths : ndarray, shape (n,), or None
        True classes or numbers.

    Returns
    -------
    list of str
        Such as "Predicted NUM (p = .98), true LOC" or "Predicted 33.8 (average 18.8), true 30.1".
    """
    known = predictions
    captions = []
    for i, value in enumerate(known.values):
        text = "Predicted" if known.outputs is None else f"Output {known.outputs[i]}: predicted"
        note = _qualify(known, i)
        text = f"{text} {_format(value)} ({note})" if note else f"{text} {_format(value)}"
        if truths is not None:
            text += f", true {_format(truths[i])}"
        if known.explained[i] != value:
            p = format_probability(known.explained_probabilities[i])
            text += f"; explained: {_format(known.explained[i])} ({p})"
        captions.append(text)
    return captions


def name_nodes(captions: list[str], trees: TreeArray, nodes: np.ndarray) -> list[str]:
    """Name the explained node of each tree in its caption.

    Parameters
    ----------
    captions : list of str
        Captions.
    trees : TreeArray
        The trees.
    nodes : ndarray of int, shape (n,)
        The nodes.

    Returns
    -------
    list of str
        Such as "Node 3, not good: predicted bad (p = .98)".
    """
    texts = []
    for caption, tree, node in zip(captions, trees, nodes.tolist(), strict=True):
        phrase = tree.subtree(node)
        words = " ".join(str(phrase.labels[leaf]) for leaf in phrase.leaves)
        texts.append(f"Node {node}, {cut(words, _LONGEST)}: {caption[0].lower()}{caption[1:]}")
    return texts


def write_explained(predictions: Predictions) -> list[str]:
    """Return the explained class of each sample, "LOC (p = .02)"."""
    columns = zip(predictions.explained, predictions.explained_probabilities, strict=True)
    return [f"{_format(name)} ({format_probability(p)})" for name, p in columns]


def _qualify(predictions: Predictions, i: int) -> str:
    if predictions.averages is not None:
        return f"average {_format(predictions.averages[i])}"
    p = predictions.probabilities[i]
    return "" if np.isnan(p) else format_probability(p)  # of files of earlier versions


def format_probability(p: float) -> str:
    """Return a probability with two digits: "p = .98"."""
    if p > 0.995:
        return "p > .99"
    return "p < .01" if p < 0.005 else f"p = {p:.2f}".replace("0.", ".")


def _format(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
