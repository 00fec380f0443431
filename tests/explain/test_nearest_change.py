"""The nearest change flips the prediction, is minimal for one edit, and leaves everything as it was."""

import pickle
from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    Tree,
    TreeParser,
    TreeVectorizer,
    nearest_change,
)
from sklearn_tree.datasets import make_negation
from sklearn_tree.datasets.negation import OPERATORS, SCORES, evaluate
from sklearn_tree.explain.edits import TokenEditor, TreeEditor
from sklearn_tree.kinds.encoding import no_warnings_of_unknown

TEXTS, Y = ["a good film", "a bad film", "the good play", "the bad play"] * 10, ["positive", "negative"] * 20
NEGATION = make_negation(600, max_depth=5, random_state=0)


@pytest.fixture(scope="module")
def rnn():
    return RNNClassifier(random_state=0).fit(TEXTS, Y)


@pytest.fixture(scope="module")
def trees():
    return RecursiveNetClassifier(random_state=0).fit(NEGATION.data[:500], NEGATION.target[:500])


@pytest.fixture(scope="module")
def majority():
    """Return a net that predicts whether "good" occurs more often than "bad"."""
    rng = np.random.default_rng(0)
    tokens = [rng.choice(["good", "bad"], size=5).tolist() for _ in range(300)]
    y = ["more" if row.count("good") > 2 else "fewer" for row in tokens]
    return CNNClassifier(random_state=0, max_epochs=30).fit(tokens, y)


def assert_flips(estimator, change, target=None):
    before, after = estimator.predict([change.sample])[0], estimator.predict([change.changed])[0]
    assert (before, after) == (change.prediction_before, change.prediction_after)
    assert before != after
    assert target in (None, after)
    probabilities = [estimator.predict_proba([sample]).max() for sample in (change.sample, change.changed)]
    assert [change.probability_before, change.probability_after] == pytest.approx(probabilities, abs=1e-6)


def flips(estimator, editor, edits):
    return estimator.predict([editor.apply(edits)])[0] != estimator.predict([editor.sample])[0]


def test_a_word_is_replaced(rnn):
    change = nearest_change(rnn, "A bad, bad film!", candidates=["good", "play"], max_changes=3)
    assert_flips(rnn, change)
    assert {edit.before for edit in change.edits} == {"bad"}
    change = nearest_change(rnn, "a bad film")
    assert repr(change).startswith("bad -> good: negative (p ")
    assert change.changed == "a good film"


def test_tokens_stay_tokens(rnn):
    change = nearest_change(rnn, ("a", "bad", "film"))
    assert change.changed == ["a", "good", "film"]
    assert_flips(rnn, change)


@pytest.mark.parametrize("row", range(500, 512))
def test_a_single_edit_agrees_with_brute_force(trees, row):
    tree, words = NEGATION.data[row], [*SCORES, "not", "and", "film"]
    change = nearest_change(trees, tree, candidates=words)
    editor = TreeEditor(tree)
    edits = [edit for edit in editor.list_edits(words) if editor.allows([edit])]
    predicted = trees.predict([editor.apply([edit]) for edit in edits])
    found = [edit for edit, y in zip(edits, predicted) if y != trees.predict([tree])[0]]
    assert bool(found) == (change is not None and len(change.edits) == 1)
    if change is not None:
        assert_flips(trees, change)
    if found:
        assert change.edits[0].size == min(edit.size for edit in found)
        assert change.edits[0] in found


def test_edits_of_negation_are_words_of_sentiment_or_negation(trees):
    known = {*SCORES, *OPERATORS}
    changes = [nearest_change(trees, tree, random_state=0) for tree in NEGATION.data[500:530]]
    assert sum(change is not None for change in changes) >= 28
    words = [{edit.before, edit.after} for change in changes if change for edit in change.edits]
    assert np.mean([bool(known & pair) for pair in words]) > 0.9
    correct = [
        np.sign(_score(change.changed)) != np.sign(_score(change.sample)) for change in changes if change
    ]
    assert np.mean(correct) > 0.8  # the truth changes too


def _score(tree):
    return evaluate(tree.labels, tree.parents)[0]


def test_two_edits_are_found_if_no_single_edit_flips(majority):
    tokens = ["good"] * 4 + ["bad"]
    editor = TokenEditor(tokens)
    singles = [edit for edit in editor.list_edits(["bad"]) if edit.inserted]
    assert not any(flips(majority, editor, [edit]) for edit in editor.list_edits(["bad"]))  # the control
    assert any(flips(majority, editor, pair) for pair in combinations(singles, 2))
    change = nearest_change(majority, tokens, candidates=["bad"])
    assert len(change.edits) == 2
    assert_flips(majority, change)
    assert nearest_change(majority, tokens, candidates=["bad"], max_changes=1) is None
    assert nearest_change(majority, tokens, candidates=["good"], max_changes=2) is None  # the wrong word


def test_the_beam_search_finds_two_edits_where_brute_force_does(trees):
    words, n_found = ["quite", "film", "and"], 0
    for tree in NEGATION.data[500:600]:
        editor = TreeEditor(tree)
        edits = [edit for edit in editor.list_edits(words) if editor.allows([edit])]
        pairs = [pair for pair in combinations(edits, 2) if editor.allows(pair)]
        before = trees.predict([tree])[0]
        if len(pairs) > 1000 or (trees.predict([editor.apply([edit]) for edit in edits]) != before).any():
            continue
        exists = bool(pairs) and (trees.predict([editor.apply(pair) for pair in pairs]) != before).any()
        change = nearest_change(trees, tree, candidates=words, max_changes=2)
        assert (change is not None) == exists
        n_found += exists
    assert n_found > 3


def test_subtrees_are_replaced_by_those_of_candidates():
    rows = [
        "(S (NP (D the) (N cat)) (VP (V runs) (A fast)))",
        "(S (NP (D the) (N cat)) (VP (V runs) (A slowly)))",
    ]
    clf = RecursiveNetClassifier(random_state=0).fit(rows * 20, ["fast", "slow"] * 20)
    change = nearest_change(clf, rows[0], candidates=rows[1:])
    assert_flips(clf, change)
    assert change.edits[0].after == "slowly"
    assert change.edits[0].size == 1  # the leaf; the subtrees around it are larger
    assert change.sample == Tree.from_any(rows[0])


def test_the_target_is_predicted():
    texts, y = ["one a", "two b", "three c"] * 20, ["1", "2", "3"] * 20
    clf = RNNClassifier(random_state=0).fit(texts, y)
    for target in ("2", "3"):
        change = nearest_change(clf, "one a", target=target)
        assert change.prediction_after == target
        assert_flips(clf, change, target)
    with pytest.raises(ValueError, match=r"target must be one of the classes \['1', '2', '3'\], got '4'"):
        nearest_change(clf, "one a", target="4")
    with pytest.raises(ValueError, match="target must differ from the predicted class, got '1'"):
        nearest_change(clf, "one a", target="1")


def test_the_estimator_is_a_pipeline_a_search_or_frozen(rnn):
    pipe = make_pipeline(SequenceVectorizer(), RNNClassifier(random_state=0))
    search = GridSearchCV(pipe, {"rnnclassifier__hidden_size": [16]}, cv=2).fit(TEXTS, Y)
    for estimator in (search, search.best_estimator_, FrozenEstimator(rnn)):
        change = nearest_change(estimator, "a bad film")
        assert change.changed == "a good film"
        assert_flips(estimator, change)


def test_samples_of_pipelines_of_trees_are_texts_or_trees():
    parsed = make_pipeline(TreeParser("right"), TreeVectorizer(), RecursiveNetClassifier(random_state=0)).fit(
        TEXTS, Y
    )
    assert nearest_change(parsed, "a bad film").changed == "a good film"
    brackets = ["(S (A a) (B good))", "(S (A a) (B bad))"] * 20
    pipe = make_pipeline(TreeVectorizer(), RecursiveNetClassifier(random_state=0)).fit(brackets, Y)
    for x in (brackets[1], Tree.from_any(brackets[1]), ("S", ("A", "a"), ("B", "bad"))):
        change = nearest_change(pipe, x, candidates=["good"])
        assert change.changed.to_brackets() == "(S (A a) (B good))"


def test_nothing_else_changes(rnn):
    tokens = ["a", "bad", "film"]
    state, before = pickle.dumps(rnn), (np.random.get_state()[1].copy(), torch.get_rng_state())
    nearest_change(rnn, tokens, max_changes=2, candidates=["a"])
    nearest_change(rnn, tokens)
    assert pickle.dumps(rnn) == state
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    assert tokens == ["a", "bad", "film"]


def test_unknown_words_are_warned_of_once(rnn):
    with pytest.warns(UserWarning, match="tokens are unknown") as found:
        change = nearest_change(rnn, "zzz qqq yyy xxx")
    assert len(found) == 1
    assert_flips_quietly(rnn, change)
    with pytest.warns(UserWarning, match="tokens are unknown"):  # a later prediction warns again
        rnn.predict(["zzz qqq"])


def assert_flips_quietly(estimator, change):
    with no_warnings_of_unknown():
        assert_flips(estimator, change)


def test_a_large_vocabulary_is_drawn_from_by_the_seed():
    texts = [f"a {word} film w{i}" for i, word in enumerate(["good", "bad"] * 600)]
    clf = RNNClassifier(random_state=0, max_epochs=8).fit(texts, Y[:2] * 600)
    found = [nearest_change(clf, "a bad film", random_state=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1]
    for change in found:
        assert_flips(clf, change)


@pytest.mark.parametrize(
    ("x", "options", "error", "match"),
    [
        (["a bad film"], {}, TypeError, r"x must be one sample, got a list of one text or tree: pass x\[0\]"),
        (["a", 1], {}, TypeError, r"tokens must be all str or all int, got 1 \(int\)"),
        (" ", {}, ValueError, "x must contain at least one word, got ' '"),
        ("a film", {"max_changes": 0}, ValueError, "max_changes must be an int >= 1, got 0"),
        ("a film", {"candidates": "a film"}, TypeError, "candidates must be a list, got the str 'a film'"),
        (np.zeros(3), {}, TypeError, "x must be a text, a list of str or a tree, got ndarray"),
        ("a film", {"candidates": ["a", 3]}, TypeError, "candidates must be str, got 3"),
    ],
)
def test_wrong_arguments_are_refused(rnn, x, options, error, match):
    with pytest.raises(error, match=match):
        nearest_change(rnn, x, **options)


def test_other_estimators_are_refused():
    rng = np.random.default_rng(0)
    series = rng.standard_normal((20, 6, 2)).astype(np.float32)
    with pytest.raises(TypeError, match="estimator must be a classifier, got RNNRegressor"):
        nearest_change(RNNRegressor(max_epochs=1).fit(TEXTS, np.arange(40.0)), "a film")
    with pytest.raises(ValueError, match="estimator must read texts, tokens or trees, got a net for series"):
        nearest_change(CNNClassifier(max_epochs=1).fit(series, Y[:20]), series[0])
    pairs = np.array([["a film", "a play"], ["a play", "a film"]] * 10, dtype=object)
    with pytest.raises(
        ValueError, match="estimator must read single samples, got a net for pairs: the search"
    ):
        nearest_change(RNNClassifier(max_epochs=1).fit(pairs, Y[:20]), pairs[0])
    with pytest.raises(ValueError, match="estimator must predict one class per sample"):
        nearest_change(RNNClassifier(max_epochs=1).fit(TEXTS, np.eye(2, dtype=int)[[0, 1] * 20]), "a film")
    ids = RNNClassifier(max_epochs=1).fit([[2, 3], [3, 4, 5]] * 10, Y[:20])
    with pytest.raises(TypeError, match="x must be a text, a list of str or a tree"):
        nearest_change(ids, [2, 3])


def test_a_change_keeps_a_leaf_of_the_tree():
    trees = ["(ROOT (S (NP it) (VP works)))", "(ROOT (X (Y it) (Z works)))", "(ROOT)", "(ROOT (S))"] * 20
    net = RecursiveNetClassifier(max_epochs=30, random_state=0).fit(trees, ["a", "b", "b", "b"] * 20)
    change = nearest_change(net, trees[0], candidates=[], target="b", max_changes=3)
    assert change is None or set(change.changed.labels) & {"it", "works"}
    editor = TreeEditor(Tree.from_any("(a (b c))"))  # a chain, whose labels all count
    assert [editor.allows([edit]) for edit in editor.list_edits([])] == [True, True]
