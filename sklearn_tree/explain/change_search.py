"""Search for the smallest change of a sample that changes the predicted class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.estimators.targets import OneClass
from sklearn_tree.estimators.wrapped import split_estimator
from sklearn_tree.explain.changes import Change
from sklearn_tree.explain.edits import Edit, Editor, TextEditor, TokenEditor, TreeEditor
from sklearn_tree.kinds.encoding import no_warnings_of_unknown
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.trees import Tree
from sklearn_tree.trees.flat import N_RESERVED_IDS

_BATCH = 1024  # samples that are predicted at once
_MAX_SINGLE_EDITS = 20_000  # about; it determines the number of words that are tried
_MIN_WORDS, _MAX_WORDS, _MAX_SCORED_WORDS = 20, 500, 20_000
_BEAM, _POOL, _N_POSITIONS, _N_PER_POSITION = 10, 100, 20, 5  # of the search for several edits
_TOLERANCE = 1e-4  # largest difference between the probabilities of a sample and of its copy

Edits = tuple[Edit, ...]


def nearest_change(
    estimator: Any,
    x: Any,
    *,
    target: Any = None,
    max_changes: int = 3,
    candidates: Iterable[Any] | None = None,
    random_state: Any = None,
) -> Change | None:
    """Find the smallest change of a text or tree that changes the predicted class.

    An edit replaces or deletes a word or a subtree. First, all single edits are tried; if none changes the
    prediction, a beam search looks for two edits, then for three. A result of one edit is therefore minimal
    among the candidates; a search for several edits may miss smaller ones.

    Parameters
    ----------
    estimator : estimator
        Fitted classifier of this package, or a pipeline, search or ``FrozenEstimator`` that ends in one.
    x : str, list of str or tree
        One sample that the estimator accepts: a text, its tokens, or a tree of any registered format.
    target : class, default=None
        Class to be predicted after the change; None allows any class other than the present one.
    max_changes : int, default=3
        Maximum number of edits.
    candidates : iterable of str or trees, default=None
        Words, or trees for a tree; each is tried at every place. Words replace words and labels of leaves.
        The labels of inner nodes are replaced by those of the trees, and subtrees by subtrees of the trees
        whose roots have the same label. An empty list allows deletions only. None uses up to 500 words of the
        vocabulary, fewer for long samples: half of them have the highest probability of the new class as
        separate samples, the others are drawn at random. Labels of inner nodes of ``x`` are not among them.
    random_state : int, RandomState or None, default=None
        Seed of the draw from a large vocabulary. None draws other words in each call.

    Returns
    -------
    Change or None
        Among the changes with the fewest edits that were found, the one that changes the fewest words or
        nodes, then the one with the clearest prediction. None if no change was found.

    Raises
    ------
    TypeError
        If the estimator does not end in a classifier of this package, or ``x`` is not one text, one list of
        str or one tree.
    ValueError
        If the net does not read single texts or trees or has several outputs, ``target`` is not a class or is
        predicted already, ``max_changes`` is not positive, the estimator reads ``x`` differently, or
        ``candidates`` is None although the estimator has no vocabulary.

    See Also
    --------
    CaptumExplainer : Attributions of predictions.

    Notes
    -----
    A change shows what the net reads, not what a reader would change: a net may rely on a word that has
    nothing to do with the class. The estimator and torch's random generators are not changed.

    The estimator predicts each single edit, about 20,000 for ``candidates=None``: seconds for a sentence, a
    minute or two for a text of 1,000 words on one core. Trees are passed to the estimator as :class:`Tree`,
    which ``TreeVectorizer("json")`` refuses.

    Examples
    --------
    >>> from sklearn_tree import RNNClassifier, nearest_change
    >>> texts, y = ["a good film", "a bad film"] * 20, ["positive", "negative"] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> change = nearest_change(clf, "a bad play")
    >>> change.changed, change.prediction_after
    ('a good play', 'positive')
    """
    check_is_fitted(estimator)
    chain, classes = _check_estimator(estimator)
    if not isinstance(max_changes, Integral) or max_changes < 1:
        raise ValueError(f"max_changes must be an int >= 1, got {max_changes!r}")
    editor, words = _read(chain, x, candidates)
    search = _Search(estimator, editor, classes, target)
    search.check(x)
    if words is None:
        words = search.choose_words(_find_vocabulary(chain), _check_rng(random_state))
    return search.run(words, max_changes)


def _check_rng(random_state: Any) -> np.random.RandomState:
    """Return a generator; None gives a new one, so that numpy's global generator is not changed."""
    return np.random.RandomState() if random_state is None else check_random_state(random_state)


def _check_estimator(estimator: Any) -> tuple[list[Any], np.ndarray]:
    """Return the steps with the net, and the classes."""
    steps, net = split_estimator(estimator)
    if not is_classifier(net):
        raise TypeError(
            f"estimator must be a classifier, got {type(net).__name__}: a number changes with every edit"
        )
    if net.kind_.item_kind is not None:
        raise ValueError(
            f"estimator must read single samples, got a net for {net.kind_.name}: the search edits one "
            "sample; CaptumExplainer explains both"
        )
    if not net.kind_.has_labels:
        raise ValueError(f"estimator must read texts, tokens or trees, got a net for {net.kind_.name}")
    if not isinstance(net.target_, OneClass):
        raise ValueError(f"estimator must predict one class per sample, got {net.target_.name}")
    return [*steps, net], net.target_.classes


def _read(chain: list[Any], x: Any, candidates: Iterable[Any] | None) -> tuple[Editor, list[str] | None]:
    """Return the editor of a sample, and the words to insert; None if they are to be chosen."""
    if isinstance(x, (list, tuple)) and len(x) == 1 and isinstance(x[0], str) and len(x[0].split()) > 1:
        raise TypeError(f"x must be one sample, got a {type(x).__name__} of one text or tree: pass x[0]")
    if isinstance(candidates, str):
        raise TypeError(f"candidates must be a list, got the str {candidates!r:.60}")
    if _is_tree(chain[0], x):
        return _read_tree(_as_tree(x), candidates)
    words = None if candidates is None else list(dict.fromkeys(candidates))
    for word in words or ():
        if not isinstance(word, str):
            raise TypeError(f"candidates must be str, got {word!r:.60}")
    editor = _read_words(x)
    if not editor.n_positions:
        raise ValueError(f"x must contain at least one word, got {x!r:.60}")
    return editor, words


def _is_tree(first: Any, x: Any) -> bool:
    """Return whether the first step of an estimator reads a sample as a tree."""
    read = first.read if isinstance(first, BaseVectorizer) else None
    if hasattr(first, "kind_"):
        read = first.kind_.read_raw
    if read is None or not isinstance(x, (str, list, tuple)):
        return not isinstance(x, (str, list, tuple))
    array = read([x])
    return array is not None and isinstance(array[0], Tree)


def _as_tree(x: Any) -> Tree:
    try:
        return Tree.from_any(x)
    except TypeError as error:
        kind = type(x).__name__
        raise TypeError(f"x must be a text, a list of str or a tree, got {kind}: {error}") from error


def _read_tree(tree: Tree, candidates: Iterable[Any] | None) -> tuple[Editor, list[str] | None]:
    if not isinstance(tree.labels[0], str):
        raise TypeError("x must be a tree with labels of type str, got ids")
    if candidates is None:
        return TreeEditor(tree), None
    words: list[str] = []
    sources: list[Tree] = []
    for candidate in candidates:
        is_word = isinstance(candidate, str) and not candidate.lstrip().startswith("(")
        words += [candidate] if is_word else []
        sources += [] if is_word else [Tree.from_any(candidate)]
    words += [source.labels[leaf] for source in sources for leaf in source.leaves]
    return TreeEditor(tree, sources), [word for word in dict.fromkeys(words) if word]


def _read_words(x: Any) -> Editor:
    if isinstance(x, str):
        return TextEditor(x)
    if all(isinstance(token, str) for token in x):
        return TokenEditor(x)
    raise TypeError(f"x must be a text, a list of str or a tree, got {x!r:.60}")


def _find_vocabulary(chain: list[Any]) -> list[str]:
    """Return the words of the last vectorizer, or of the net."""
    vectorizers = [step for step in chain if isinstance(step, BaseVectorizer)]
    vectorizer = vectorizers[-1] if vectorizers else chain[-1].kind_.vectorizer
    if vectorizer is None:
        raise ValueError("candidates must be given if the estimator has no vocabulary, got None")
    return [word for word in list(vectorizer.vocabulary_)[N_RESERVED_IDS:] if word]


@dataclass(frozen=True)
class _Scored:
    """Edits and their margins: positive if they change the prediction as required."""

    edits: list[Edits]
    margins: np.ndarray

    def best(self, n: int) -> list[Edits]:
        """Return the edits with the largest margins."""
        return [self.edits[i] for i in np.argsort(-self.margins, kind="stable")[:n]]


class _Search:
    """Search for the edits of one sample."""

    def __init__(self, estimator: Any, editor: Editor, classes: np.ndarray, target: Any) -> None:
        self.estimator, self.editor, self.classes = estimator, editor, classes
        self.before = self._predict([editor.sample])[0]
        self.old = int(self.before.argmax())
        self.new = None if target is None else self._find(target)

    def _find(self, target: Any) -> int:
        positions = np.flatnonzero(self.classes == target)
        if len(positions) != 1:
            raise ValueError(
                f"target must be one of the classes {self.classes.tolist()!r:.200}, got {target!r}"
            )
        if positions[0] == self.old:
            raise ValueError(f"target must differ from the predicted class, got {target!r}")
        return int(positions[0])

    def check(self, x: Any) -> None:
        """Check that the estimator reads the sample to be edited as it reads the user's."""
        difference = np.abs(self._predict_changed([x])[0] - self.before).max()
        if not difference <= _TOLERANCE:
            raise ValueError(
                "x must be a text, a list of str, or a tree that Tree.from_any reads as the estimator does, "
                f"got {type(x).__name__} whose probabilities differ by {difference:.2g}"
            )

    def _predict_changed(self, samples: list[Any]) -> np.ndarray:
        """Predict without warnings about unknown words, of which the user's sample has given one."""
        with no_warnings_of_unknown():
            return self._predict(samples)

    def _predict(self, samples: list[Any]) -> np.ndarray:
        blocks = [samples[i : i + _BATCH] for i in range(0, len(samples), _BATCH)]
        return np.concatenate([np.asarray(self.estimator.predict_proba(block)) for block in blocks])

    def _margins(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the probability of the new class minus that of the best other class.

        Without a target, the new class is the best one other than the present prediction.
        """
        chosen = self.old if self.new is None else self.new
        others = np.delete(probabilities, chosen, axis=1).max(axis=1, initial=0)
        margins = probabilities[:, chosen] - others
        return -margins if self.new is None else margins

    def choose_words(self, words: Sequence[str], rng: np.random.RandomState) -> list[str]:
        """Choose words of a vocabulary: half of them by their probabilities, half at random."""
        words = self.editor.select_words(words)
        n = int(np.clip(_MAX_SINGLE_EDITS // self.editor.n_positions, _MIN_WORDS, _MAX_WORDS))
        if len(words) <= n:
            return words
        words = [words[i] for i in rng.permutation(len(words))[:_MAX_SCORED_WORDS]]
        margins = self._margins(self._predict_changed([self.editor.wrap(word) for word in words]))
        first = np.argsort(-margins, kind="stable")[: n // 2]
        others = np.setdiff1d(np.arange(len(words)), first)[: n - n // 2]  # in random order already
        return [words[i] for i in [*first, *others]]

    def run(self, words: Sequence[str], max_changes: int) -> Change | None:
        """Try single edits, then extend the best ones."""
        singles = self._score([(edit,) for edit in self.editor.list_edits(words)])
        level = singles
        for n_changes in range(1, max_changes + 1):
            if n_changes > 1:
                level = self._extend(level, _choose_pool(singles))
            change = self._find_change(level)
            if change is not None or not level.edits:
                return change
        return None

    def _score(self, edits: list[Edits]) -> _Scored:
        edits = [some for some in edits if self.editor.allows(some)]
        margins = np.zeros(len(edits))
        for i in range(0, len(edits), _BATCH):
            block = edits[i : i + _BATCH]
            changed = [self.editor.apply(e) for e in block]
            margins[i : i + len(block)] = self._margins(self._predict_changed(changed))
        return _Scored(edits, margins)

    def _extend(self, level: _Scored, pool: Sequence[Edit]) -> _Scored:
        """Add one edit of the pool to each of the best changes."""
        extended = {
            tuple(sorted((*edits, edit), key=lambda e: (e.position, e.n_removed, str(e)))): None
            for edits in level.best(_BEAM)
            for edit in pool
        }
        return self._score(list(extended))

    def _find_change(self, level: _Scored) -> Change | None:
        """Return the smallest change whose prediction, as a single sample, is as required."""
        sizes = np.array([sum(edit.size for edit in edits) for edits in level.edits])
        for i in np.lexsort((-level.margins, sizes)) if len(sizes) else ():
            if level.margins[i] > 0:
                changed = self.editor.apply(level.edits[i])
                after = self._predict_changed([changed])
                if self._margins(after)[0] > 0:
                    return self._make(level.edits[i], changed, after[0])
        return None

    def _make(self, edits: Edits, changed: Any, after: np.ndarray) -> Change:
        new = int(after.argmax())
        return Change(
            sample=self.editor.sample,
            changed=changed,
            edits=edits,
            prediction_before=_as_scalar(self.classes[self.old]),
            prediction_after=_as_scalar(self.classes[new]),
            probability_before=float(self.before[self.old]),
            probability_after=float(after[new]),
        )


def _choose_pool(singles: _Scored) -> list[Edit]:
    """Return the best single edits, and the best ones at the positions whose deletion matters most."""
    influence: dict[int, float] = {}
    at_position: dict[int, list[Edit]] = {}
    for i in np.argsort(-singles.margins, kind="stable"):
        (edit,) = singles.edits[i]
        at_position.setdefault(edit.position, []).append(edit)
        if edit.inserted is None:
            influence[edit.position] = float(singles.margins[i])
    positions = sorted(influence, key=lambda position: -influence[position])[:_N_POSITIONS]
    local = [edit for position in positions for edit in at_position[position][:_N_PER_POSITION]]
    return list(dict.fromkeys([*(edit for (edit,) in singles.best(_POOL)), *local]))


def _as_scalar(value: Any) -> Any:
    """Return a class as a Python object."""
    return value.item() if isinstance(value, np.generic) else value
