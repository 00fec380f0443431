"""Sentences of the sentiment grammar: scores, contributions and how well models learn them."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_tree import RecursiveNetClassifier, Tree
from sklearn_tree.datasets import make_negation
from sklearn_tree.datasets.negation import NEUTRAL, OPERATORS, SCORES, evaluate, shapley


@pytest.fixture(scope="module")
def negation():
    return make_negation(80, random_state=0)


def score(tree, node=0, replaced=(), word=NEUTRAL):
    """Compute the score of a phrase by recursion, with the phrases at some nodes replaced by a word."""
    children = [] if node in replaced else tree.children(node)
    if not children:
        return SCORES.get(word if node in replaced else tree.labels[node], 0.0)
    total, factor = 0.0, 1.0
    for child in children:
        total += score(tree, child, replaced, word)
        if child not in replaced and not tree.children(child):
            factor *= OPERATORS.get(tree.labels[child], 1.0)
    return total * factor


def text_of(tree):
    return " ".join(tree.labels[leaf] for leaf in tree.leaves)


def test_contributions_are_the_changes_caused_by_a_neutral_word(negation):
    for tree, contributions in zip(negation.data, negation.contributions):
        for node in tree.nodes:
            expected = score(tree) - score(tree, replaced={node})
            assert contributions[node] == pytest.approx(expected, abs=1e-12), (tree, node)


@pytest.mark.parametrize("wrong", ["a word with a score", "the phrase without its context"])
def test_contributions_differ_from(negation, wrong):  # the control of the law above
    differ = 0
    for tree, contributions, own in zip(negation.data, negation.contributions, negation.phrase_scores):
        if wrong == "a word with a score":
            own = [score(tree) - score(tree, replaced={node}, word="good") for node in tree.nodes]
        differ += not np.allclose(contributions, own)
    assert differ > 40


def test_scores_of_phrases_agree_with_recursion(negation):
    for tree, own in zip(negation.data, negation.phrase_scores):
        assert own == pytest.approx([score(tree, node) for node in tree.nodes])
        assert evaluate(tree.labels, tree.parents) == pytest.approx(own)
    assert negation.scores.tolist() == [own[0] for own in negation.phrase_scores]
    assert (np.abs(negation.scores) >= 0.5).all()
    assert (negation.target == np.where(negation.scores > 0, "positive", "negative")).all()


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (("", "not", ("", "very", "good")), -0.75 * 1.5),
        (("", "good", ("", "but", "bad")), 1 - 2),
        (("", "bad", ("", "but", "good")), -1 + 2),
        (("", "good", ("", "and", "awful")), 1 - 2),
        (("", "not", ("", "good", ("", "but", "funny"))), -0.75 * 3),
        (("", ("", "not", "good"), ("", "but", "funny")), -0.75 + 2),
        (("S", "very", "not", "bad", "film"), 0.75 * 1.5),
        ("good", 1),
        ("not", 0),
        (("not", "good"), 1),  # an operator is a leaf
    ],
)
def test_scores_agree_with_scores_computed_by_hand(tree, expected):
    tree = (
        Tree(["good"], [-1])
        if tree == "good"
        else Tree(["not"], [-1])
        if tree == "not"
        else Tree.from_any(tree)
    )
    assert evaluate(tree.labels, tree.parents)[0] == pytest.approx(expected)
    assert score(tree) == pytest.approx(expected)


def test_a_deep_chain_is_evaluated():
    n = 20_000
    labels = [*["", "not"] * n, "good"]
    parents = [-1, *(p for i in range(n) for p in (2 * i, 2 * i))]
    assert evaluate(labels, parents)[-1] == 1


@pytest.mark.parametrize("max_depth", [2, 3, 6, 9])
def test_sentences_are_binary_trees_of_bounded_height(max_depth):
    X = make_negation(300, max_depth=max_depth, random_state=0).data
    assert max(tree.height for tree in X) == max_depth
    assert set(X.arities) == {0, 2}
    for tree in X:
        assert all((tree.labels[node] == "") == bool(tree.children(node)) for node in tree.nodes)


def test_the_seed_determines_the_sentences_and_the_global_state_is_unchanged():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    one, same, other = (make_negation(50, random_state=seed) for seed in (0, np.random.RandomState(0), 1))
    assert one.data == same.data
    assert one.scores.tolist() == same.scores.tolist()
    assert one.data != other.data
    assert (np.random.get_state()[1] == before).all()
    assert make_negation(20, random_state=0).data == one.data[:20]


def test_shapley_values_are_averages_over_all_orders():
    tree = Tree.from_any(("", "bad", ("", "but", ("", "not", "awful"))))
    expected = dict.fromkeys(tree.leaves.tolist(), 0.0)
    orders = list(permutations(expected))
    for order in orders:
        for i, leaf in enumerate(order):
            gain = score(tree, replaced=order[i + 1 :]) - score(tree, replaced=order[i:])
            expected[leaf] += gain / len(orders)
    assert shapley(tree) == pytest.approx(list(expected.values()))


def test_shapley_values_add_up_to_the_score_and_contributions_do_not(negation):
    n_different = 0
    short = [i for i, tree in enumerate(negation.data) if len(tree.leaves) <= 8]
    for i in short:
        assert shapley(negation.data[i]).sum() == pytest.approx(negation.scores[i])
        of_leaves = negation.contributions[i][negation.data[i].leaves]
        n_different += not np.isclose(of_leaves.sum(), negation.scores[i])
    assert n_different > len(short) / 2


@pytest.mark.slow
def test_nets_learn_the_sentiment_from_trees_and_bags_of_words_do_not():
    negation = make_negation(2500, random_state=0)
    texts = [text_of(tree) for tree in negation.data]
    train, test = slice(0, 2000), slice(2000, None)
    bag = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000))
    assert bag.fit(texts[train], negation.target[train]).score(texts[test], negation.target[test]) < 0.75
    net = RecursiveNetClassifier(cell="nary_lstm", random_state=0)
    net.fit(negation.data[train], negation.target[train])
    assert net.score(negation.data[test], negation.target[test]) > 0.95


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_negation(0), "n_samples must be an int >= 1, got 0"),
        (lambda: make_negation(1.5), "n_samples must be an int >= 1, got 1.5"),
        (lambda: make_negation(max_depth=1), "max_depth must be an int >= 2, got 1"),
        (lambda: evaluate(["", "good"], [-1]), "parents must have one entry per label: 2, got 1"),
        (
            lambda: evaluate(["good", ""], [1, -1]),
            "parents must precede their children, got 1 for node 0",
        ),
        (
            lambda: evaluate(["", "a", "b"], [-1, 2, 0]),
            "parents must precede their children, got 2 for node 1",
        ),
        (lambda: shapley(Tree.from_any(("", *"abcdefghijk"))), "tree must have at most 10 leaves, got 11"),
    ],
)
def test_invalid_parameters_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
