"""``make_negation``: sentences whose sentiment, and what each phrase adds to it, a grammar gives."""

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

_LEAST_SCORE = 0.5
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
# symbol: (how often, least height, what it becomes), ...
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

Made-up sentences about films as binary parse trees: words at the leaves, no labels inside.

- Adjectives have scores, -2 (awful) to 2 (wonderful); all other words have none.
- A phrase's score is the sum of its parts', times -0.75 under "not", 1.5 under "very" and 2 after
  "but"; "and" changes nothing.
- `target`: "positive" or "negative", the sign of the sentence's score (`scores`).
- `contributions`: what the sentence's score loses when a phrase becomes a neutral word.
- `phrase_scores`: each phrase's score by itself.
"""


def make_negation(n_samples: int = 1000, *, max_depth: int = 6, random_state: Any = None) -> Bunch:
    """Generate sentences of a sentiment grammar that knows what each phrase contributes.

    A phrase's score is a sum and products: adjectives have scores from -2 (*awful*) to 2
    (*wonderful*), other words have none; a phrase scores what its parts do together, times -0.75
    under *not*, 1.5 under *very* and 2 after *but*. *X but Y* scores ``X + 2 Y``, *X and Y*
    ``X + Y``. What *not* and *but* hold for, only the tree tells. Sentences whose score is nearer
    to 0 than 0.5 are drawn again.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sentences.
    max_depth : int, default=6
        Largest height of a tree, at least 2. *not* and *very* need 3, two clauses 4.
    random_state : int, RandomState or None, default=None
        Seed.

    Returns
    -------
    Bunch
        ``data``: TreeArray, shape (n_samples,), binary trees with words at the leaves and the
        empty label inside; ``target``: ndarray of str, shape (n_samples,), "negative" or
        "positive"; ``target_names``: the two; ``scores``: ndarray of float64, shape (n_samples,),
        whose signs are the targets; ``DESCR``: a description. For each sentence, with one entry
        per node in the order of ``Tree.nodes``: ``phrase_scores``: list of ndarray of float64,
        the score of each phrase by itself (0 for *not*, *very*, *but*, *and*);
        ``contributions``: list of ndarray of float64, the sentence's score less what it is when
        that phrase is replaced by a neutral word, such as *thing*. In the place of *not*, *very*
        or *but* a neutral word leaves the sum of the phrase's parts. Contributions are no
        attributions: those of a tree's leaves do not add up to its score;
        :func:`~sklearn_tree.datasets.negation.shapley` gives values that do.

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
    for name, number, least in (("n_samples", n_samples, 1), ("max_depth", max_depth, 2)):
        if not isinstance(number, Integral) or number < least:
            raise ValueError(f"{name} must be an int of at least {least}, got {number!r}")
    rng = check_random_state(random_state)
    trees: list[Tree] = []
    phrase_scores, contributions = [], []
    while len(trees) < n_samples:
        labels, parents = _sentence(rng, max_depth)
        values, factors = _walk(labels, parents)
        if abs(values[0]) >= _LEAST_SCORE:
            trees.append(Tree(labels, parents))
            phrase_scores.append(np.array(values))
            contributions.append(_contributions(labels, parents, values, factors))
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
    """Compute the score of every phrase of a tree, whether or not the grammar makes it.

    Parameters
    ----------
    labels : sequence of str, length n_nodes
        Words at the leaves; those not in ``SCORES`` or ``OPERATORS`` score 0. Labels of inner
        nodes are of no account.
    parents : sequence of int, length n_nodes
        The parent of each node, which comes before it; -1 for the root, which is first.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        The sum of the children's scores, times the factors of the operators among them; 0 for an
        operator by itself.

    Raises
    ------
    ValueError
        If a parent does not come before its child.

    Examples
    --------
    >>> from sklearn_tree import Tree
    >>> from sklearn_tree.datasets.negation import evaluate
    >>> tree = Tree.from_any(("", "not", ("", "very", "good")))
    >>> evaluate(tree.labels, tree.parents)
    array([-1.125,  0.   ,  1.5  ,  0.   ,  1.   ])
    """
    above: list[int] = np.asarray(parents).tolist()
    if len(above) != len(labels):
        raise ValueError(f"parents must have one entry per label: {len(labels)}, got {len(above)}")
    for node, parent in enumerate(above):
        if not (parent == -1 if node == 0 else 0 <= parent < node):
            raise ValueError(f"parents must come before their children, got {parent} for node {node}")
    return np.array(_walk(labels, above)[0])


def shapley(tree: Tree) -> np.ndarray:
    """Compute the exact Shapley values of a tree's leaves; leaves that are absent are neutral words.

    Parameters
    ----------
    tree : Tree
        A tree of at most 10 leaves. :func:`evaluate` is called once for each of their subsets.

    Returns
    -------
    ndarray of float64, shape (n_leaves,)
        One value for each of ``tree.leaves``. They add up to the tree's score.

    Raises
    ------
    ValueError
        If there are more leaves.

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


def _sentence(rng: np.random.RandomState, max_depth: int) -> tuple[list[str], list[int]]:
    labels: list[str] = []
    parents: list[int] = []
    waiting = [("SENTENCE", -1, max_depth)]
    while waiting:
        symbol, parent, height = waiting.pop()
        if symbol in _WORDS:
            labels.append(_WORDS[symbol][rng.randint(len(_WORDS[symbol]))])
            parents.append(parent)
            continue
        rules = [rule for rule in _RULES[symbol] if rule[1] <= height]
        odds = np.array([rule[0] for rule in rules])
        parts = rules[rng.choice(len(rules), p=odds / odds.sum())][2]
        if len(parts) > 1:
            labels.append("")
            parents.append(parent)
            parent, height = len(labels) - 1, height - 1
        waiting += [(part, parent, height) for part in reversed(parts)]
    return labels, parents


def _walk(labels: Sequence[str], parents: Sequence[int]) -> tuple[list[float], list[float]]:
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


def _contributions(
    labels: Sequence[str], parents: Sequence[int], values: list[float], factors: list[float]
) -> np.ndarray:
    # The score is linear in each phrase's own: its weight is the product of all factors above it.
    weights, contributions = [1.0] * len(labels), np.empty(len(labels))
    inner = set(parents)
    for node, (label, parent) in enumerate(zip(labels, parents, strict=True)):
        if node:
            weights[node] = weights[parent] * factors[parent]
        if label in OPERATORS and node not in inner and node:
            # Without the operator the phrase above it scores its own score over the factor.
            contributions[node] = weights[parent] * values[parent] * (1 - 1 / OPERATORS[label])
        else:
            contributions[node] = weights[node] * values[node]
    return contributions
