"""Changes of samples that change a prediction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_tree.drawing import escape, scroll
from sklearn_tree.explain.captions import format_probability
from sklearn_tree.explain.edits import WORDS, Edit
from sklearn_tree.trees import Tree
from sklearn_tree.trees.svg import draw_tree


@dataclass(frozen=True, kw_only=True, repr=False)
class Change:
    """Change of a sample that changes the predicted class, the result of :func:`nearest_change`.

    Parameters
    ----------
    sample : str, list of str or Tree
        The sample.
    changed : str, list of str or Tree
        The sample after the edits.
    edits : tuple of Edit
        The edits in the order of their positions. The attributes of an edit are ``position``, the index of
        the word or node in the sample, and ``before`` and ``after``, the old and the new text; ``after`` is
        None for a deletion.
    prediction_before, prediction_after : object
        Predicted classes.
    probability_before, probability_after : float
        Probabilities of these classes.

    Examples
    --------
    >>> from sklearn_tree import RNNClassifier, nearest_change
    >>> texts, y = ["a good film", "a bad film"] * 20, ["positive", "negative"] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> change = nearest_change(clf, "a bad play")
    >>> [(edit.position, edit.before, edit.after) for edit in change.edits]
    [(1, 'bad', 'good')]
    >>> change.prediction_before, change.prediction_after
    ('negative', 'positive')
    """

    sample: Any
    changed: Any
    edits: tuple[Edit, ...]
    prediction_before: Any
    prediction_after: Any
    probability_before: float
    probability_after: float

    @property
    def caption(self) -> str:
        """Both predictions: "negative (p = .98) becomes positive (p = .91)"."""
        before, after = map(format_probability, (self.probability_before, self.probability_after))
        return f"{self.prediction_before} ({before}) becomes {self.prediction_after} ({after})"

    def __repr__(self) -> str:
        return f"{', '.join(map(str, self.edits))}: {self.caption}"

    def _repr_html_(self) -> str:
        draw = _draw_trees if isinstance(self.sample, Tree) else _draw_words
        return f"<div><div><b>{escape(self.caption)}</b></div>{draw(self)}</div>"


def _draw_words(change: Change) -> str:
    """Draw a text with deleted words struck out, followed by the new words."""
    words = change.sample
    gaps = [" "] * (len(words) + 1)
    if isinstance(words, str):
        words, gaps = WORDS.findall(change.sample), WORDS.split(change.sample)
    edits = {edit.position: edit for edit in change.edits}
    parts = [escape(gaps[0])]
    for i, word in enumerate(words):
        parts += [_draw_word(word, edits.get(i)), escape(gaps[i + 1])]
    return f'<div style="max-width: 40em; overflow-wrap: anywhere">{"".join(parts)}</div>'


def _draw_word(word: str, edit: Edit | None) -> str:
    if edit is None:
        return f"<bdi>{escape(word)}</bdi>"
    new = "" if edit.inserted is None else f" <ins><b><bdi>{escape(edit.inserted)}</bdi></b></ins>"
    return f'<del style="opacity: 0.6"><bdi>{escape(word)}</bdi></del>{new}'


def _draw_trees(change: Change) -> str:
    """Draw the tree with the removed nodes in blue, and the changed tree with the new nodes in orange."""
    removed, inserted = np.zeros(change.sample.n_nodes), np.zeros(change.changed.n_nodes)
    shift = 0
    for edit in change.edits:
        removed[edit.position : edit.position + edit.n_removed] = -1
        inserted[edit.position + shift : edit.position + shift + edit.n_inserted] = 1
        shift += edit.n_inserted - edit.n_removed
    edits = "; ".join(map(str, change.edits))
    trees: Iterable = ((change.sample, removed), (change.changed, inserted))
    drawings = [
        scroll(draw_tree(tree, values, list(map(str, tree.labels)), limit=1)) for tree, values in trees
    ]
    return (
        f'<div><bdi>{escape(edits)}</bdi></div><div style="margin: 0.6em 0">{drawings[0]}</div>{drawings[1]}'
    )
