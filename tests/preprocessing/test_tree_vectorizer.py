"""``TreeVectorizer`` converts trees to ids and back."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from strategies import forests

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray, TreeVectorizer
from sklearn_tree.preprocessing.splitter import build_splitter
from sklearn_tree.trees.transform import binarize, collapse_unary, split_leaves, truncate

TREES = ["(S (NP I) (VP run))", "(S (NP I) (VP (V Run) (ADVP fast)))", "(S (VP stop))"]


@given(forests())
def test_inverse_transform_recovers_the_trees(forest):
    vectorizer = TreeVectorizer()
    ids = vectorizer.fit_transform(forest)
    assert ids.vocabulary is None
    assert vectorizer.inverse_transform(ids) == TreeArray.from_trees(forest)
    assert vectorizer.transform(forest) == ids
    assert pickle.loads(pickle.dumps(vectorizer)).transform(forest) == ids


def test_unseen_labels_become_unknown():  # the control of the law above
    vectorizer = TreeVectorizer().fit(TREES)
    ids = vectorizer.transform(["(S (NP you) (VP run))"])
    assert vectorizer.inverse_transform(ids)[0] == Tree.from_any("(S (NP <unk>) (VP run))")
    assert ids.n_labels == len(vectorizer.vocabulary_)


def test_ids_0_and_1_are_reserved_and_the_rest_is_sorted():
    vocabulary = TreeVectorizer().fit(TREES).vocabulary_
    assert list(vocabulary.values()) == list(range(len(vocabulary)))
    assert list(vocabulary)[:2] == ["<pad>", "<unk>"]
    assert list(vocabulary)[2:] == sorted(list(vocabulary)[2:])


def test_only_leaves_keep_labels_without_inner_labels():
    vectorizer = TreeVectorizer(inner_labels=False)
    ids = vectorizer.fit_transform(TREES)
    assert list(vectorizer.vocabulary_)[2:] == ["I", "Run", "fast", "run", "stop"]
    assert vectorizer.inverse_transform(ids)[2] == Tree(["", "", "stop"], [-1, 0, 1])


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"min_df": 2}, ["I", "NP", "S", "VP"]),
        ({"min_df": 0.9}, ["S", "VP"]),
        ({"max_features": 2}, ["S", "VP"]),
        ({"lowercase": True, "min_df": 2}, ["i", "np", "run", "s", "vp"]),
        ({"lowercase": True, "inner_labels": False, "max_features": 1}, ["i"]),
    ],
)
def test_rare_labels_become_unknown(params, kept):
    assert list(TreeVectorizer(**params).fit(TREES).vocabulary_)[2:] == kept


def test_min_df_counts_trees_not_occurrences():
    vectorizer = TreeVectorizer(min_df=2).fit(["(S a a a)", "(S b)"])
    assert list(vectorizer.vocabulary_)[2:] == ["S"]


def test_edge_labels_have_their_own_ids():
    tree = Tree(["ran", "dogs", "fast"], [-1, 0, 0], edges=[None, "nsubj", "advmod"])
    vectorizer = TreeVectorizer().fit([tree])
    assert vectorizer.edge_vocabulary_ == {"<pad>": 0, "<unk>": 1, "advmod": 2, "nsubj": 3}
    assert vectorizer.transform([tree])[0].edges == (None, 3, 2)
    assert vectorizer.inverse_transform(vectorizer.transform([tree]))[0] == tree
    other = Tree(["ran", "dogs"], [-1, 0], edges=[None, "obj"])
    assert vectorizer.transform([other])[0].edges == (None, 1)
    assert TreeVectorizer(edge_labels=False).fit_transform([tree]).edges is None
    assert vectorizer.transform(["(ran dogs)"]).edges is None


def test_values_are_kept():
    tree = Tree(["r", "a"], [-1, 0], values=[None, 2.5])
    assert TreeVectorizer().fit_transform([tree])[0].values == (None, 2.5)


SHAPES = {
    "split": ("identifiers", lambda array: split_leaves(array, build_splitter("identifiers"))),
    "collapse_unary": (True, collapse_unary),
    "binarize": ("left", lambda array: binarize(array, "left")),
    "max_nodes": (4, lambda array: truncate(array, 4)),
}


@pytest.mark.parametrize("names", [[], *([name] for name in SHAPES), [*SHAPES]])
@given(forest=forests(labels=st.sampled_from(["S", "NP", "a", "aB_c"])))
def test_trees_are_split_then_collapsed_then_binarized_then_truncated(names, forest):
    expected = TreeArray.from_trees(forest)
    for name in names:
        expected = SHAPES[name][1](expected)
    vectorizer = TreeVectorizer(**{name: SHAPES[name][0] for name in names})
    ids = vectorizer.fit_transform(forest)
    assert vectorizer.read(forest) == vectorizer.inverse_transform(ids) == expected
    for X in (forest, TreeArray.from_trees(forest)):
        assert vectorizer.transform(X) == ids
    assert ids.n_labels == len(vectorizer.vocabulary_)


def test_the_order_of_the_transformations_matters():  # the control of the law above
    array = TreeArray.from_trees(["(S (A (B a b c) d))"])
    expected = binarize(collapse_unary(array), "right")
    assert TreeVectorizer(collapse_unary=True, binarize="right").read(array) == expected
    assert collapse_unary(truncate(array, 3)) != truncate(collapse_unary(array), 3)
    array = TreeArray.from_trees(["(S (A aB))"])
    assert TreeVectorizer(split="identifiers", collapse_unary=True).read(array)[0] == Tree.from_any(
        "(S+A a B)"
    )


@given(forest=forests())
def test_trees_without_labels_to_split_are_the_same_object(forest):
    array = TreeArray.from_trees(forest)
    assert TreeVectorizer().read(array) is array
    assert TreeVectorizer(split=lambda label: [label]).read(array) is array
    once = TreeVectorizer(split="identifiers").read(array)
    assert TreeVectorizer(split="identifiers").read(once) is once


def test_pieces_enter_the_vocabulary_and_their_label_does_not():
    vectorizer = TreeVectorizer(split="words", lowercase=True, min_df=2)
    ids = vectorizer.fit_transform([("p", "Oak Trees"), ("p", "trees", "Pine-oak."), ("p", "(elm)")])
    assert list(vectorizer.vocabulary_)[2:] == ["", "oak", "p", "trees"]
    expected = ("p", "trees", ("", "<unk>", "oak"))
    assert vectorizer.inverse_transform(ids)[1].to_tuple() == expected
    for same in (clone(vectorizer).fit([("p", "oak trees")] * 2), pickle.loads(pickle.dumps(vectorizer))):
        assert same.transform([("p", "trees", "Pine-oak.")])[0] == ids[1]


def test_inserted_nodes_are_inner_nodes_without_an_edge_label():
    tree = Tree(["S", "a", "b", "c"], [-1, 0, 0, 0], edges=[None, "x", "x", "x"])
    vectorizer = TreeVectorizer(binarize="right", inner_labels=False)
    assert vectorizer.fit_transform([tree])[0] == Tree(
        [0, 2, 0, 3, 4], [-1, 0, 0, 2, 2], edges=[None, 2, None, 2, 2]
    )


def test_transformations_can_be_cloned_and_searched():
    X, y = ["(S (A a) b c)", "(S (B b) (C c) d)"] * 8, [0, 1] * 8
    net = RecursiveNetClassifier(hidden_size=4, embedding_dim=4, max_epochs=1, random_state=0)
    grid = {
        "treevectorizer__binarize": [None, "left"],
        "treevectorizer__collapse_unary": [True],
        "treevectorizer__max_nodes": [5],
    }
    search = GridSearchCV(make_pipeline(TreeVectorizer(), net), grid, cv=2).fit(X, y)
    params = clone(search.best_estimator_[0]).get_params()
    assert (params["collapse_unary"], params["max_nodes"]) == (True, 5)


def test_containers_and_formats_are_read():
    assert TreeVectorizer().fit_transform(pd.Series(TREES)) == TreeVectorizer().fit_transform(TREES)
    TreeVectorizer("nested").fit([("S", "a")])
    with pytest.raises(TypeError, match=r"X\[1\] must be a tree of the format 'brackets', got tuple"):
        TreeVectorizer("brackets").fit(["(S a)", ("S", "a")])


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["S", "V", "", None, None, "C", "d", "x-y"]),
        ({"binarize": "right"}, ["S", "V", "", None, None, None, "C", "d", "x-y"]),
        ({"collapse_unary": True, "max_nodes": 5}, ["S", "V", None, "C", "x-y"]),
    ],
)
def test_pieces_of_a_leaf_have_no_label_of_their_own(params, expected):
    trees = [{"label": "S", "children": [("V", "a-b"), ("C", "d"), {"label": "x-y", "value": 1.0}]}]
    vectorizer = TreeVectorizer(split="words", **params)
    aligned = vectorizer.align_nodes(trees, [["S", "V", "", "C", "d", "x-y"]])
    assert aligned == [expected]
    texts = vectorizer.read(TreeArray.from_trees(trees))[0].labels
    assert len(texts) == len(expected)
    assert all(label in (None, text) for label, text in zip(expected, texts, strict=True))


def test_fit_changes_neither_parameters_nor_input():
    trees = list(TREES)
    vectorizer = TreeVectorizer(min_df=2)
    before = clone(vectorizer).get_params()
    vectorizer.fit(trees)
    assert vectorizer.get_params() == before
    assert trees == TREES


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: TreeVectorizer().fit([]), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda: TreeVectorizer().fit("(S a)"), TypeError, "got a single str"),
        (lambda: TreeVectorizer().fit(3), TypeError, "list, Series or array of trees, got int"),
        (lambda: TreeVectorizer().fit(np.zeros((2, 2))), ValueError, r"got an array of shape \(2, 2\)"),
        (lambda: TreeVectorizer().fit(["(S a)", "(S"]), ValueError, r"X\[1\]: unbalanced bracket"),
        (lambda: TreeVectorizer().fit([("S", 1)]), TypeError, r"X\[0\]: cannot read"),
        (lambda: TreeVectorizer().fit([Tree([3], [-1])]), TypeError, r"labels must be str, got ids \(int\)"),
        (lambda: TreeVectorizer(min_df=0).fit(TREES), ValueError, "'min_df' parameter of TreeVectorizer"),
        (lambda: TreeVectorizer("yaml").fit(TREES), ValueError, "'format' parameter"),
        (lambda: TreeVectorizer(binarize="both").fit(TREES), ValueError, "'binarize' parameter"),
        (lambda: TreeVectorizer(collapse_unary="yes").fit(TREES), ValueError, "'collapse_unary' parameter"),
        (lambda: TreeVectorizer(split="chars").fit(TREES), ValueError, "'split' parameter"),
        (lambda: TreeVectorizer(split="auto").fit(TREES), ValueError, "'split' parameter"),
        (
            lambda: TreeVectorizer(split=str).fit(["(S a)", "(S b)"]),
            TypeError,
            r"X\[0\]: split must return a list of str, got 'a'",
        ),
        (lambda: TreeVectorizer(max_nodes=0).fit(TREES), ValueError, "'max_nodes' parameter"),
        (lambda: TreeVectorizer().transform(TREES), NotFittedError, "not fitted"),
        (
            lambda: TreeVectorizer().fit(TreeArray([0], [0], [0, 1], vocabulary=["a"], edges=[2])),
            TypeError,
            "edge labels must be str like the node labels, got ids",
        ),
        (
            lambda: TreeVectorizer().fit(TREES).inverse_transform(TREES),
            ValueError,
            "X must be a TreeArray of ids, got a list",
        ),
        (
            lambda: TreeVectorizer().fit(TREES).inverse_transform(TreeArray.from_trees(TREES)),
            ValueError,
            "X must be a TreeArray of ids, got a TreeArray of texts",
        ),
        (
            lambda: TreeVectorizer().fit(TREES).inverse_transform(TreeArray([99], [0], [0, 1])),
            ValueError,
            r"X must hold ids in \[0, 12\), got 99",
        ),
    ],
)
def test_invalid_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
