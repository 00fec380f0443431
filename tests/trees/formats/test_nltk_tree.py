"""Trees of nltk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import trees

from sklearn_tree import Tree
from sklearn_tree.trees.formats.nltk_tree import read_nltk

nltk = pytest.importorskip("nltk")
NAMES = st.sampled_from(["S", "NP", "it", "works", "é"])


@pytest.mark.parametrize("cls", [nltk.Tree, nltk.ImmutableTree, nltk.ParentedTree])
@given(tree=trees(labels=NAMES))
def test_nltk_and_the_package_read_the_same_brackets(cls, tree):
    node = cls.fromstring(tree.to_brackets())
    assert read_nltk(node) == (tree.labels[0], list(node))
    assert Tree.from_any(node) == tree


def test_a_list_of_the_same_children_is_another_tree():  # the control of the law above
    node = nltk.Tree.fromstring("(S (NP it) works)")
    assert Tree.from_any(node) == Tree.from_any("(S (NP it) works)")
    assert Tree.from_any(["T", *node]) != Tree.from_any(node)
    assert Tree.from_any(nltk.Tree("S", node[::-1])) != Tree.from_any(node)


def test_labels_must_be_texts():
    with pytest.raises(TypeError, match="the label of node 1 must be a str, got 3"):
        Tree.from_any(nltk.Tree("S", [nltk.Tree(3, ["a"])]))
