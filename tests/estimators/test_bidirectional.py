"""Recursive estimators with a second walk from the root down."""

import copy
import pickle

import numpy as np
import pytest
import torch
from reference import context_logits, tree_logits, tree_vector
from samples import BRACKETS, TABLE, Y, quick
from sklearn.base import clone

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, Tree, TreeVectorizer, predict_nodes
from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.nn import CELLS, POOLINGS
from sklearn_tree.nn.pairs import compare

each_pooling = pytest.mark.parametrize("pooling", sorted(POOLINGS))
each_path = pytest.mark.parametrize("linear_path", [True, False])
THREE = np.arange(len(Y)) % 3
PAIRS = np.array([BRACKETS, BRACKETS[::-1]], dtype=object).T
SMOOTH = {"dropout": 0.3, "word_dropout": 0.3, "weight_averaging": "ema", "label_smoothing": 0.1}
OPTIONS = [{name: value} for name, value in SMOOTH.items()]
OPTIONS += [{"calibrate": "temperature"}, {"lr_schedule": "one_cycle"}, {"linear_path": True}]


def fit(cls=RecursiveNetClassifier, X=BRACKETS, y=Y, *, fit_params=None, **params):
    params = {"bidirectional": True, "lr": 0.02, **params}  # a last layer that is zero at first learns slowly
    return quick(cls, **params).fit(X, y, **(fit_params or {}))


def embed(estimator, X):
    """Return the module of a fitted net, and the inputs and the tree of each sample."""
    module, encoded = estimator.net_.module_, estimator.kind_.read(X)
    batch = EncodedDataset(encoded, kind=estimator.kind_).batch(np.arange(len(X)))[0]
    array, batch = getattr(encoded, "items", encoded), getattr(batch, "items", batch)
    x = module.embed(batch).detach()[batch.order].split(array.sizes.tolist())
    return module, [(x, array[i]) for i, x in enumerate(x)]


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
@each_path
def test_losses_of_nodes_are_those_of_their_predictions(pooling, linear_path):
    array = TreeVectorizer().fit_transform(BRACKETS)
    node_y = [np.arange(size) % 2 for size in array.sizes]
    for labels, y in zip(node_y, Y):
        labels[0] = y
    clf = fit(X=array, pooling=pooling, linear_path=linear_path, warm_start=True)
    clf.set_params(lr=1e-9, max_epochs=1).fit(array, Y, node_y=node_y)
    assert (clf.net_.module_.active_linear is not None) == linear_path
    found = predict_nodes(clf, array)
    chosen = found[[0, 1]].to_numpy()[np.arange(len(found)), np.concatenate(node_y)]
    expected = -np.log(chosen).sum() / len(array)
    assert clf.history_.train_loss.iloc[-1] == pytest.approx(expected, rel=1e-4)


@each_pooling
@each_path
def test_small_batches_of_nodes_give_the_same_fit(pooling, linear_path):
    params = {"pooling": pooling, "linear_path": linear_path}
    whole, parts = (fit(**params, max_batch_nodes=n).predict_proba(BRACKETS) for n in (None, 10))
    np.testing.assert_allclose(whole, parts, rtol=0, atol=1e-4)


@each_pooling
@each_path
def test_predictions_of_trees_and_nodes_equal_plain_recursion(pooling, linear_path):
    clf = fit(y=THREE, pooling=pooling, linear_path=linear_path)
    module, trees = embed(clf, BRACKETS)
    assert (module.active_linear is not None) == linear_path
    with torch.no_grad():
        expected = torch.stack([tree_logits(module, *tree) for tree in trees]).numpy()
        of_nodes = torch.cat([context_logits(module, *tree) for tree in trees]).softmax(1).numpy()
    np.testing.assert_allclose(clf.decision_function(BRACKETS), expected, rtol=0, atol=1e-5)
    found = clf.predict_nodes(BRACKETS)[[0, 1, 2]].to_numpy()
    np.testing.assert_allclose(found, of_nodes, rtol=0, atol=1e-5)
    module.linear = None
    with torch.no_grad():  # the control
        net_only = torch.stack([tree_logits(module, x[:, :64], tree) for x, tree in trees]).numpy()
    assert (np.abs(net_only - expected).max() > 0.01) == linear_path


@each_pooling
def test_weights_of_samples_are_numbers_of_copies(pooling):
    array, numbers = TreeVectorizer().fit_transform(BRACKETS), 1 + np.arange(len(Y)) % 4
    rows = np.repeat(np.arange(len(Y)), numbers)
    params = {"pooling": pooling, "optimizer": "sgd", "batch_size": 1000, "linear_path": False, "lr": 0.1}
    weighted = fit(X=array, fit_params={"sample_weight": numbers}, **params).predict_proba(array)
    copied = fit(X=array[rows], y=Y[rows], **params).predict_proba(array)
    np.testing.assert_allclose(weighted, copied, rtol=0, atol=1e-5)
    assert np.abs(fit(X=array, **params).predict_proba(array) - copied).max() > 1e-4  # the control


@pytest.mark.parametrize("params", [*OPTIONS, {**SMOOTH, "linear_path": True}], ids=lambda p: "-".join(p))
def test_every_option_of_the_training_is_reproducible_and_pickled(params):
    params = {"y": THREE, "max_epochs": 4, "linear_path": False, "dropout": 0.0, **params}
    clf, other = fit(**params), fit(**params)
    expected = clf.predict_proba(BRACKETS)
    np.testing.assert_array_equal(other.predict_proba(BRACKETS), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(BRACKETS), expected)
    one_by_one = np.concatenate([clf.predict_proba([tree]) for tree in BRACKETS])
    np.testing.assert_allclose(one_by_one, expected, rtol=0, atol=1e-5)
    plain = fit(y=THREE, max_epochs=4, linear_path=False, dropout=0.0).predict_proba(BRACKETS)
    assert np.abs(plain - expected).max() > 1e-5  # the control


def test_the_chosen_cell_decides_the_cell_of_the_second_walk():
    binary, y = ["(S a b)", "(S b (S a b))", "(S (S b b) a)"] * 8, THREE
    clf = fit(X=binary, y=y, cell="auto")
    encoder = clf.net_.module_.encoder
    assert (type(encoder.cell), type(encoder.downward.cell)) == (CELLS["nary_lstm"], CELLS["nary_lstm"])
    assert encoder.downward.cell.max_arity == 1
    explicit = fit(X=binary, y=y, cell="nary_lstm").predict_proba(binary)
    np.testing.assert_array_equal(clf.predict_proba(binary), explicit)
    assert type(fit().net_.module_.encoder.cell) is CELLS["child_sum_lstm"]
    gru = fit(X=binary, y=y, cell="child_sum_gru").net_.module_.encoder.downward.cell
    assert type(gru) is CELLS["nary_gru"]


@each_pooling
def test_vectors_of_pairs_compare_both_trees_with_both_walks(pooling):
    clf = fit(X=PAIRS, pooling=pooling)
    module, trees = embed(clf, PAIRS)
    with torch.no_grad():
        vectors = torch.stack([tree_vector(module, *tree) for tree in trees])
        expected = compare(vectors[::2], vectors[1::2]).numpy()
    np.testing.assert_allclose(clf.transform(PAIRS), expected, rtol=0, atol=1e-5)
    assert expected.shape[1] == 4 * 16
    swapped = clf.transform(PAIRS[:, ::-1])
    np.testing.assert_allclose(swapped[:, :16], expected[:, 16:32], rtol=0, atol=1e-5)
    small = fit(X=PAIRS, pooling=pooling, max_batch_nodes=10).predict_proba(PAIRS)
    np.testing.assert_allclose(clf.predict_proba(PAIRS), small, rtol=0, atol=1e-4)


@each_path
def test_nodes_of_several_outputs_are_trained(linear_path):
    y = np.column_stack([Y, 1 - Y, THREE])
    node_y = [[list(row)] + [None] * (Tree.from_any(tree).n_nodes - 1) for tree, row in zip(BRACKETS, y)]
    clf = fit(y=y, linear_path=linear_path, warm_start=True, max_epochs=20)
    assert (clf.predict(BRACKETS)[:, :2] == y[:, :2]).all()
    losses = []
    for labels in (node_y, [[*row[:-1], [0, 0, 2]] for row in node_y]):
        other = copy.deepcopy(clf).set_params(lr=1e-9, max_epochs=1).fit(BRACKETS, y, node_y=labels)
        losses.append(other.history_.train_loss.iloc[-1])
    proba = np.stack([p[np.arange(len(y)), y[:, k]] for k, p in enumerate(clf.predict_proba(BRACKETS))])
    assert losses[0] == pytest.approx(-np.log(proba).mean(), rel=1e-3)
    assert losses[1] > losses[0] + 0.1  # the control


def test_tables_and_several_outputs_are_fitted():
    assert fit(X=TABLE).predict_proba(TABLE).shape == (len(Y), 2)
    outputs = fit(y=np.column_stack([Y, 1 - Y, Y])).predict(BRACKETS)
    assert outputs.shape == (len(Y), 3)
    numbers = fit(RecursiveNetRegressor, y=np.column_stack([Y, -Y]).astype(float))
    assert numbers.predict(BRACKETS).shape == (len(Y), 2)
    double = fit(X=TABLE.astype(np.float64)).net_.module_
    assert {p.dtype for p in double.parameters()} == {torch.float64}


@each_path
def test_a_fitted_net_is_pickled_and_continued(linear_path):
    clf = fit(warm_start=True, linear_path=linear_path)
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
