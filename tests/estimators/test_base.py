"""Fit, partial_fit and prediction, which all estimators share."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import skorch
import torch
from samples import tree_classifier
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_tree import RecursiveNetClassifier, RNNClassifier
from sklearn_tree.nn import TreeCell


def test_an_int_seed_gives_equal_fits_and_leaves_global_generators_unchanged(encoded):
    X, y = encoded
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    a = tree_classifier(dropout=0.3).fit(X, y)
    b = tree_classifier(dropout=0.3).fit(X, y)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    other = tree_classifier(dropout=0.3, random_state=1).fit(X, y)  # the control
    assert not np.array_equal(a.predict_proba(X), other.predict_proba(X))


def test_early_stopping_stops_after_patience_epochs(encoded):
    X, y = encoded
    noise = np.random.RandomState(0).permutation(y)  # the validation loss rises
    clf = tree_classifier(early_stopping=True, max_epochs=50, patience=3, lr=0.02).fit(X, noise)
    assert clf.n_iter_ < 50
    best = clf.history_.valid_loss.idxmin()
    assert best == clf.n_iter_ - 1 - 3
    whole = tree_classifier(max_epochs=50, lr=0.02).fit(X, noise)  # the control
    assert whole.n_iter_ == 50


@pytest.mark.parametrize(("max_epochs", "patience"), [(10, 5), (50, 10)])
def test_early_stopping_waits_for_a_fifth_of_the_epochs_and_at_least_five(max_epochs, patience):
    clf = RNNClassifier(max_epochs=max_epochs, early_stopping=True, optimizer="sgd", lr=1e-30, random_state=0)
    clf.fit([[2, 3], [3, 2]] * 10, [0, 1] * 10)  # the loss never improves after the first epoch
    assert clf.n_iter_ == 1 + patience


def test_early_stopping_uses_the_given_validation_samples(encoded):
    X, y = encoded
    clf = tree_classifier(early_stopping=True, cell="nary_lstm").fit(X, y, X_val=X[:20], y_val=y[:20])
    assert clf.history_.valid_score.iloc[-1] == 1.0
    tracked = tree_classifier(max_epochs=2).fit(X, y, X_val=X[:20], y_val=y[:20])
    assert tracked.history_.valid_loss.notna().all()
    with pytest.raises(ValueError, match="X_val and y_val must be given together"):
        clf.fit(X, y, X_val=X)


def test_early_stopping_handles_a_class_with_one_sample(encoded):
    X, y = encoded
    y = y.astype(object)
    y[0] = "lonely"
    clf = tree_classifier(early_stopping=True, max_epochs=2).fit(X, y)
    assert "lonely" in clf.classes_


def test_samples_of_weight_zero_are_ignored(encoded):
    X, y = encoded
    wrong = y.copy()
    wrong[:80] = np.where(y[:80] == "one", "two", "one")
    weight = np.r_[np.zeros(80), np.ones(40)]
    clf = tree_classifier(max_epochs=20).fit(X, wrong, sample_weight=weight)
    assert clf.score(X, y) > 0.95
    unweighted = tree_classifier(max_epochs=20).fit(X, wrong)  # the control
    assert unweighted.score(X, y) < 0.6


def test_partial_fit_and_warm_start_continue_the_training(encoded):
    X, y = encoded
    clf = tree_classifier(cell="nary_lstm")
    for _ in range(10):
        clf.partial_fit(X, y, classes=["never", "one", "two"])
    assert clf.n_iter_ == 10
    assert clf.classes_.tolist() == ["never", "one", "two"]
    assert clf.score(X, y) == 1.0
    warm = tree_classifier(warm_start=True, max_epochs=2).fit(X, y)
    net = warm.net_
    assert warm.fit(X, y).net_ is net
    assert warm.n_iter_ == 4
    cold = tree_classifier(max_epochs=2).fit(X, y)  # the control
    net = cold.net_
    assert cold.fit(X, y).net_ is not net
    with pytest.raises(ValueError, match=r"y must hold only the classes .* got 'up' in row 1"):
        clf.partial_fit(X[:2], ["one", "up"])


def test_each_fit_starts_at_the_initial_learning_rate(encoded):
    X, y = encoded
    clf = tree_classifier(warm_start=True, lr_schedule="cosine", lr=0.01, max_epochs=4).fit(X, y)
    first = [row["event_lr"] for row in clf.net_.history]
    clf.fit(X, y)
    assert [row["event_lr"] for row in clf.net_.history][4:] == first
    clf.set_params(lr=0.5, batch_size=7).fit(X, y)
    assert clf.net_.history[-4]["event_lr"] == 0.5
    assert clf.net_.batch_size == 7
    online = tree_classifier(lr_schedule="cosine", early_stopping=True)
    for _ in range(3):
        online.partial_fit(X, y)
    assert online.net_.optimizer_.param_groups[0]["lr"] == 0.005  # not decayed
    assert online.history_.valid_loss.isna().all()


def test_partial_fit_does_not_normalise_weights(encoded):
    X, y = encoded
    nets = []
    for size in (1e-6, 1.0, 1.0):
        clf = tree_classifier(optimizer="sgd", lr=0.1)
        nets.append(clf.partial_fit(X, y, sample_weight=np.full(120, size)).predict_proba(X))
    assert np.abs(nets[0] - nets[1]).max() > 1e-3
    np.testing.assert_array_equal(nets[1], nets[2])


def test_a_failed_fit_keeps_the_result_of_the_previous_fit(encoded):
    X, y = encoded
    failures = [
        ({}, y[:-1], ValueError),
        ({"net_params": {"optimizer__foo": 1}}, y, TypeError),
        ({"callbacks": ["x"]}, y, TypeError),
    ]
    clf = tree_classifier(max_epochs=2).fit(X, y)
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


class BrokenCell(TreeCell):
    """Cell whose forward pass fails."""

    def forward(self, wx, children):
        raise RuntimeError("broken cell")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"net_params": {"unknown": 1}}, ValueError),
        ({"net_params": {"module__unknown": 1}}, TypeError),
        ({"net_params": {"lr": 1}}, ValueError),
        ({"callbacks": ["x"]}, TypeError),
        ({"cell": BrokenCell}, RuntimeError),
        ({"cell": torch.nn.Linear}, TypeError),
        ({"class_weight": {"three": 1.0}}, ValueError),
        ({"device": "gpu"}, ValueError),
        ({"hidden_size": 0}, ValueError),
    ],
    ids=str,
)
def test_a_first_fit_that_fails_leaves_an_unfitted_estimator(encoded, params, error):
    X, y = encoded
    for method in ("fit", "partial_fit"):
        clf = tree_classifier(**params)
        with pytest.raises(error):
            getattr(clf, method)(X, y)
        assert not [name for name in vars(clf) if name.endswith("_")]
        with pytest.raises(NotFittedError):
            clf.predict(X)
    assert tree_classifier(max_epochs=1).fit(X, y).score(X, y) >= 0  # the control


class FailOnce(skorch.callbacks.Callback):
    """Callback that fails in its first batch."""

    has_failed = False

    def on_batch_end(self, net, **kwargs):
        if not self.has_failed:
            self.has_failed = True
            raise RuntimeError("failed once")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("params", "X", "y", "error"),
    [
        ({}, ["(S a"], ["one"], ValueError),
        ({}, ["(S a)"], ["three"], ValueError),
        ({}, ["(S a)"], [["one", "two"]], ValueError),
        ({}, ["(S a)"], ["one", "two"], ValueError),
        ({}, [[1.0, 2.0]], ["one"], ValueError),
        ({"callbacks": ["x"]}, ["(S a)"], ["one"], TypeError),
        ({"device": "gpu"}, ["(S a)"], ["one"], ValueError),
        ({"lr": -1.0}, ["(S a)"], ["one"], ValueError),
    ],
)
def test_a_continued_training_that_fails_leaves_the_net_usable(small_trees, method, params, X, y, error):
    clf = tree_classifier(max_epochs=2, warm_start=True).fit(*small_trees)
    expected = clf.predict_proba(small_trees[0])
    with pytest.raises(error):
        getattr(clf.set_params(**params), method)(X, y)
    for usable in (clf, pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        np.testing.assert_array_equal(usable.predict_proba(small_trees[0]), expected)
        assert usable.n_iter_ == len(usable.history_) == 2
    clf.set_params(callbacks=None, device="cpu", lr=0.005)
    assert getattr(clf, method)(["(S a)"], ["one"]).n_iter_ == (4 if method == "fit" else 3)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_continued_training_that_fails_in_a_batch_can_be_continued(small_trees, method):
    clf = tree_classifier(max_epochs=2, warm_start=True).fit(*small_trees)
    expected = clf.predict_proba(small_trees[0])
    with pytest.raises(RuntimeError, match="failed once"):
        getattr(clf.set_params(callbacks=[FailOnce()]), method)(*small_trees)
    assert clf.n_iter_ == len(clf.history_) == 2
    np.testing.assert_array_equal(clf.predict_proba(small_trees[0]), expected)
    assert getattr(clf, method)(*small_trees).n_iter_ == (4 if method == "fit" else 3)


def test_an_interrupted_training_counts_complete_epochs_only(encoded):
    X, y = encoded

    class Interrupt(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    online = tree_classifier(callbacks=[Interrupt()])
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
    assert first.n_iter_ == len(first.history_) == 2


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda clf: pickle.loads(pickle.dumps(clf))])
def test_a_copy_continues_the_training_with_equal_results(encoded, duplicate):
    X, y = encoded
    for optimizer in ("adamw", "adagrad"):
        clf = tree_classifier(optimizer=optimizer, dropout=0.2).partial_fit(X, y)
        copied = duplicate(clf)
        for _ in range(2):
            clf.partial_fit(X, y)
            copied.partial_fit(X, y)
        np.testing.assert_array_equal(copied.predict_proba(X), clf.predict_proba(X))
    fitted = tree_classifier(max_epochs=2).fit(X, y)
    copied = duplicate(fitted)  # without the state of the optimizer, which the original does not keep either
    assert not fitted.net_.optimizer_.state
    assert not copied.net_.optimizer_.state
    results = [clf.partial_fit(X, y).predict_proba(X) for clf in (fitted, copied)]
    np.testing.assert_array_equal(*results)
    warm = tree_classifier(max_epochs=2, warm_start=True).fit(X, y)  # the control
    assert warm.net_.optimizer_.state
    assert not np.array_equal(warm.partial_fit(X, y).predict_proba(X), results[0])


def test_transform_returns_named_vectors(encoded):
    X, y = encoded
    clf = tree_classifier(hidden_size=5).fit(X, y)
    assert clf.transform(X).shape == (120, 5)
    assert clf.get_feature_names_out()[0] == "recursivenetclassifier0"
    frame = clf.set_output(transform="pandas").transform(X)
    assert frame.columns[4] == "recursivenetclassifier4"
    logits = clf.net_.module_.head(torch.tensor(frame.to_numpy())).detach().numpy()
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], clf.decision_function(X), rtol=1e-5)


def test_predictions_keep_the_order_of_the_rows(listops):
    X, y = listops
    clf = RecursiveNetClassifier(max_epochs=1, batch_size=7, random_state=0).fit(X, y)
    order = np.random.RandomState(0).permutation(300)
    np.testing.assert_allclose(clf.predict_proba(X)[order], clf.predict_proba(X[order]), rtol=0, atol=1e-6)
    single = np.vstack([clf.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(clf.predict_proba(X)[:20], single, rtol=0, atol=1e-6)


def fit_with(**params):
    return lambda X, y: tree_classifier(**params).fit(X, y)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (fit_with(hidden_size=0), ValueError, "'hidden_size' parameter of RecursiveNetClassifier must be an int"),
        (fit_with(cell="lstm"), ValueError, "'cell' parameter .* Got 'lstm'"),
        (fit_with(cell=torch.nn.Linear), TypeError, "'cell' parameter .* or a subclass of TreeCell"),
        (fit_with(optimizer=lambda params: None), ValueError, "'optimizer' parameter .* or a subclass of Optimizer. Got <function"),
        (fit_with(callbacks=["x"]), TypeError, r"callbacks\[0\] must be a skorch callback or a pair .*, got 'x'"),
        (fit_with(callbacks=[skorch.callbacks.Callback, ("named", 1)]), TypeError, r"callbacks\[1\] must .* got \('named', 1\)"),
        (lambda X, y: tree_classifier().fit(X), TypeError, r"^RecursiveNetClassifier\.fit\(\) missing a required argument: 'y'"),
        (lambda X, y: tree_classifier().fit_transform(X), TypeError, r"^RecursiveNetClassifier\.fit\(\) missing"),
        (lambda X, y: tree_classifier().partial_fit(X), TypeError, r"^RecursiveNetClassifier\.partial_fit\(\) missing"),
        (lambda X, y: tree_classifier().fit(X, y, X_val=X[:3], y_val=y[:2]), ValueError,
         "y_val must have one entry per sample of X_val, got 2 for 3 samples"),
        (fit_with(dropout=1.0), ValueError, "'dropout' parameter"),
        (fit_with(optimizer="sgdd"), ValueError, "'optimizer' parameter .* Got 'sgdd'"),
        (fit_with(device="gpu"), ValueError, "device must be 'auto', one of .* got 'gpu'"),
        (fit_with(device="cuda:99"), ValueError, "device 'cuda:99' is not available"),
        (lambda X, y: tree_classifier().fit([], []), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda X, y: tree_classifier().fit(X, y[:-1]), ValueError, "y must have one entry per sample of X, got 119 for 120"),
        (lambda X, y: tree_classifier().fit(X, None), ValueError, "requires y to be passed"),
        (lambda X, y: tree_classifier().fit(X, np.linspace(0, 1, 120)), ValueError, "Unknown label type: continuous"),
        (lambda X, y: tree_classifier().fit(["(S a)", "(S a"], [0, 1]), ValueError, r"X\[1\]: unbalanced bracket"),
        (lambda X, y: tree_classifier().fit([("S", 1), ("S", "b")], [0, 1]), TypeError, r"X\[0\]: cannot read"),
        (lambda X, y: tree_classifier().fit([[1.0, np.nan], [1.0, 2.0]], [0, 1]), ValueError, "Input X contains NaN"),
        (lambda X, y: tree_classifier().fit([[1, 2], [1, 2, 3]], [0, 1]), ValueError, "got 'tokens', sequences for RNNClassifier"),
        (lambda X, y: tree_classifier().fit([[1.5, 2], [3.5]], [0, 1]), ValueError, "got 'series', sequences for RNNClassifier"),
        (lambda X, y: tree_classifier().fit([np.ones((3, 2)), np.ones((2, 2))], [0, 1]), TypeError, "RNNClassifier and CNNClassifier read arrays"),
        (lambda X, y: tree_classifier().fit(["A fine film", "dull"], [0, 1]), ValueError, r"X\[0\]: .* plain text is for RNNClassifier"),
        (lambda X, y: tree_classifier().fit(X, y, sample_weight=np.zeros(120)), ValueError, "non-zero|all zero"),
        (lambda X, y: tree_classifier(early_stopping=True).fit(X[:1], y[:1]), ValueError, "at least 2 samples"),
        (lambda X, y: tree_classifier(max_epochs=1).fit(X, y).predict(["(S a)"]), ValueError,
         "X must hold encoded trees, as in fit, got raw trees"),
        (lambda X, y: tree_classifier().predict(X), NotFittedError, "not fitted"),
        (lambda X, y: tree_classifier(class_weight="balanced").partial_fit(X, y), ValueError, "'balanced' is not supported by partial_fit"),
        (fit_with(net_params={"max_epochs": 3}), ValueError, r"net_params must not contain \['max_epochs'\]"),
        (lambda X, y: tree_classifier().fit(pd.Series([], dtype=object), []), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda X, y: tree_classifier().fit(np.array([], dtype=object), []), ValueError, "at least one sample, a column of trees, got 0"),
        (lambda X, y: tree_classifier().fit([np.nan, "(S a)"], [0, 1]), ValueError, r"X\[0\] is missing \(nan\): leave the row out"),
    ],
)  # fmt: skip
def test_error_messages_name_the_rule_and_the_value(encoded, call, error, message):
    X, y = encoded
    with pytest.raises(error, match=message):
        call(X, y)


def test_fit_restores_the_best_epoch_of_early_stopping(encoded):
    X, y = encoded
    noise = np.random.RandomState(0).permutation(y)
    params = {"max_epochs": 50, "patience": 3, "lr": 0.02}
    stopped = tree_classifier(early_stopping=True, **params).fit(X, noise, X_val=X[:20], y_val=y[:20])
    best = stopped.n_iter_ - 3  # the last epoch that improved the loss by more than skorch's threshold
    short = tree_classifier(**{**params, "max_epochs": best}).fit(X, noise)
    np.testing.assert_array_equal(stopped.predict_proba(X), short.predict_proba(X))
    whole = tree_classifier(**{**params, "max_epochs": stopped.n_iter_}).fit(X, noise)  # the control
    assert not np.array_equal(stopped.predict_proba(X), whole.predict_proba(X))


def test_validation_samples_do_not_change_the_training(encoded):
    X, y = encoded
    plain = tree_classifier(max_epochs=2).fit(X, y)
    validated = tree_classifier(max_epochs=2).fit(X, y, X_val=X[:5], y_val=y[:5])
    np.testing.assert_array_equal(validated.predict_proba(X), plain.predict_proba(X))
    assert validated.history_.valid_loss.notna().all()
    assert plain.history_.valid_loss.isna().all()


def test_the_mean_of_the_weights_does_not_matter_in_fit(encoded):
    X, y = encoded
    weight = np.random.RandomState(0).rand(120)
    one, two = (tree_classifier(max_epochs=2).fit(X, y, sample_weight=weight * k) for k in (1, 1024))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    plain = tree_classifier(max_epochs=2).fit(X, y)  # the control
    assert not np.array_equal(one.predict_proba(X), plain.predict_proba(X))


def test_predictions_do_not_depend_on_the_batch_size(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=2).fit(X, y)
    reference = clf.predict_proba(X)
    for batch_size in (1, 7, 1000):
        clf.set_params(batch_size=batch_size)
        np.testing.assert_allclose(clf.predict_proba(X), reference, rtol=0, atol=1e-6)


def test_other_kinds_than_in_fit_are_rejected(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="X must be of the kind 'trees', as in fit, got 'table'"):
        clf.predict(np.ones((2, 3)))
    table = tree_classifier(max_epochs=1).fit(np.ones((4, 3)), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="X must be of the kind 'table', as in fit, got 'trees'"):
        table.predict(["(S a)"])


@pytest.mark.parametrize("name", ["lr", "weight_decay", "max_epochs"])
def test_an_invalid_training_parameter_does_not_reach_the_net_by_a_prediction(encoded, name):
    X, y = encoded
    clf = tree_classifier(max_epochs=1).fit(X, y)
    expected = clf.predict_proba(X)
    clf.set_params(**{name: "invalid"})
    np.testing.assert_array_equal(clf.predict_proba(X), expected)
    with pytest.raises(ValueError, match=f"'{name}' parameter"):  # the control
        clf.partial_fit(X, y)
    np.testing.assert_array_equal(copy.deepcopy(clf).predict_proba(X), expected)
