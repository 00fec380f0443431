"""Node values and edge labels, on problems that cannot be solved without them."""

import numpy as np
import pytest

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, Tree, TreeArray, TreeVectorizer

SETTINGS = {"hidden_size": 16, "embedding_dim": 16, "lr": 0.01, "max_epochs": 15, "random_state": 0}
N = 300
CHANCE, SOLVED = 0.65, 0.9


def goods(n=N):
    """Return trees of a net price, a gross price and a weight, and whether the net price is higher."""
    values = np.random.default_rng(0).normal(100, 20, size=(n, 3))
    trees = [Tree(["good", "net", "gross", "weight"], [-1, 0, 0, 0], values=[None, *row]) for row in values]
    return trees, values[:, 0] > values[:, 1]


def relations(n=N):
    """Return trees of a verb with a subject and an object in any order, and the subjects."""
    rng = np.random.default_rng(0)
    y = rng.choice(["man", "dog"], n)
    trees = []
    for biter in y:
        words = rng.permutation(["man", "dog"]).tolist()
        edges = [None, *("subject" if word == biter else "object" for word in words)]
        trees.append(Tree(["bites", *words], [-1, 0, 0], edges=edges))
    return trees, y


def drop_column(trees, column):
    """Return the trees without a column."""
    columns = ({"values": tree.values, "edges": tree.edges} | {column: None} for tree in trees)
    return [Tree(tree.labels, tree.parents, **rest) for tree, rest in zip(trees, columns)]


def shuffle_column(trees, column):
    """Return the trees, each with the column of another tree."""
    order = np.random.default_rng(1).permutation(len(trees))
    return [
        Tree(tree.labels, tree.parents, **{column: getattr(trees[k], column)})
        for tree, k in zip(trees, order)
    ]


def score(trees, y, cell="child_sum_lstm"):
    half = len(trees) // 2
    clf = RecursiveNetClassifier(cell, **SETTINGS).fit(trees[:half], y[:half])
    return clf.score(trees[half:], y[half:])


@pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_lstm", "child_sum_gru"])
@pytest.mark.parametrize(("problem", "column"), [(goods, "values"), (relations, "edges")])
def test_classes_that_depend_on_one_column_are_learned_only_with_it(problem, column, cell):
    trees, y = problem()
    assert score(trees, y, cell) >= SOLVED
    assert score(drop_column(trees, column), y, cell) <= CHANCE
    assert score(shuffle_column(trees, column), y, cell) <= CHANCE


@pytest.mark.parametrize(("problem", "column"), [(goods, "values"), (relations, "edges")])
def test_arrays_and_vectorizers_keep_the_column(problem, column):
    trees, y = problem()
    array = TreeArray.from_trees(trees)
    encoded = TreeVectorizer().fit_transform(trees)
    raw, stored, ids = (
        RecursiveNetClassifier(**SETTINGS).fit(X, y).predict_proba(X) for X in (trees, array, encoded)
    )
    assert np.array_equal(raw, stored)
    assert np.array_equal(raw, ids)
    bare = RecursiveNetClassifier(**SETTINGS).fit(X := drop_column(trees, column), y).predict_proba(X)
    assert not np.array_equal(raw, bare)


def test_the_vectorizer_can_omit_edges():
    trees, y = relations()
    encoded = TreeVectorizer(edge_labels=False).fit_transform(trees)
    assert encoded.edges is None
    assert score(encoded, y) <= CHANCE


def test_predictions_depend_on_values_but_not_on_their_unit():
    trees, y = goods()
    scaled = [Tree(t.labels, t.parents, values=[None, *(4.0 * v for v in t.values[1:])]) for t in trees]
    clf, other = (RecursiveNetClassifier(**SETTINGS).fit(X, y) for X in (trees, scaled))
    assert clf.predict_proba(trees) == pytest.approx(other.predict_proba(scaled), abs=1e-4)
    assert clf.predict_proba(trees) != pytest.approx(clf.predict_proba(scaled), abs=1e-2)


def test_a_number_deep_in_a_tree_is_predicted():
    rng = np.random.default_rng(0)
    values = rng.normal(size=N)
    trees = [Tree(["a", "b", "c", "x"], [-1, 0, 1, 2], values=[None, None, None, v]) for v in values]
    half = N // 2
    X = (trees, drop_column(trees, "values"))
    own, bare = (
        RecursiveNetRegressor(**SETTINGS).fit(part[:half], values[:half]).score(part[half:], values[half:])
        for part in X
    )
    assert own > SOLVED
    assert bare < 0.1
