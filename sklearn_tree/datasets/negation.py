"""Generator of sentences from a sentiment grammar in which the contribution of each phrase is known."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from sklearn_tree.trees import Tree, TreeArray

SCORES = {
    **{"good": 1.0, "nice": 1.0, "funny": 1.0, "great": 1.5, "wonderful": 2.0},
    **{"bad": -1.0, "poor": -1.0, "dull": -1.0, "boring": -1.5, "awful": -2.0},
}
OPERATORS = {"not": -0.75, "very": 1.5, "but": 2.0, "and": 1.0}
NEUTRAL = "thing"

_SMALLEST_SCORE = 0.5
_MAX_PLAYERS = 10
_WORDS = {
    "ADJECTIVE": tuple(SCORES),
    "ADVERB": ("quite", "rather", "really"),
    "ARTICLE": ("the", "this", "that"),
    "CONJUNCTION": ("and", "but"),
    "NOUN": ("film", "plot", "cast", "story", "music", NEUTRAL),
    "NOT": ("not",),
    "VERB": ("is", "was", "seems"),
    "VERY": ("very",),
}
# For each symbol: (probability, smallest height, right-hand side) of its rules.
_RULES: dict[str, list[tuple[float, int, tuple[str, ...]]]] = {
    "SENTENCE": [(0.7, 2, ("SUBJECT", "PREDICATE")), (0.3, 4, ("SENTENCE", "MORE"))],
    "MORE": [(1.0, 3, ("CONJUNCTION", "SENTENCE"))],
    "SUBJECT": [(1.0, 1, ("ARTICLE", "THING"))],
    "THING": [(0.7, 0, ("NOUN",)), (0.3, 1, ("ADJECTIVE", "NOUN"))],
    "PREDICATE": [(1.0, 1, ("VERB", "OPINION"))],
    "OPINION": [(0.6, 0, ("PLAIN",)), (0.4, 1, ("NOT", "PLAIN"))],
    "PLAIN": [(0.6, 0, ("DEGREE",)), (0.4, 2, ("OPINION", "NEXT_OPINION"))],
    "NEXT_OPINION": [(1.0, 1, ("CONJUNCTION", "OPINION"))],
    "DEGREE": [(0.6, 0, ("ADJECTIVE",)), (0.25, 1, ("VERY", "DEGREE")), (0.15, 1, ("ADVERB", "ADJECTIVE"))],
}
_DESCR = """\
Negation: sentences of a sentiment grammar
==========================================

Generated sentences about films as binary parse trees, with words at the leaves and unlabelled inner nodes.

- Adjectives have scores from -2 (awful) to 2 (wonderful); the score of other words is 0.
- The score of a phrase is the sum of the scores of its parts, multiplied by -0.75 for "not", by 1.5 for
  "very" and by 2 after "but". "and" has no effect.
- `target`: "positive" or "negative", the sign of the score of the sentence (`scores`).
- `contributions`: how much the score of the sentence falls if a phrase is replaced by a neutral word.
- `phrase_scores`: the score of each phrase without its context.
"""


def make_negation(n_samples: int = 1000, *, max_depth: int = 6, random_state: Any = None) -> Bunch:
    """Generate sentences from a sentiment grammar in which the contribution of each phrase is known.

    Adjectives have scores from -2 (*awful*) to 2 (*wonderful*); the score of other words is 0. The score of a
    phrase is the sum of the scores of its parts, multiplied by -0.75 for *not*, by 1.5 for *very* and by 2
    after *but*: the score of *X but Y* is ``X + 2 Y``, that of *X and Y* is ``X + Y``. The scopes of *not*
    and *but* are visible only in the tree. Sentences with an absolute score below 0.5 are rejected.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sentences.
    max_depth : int, default=6
        Largest height of a tree, at least 2. *not* and *very* occur from 3, two clauses from 4.
    random_state : int, RandomState or None, default=None
        Seed of the random number generator.

    Returns
    -------
    Bunch
        ``data``: TreeArray, shape (n_samples,), binary trees with words at the leaves and empty labels at
        inner nodes; ``target``: ndarray of str, shape (n_samples,), "negative" or "positive";
        ``target_names``: ndarray of the two classes; ``scores``: ndarray of float64, shape (n_samples,),
        scores of the sentences; ``DESCR``: str, a description of the data set. The following are lists of
        n_samples ndarrays of float64 with one entry per node in preorder. ``phrase_scores``: scores of the
        phrases without their context, 0 for *not*, *very*, *but* and *and*. ``contributions``: score of the
        sentence minus its score with the phrase replaced by a neutral word such as *thing*; replacing *not*,
        *very* or *but* leaves the sum of the scores of the other parts. The contributions of the leaves do
        not add up to the score of the sentence; the values of :func:`~sklearn_tree.datasets.negation.shapley`
        do.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> from sklearn_tree.datasets import make_negation
    >>> negation = make_negation(100, random_state=0)
    >>> tree = negation.data[4]
    >>> print(" ".join(tree.labels[leaf] for leaf in tree.leaves), "->", negation.target[4])
    this plot seems not good but funny -> negative
    >>> for leaf in tree.leaves:
    ...     print(f"{tree.labels[leaf]:5} {negation.contributions[4][leaf]:6.2f}")
    this    0.00
    plot    0.00
    seems   0.00
    not    -5.25
    good   -0.75
    but    -0.75
    funny  -1.50
    """
    for name, number, smallest in (("n_samples", n_samples, 1), ("max_depth", max_depth, 2)):
        if not isinstance(number, Integral) or number < smallest:
            raise ValueError(f"{name} must be an int >= {smallest}, got {number!r}")
    rng = check_random_state(random_state)
    trees: list[Tree] = []
    phrase_scores, contributions = [], []
    while len(trees) < n_samples:
        labels, parents = _make_sentence(rng, max_depth)
        values, factors = _evaluate(labels, parents)
        if abs(values[0]) >= _SMALLEST_SCORE:
            trees.append(Tree(labels, parents))
            phrase_scores.append(np.array(values))
            contributions.append(_compute_contributions(labels, parents, values, factors))
    scores = np.array([values[0] for values in phrase_scores])
    return Bunch(
        data=TreeArray.from_trees(trees),
        target=np.where(scores > 0, "positive", "negative"),
        target_names=np.array(["negative", "positive"]),
        scores=scores,
        contributions=contributions,
        phrase_scores=phrase_scores,
        DESCR=_DESCR,
    )


def evaluate(labels: Sequence[str], parents: Sequence[int] | np.ndarray) -> np.ndarray:
    """Compute the score of every phrase of a tree, which need not follow the grammar.

    Parameters
    ----------
    labels : sequence of str, length n_nodes
        Words at the leaves; the score of words that are not in ``SCORES`` or ``OPERATORS`` is 0. Labels of
        inner nodes are ignored.
    parents : sequence of int, length n_nodes
        Parent of each node, -1 for the root. The root is first, and parents precede their children.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        For each node, the sum of the scores of its children, multiplied by the factors of the operators among
        them. The score of an operator is 0.

    Raises
    ------
    ValueError
        If a parent does not precede its child.

    Examples
    --------
    >>> from sklearn_tree import Tree
    >>> from sklearn_tree.datasets.negation import evaluate
    >>> tree = Tree.from_any(("", "not", ("", "very", "good")))
    >>> evaluate(tree.labels, tree.parents)
    array([-1.125,  0.   ,  1.5  ,  0.   ,  1.   ])
    """
    parent_list: list[int] = np.asarray(parents).tolist()
    if len(parent_list) != len(labels):
        raise ValueError(f"parents must have one entry per label: {len(labels)}, got {len(parent_list)}")
    for node, parent in enumerate(parent_list):
        if not (parent == -1 if node == 0 else 0 <= parent < node):
            raise ValueError(f"parents must precede their children, got {parent} for node {node}")
    return np.array(_evaluate(labels, parent_list)[0])


def shapley(tree: Tree) -> np.ndarray:
    """Compute the exact Shapley values of the leaves of a tree; absent leaves are replaced by a neutral word.

    Parameters
    ----------
    tree : Tree
        A tree with at most 10 leaves. :func:`evaluate` is called once for each subset of them.

    Returns
    -------
    ndarray of float64, shape (n_leaves,)
        Values of ``tree.leaves``, which add up to the score of the tree.

    Raises
    ------
    ValueError
        If the tree has more leaves.

    Examples
    --------
    >>> from sklearn_tree import Tree
    >>> from sklearn_tree.datasets.negation import shapley
    >>> shapley(Tree.from_any(("", "not", "good")))
    array([-0.875,  0.125])
    """
    leaves = tree.leaves
    n = len(leaves)
    if n > _MAX_PLAYERS:
        raise ValueError(f"tree must have at most {_MAX_PLAYERS} leaves, got {n}")
    subsets = np.arange(2**n)
    present = (subsets[:, None] >> np.arange(n)) & 1
    labels = np.array([tree.labels] * len(subsets), dtype=object)
    labels[:, leaves] = np.where(present, labels[:, leaves], NEUTRAL)
    scores = np.array([evaluate(row, tree.parents)[0] for row in labels.tolist()])
    weights = np.array([1 / (n * comb(n - 1, size)) for size in range(n)])
    values = np.empty(n)
    for i in range(n):
        without = subsets[present[:, i] == 0]
        values[i] = weights[present[without].sum(axis=1)] @ (scores[without | (1 << i)] - scores[without])
    return values


def _make_sentence(rng: np.random.RandomState, max_depth: int) -> tuple[list[str], list[int]]:
    """Draw a sentence and return its labels and parents in preorder."""
    labels: list[str] = []
    parents: list[int] = []
    stack = [("SENTENCE", -1, max_depth)]
    while stack:
        symbol, parent, height = stack.pop()
        if symbol in _WORDS:
            labels.append(_WORDS[symbol][rng.randint(len(_WORDS[symbol]))])
            parents.append(parent)
            continue
        rules = [rule for rule in _RULES[symbol] if rule[1] <= height]
        weights = np.array([rule[0] for rule in rules])
        parts = rules[rng.choice(len(rules), p=weights / weights.sum())][2]
        if len(parts) > 1:
            labels.append("")
            parents.append(parent)
            parent, height = len(labels) - 1, height - 1
        stack += [(part, parent, height) for part in reversed(parts)]
    return labels, parents


def _evaluate(labels: Sequence[str], parents: Sequence[int]) -> tuple[list[float], list[float]]:
    """Return the score of each node and the product of the operators among its children."""
    n = len(labels)
    values, sums, factors, inner = [0.0] * n, [0.0] * n, [1.0] * n, set(parents)
    for node in range(n - 1, -1, -1):
        parent = parents[node]
        if node in inner:
            values[node] = factors[node] * sums[node]
        elif labels[node] not in OPERATORS:
            values[node] = SCORES.get(labels[node], 0.0)
        elif parent >= 0:
            factors[parent] *= OPERATORS[labels[node]]
        if parent >= 0:
            sums[parent] += values[node]
    return values, factors


def _compute_contributions(
    labels: Sequence[str], parents: Sequence[int], values: list[float], factors: list[float]
) -> np.ndarray:
    # The score of a sentence is linear in that of a phrase; the weight is the product of the factors above.
    weights, contributions = [1.0] * len(labels), np.empty(len(labels))
    inner = set(parents)
    for node, (label, parent) in enumerate(zip(labels, parents, strict=True)):
        if node:
            weights[node] = weights[parent] * factors[parent]
        if label in OPERATORS and node not in inner and node:
            # Without the operator, the score of its parent is divided by the factor.
            contributions[node] = weights[parent] * values[parent] * (1 - 1 / OPERATORS[label])
        else:
            contributions[node] = weights[node] * values[node]
    return contributions
