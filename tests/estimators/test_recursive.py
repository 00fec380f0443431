"""``RecursiveNetClassifier`` on trees: learning, reproducing, composing, refusing."""

import copy
import pickle
import threading

import numpy as np
import pandas as pd
import pytest
import skorch
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    Tree,
    TreeArray,
    TreeNode,
    TreeVectorizer,
)
from sklearn_tree.nn import CELLS, POOLINGS, TreeCell


def classifier(**params):
    return RecursiveNetClassifier(**{"random_state": 0, "max_epochs": 8, "hidden_size": 16, **params})


@pytest.fixture
def encoded(small_trees):
    trees, y = small_trees
    return TreeVectorizer().fit_transform(trees), np.array(y)


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_it_learns_what_only_the_structure_tells(small_trees, cell, pooling):
    trees, y = small_trees
    assert classifier(cell=cell, pooling=pooling, max_epochs=20).fit(trees, y).score(trees, y) == 1.0


def test_a_bag_of_labels_cannot_learn_it(small_trees):  # the control of the test above
    trees, y = small_trees
    counts = [[t.count(w) for w in "SApqr"] for t in trees]
    assert LogisticRegression().fit(counts, y).score(counts, y) < 0.7


def test_child_sum_nets_learn_500_small_trees_with_no_argument_given():
    rng = np.random.RandomState(0)
    deep = ["(S (A {} {}) {})".format(*rng.choice(list("pqrst"), 3)) for _ in range(250)]
    flat = ["(S {} (B {}) (B {}))".format(*rng.choice(list("pqrst"), 3)) for _ in range(250)]
    trees, y = deep + flat, [1] * 250 + [0] * 250
    order = rng.permutation(500)
    trees, y = [trees[i] for i in order], [y[i] for i in order]
    clf = RecursiveNetClassifier().fit(trees[:400], y[:400])
    assert clf.score(trees[400:], y[400:]) > 0.95


def test_raw_trees_and_a_pipeline_are_the_same_model(small_trees):
    trees, y = small_trees
    alone = classifier().fit(trees, y)
    pipe = make_pipeline(TreeVectorizer(), classifier()).fit(trees, y)
    np.testing.assert_array_equal(alone.predict_proba(trees), pipe.predict_proba(trees))
    np.testing.assert_array_equal(
        alone.predict_proba(TreeArray.from_trees(trees)), alone.predict_proba(trees)
    )


@pytest.mark.parametrize(
    "container",
    [lambda t: np.array(t, dtype=object), pd.Series, lambda t: pd.DataFrame({"tree": t}),
     lambda t: [Tree.from_any(x) for x in t], lambda t: [Tree.from_any(x).to_tuple() for x in t],
     TreeArray.from_trees],
)  # fmt: skip
def test_every_container_gives_the_same_predictions(small_trees, container):
    trees, y = small_trees
    clf = classifier(max_epochs=2).fit(container(trees), y)
    reference = classifier(max_epochs=2).fit(trees, y)
    np.testing.assert_array_equal(clf.predict_proba(container(trees)), reference.predict_proba(trees))
    np.testing.assert_array_equal(clf.predict_proba(trees), reference.predict_proba(trees))


@pytest.mark.parametrize(
    "labels",
    [["no", "yes"], [False, True], [10, 20], [-1, 1], [1.0, 2.0], np.array(["b", "a"], dtype=object)],
)
def test_labels_of_any_type_come_back(small_trees, labels):
    trees, y = small_trees
    target = np.array([labels[int(k == "one")] for k in y])
    clf = classifier(cell="nary_lstm").fit(trees, target)
    assert clf.classes_.tolist() == sorted(labels)
    assert clf.score(trees, target) == 1.0
    assert clf.predict(trees).dtype == np.unique(target).dtype


def test_categorical_labels_come_back(small_trees):
    trees, y = small_trees
    clf = classifier(cell="nary_lstm").fit(trees, pd.Series(y, dtype="category"))
    assert clf.score(trees, y) == 1.0


def test_the_same_seed_gives_the_same_bits_and_leaves_global_generators_alone(encoded):
    X, y = encoded
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    a = classifier(dropout=0.3).fit(X, y)
    b = classifier(dropout=0.3).fit(X, y)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    other = classifier(dropout=0.3, random_state=1).fit(X, y)  # the control
    assert not np.array_equal(a.predict_proba(X), other.predict_proba(X))


def test_n_jobs_does_not_change_a_bit(encoded):
    X, y = encoded
    grid = {"hidden_size": [4, 8], "lr": [0.01, 0.001]}
    searches = [
        GridSearchCV(classifier(max_epochs=2), grid, cv=3, n_jobs=n, scoring="neg_log_loss").fit(X, y)
        for n in (1, 2)
    ]
    one, two = (search.cv_results_ for search in searches)
    for key in one:
        if key.startswith(("split", "mean_test")):
            np.testing.assert_array_equal(one[key], two[key])
    np.testing.assert_array_equal(*(s.predict_proba(X) for s in searches))


def test_meta_estimators_take_trees(small_trees):
    trees, y = small_trees
    pipe = make_pipeline(TreeVectorizer(), classifier(cell="nary_lstm", max_epochs=8))
    assert cross_val_score(pipe, trees, y, cv=3).mean() > 0.9
    search = GridSearchCV(
        pipe,
        {"treevectorizer__min_df": [1, 2], "recursivenetclassifier__hidden_size": [8, 16]},
        n_jobs=2,
        cv=2,
    )
    assert search.fit(trees, y).best_score_ > 0.9
    frozen = FrozenEstimator(search.best_estimator_)
    np.testing.assert_array_equal(clone(frozen).predict(trees), search.predict(trees))
    calibrated = CalibratedClassifierCV(classifier(cell="nary_lstm"), cv=2)
    assert calibrated.fit(TreeArray.from_trees(trees), y).score(TreeArray.from_trees(trees), y) > 0.9
    cal_frozen = CalibratedClassifierCV(frozen).fit(TreeArray.from_trees(trees), y)
    assert cal_frozen.score(TreeArray.from_trees(trees), y) > 0.9
    stack = StackingClassifier([("a", classifier(cell="nary_lstm")), ("b", pipe)], LogisticRegression(), cv=2)
    assert stack.fit(trees, y).score(trees, y) > 0.9
    copied = clone(search.best_estimator_)
    with pytest.raises(NotFittedError):
        copied.predict(trees)


def test_pickles_are_lean_and_predict_the_same(encoded):
    X, y = encoded
    clf = classifier(hidden_size=64, max_epochs=20, early_stopping=True).fit(X, y)
    data = pickle.dumps(clf)
    weights = sum(p.numel() * p.element_size() for p in clf.net_.module_.parameters())
    assert len(data) < 2 * weights
    back = pickle.loads(data)
    np.testing.assert_array_equal(back.predict_proba(X), clf.predict_proba(X))
    assert back.history_.equals(clf.history_)
    back.partial_fit(X, y)  # goes on with a new optimizer
    assert back.n_iter_ == clf.n_iter_ + 1


def test_one_node_trees_unseen_labels_and_deeper_trees_are_fine(small_trees):
    trees, y = small_trees
    clf = classifier(cell="nary_lstm").fit([*trees, "(x)"], [*y, "one"])
    unseen = ["(x)", "(never seen this)", "(S " * 50 + "p" + ")" * 50, "(S p q r s t u v w x y z)"]
    assert np.isfinite(clf.predict_proba(unseen)).all()


def test_history_has_an_epoch_per_row(encoded):
    X, y = encoded
    clf = classifier(max_epochs=3).fit(X, y)
    assert clf.history_.columns.tolist() == ["epoch", "train_loss", "valid_loss", "valid_score", "duration_s"]
    assert clf.history_.epoch.tolist() == [1, 2, 3]
    assert clf.history_.train_loss.is_monotonic_decreasing
    assert clf.history_.valid_loss.isna().all()
    assert (clf.history_.duration_s > 0).all()
    assert clf.n_iter_ == 3


def test_early_stopping_stops_and_goes_back_to_the_best_epoch(encoded):
    X, y = encoded
    noise = np.random.RandomState(0).permutation(y)  # nothing to learn: the validation loss rises
    clf = classifier(early_stopping=True, max_epochs=50, patience=3, lr=0.02).fit(X, noise)
    assert clf.n_iter_ < 50
    best = clf.history_.valid_loss.idxmin()
    assert best == clf.n_iter_ - 1 - 3
    whole = classifier(max_epochs=50, lr=0.02).fit(X, noise)  # the control
    assert whole.n_iter_ == 50


def test_early_stopping_takes_given_validation_samples(encoded):
    X, y = encoded
    clf = classifier(early_stopping=True, cell="nary_lstm").fit(X, y, X_val=X[:20], y_val=y[:20])
    assert clf.history_.valid_score.iloc[-1] == 1.0
    tracked = classifier(max_epochs=2).fit(X, y, X_val=X[:20], y_val=y[:20])
    assert tracked.history_.valid_loss.notna().all()
    with pytest.raises(ValueError, match="X_val and y_val must be given together"):
        clf.fit(X, y, X_val=X)


def test_early_stopping_copes_with_a_class_of_one(encoded):
    X, y = encoded
    y = y.astype(object)
    y[0] = "lonely"
    clf = classifier(early_stopping=True, max_epochs=2).fit(X, y)
    assert "lonely" in clf.classes_


def test_weights_of_zero_are_like_missing_samples(encoded):
    X, y = encoded
    wrong = y.copy()
    wrong[:80] = np.where(y[:80] == "one", "two", "one")
    weight = np.r_[np.zeros(80), np.ones(40)]
    clf = classifier(max_epochs=20).fit(X, wrong, sample_weight=weight)
    assert clf.score(X, y) > 0.95
    unweighted = classifier(max_epochs=20).fit(X, wrong)  # the control
    assert unweighted.score(X, y) < 0.6


def test_class_weights_are_sample_weights(encoded):
    X, y = encoded
    by_class = classifier(class_weight={"one": 3.0, "two": 1.0}).fit(X, y)
    by_sample = classifier().fit(X, y, sample_weight=np.where(y == "one", 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    assert not np.array_equal(by_class.predict_proba(X), classifier().fit(X, y).predict_proba(X))


def test_partial_fit_and_warm_start_go_on(encoded):
    X, y = encoded
    clf = classifier(cell="nary_lstm")
    for _ in range(10):
        clf.partial_fit(X, y, classes=["never", "one", "two"])
    assert clf.n_iter_ == 10
    assert clf.classes_.tolist() == ["never", "one", "two"]
    assert clf.score(X, y) == 1.0
    warm = classifier(warm_start=True, max_epochs=2).fit(X, y)
    net = warm.net_
    assert warm.fit(X, y).net_ is net
    assert warm.n_iter_ == 4
    cold = classifier(max_epochs=2).fit(X, y)  # the control
    net = cold.net_
    assert cold.fit(X, y).net_ is not net
    with pytest.raises(ValueError, match=r"y must hold only the classes .* got 'up' in row 1"):
        clf.partial_fit(X[:2], ["one", "up"])


def test_transform_gives_named_vectors_also_as_a_frame(encoded):
    X, y = encoded
    clf = classifier(hidden_size=5).fit(X, y)
    assert clf.transform(X).shape == (120, 5)
    assert clf.get_feature_names_out()[0] == "recursivenetclassifier0"
    frame = clf.set_output(transform="pandas").transform(X)
    assert frame.columns[4] == "recursivenetclassifier4"
    logits = clf.net_.module_.head(torch.tensor(frame.to_numpy())).detach().numpy()
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], clf.decision_function(X), rtol=1e-5)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_predict_nodes_predicts_each_subtree_as_a_tree_of_its_own(small_trees, pooling):
    trees, y = small_trees
    clf = classifier(pooling=pooling).fit(trees, y)
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
    assert classifier(max_epochs=1).fit(ids, y).predict_nodes(ids).label.iloc[0] == 3
    named = classifier(max_epochs=1).fit(trees, ["label" if k == "one" else k for k in y])
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


def test_a_table_is_read_as_stars_and_scaled():
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


def test_make_net_is_a_skorch_estimator_of_its_own(encoded):
    X, y = encoded
    codes = (y == "two").astype(np.int64)
    clf = classifier(cell="nary_lstm", early_stopping=False)
    torch.manual_seed(0)
    net = clf.make_net(X, y)
    assert isinstance(net, skorch.NeuralNetClassifier)
    assert not net.initialized_
    assert not hasattr(clf, "net_")
    assert net.fit(X, codes).score(X, codes) == 1.0
    search = GridSearchCV(
        net, {"module__hidden_size": [4, 8], "optimizer__weight_decay": [0.0, 0.1]}, cv=2, scoring="accuracy"
    )
    assert search.fit(X, codes).best_estimator_.module_.head.in_features in (4, 8)


def test_make_net_saves_and_loads_its_parameters(encoded, tmp_path):
    X, y = encoded
    net = classifier().make_net(X, y).fit(X, (y == "two").astype(np.int64))
    net.save_params(f_params=tmp_path / "net.pt")
    other = classifier().make_net(X, y).initialize()
    other.load_params(f_params=tmp_path / "net.pt")
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))


class SumCell(TreeCell):
    """A cell as a user would write it."""

    def __init__(self, input_size, hidden_size, max_arity=2):
        super().__init__(input_size, hidden_size, max_arity)
        self.inner = torch.nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, wx, children):
        below = wx.new_zeros(len(wx), self.hidden_size)
        if children is not None:
            ordered = children.states[0] * (1 + children.ranks.unsqueeze(1))
            below = below.index_add(0, children.parents, ordered)
        return (torch.tanh(self.inner(torch.cat([wx, below], dim=1))),)


def test_a_users_own_cell_is_trained(small_trees):
    trees, y = small_trees
    assert classifier(cell=SumCell, max_epochs=15).fit(trees, y).score(trees, y) == 1.0


@pytest.mark.parametrize("schedule", ["cosine", "exponential", "linear"])
def test_a_schedule_lowers_the_learning_rate(encoded, schedule):
    X, y = encoded
    clf = classifier(lr_schedule=schedule, lr=0.01, max_epochs=4).fit(X, y)
    rates = [row["event_lr"] for row in clf.net_.history]
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.005


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd", "rmsprop", "nadam", torch.optim.Adam])
def test_optimizers_go_by_name_or_class(encoded, optimizer):
    X, y = encoded
    clf = classifier(optimizer=optimizer, max_epochs=2, net_params={"optimizer__weight_decay": 0.0})
    losses = clf.fit(X, y).history_.train_loss
    assert losses.iloc[1] < losses.iloc[0]


def test_a_callback_that_the_user_holds_sees_every_epoch(encoded):
    X, y = encoded

    class Count(skorch.callbacks.Callback):
        epochs_ = batches_ = 0

        def __init__(self, lock=None):
            self.lock = lock  # which cannot be copied

        def on_epoch_end(self, net, **kwargs):
            self.epochs_ += 1

        def on_batch_end(self, net, **kwargs):
            self.batches_ += 1

    count = Count(threading.Lock())
    clf = classifier(callbacks=[("count", count)], max_epochs=3, batch_size=50).fit(X, y)
    assert dict(clf.net_.callbacks_)["count"] is count
    assert (count.epochs_, count.batches_) == (3, 9)
    net = classifier(callbacks=[("other", Count())], max_epochs=2)
    held = net.callbacks[0][1]
    net.make_net(X, y).fit(X, (y == "two").astype(np.int64))
    assert held.epochs_ == 2
    clone(net).fit(X, y)
    assert held.epochs_ == 2  # the control: a clone has a callback of its own


def test_gradient_clip_bounds_the_norm(encoded):
    X, y = encoded
    norms = []

    class Watch(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            if kwargs["training"]:
                grads = [p.grad for p in net.module_.parameters() if p.grad is not None]
                norms.append(torch.nn.utils.get_total_norm(grads).item())

    classifier(gradient_clip=1e-3, max_epochs=2, callbacks=[Watch()]).fit(X, y)
    assert max(norms) <= 1e-3 * (1 + 1e-3)
    classifier(max_epochs=2, callbacks=[Watch()]).fit(X, y)  # the control
    assert max(norms) > 1e-3


def test_divergence_is_reported(encoded):
    X, y = encoded
    with pytest.warns(ConvergenceWarning, match="training loss became .* smaller lr"):
        classifier(optimizer="sgd", lr=1e30, max_epochs=4).fit(X, y)


def test_the_users_interrupt_is_not_swallowed(encoded):
    X, y = encoded

    class Interrupt(skorch.callbacks.Callback):
        def on_batch_begin(self, net, **kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classifier(callbacks=[Interrupt()]).fit(X, y)


def test_a_line_per_epoch_is_printed_when_asked_for(encoded, capsys):
    X, y = encoded
    classifier(max_epochs=2).fit(X, y)
    assert capsys.readouterr().out == ""
    classifier(max_epochs=2, verbose=1).fit(X, y)
    assert "train_loss" in capsys.readouterr().out


def fit_with(**params):
    return lambda X, y: classifier(**params).fit(X, y)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (fit_with(hidden_size=0), ValueError, "'hidden_size' parameter of RecursiveNetClassifier must be an int"),
        (fit_with(cell="lstm"), ValueError, "'cell' parameter .* Got 'lstm'"),
        (fit_with(cell=torch.nn.Linear), TypeError, "cell must be one of .* or a subclass of TreeCell"),
        (fit_with(dropout=1.0), ValueError, "'dropout' parameter"),
        (fit_with(optimizer="sgdd"), ValueError, "'optimizer' parameter .* Got 'sgdd'"),
        (fit_with(device="gpu"), ValueError, "device must be 'auto', one of .* got 'gpu'"),
        (fit_with(device="cuda:99"), ValueError, "device 'cuda:99' is not available"),
        (lambda X, y: classifier().fit([], []), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda X, y: classifier().fit(X, y[:-1]), ValueError, r"inconsistent numbers of samples: \[120, 119\]"),
        (lambda X, y: classifier().fit(X, None), ValueError, "requires y to be passed"),
        (lambda X, y: classifier().fit(X, np.linspace(0, 1, 120)), ValueError, "Unknown label type: continuous"),
        (lambda X, y: classifier().fit(["(S a)", "(S a"], [0, 1]), ValueError, r"trees\[1\]: unbalanced bracket"),
        (lambda X, y: classifier().fit([("S", 1), ("S", "b")], [0, 1]), TypeError, r"trees\[0\]: cannot read"),
        (lambda X, y: classifier().fit([[1.0, np.nan], [1.0, 2.0]], [0, 1]), ValueError, "Input X contains NaN"),
        (lambda X, y: classifier().fit([[1, 2], [1, 2, 3]], [0, 1]), ValueError, "inhomogeneous|sequence"),
        (lambda X, y: classifier().fit(X, y, sample_weight=np.zeros(120)), ValueError, "non-zero|all zero"),
        (lambda X, y: classifier(early_stopping=True).fit(X[:1], y[:1]), ValueError, "at least 2 samples"),
        (lambda X, y: classifier(max_epochs=1).fit(X, y).predict(["(S a)"]), ValueError,
         "X must hold encoded trees, as in fit, got raw trees"),
        (lambda X, y: classifier().predict(X), NotFittedError, "not fitted"),
        (lambda X, y: classifier(class_weight="balanced").partial_fit(X, y), ValueError, "'balanced' is not supported by partial_fit"),
        (fit_with(net_params={"max_epochs": 3}), ValueError, r"net_params must not contain \['max_epochs'\]"),
        (lambda X, y: classifier().fit(pd.Series([], dtype=object), []), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda X, y: classifier().fit(np.array([], dtype=object), []), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda X, y: classifier().fit([np.nan, "(S a)"], [0, 1]), TypeError, r"trees\[0\]: cannot read a tree from .*float"),
    ],
)  # fmt: skip
def test_bad_input_names_the_rule_and_the_value(encoded, call, error, message):
    X, y = encoded
    with pytest.raises(error, match=message):
        call(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["chain", "star"])
def test_trees_of_100_000_nodes_train(shape):
    n = 100_000
    parents = list(range(-1, n - 1)) if shape == "chain" else [-1] + [0] * (n - 1)
    big = Tree(["a"] * n, parents)
    clf = RecursiveNetClassifier(max_epochs=1, hidden_size=2, embedding_dim=2, random_state=0)
    clf.fit([big, "(a b)"], [0, 1])
    assert np.isfinite(clf.predict_proba([big])).all()


def test_numbers_that_are_large_beside_their_spread_are_told_apart():
    """Time stamps differ in the tenth digit: nothing may round them before the mean is gone."""
    y = np.arange(200) % 2
    stamps = 1.7e12 + 2000.0 * y
    assert classifier().fit(stamps[:, None], y).score(stamps[:, None], y) == 1.0
    trees = [TreeNode("event", [TreeNode("time", value=stamp)]) for stamp in stamps]
    assert classifier().fit(trees, y).score(trees, y) == 1.0


def test_numbers_never_measured_in_training_add_nothing():
    trees = [TreeNode("r", [TreeNode("a", value=float(i % 2)), "b"]) for i in range(40)]
    clf = classifier().fit(trees, [i % 2 for i in range(40)])
    with_number = [
        TreeNode("r", [TreeNode("a", value=1.0), TreeNode(name, value=1e9)]) for name in ("b", "new")
    ]
    without = [TreeNode("r", [TreeNode("a", value=1.0), name]) for name in ("b", "new")]
    np.testing.assert_array_equal(clf.predict_proba(with_number), clf.predict_proba(without))


def test_word_dropout_leaves_the_scale_of_numbers_alone():
    rng = np.random.RandomState(0)
    X = rng.rand(200, 2) * 1e6
    clf = classifier(word_dropout=0.5, max_epochs=40).fit(X, X[:, 0] > 5e5)
    assert clf.history_.train_loss.max() < 1.5


def test_going_on_begins_at_the_learning_rate_again(encoded):
    X, y = encoded
    clf = classifier(warm_start=True, lr_schedule="cosine", lr=0.01, max_epochs=4).fit(X, y)
    first = [row["event_lr"] for row in clf.net_.history]
    clf.fit(X, y)
    assert [row["event_lr"] for row in clf.net_.history][4:] == first
    clf.set_params(lr=0.5, batch_size=7).fit(X, y)
    assert clf.net_.history[-4]["event_lr"] == 0.5
    assert clf.net_.batch_size == 7
    online = classifier(lr_schedule="cosine", early_stopping=True)
    for _ in range(3):
        online.partial_fit(X, y)
    assert online.net_.optimizer_.param_groups[0]["lr"] == online.lr
    assert online.history_.valid_loss.isna().all()


def test_partial_fit_takes_weights_as_they_are(encoded):
    X, y = encoded
    nets = []
    for size in (1e-6, 1.0, 1.0):
        clf = classifier(optimizer="sgd", lr=0.1)
        nets.append(clf.partial_fit(X, y, sample_weight=np.full(120, size)).predict_proba(X))
    assert np.abs(nets[0] - nets[1]).max() > 1e-3
    np.testing.assert_array_equal(nets[1], nets[2])


def test_a_fit_that_fails_leaves_the_result_of_the_fit_before(encoded):
    X, y = encoded
    failures = [
        ({}, y[:-1], ValueError),
        ({"net_params": {"optimizer__foo": 1}}, y, TypeError),
        ({"callbacks": ["x"]}, y, AttributeError),
    ]
    clf = classifier(max_epochs=2).fit(X, y)
    before = clf.predict_proba(X)
    for params, targets, error in failures:
        with pytest.raises(error):
            clone(clf).set_params(**params).fit(X, targets)
        changed = pickle.loads(pickle.dumps(clf)).set_params(**params)
        with pytest.raises(error):
            changed.fit(X, targets)
        np.testing.assert_array_equal(changed.predict_proba(X), before)
        first = clone(clf).set_params(**params)
        with pytest.raises(error):
            first.fit(X, targets)
        with pytest.raises(NotFittedError):
            first.predict(X)


def test_an_interrupted_training_counts_complete_epochs_only(encoded):
    X, y = encoded

    class Interrupt(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    online = classifier(callbacks=[Interrupt()])
    online.partial_fit(X, y).partial_fit(X, y)
    with pytest.raises(KeyboardInterrupt):
        online.partial_fit(X, y)
    assert online.n_iter_ == len(online.history_) == 2
    assert online.history_.notna()["train_loss"].all()
    with pytest.raises(KeyboardInterrupt):
        online.fit(X, y)
    assert online.n_iter_ == 2  # the result of partial_fit
    first = clone(online)
    with pytest.raises(KeyboardInterrupt):
        first.fit(X, y)
    with pytest.raises(NotFittedError):
        first.predict(X)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda clf: pickle.loads(pickle.dumps(clf))])
def test_a_copy_continues_to_train_with_the_same_bits(encoded, duplicate):
    X, y = encoded
    for optimizer in ("adamw", "adagrad"):
        clf = classifier(optimizer=optimizer, dropout=0.2).partial_fit(X, y)
        copied = duplicate(clf)
        for _ in range(2):
            clf.partial_fit(X, y)
            copied.partial_fit(X, y)
        np.testing.assert_array_equal(copied.predict_proba(X), clf.predict_proba(X))
    fitted = classifier(max_epochs=2).fit(X, y)  # the control: its pickle is lean
    assert not pickle.loads(pickle.dumps(fitted)).net_.optimizer_.state


def test_a_list_of_encoded_trees_is_encoded(encoded):
    X, y = encoded
    clf = classifier(max_epochs=2).fit(list(X), y)
    assert clf.input_kind_ == "trees"
    assert not hasattr(clf, "vectorizer_")
    np.testing.assert_array_equal(clf.predict_proba(X), clf.predict_proba(list(X)))


def test_pandas_output_can_be_asked_of_a_whole_pipeline(small_trees):
    trees, y = small_trees
    pipe = make_pipeline(TreeVectorizer(), classifier(max_epochs=1)).set_output(transform="pandas")
    assert pipe.fit(trees, y).transform(trees).columns[0] == "recursivenetclassifier0"


def test_make_net_with_early_stopping_splits_by_itself(encoded):
    X, y = encoded
    net = classifier(early_stopping=True, max_epochs=30).make_net(X, y)
    net.fit(X, (y == "two").astype(np.int64))
    assert all(np.isfinite(net.history[:, "valid_loss"]))


def test_a_pickled_net_goes_on_as_a_skorch_estimator(encoded):
    X, y = encoded
    codes = (y == "two").astype(np.int64)
    net = pickle.loads(pickle.dumps(classifier(max_epochs=2).make_net(X, y).fit(X, codes)))
    assert net.get_params()["max_epochs"] == 2
    assert len(net.set_params(max_epochs=3, lr=0.1).partial_fit(X, codes).history) == 5


def test_skorch_callbacks_that_score_and_keep_the_best_work(encoded, tmp_path):
    X, y = encoded
    callbacks = [
        skorch.callbacks.EpochScoring("accuracy", lower_is_better=False),
        skorch.callbacks.Checkpoint(dirname=tmp_path, f_history=None),
    ]
    clf = classifier(callbacks=callbacks, max_epochs=3, net_params={"iterator_train__drop_last": True})
    clf.fit(X, y, sample_weight=np.ones(120), X_val=X, y_val=y)
    assert (tmp_path / "params.pt").exists()
    assert clf.net_.history[-1]["accuracy"] == clf.history_.valid_score.iloc[-1]


def test_the_optimizers_implementation_can_be_chosen(encoded):
    X, y = encoded
    assert classifier(max_epochs=1, net_params={"optimizer__foreach": True}).fit(X, y).n_iter_ == 1


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RNNClassifier, CNNClassifier])
def test_a_continued_training_applies_changed_parameters_or_refuses_them(cls):
    rng = np.random.RandomState(0)
    X, y = rng.rand(40, 2), np.arange(40) % 2
    clf = cls(max_epochs=1, warm_start=True, random_state=0).fit(X, y)
    for params in ({"hidden_size": 3}, {"pooling": "attention"}, {"embedding_dim": 5}):
        changed = copy.deepcopy(clf).set_params(**params)
        for train in (changed.fit, changed.partial_fit):
            with pytest.raises(ValueError, match=f"{next(iter(params))} must stay .* continues a training"):
                train(X, y)
    plain = copy.deepcopy(clf).fit(X, y).predict_proba(X)
    for params in ({"dropout": 0.5}, {"word_dropout": 0.5}, {"optimizer": "sgd"}, {"weight_decay": 0.9}):
        changed = copy.deepcopy(clf).set_params(**params).fit(X, y)
        assert changed.n_iter_ == 2
        assert np.abs(changed.predict_proba(X) - plain).max() > 1e-6
    np.testing.assert_array_equal(copy.deepcopy(clf).fit(X, y).predict_proba(X), plain)  # the control


def test_a_dropout_layer_of_a_users_cell_is_left_alone(encoded):
    X, y = encoded

    class Cell(CELLS["rnn"]):
        is_pure = False

        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.drop = torch.nn.Dropout(0.3)

    clf = classifier(cell=Cell, max_epochs=1, warm_start=True).fit(X, y)
    clf.set_params(dropout=0.1).fit(X, y)
    assert clf.net_.module_.encoder.cell.drop.p == 0.3
    assert clf.net_.module_.dropout.p == 0.1
