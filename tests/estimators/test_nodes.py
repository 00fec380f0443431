"""Predictions for all nodes of trees."""

import numpy as np
import pytest
from samples import tree_classifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_tree import (
    RecursiveNetRegressor,
    RNNClassifier,
    ToDevice,
    Tree,
    TreeArray,
    TreeParser,
    TreeVectorizer,
    predict_nodes,
)
from sklearn_tree.estimators.nodes import pool_subtrees
from sklearn_tree.nn import POOLINGS


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_predict_nodes_predicts_each_subtree_as_a_separate_tree(small_trees, pooling):
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
        rows = nodes[nodes["sample"] == k]
        assert tuple(rows.label) == tree.labels
        subtrees = [subtree(tree, node) for node in tree.nodes]
        np.testing.assert_allclose(rows[["one", "two"]], clf.predict_proba(subtrees), rtol=1e-4)
        assert rows.prediction.tolist() == clf.predict(subtrees).tolist()
    ids = TreeVectorizer().fit_transform(trees)
    assert tree_classifier(max_epochs=1).fit(ids, y).predict_nodes(ids).label.iloc[0] == 3
    named = tree_classifier(max_epochs=1).fit(trees, ["label" if k == "one" else k for k in y])
    with pytest.raises(ValueError, match=r"must not be named like columns of the table, got \['label'\]"):
        named.predict_nodes(trees)


def subtree(tree, node):
    """Return the subtree of a node, built by hand."""
    inside = [i for i in tree.nodes if i == node or is_below(tree, i, node)]
    number = {i: k for k, i in enumerate(inside)}
    parents = [number.get(tree.parents[i], -1) for i in inside]
    return Tree([tree.labels[i] for i in inside], parents)


def is_below(tree, i, node):
    """Return whether node i is a descendant of a node."""
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


SHAPES = [[-1], [-1, 0, 1, 2], [-1, 0, 0, 0], [-1, 0, 1, 1, 0, 4, 4]]
LEVELS = TreeArray.from_trees([Tree([2] * len(parents), parents) for parents in SHAPES])


def naive_pool(vectors, weights, nodes, pooling):
    """Return the pooled vector of a subtree from the vectors and weights of its nodes."""
    if pooling == "root":
        return vectors[nodes[0]]
    if pooling == "max":
        return vectors[nodes].max(axis=0)
    return np.average(vectors[nodes], axis=0, weights=weights[nodes])


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_pooled_subtrees_equal_the_pooling_of_their_nodes(pooling):
    rng = np.random.RandomState(0)
    vectors, weights = rng.randn(LEVELS.n_nodes, 3), np.ones(LEVELS.n_nodes)
    if pooling == "attention":
        weights = rng.rand(LEVELS.n_nodes)
    pooled = pool_subtrees(np.column_stack([vectors, weights]), LEVELS, pooling)
    parents = LEVELS.absolute_parents
    for node in range(LEVELS.n_nodes):
        nodes = [node]
        for other in range(node + 1, LEVELS.n_nodes):  # preorder: a parent precedes its children
            if parents[other] in nodes:
                nodes.append(other)
        np.testing.assert_allclose(pooled[node], naive_pool(vectors, weights, nodes, pooling))
    other = sorted(POOLINGS)[sorted(POOLINGS).index(pooling) - 1]  # the control
    assert not np.allclose(pooled, pool_subtrees(np.column_stack([vectors, weights]), LEVELS, other))


def test_the_labels_of_encoded_trees_are_ids():
    encoded = TreeVectorizer().fit_transform(["(a b)", "(b a)"] * 4)
    clf = tree_classifier(max_epochs=1).fit(encoded, [0, 1] * 4)
    table = clf.predict_nodes(encoded[:1])
    assert table.label.tolist() == list(encoded[0].labels)
    assert table.parent.tolist() == [-1, 0]
    assert (table["sample"].tolist(), table.node.tolist(), table.depth.tolist()) == ([0, 0], [0, 1], [0, 1])
    stars = tree_classifier(max_epochs=1).fit(np.ones((4, 2)), [0, 1, 0, 1]).predict_nodes(np.ones((2, 2)))
    assert len(stars) == 2 * 3


def test_node_probabilities_sum_to_1(small_trees):
    trees, y = small_trees
    table = tree_classifier(max_epochs=1).fit(trees, y).predict_nodes(trees)
    np.testing.assert_allclose(table[["one", "two"]].sum(axis=1), 1, atol=1e-6)
    assert table.prediction.tolist() == np.where(table["two"] > table["one"], "two", "one").tolist()


def fit_pipeline(small_trees, *steps, **params):
    trees, y = small_trees
    return make_pipeline(*steps, TreeVectorizer(**params), tree_classifier(max_epochs=1)).fit(trees, y)


def wrap(pipe, trees, y):
    search = GridSearchCV(pipe, {"treevectorizer__min_df": [1]}, cv=2).fit(trees, y)
    to_device = ToDevice("cpu").fit(pipe[0].transform(trees))
    return {
        "pipeline": pipe,
        "search": search,
        "frozen": FrozenEstimator(pipe),
        "frozen search": FrozenEstimator(search),
        "nested": Pipeline([("skipped", "passthrough"), ("net", pipe)]),
        "moved": make_pipeline(pipe[0], to_device, pipe[-1]),
    }


@pytest.mark.parametrize("name", ["pipeline", "search", "frozen", "frozen search", "nested", "moved"])
def test_nodes_of_wrapped_classifiers_have_the_labels_of_the_user(small_trees, name):
    trees, y = small_trees
    pipe = fit_pipeline(small_trees)
    nodes = predict_nodes(wrap(pipe, trees, y)[name], trees)
    assert nodes.label.tolist() == [label for tree in trees for label in Tree.from_any(tree).labels]
    inner = pipe[-1].predict_nodes(pipe[0].transform(trees))
    np.testing.assert_allclose(nodes[["one", "two"]], inner[["one", "two"]], rtol=1e-5)
    assert nodes.label.tolist() != inner.label.tolist()  # the control: labels of encoded trees are ids


def test_labels_are_those_of_the_trees_that_enter_the_net(small_trees):
    trees, _ = small_trees
    binary = predict_nodes(fit_pipeline(small_trees, binarize="right", lowercase=True), trees)
    read = TreeVectorizer(binarize="right").fit(trees).read(trees)
    assert binary.label.tolist() == read.vocabulary[read.labels].tolist()
    parsed = predict_nodes(fit_pipeline(small_trees, TreeParser("brackets")), trees)
    assert parsed.label.tolist() == [label for tree in trees for label in Tree.from_any(tree).labels]


def test_only_fitted_classifiers_of_trees_have_nodes(small_trees):
    trees, y = small_trees
    texts = RNNClassifier(max_epochs=1).fit(trees, y)
    with pytest.raises(TypeError, match="must end in a RecursiveNetClassifier, got RNNClassifier"):
        predict_nodes(make_pipeline(texts), trees)
    regressor = RecursiveNetRegressor(max_epochs=1).fit(trees, np.arange(len(trees)))
    with pytest.raises(TypeError, match="must end in a RecursiveNetClassifier, got RecursiveNetRegressor"):
        predict_nodes(regressor, trees)
    with pytest.raises(NotFittedError):
        predict_nodes(make_pipeline(TreeVectorizer(), tree_classifier()), trees)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_nodes_are_pooled_as_in_the_fitted_net(small_trees, pooling):
    trees, y = small_trees
    clf = tree_classifier(max_epochs=1, net_params={"module__pooling": pooling}).fit(trees, y)
    nodes = clf.predict_nodes(trees)
    np.testing.assert_allclose(nodes[nodes.node == 0].two, clf.predict_proba(trees)[:, 1], atol=1e-6)
    for other in POOLINGS:
        assert clf.set_params(pooling=other).predict_nodes(trees).equals(nodes)
    control = tree_classifier(max_epochs=1, pooling="max" if pooling == "mean" else "mean").fit(trees, y)
    assert not control.predict_nodes(trees).equals(nodes)
