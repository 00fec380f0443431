"""Predictions for all nodes of trees."""

import numpy as np
import pytest
from samples import tree_classifier

from sklearn_tree import Tree, TreeVectorizer
from sklearn_tree.nn import POOLINGS


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_predict_nodes_predicts_each_subtree_as_a_tree_of_its_own(small_trees, pooling):
    trees, y = small_trees
    clf = tree_classifier(pooling=pooling).fit(trees, y)
    nodes = clf.predict_nodes(iter(trees[:6]))
    assert nodes.columns.tolist() == [
        "sample",
        "node",
        "parent",
        "label",
        "depth",
        "prediction",
        "one",
        "two",
    ]
    for k, tree in enumerate(map(Tree.from_any, trees[:6])):
        of_tree = nodes[nodes["sample"] == k]
        assert tuple(of_tree.label) == tree.labels
        alone = [subtree(tree, node) for node in tree.nodes]
        np.testing.assert_allclose(of_tree[["one", "two"]], clf.predict_proba(alone), rtol=1e-4)
        assert of_tree.prediction.tolist() == clf.predict(alone).tolist()
    ids = TreeVectorizer().fit_transform(trees)
    assert tree_classifier(max_epochs=1).fit(ids, y).predict_nodes(ids).label.iloc[0] == 3
    named = tree_classifier(max_epochs=1).fit(trees, ["label" if k == "one" else k for k in y])
    with pytest.raises(ValueError, match=r"must not be named like columns of the table, got \['label'\]"):
        named.predict_nodes(trees)


def subtree(tree, node):
    """The subtree below a node, cut out by hand."""
    inside = [i for i in tree.nodes if i == node or is_below(tree, i, node)]
    number = {i: k for k, i in enumerate(inside)}
    parents = [number.get(tree.parents[i], -1) for i in inside]
    return Tree([tree.labels[i] for i in inside], parents)


def is_below(tree, i, node):
    while i > 0:
        i = tree.parents[i]
        if i == node:
            return True
    return False


def test_predict_nodes_requires_one_class_per_sample(words_counted):
    X, counts = words_counted
    clf = tree_classifier(max_epochs=1).fit(X, (counts > 0).astype(int))
    with pytest.raises(ValueError, match="predict_nodes requires one class per sample, got labels"):
        clf.predict_nodes(X)
