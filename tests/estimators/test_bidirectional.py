"""Recursive estimators with a second walk from the root down."""

import copy
import pickle

import numpy as np
import pytest
import torch
from samples import BRACKETS, TABLE, Y, quick
from sklearn.base import clone

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, Tree, TreeVectorizer, predict_nodes
from sklearn_tree.nn import POOLINGS

each_pooling = pytest.mark.parametrize("pooling", sorted(POOLINGS))


def fit(cls=RecursiveNetClassifier, X=BRACKETS, y=Y, *, fit_params=None, **params):
    return quick(cls, **{"bidirectional": True, **params}).fit(X, y, **(fit_params or {}))


@each_pooling
def test_vectors_of_both_walks_are_the_outputs_of_transform(pooling):
    clf = fit(pooling=pooling)
    assert clf.transform(BRACKETS).shape == (len(BRACKETS), 16)
    names = clf.get_feature_names_out()
    assert len(names) == 16
    assert names[-1] == "recursivenetclassifier15"
    logits = clf.transform(BRACKETS) @ clf.net_.module_.head.weight.detach().numpy().T
    logits += clf.net_.module_.head.bias.detach().numpy()
    probabilities = torch.from_numpy(logits).softmax(1).numpy()
    np.testing.assert_allclose(clf.predict_proba(BRACKETS), probabilities, rtol=0, atol=1e-6)
    assert fit(pooling=pooling, bidirectional=False).transform(BRACKETS).shape == (len(BRACKETS), 8)


@each_pooling
def test_predictions_of_roots_are_those_of_the_trees(pooling):
    clf = fit(pooling=pooling)
    nodes = predict_nodes(clf, BRACKETS)
    roots = nodes[nodes.depth == 0]
    np.testing.assert_allclose(roots[[0, 1]], clf.predict_proba(BRACKETS), rtol=0, atol=1e-6)


def test_the_prediction_of_a_node_depends_on_its_context():
    def predict_first_word(clf, tree):
        nodes = predict_nodes(clf, [tree])
        return nodes[nodes.label == "it"][[0, 1]].to_numpy()

    one, other = "(S (NP it) (VP works))", "(S (NP it) (VP fails))"
    bidirectional, upward = fit(max_epochs=20), fit(max_epochs=20, bidirectional=False)
    assert (
        np.abs(predict_first_word(bidirectional, one) - predict_first_word(bidirectional, other)).max() > 0.01
    )
    assert np.array_equal(predict_first_word(upward, one), predict_first_word(upward, other))


def leaves_below_marks(n, seed):
    """Return random trees; leaves are labelled by the number of marks above them, modulo 2."""
    rng = np.random.RandomState(seed)
    trees, labels = [], []
    for _ in range(n):
        parents = [-1, *(rng.randint(max(0, i - 3), i) for i in range(1, 12))]
        tree = Tree(rng.choice(["mark", "other"], 12).tolist(), parents)
        above = [0] * tree.n_nodes
        for i in list(tree.nodes)[1:]:
            above[i] = (above[tree.parents[i]] + (tree.labels[tree.parents[i]] == "mark")) % 2
        trees.append(tree)
        labels.append([above[i] if i and not tree.children(i) else None for i in tree.nodes])
    return trees, labels


@pytest.mark.parametrize(("bidirectional", "low", "high"), [(True, 0.97, 1.0), (False, 0.4, 0.65)])
def test_labels_that_depend_on_ancestors_are_learned_by_the_second_walk(bidirectional, low, high):
    trees, labels = leaves_below_marks(300, 0)
    clf = quick(RecursiveNetClassifier, bidirectional=bidirectional, hidden_size=16, max_epochs=15, lr=0.02)
    clf.fit(trees, [0, 1] * 150, node_y=labels)
    test, expected = leaves_below_marks(50, 1)
    found = clf.predict_nodes(test)
    expected = np.concatenate([np.array(row, dtype=float) for row in expected])
    is_labelled = ~np.isnan(expected)
    accuracy = (found.prediction == expected)[is_labelled].mean()
    assert low <= accuracy <= high


@each_pooling
def test_losses_of_nodes_are_those_of_their_predictions(pooling):
    array = TreeVectorizer().fit_transform(BRACKETS)
    node_y = [np.arange(size) % 2 for size in array.sizes]
    for labels, y in zip(node_y, Y):
        labels[0] = y
    clf = fit(X=array, pooling=pooling, fit_params={"node_y": node_y}, lr=1e-9, max_epochs=1)
    found = predict_nodes(clf, array)
    chosen = found[[0, 1]].to_numpy()[np.arange(len(found)), np.concatenate(node_y)]
    expected = -np.log(chosen).sum() / len(array)
    assert clf.history_.train_loss[0] == pytest.approx(expected, rel=1e-4)


@each_pooling
def test_small_batches_of_nodes_give_the_same_fit(pooling):
    whole, parts = (fit(pooling=pooling, max_batch_nodes=n).predict_proba(BRACKETS) for n in (None, 10))
    np.testing.assert_allclose(whole, parts, rtol=0, atol=1e-4)


def test_pairs_tables_and_several_outputs_are_fitted():
    pairs = np.array([BRACKETS, BRACKETS[::-1]], dtype=object).T
    assert fit(X=pairs).transform(pairs).shape == (len(Y), 4 * 16)
    assert fit(X=TABLE).predict_proba(TABLE).shape == (len(Y), 2)
    outputs = fit(y=np.column_stack([Y, 1 - Y, Y])).predict(BRACKETS)
    assert outputs.shape == (len(Y), 3)
    numbers = fit(RecursiveNetRegressor, y=np.column_stack([Y, -Y]).astype(float))
    assert numbers.predict(BRACKETS).shape == (len(Y), 2)
    double = fit(X=TABLE.astype(np.float64)).net_.module_
    assert {p.dtype for p in double.parameters()} == {torch.float64}


def test_a_fitted_net_is_pickled_and_continued():
    clf = fit(warm_start=True)
    restored = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(restored.predict_proba(BRACKETS), clf.predict_proba(BRACKETS))
    twice = [model.fit(BRACKETS, Y).predict_proba(BRACKETS) for model in (restored, copy.deepcopy(clf))]
    np.testing.assert_array_equal(*twice)
    with pytest.raises(ValueError, match=r"bidirectional must stay True when warm_start .*, got False"):
        clf.set_params(bidirectional=False).fit(BRACKETS, Y)
    net = clone(clf).set_params(bidirectional=True).make_net(BRACKETS, Y)
    assert net.get_params()["module__bidirectional"] is True


def test_the_same_seed_gives_the_same_bits():
    first, second = (fit(dropout=0.2).predict_proba(BRACKETS) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("bad", [None, 1.5, "both"])
def test_an_invalid_bidirectional_is_rejected(bad):
    with pytest.raises(ValueError, match="'bidirectional' parameter of RecursiveNetClassifier"):
        fit(bidirectional=bad)
