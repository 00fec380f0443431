"""Recursive nets on trees and tables."""

import numpy as np
import pandas as pd
import pytest
import torch
from samples import tree_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray, TreeNode, TreeVectorizer
from sklearn_tree.nn import CELLS, POOLINGS, TreeCell


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_classes_that_depend_on_structure_are_learned(small_trees, cell, pooling):
    trees, y = small_trees
    assert tree_classifier(cell=cell, pooling=pooling, max_epochs=20).fit(trees, y).score(trees, y) == 1.0


def test_a_bag_of_labels_does_not_learn_structure(small_trees):  # the control of the test above
    trees, y = small_trees
    counts = [[t.count(w) for w in "SApqr"] for t in trees]
    assert LogisticRegression().fit(counts, y).score(counts, y) < 0.7


def test_default_parameters_learn_500_small_trees():
    rng = np.random.RandomState(0)
    deep = ["(S (A {} {}) {})".format(*rng.choice(list("pqrst"), 3)) for _ in range(250)]
    flat = ["(S {} (B {}) (B {}))".format(*rng.choice(list("pqrst"), 3)) for _ in range(250)]
    trees, y = deep + flat, [1] * 250 + [0] * 250
    order = rng.permutation(500)
    trees, y = [trees[i] for i in order], [y[i] for i in order]
    clf = RecursiveNetClassifier().fit(trees[:400], y[:400])
    assert clf.score(trees[400:], y[400:]) > 0.95


def test_raw_trees_give_the_same_model_as_a_pipeline(small_trees):
    trees, y = small_trees
    direct = tree_classifier().fit(trees, y)
    pipe = make_pipeline(TreeVectorizer(), tree_classifier()).fit(trees, y)
    np.testing.assert_array_equal(direct.predict_proba(trees), pipe.predict_proba(trees))
    np.testing.assert_array_equal(
        direct.predict_proba(TreeArray.from_trees(trees)), direct.predict_proba(trees)
    )


@pytest.mark.parametrize(
    "container",
    [lambda t: np.array(t, dtype=object), pd.Series, lambda t: pd.DataFrame({"tree": t}),
     lambda t: [Tree.from_any(x) for x in t], lambda t: [Tree.from_any(x).to_tuple() for x in t],
     TreeArray.from_trees],
)  # fmt: skip
def test_every_container_gives_the_same_predictions(small_trees, container):
    trees, y = small_trees
    clf = tree_classifier(max_epochs=2).fit(container(trees), y)
    reference = tree_classifier(max_epochs=2).fit(trees, y)
    np.testing.assert_array_equal(clf.predict_proba(container(trees)), reference.predict_proba(trees))
    np.testing.assert_array_equal(clf.predict_proba(trees), reference.predict_proba(trees))


def test_a_list_of_encoded_trees_is_read_as_encoded_trees(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=2).fit(list(X), y)
    assert clf.input_kind_ == "trees"
    assert not hasattr(clf, "vectorizer_")
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(list(X)))


def test_single_nodes_unseen_labels_and_deeper_trees_are_predicted(small_trees):
    trees, y = small_trees
    clf = tree_classifier(cell="nary_lstm").fit([*trees, "(x)"], [*y, "one"])
    unseen = ["(x)", "(never seen this)", "(S " * 50 + "p" + ")" * 50, "(S p q r s t u v w x y z)"]
    with pytest.warns(UserWarning, match="tokens are unknown in 2 of 4 samples"):
        assert np.isfinite(clf.predict_proba(unseen)).all()


class SumCell(TreeCell):
    """User-defined cell in which the order of the children counts."""

    def __init__(self, input_size, hidden_size, max_arity=2):
        super().__init__(input_size, hidden_size, max_arity)
        self.inner = torch.nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, wx, children):
        below = wx.new_zeros(len(wx), self.hidden_size)
        if children is not None:
            ordered = children.states[0] * (1 + children.ranks.unsqueeze(1))
            below = below.index_add(0, children.parents, ordered)
        return (torch.tanh(self.inner(torch.cat([wx, below], dim=1))),)


def test_a_user_defined_cell_is_trained(small_trees):
    trees, y = small_trees
    assert tree_classifier(cell=SumCell, max_epochs=15).fit(trees, y).score(trees, y) == 1.0


def test_a_table_is_read_as_stars_and_standardised():
    rng = np.random.RandomState(0)
    X = np.r_[rng.normal(0, 1, (250, 3)), rng.normal(2.5, 1, (250, 3))] * [1, 1e6, 1e-6] + [0, 1e8, 0]
    y = np.repeat([0, 1], 250)
    clf = RecursiveNetClassifier(random_state=0).fit(X[::2], y[::2])
    assert clf.score(X[1::2], y[1::2]) > 0.95
    assert clf.n_features_in_ == 3
    assert clf.net_.module_.head.weight.dtype == torch.float64
    assert clf.predict_proba(X).dtype == np.float64
    small = RecursiveNetClassifier(max_epochs=1).fit(X.astype(np.float32), y)
    assert small.net_.module_.head.weight.dtype == torch.float32
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    assert RecursiveNetClassifier(max_epochs=1).fit(frame, y).feature_names_in_.tolist() == ["a", "b", "c"]


def test_large_numbers_with_a_small_spread_are_separated():
    # time stamps differ in the tenth digit: they must not be rounded before the mean is subtracted
    y = np.arange(200) % 2
    stamps = 1.7e12 + 2000.0 * y
    assert tree_classifier().fit(stamps[:, None], y).score(stamps[:, None], y) == 1.0
    trees = [TreeNode("event", [TreeNode("time", value=stamp)]) for stamp in stamps]
    assert tree_classifier().fit(trees, y).score(trees, y) == 1.0


def test_values_of_labels_without_training_values_are_ignored():
    trees = [TreeNode("r", [TreeNode("a", value=float(i % 2)), "b"]) for i in range(40)]
    clf = tree_classifier().fit(trees, [i % 2 for i in range(40)])
    with_number = [
        TreeNode("r", [TreeNode("a", value=1.0), TreeNode(name, value=1e9)]) for name in ("b", "new")
    ]
    without = [TreeNode("r", [TreeNode("a", value=1.0), name]) for name in ("b", "new")]
    np.testing.assert_array_equal(clf.predict_proba(with_number), clf.predict_proba(without))


def test_word_dropout_does_not_change_the_scale_of_values():
    rng = np.random.RandomState(0)
    X = rng.rand(200, 2) * 1e6
    clf = tree_classifier(word_dropout=0.5, max_epochs=40).fit(X, X[:, 0] > 5e5)
    assert clf.history_.train_loss.max() < 1.5


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["chain", "star"])
def test_trees_of_100_000_nodes_are_trained(shape):
    n = 100_000
    parents = list(range(-1, n - 1)) if shape == "chain" else [-1] + [0] * (n - 1)
    big = Tree(["a"] * n, parents)
    clf = RecursiveNetClassifier(max_epochs=1, hidden_size=2, embedding_dim=2, random_state=0)
    clf.fit([big, "(a b)"], [0, 1])
    assert np.isfinite(clf.predict_proba([big])).all()
