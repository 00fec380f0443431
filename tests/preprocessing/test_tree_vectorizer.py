"""``TreeVectorizer``: vocabularies, unknown labels, and the way back."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from strategies import forests

from sklearn_tree import Tree, TreeArray, TreeVectorizer

TREES = ["(S (NP I) (VP run))", "(S (NP I) (VP (V Run) (ADVP fast)))", "(S (VP stop))"]


@given(forests())
def test_inverse_transform_gives_the_trees_back(forest):
    vectorizer = TreeVectorizer()
    ids = vectorizer.fit_transform(forest)
    assert ids.vocabulary is None
    assert vectorizer.inverse_transform(ids) == TreeArray.from_trees(forest)
    assert vectorizer.transform(forest) == ids
    assert pickle.loads(pickle.dumps(vectorizer)).transform(forest) == ids


def test_an_unseen_label_comes_back_as_unknown():  # the control of the law above
    vectorizer = TreeVectorizer().fit(TREES)
    ids = vectorizer.transform(["(S (NP you) (VP run))"])
    assert vectorizer.inverse_transform(ids)[0] == Tree.from_any("(S (NP <unk>) (VP run))")
    assert ids.n_labels == len(vectorizer.vocabulary_)


def test_ids_0_and_1_are_reserved_and_the_rest_is_sorted():
    vocabulary = TreeVectorizer().fit(TREES).vocabulary_
    assert list(vocabulary.values()) == list(range(len(vocabulary)))
    assert list(vocabulary)[:2] == ["<pad>", "<unk>"]
    assert list(vocabulary)[2:] == sorted(list(vocabulary)[2:])


def test_leaves_alone_are_tokens_without_inner_labels():
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


def test_edge_labels_have_ids_of_their_own():
    tree = Tree(["ran", "dogs", "fast"], [-1, 0, 0], edges=[None, "nsubj", "advmod"])
    vectorizer = TreeVectorizer().fit([tree])
    assert vectorizer.edge_vocabulary_ == {"<pad>": 0, "<unk>": 1, "advmod": 2, "nsubj": 3}
    assert vectorizer.transform([tree])[0].edges == (None, 3, 2)
    assert vectorizer.inverse_transform(vectorizer.transform([tree]))[0] == tree
    other = Tree(["ran", "dogs"], [-1, 0], edges=[None, "obj"])
    assert vectorizer.transform([other])[0].edges == (None, 1)
    assert TreeVectorizer(edge_labels=False).fit_transform([tree]).edges is None
    assert vectorizer.transform(["(ran dogs)"]).edges is None


def test_values_pass_through():
    tree = Tree(["r", "a"], [-1, 0], values=[None, 2.5])
    assert TreeVectorizer().fit_transform([tree])[0].values == (None, 2.5)


@pytest.mark.parametrize(
    "container",
    [
        list,
        tuple,
        lambda t: np.array(t, dtype=object),
        lambda t: np.array(t, dtype=object)[:, None],
        pd.Series,
        lambda t: pd.Series(t, index=[9, 4, 7]),
        lambda t: pd.DataFrame({"tree": t}),
        TreeArray.from_trees,
        iter,
    ],
)
def test_every_container_of_trees_is_read(container):
    assert TreeVectorizer().fit_transform(container(TREES)) == TreeVectorizer().fit_transform(TREES)


def test_formats_can_be_demanded():
    TreeVectorizer(format="brackets").fit(TREES)
    TreeVectorizer("nested").fit([("S", "a")])
    TreeVectorizer("tree").fit([Tree(["a"], [-1])])
    TreeVectorizer("dict").fit([{"label": "a"}])
    with pytest.raises(TypeError, match=r"X\[1\] must be a tree of the format 'brackets', got tuple"):
        TreeVectorizer("brackets").fit(["(S a)", ("S", "a")])
    nltk = pytest.importorskip("nltk")
    TreeVectorizer("nltk").fit([nltk.Tree("S", ["a"])])
    with pytest.raises(TypeError, match="format 'nltk', got str"):
        TreeVectorizer("nltk").fit(["(S a)"])


def test_fitting_changes_no_parameter_and_no_input():
    trees = list(TREES)
    vectorizer = TreeVectorizer(min_df=2)
    before = clone(vectorizer).get_params()
    vectorizer.fit(trees)
    assert vectorizer.get_params() == before
    assert trees == TREES


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: TreeVectorizer().fit([]), ValueError, "trees, at least one, got 0"),
        (lambda: TreeVectorizer().fit("(S a)"), TypeError, "got a single str"),
        (lambda: TreeVectorizer().fit(3), TypeError, "list, Series or array of trees, got int"),
        (lambda: TreeVectorizer().fit(np.zeros((2, 2))), ValueError, r"got an array of shape \(2, 2\)"),
        (lambda: TreeVectorizer().fit(["(S a)", "(S"]), ValueError, r"trees\[1\]: unbalanced bracket"),
        (lambda: TreeVectorizer().fit([("S", 1)]), TypeError, r"trees\[0\]: cannot read"),
        (lambda: TreeVectorizer().fit([Tree([3], [-1])]), TypeError, "must be str to be vectorized"),
        (lambda: TreeVectorizer(min_df=0).fit(TREES), ValueError, "'min_df' parameter of TreeVectorizer"),
        (lambda: TreeVectorizer("yaml").fit(TREES), ValueError, "'format' parameter"),
        (lambda: TreeVectorizer().transform(TREES), NotFittedError, "not fitted"),
        (lambda: TreeVectorizer().fit(TREES).inverse_transform(TREES), ValueError, "TreeArray of ids"),
        (
            lambda: TreeVectorizer().fit(TREES).inverse_transform(TreeArray([99], [0], [0, 1])),
            ValueError,
            "ids below 12.* got 99",
        ),
    ],
)
def test_bad_input_names_the_rule_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()
