"""Methods shared by all classifiers."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from samples import CLASSIFIERS, TABLE, TEXTS, TUPLES, Y, quick, tree_classifier
from scipy.special import softmax
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.utils import compute_sample_weight

from sklearn_tree import RecursiveNetClassifier, RNNClassifier


@pytest.mark.parametrize(
    "labels",
    [["no", "yes"], [False, True], [10, 20], [-1, 1], [1.0, 2.0], np.array(["b", "a"], dtype=object)],
)
def test_predictions_have_the_type_of_the_labels(small_trees, labels):
    trees, y = small_trees
    target = np.array([labels[int(k == "one")] for k in y])
    clf = tree_classifier(cell="nary_lstm").fit(trees, target)
    assert clf.classes_.tolist() == sorted(labels)
    assert clf.score(trees, target) == 1.0
    assert clf.predict(trees).dtype == np.unique(target).dtype


def test_categorical_labels_are_learned(small_trees):
    trees, y = small_trees
    clf = tree_classifier(cell="nary_lstm").fit(trees, pd.Series(y, dtype="category"))
    assert clf.score(trees, y) == 1.0


def test_class_weights_equal_sample_weights(encoded):
    X, y = encoded
    by_class = tree_classifier(class_weight={"one": 3.0, "two": 1.0}).fit(X, y)
    by_sample = tree_classifier().fit(X, y, sample_weight=np.where(y == "one", 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    assert not np.array_equal(by_class.predict_proba(X), tree_classifier().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("y", [[0, 1] * 10, [["a", 1], ["b", 0]] * 10, [[0, 1], [1, 0]] * 10])
def test_score_runs_the_net_once(y, monkeypatch):
    y = np.array(y, dtype=object) if isinstance(y[0], list) and "a" in y[0] else np.array(y)
    X = ["a great film", "dull"] * 10
    clf = RNNClassifier(max_epochs=1, random_state=0).fit(X, y)
    calls, run = [], clf._run
    monkeypatch.setattr(clf, "_run", lambda *args: calls.append(args) or run(*args))
    clf.score(X, y)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"one": -1.0}, r"class_weight\['one'\] must be a finite number >= 0, got -1\.0"),
        ({"one": np.inf}, r"class_weight\['one'\] must be a finite number >= 0, got inf"),
        ({"one": "2"}, r"class_weight\['one'\] must be a finite number >= 0, got '2'"),
        ({"one": 0, "two": 0}, "class_weight must have at least one weight > 0"),
        ({"three": 1.0}, r"The classes, \['one', 'two'\], are not in class_weight"),
        ("balance", "'class_weight' parameter"),
    ],
)
def test_invalid_class_weights_are_rejected(encoded, class_weight, message):
    with pytest.raises(ValueError, match=message):
        tree_classifier(class_weight=class_weight).fit(*encoded)


def test_weights_of_zero_for_all_samples_are_refused():
    is_first = (Y == 0).astype(float)
    for method in ("fit", "partial_fit"):
        for weights, sample_weight in (({0: 0, 1: 0, 7: 1}, None), ({0: 0}, is_first)):
            clf = quick(RNNClassifier, class_weight=weights)
            with pytest.raises(ValueError, match=r"class_weight must have .* weight > 0 for .* got \{0: 0"):
                getattr(clf, method)(TABLE, Y, sample_weight=sample_weight)
        # the control: as in scikit-learn, other classes weigh 1
        found = getattr(quick(RNNClassifier, class_weight={0: 0}), method)(TABLE, Y)
        expected = getattr(quick(RNNClassifier), method)(TABLE, Y, sample_weight=1 - is_first)
        np.testing.assert_array_equal(found.predict_proba(TABLE), expected.predict_proba(TABLE))


def test_balanced_weights_match_scikit_learn(encoded):
    X, y = encoded
    X, y = X[:90], np.where(np.arange(90) < 60, "one", "two")
    balanced = tree_classifier(max_epochs=2, class_weight="balanced").fit(X, y)
    weight = compute_sample_weight("balanced", y)
    weighted = tree_classifier(max_epochs=2).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(balanced.predict_proba(X), weighted.predict_proba(X))
    plain = tree_classifier(max_epochs=2).fit(X, y)  # the control
    assert not np.array_equal(balanced.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_methods_agree_with_each_other(cls):
    X, y = TABLE, np.array(list("cab"))[np.arange(len(TABLE)) % 3]
    clf = quick(cls).fit(X, y)
    proba = clf.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(softmax(clf.decision_function(X), axis=1), proba)
    assert clf.predict(X).tolist() == clf.classes_[proba.argmax(axis=1)].tolist()
    weight = np.arange(len(X))
    assert clf.score(X, y, weight) == accuracy_score(y, clf.predict(X), sample_weight=weight)
    assert (clf.classes_.tolist(), clf.n_classes_) == (["a", "b", "c"], 3)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "transform", "score"])
def test_methods_of_an_unfitted_classifier_raise(method):
    arguments = (TABLE, Y) if method == "score" else (TABLE,)
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(tree_classifier(), method)(*arguments)


NODE_Y = [[None, None, None, 1, *[0] * (len(tree[2]) - 1)] for tree in TUPLES]
SMOOTHED = {
    "one class": (Y, {}),
    "labels": (np.stack([Y, 1 - Y, Y], axis=1), {}),
    "columns": (np.stack([2 * Y, 1 - Y], axis=1), {}),
    "weights": (Y, {"sample_weight": np.arange(len(Y))}),
    "nodes": (Y, {"node_y": NODE_Y}),
}


@pytest.mark.parametrize("case", SMOOTHED)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_label_smoothing_is_that_of_the_loss_and_not_of_the_validation(cls, class_weight, case):
    (y, fit_params), is_tree = SMOOTHED[case], cls is RecursiveNetClassifier
    if (case == "nodes" and not is_tree) or (case == "labels" and class_weight):
        pytest.skip("no node has a label, or labels have no class weight")
    X = TUPLES if is_tree else TEXTS
    params = {"class_weight": class_weight, "linear_path": False, "warm_start": True}
    clf = quick(cls, max_epochs=10, **params).fit(X, y, **fit_params)
    clf.set_params(lr=1e-9, max_epochs=1)  # the weights stay as they are
    fits = [copy.deepcopy(clf).set_params(label_smoothing=smoothing) for smoothing in (0.0, 0.15, 0.3)]
    for fitted in fits:
        fitted.fit(X, y, **fit_params, X_val=X, y_val=y)
    losses, valid_losses = (
        [fitted.history_[name].iloc[-1] for fitted in fits] for name in ("train_loss", "valid_loss")
    )
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)
    assert losses[1] == pytest.approx((losses[0] + losses[2]) / 2, rel=1e-5)  # the loss is linear in it
    assert valid_losses == pytest.approx([valid_losses[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_label_smoothing_lowers_the_confidence(cls):
    X = TUPLES if cls is RecursiveNetClassifier else TEXTS
    plain, smooth = (quick(cls, max_epochs=60, lr=0.05, label_smoothing=e).fit(X, Y) for e in (0.0, 0.3))
    assert plain.predict_proba(X).max(axis=1).mean() > 0.97
    assert smooth.predict_proba(X).max(axis=1).mean() == pytest.approx(0.85, abs=0.03)


def test_label_smoothing_changes_with_a_continued_training():
    clf = quick(RNNClassifier, warm_start=True, max_epochs=1).fit(TEXTS, Y)
    plain = copy.deepcopy(clf).fit(TEXTS, Y)
    smooth = copy.deepcopy(clf).set_params(label_smoothing=0.3).fit(TEXTS, Y)
    assert plain.history_.train_loss.iloc[1] != smooth.history_.train_loss.iloc[1]
    back = smooth.set_params(label_smoothing=0.0).fit(TEXTS, Y)
    assert back.net_.criterion_.label_smoothing == 0.0


def test_a_loss_in_net_params_needs_no_label_smoothing():
    params = {"net_params": {"criterion": torch.nn.MultiMarginLoss}, "max_epochs": 1}
    clf = quick(RNNClassifier, **params, warm_start=True).fit(TEXTS, Y)
    assert clf.fit(TEXTS, Y).partial_fit(TEXTS, Y).n_iter_ == 3
    with pytest.raises(TypeError, match="unexpected keyword argument 'label_smoothing'"):
        quick(RNNClassifier, **params, label_smoothing=0.1).fit(TEXTS, Y)


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0, "0.1", None, True])
def test_an_invalid_label_smoothing_is_refused(label_smoothing):
    with pytest.raises(ValueError, match="The 'label_smoothing' parameter of RNNClassifier must be"):
        quick(RNNClassifier, label_smoothing=label_smoothing).fit(TEXTS, Y)
