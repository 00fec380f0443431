"""Calibrated probabilities of classifiers."""

import copy
import pickle

import numpy as np
import pytest
import torch
from samples import CLASSIFIERS, TABLE, TEXTS, TUPLES, Y, quick
from scipy.special import expit, logit, softmax
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.estimators.targets import MultiLabel, MultiOutput, OneClass
from sklearn_tree.estimators.targets.temperature import fit_temperature
from sklearn_tree.estimators.training import split_validation

N, N_TREES = 80, len(TUPLES)
RNG = np.random.RandomState(0)
X = RNG.rand(N, 3)
NOISY = (X[:, 0] + 0.5 * RNG.randn(N) > 0.5).astype(int)  # no net predicts all of these
THREE = NOISY + (X[:, 1] + 0.5 * RNG.randn(N) > 0.5)
LABELS = np.stack([NOISY, THREE > 0, RNG.randint(2, size=N)], axis=1).astype(int)
COLUMNS = np.stack([THREE, NOISY], axis=1)
TARGETS = {"two classes": NOISY, "three classes": THREE, "labels": LABELS, "columns": COLUMNS}
PARAMS = {"max_epochs": 15, "lr": 0.05}
HALF = {"calibrate": "temperature", "validation_fraction": 0.5}


def as_list(arrays):
    return arrays if isinstance(arrays, list) else [arrays]


def temperatures(clf):
    return np.atleast_1d(clf.temperature_)


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_logits_are_divided_and_predictions_are_unchanged(cls, y):
    validation = {"X_val": X[50:], "y_val": y[50:]}
    plain = quick(cls, **PARAMS).fit(X[:50], y[:50], **validation)
    calibrated = quick(cls, **PARAMS, calibrate="temperature").fit(X[:50], y[:50], **validation)
    np.testing.assert_array_equal(calibrated.predict(X), plain.predict(X))
    assert set(temperatures(plain)) == {1.0}
    assert 1.0 not in temperatures(calibrated)
    assert calibrated.history_.drop(columns="duration_s").equals(plain.history_.drop(columns="duration_s"))
    if y is LABELS:
        pairs = [(calibrated.decision_function(X), plain.decision_function(X) / calibrated.temperature_)]
        np.testing.assert_allclose(calibrated.predict_proba(X), expit(pairs[0][1]))
    else:
        found, logits = (as_list(clf.decision_function(X)) for clf in (calibrated, plain))
        pairs = [(a, b / t) for a, b, t in zip(found, logits, temperatures(calibrated), strict=True)]
        for proba, (_, margin) in zip(as_list(calibrated.predict_proba(X)), pairs, strict=True):
            full = np.stack([0 * margin, margin], axis=1) if margin.ndim == 1 else margin
            np.testing.assert_allclose(proba, softmax(full, axis=1))
    for found, expected in pairs:
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("y", TARGETS.values(), ids=TARGETS)
def test_the_temperature_minimises_the_log_loss_of_given_samples(y):
    clf = quick(RNNClassifier, **PARAMS, calibrate="temperature").fit(
        X[:50], y[:50], X_val=X[50:], y_val=y[50:]
    )
    columns = y[50:].reshape(30, -1).T
    if y is LABELS:
        probas = [np.stack([1 - p, p], axis=1) for p in clf.predict_proba(X[50:]).T]
    else:
        probas = as_list(clf.predict_proba(X[50:]))
    for proba, column, t in zip(probas, columns, temperatures(clf), strict=True):
        labels = np.arange(proba.shape[1])
        least = log_loss(column, proba, labels=labels)
        for factor in (0.9, 1.1):
            other = softmax(np.log(proba) / factor, axis=1)
            assert least < log_loss(column, other, labels=labels)
        again = fit_temperature(np.log(proba) * t, column)
        assert again == pytest.approx(t, rel=1e-3)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_held_out_samples_are_those_of_early_stopping(early_stopping):
    params = {**PARAMS, "validation_fraction": 0.4, "calibrate": "temperature"}
    clf = quick(RNNClassifier, **params, early_stopping=early_stopping, patience=99).fit(X, NOISY)
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    valid = split_validation(N, NOISY, 0.4, seed)[1]
    margin = clf.decision_function(X[valid]) * clf.temperature_
    logits = np.stack([0 * margin, margin], axis=1)
    assert clf.temperature_ == pytest.approx(fit_temperature(logits, NOISY[valid]), rel=1e-5)
    assert clf.temperature_ != pytest.approx(fit_temperature(logits, 1 - NOISY[valid]), rel=1e-2)
    assert clf.history_.valid_loss.notna().all()


def test_the_held_out_samples_are_weighted_as_in_the_loss():
    weight = np.arange(N) % 4
    params = {**PARAMS, "validation_fraction": 0.4, "calibrate": "temperature"}
    clf = quick(RNNClassifier, **params, class_weight={0: 1.0, 1: 5.0}).fit(X, NOISY, sample_weight=weight)
    joint = weight * np.where(NOISY, 5.0, 1.0)
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    valid = split_validation(N, NOISY, 0.4, seed, joint)[1]
    margin = clf.decision_function(X[valid]) * clf.temperature_
    logits = np.stack([0 * margin, margin], axis=1)
    assert clf.temperature_ == pytest.approx(fit_temperature(logits, NOISY[valid], joint[valid]), rel=1e-5)
    assert clf.temperature_ != pytest.approx(fit_temperature(logits, NOISY[valid]), rel=1e-2)


def test_the_parameter_counts_at_the_next_fit_only():
    clf = quick(RNNClassifier, **PARAMS, **HALF, warm_start=True).fit(X, NOISY)
    proba, temperature = clf.predict_proba(X), clf.temperature_
    assert temperature != 1.0
    clf.set_params(calibrate=None)
    np.testing.assert_array_equal(clf.predict_proba(X), proba)
    assert clf.fit(X, NOISY).temperature_ == 1.0
    assert clf.set_params(calibrate="temperature").temperature_ == 1.0
    assert clf.fit(X, NOISY).temperature_ != 1.0


def test_partial_fit_keeps_the_temperature():
    clf = quick(RNNClassifier, **PARAMS, **HALF).fit(X, NOISY)
    temperature = clf.temperature_
    assert clf.partial_fit(X, NOISY).temperature_ == temperature != 1.0
    assert quick(RNNClassifier, calibrate="temperature").partial_fit(X, NOISY).temperature_ == 1.0


def test_a_failed_fit_keeps_the_temperature():
    clf = quick(RNNClassifier, **PARAMS, **HALF, warm_start=True).fit(X, NOISY)
    proba = clf.predict_proba(X)
    with pytest.raises(ValueError, match="the training diverged"):
        clf.set_params(optimizer="sgd", lr=1e30).fit(X, NOISY)
    np.testing.assert_array_equal(clf.predict_proba(X), proba)


def test_a_calibrated_classifier_is_copied_cloned_pickled_and_searched():
    clf = quick(RNNClassifier, **PARAMS, **HALF).fit(X, NOISY)
    assert clf.temperature_ != 1.0
    for other in (copy.deepcopy(clf), pickle.loads(pickle.dumps(clf))):
        np.testing.assert_array_equal(other.predict_proba(X), clf.predict_proba(X))
        assert other.temperature_ == clf.temperature_
    assert not hasattr(clone(clf), "temperature_")
    np.testing.assert_array_equal(clone(clf).fit(X, NOISY).predict_proba(X), clf.predict_proba(X))
    search = GridSearchCV(
        quick(RNNClassifier), {"calibrate": [None, "temperature"]}, cv=2, scoring="neg_log_loss"
    )
    assert np.isfinite(search.fit(X, NOISY).cv_results_["mean_test_score"]).all()


def test_invalid_values_and_single_samples_are_refused():
    with pytest.raises(ValueError, match="The 'calibrate' parameter of RNNClassifier must be"):
        quick(RNNClassifier, calibrate="isotonic").fit(X, NOISY)
    with pytest.raises(
        ValueError, match="calibrate='temperature' needs at least 2 samples of weight > 0, got 1"
    ):
        quick(RNNClassifier, calibrate="temperature").fit(X[:1], NOISY[:1])


def test_nodes_have_calibrated_probabilities():
    y = np.where(np.arange(len(Y)) % 7, Y, 1 - Y)
    clf = quick(RecursiveNetClassifier, max_epochs=10, calibrate="temperature")
    clf.fit(TUPLES, y, X_val=TUPLES, y_val=y, node_y=[None] * len(y))
    assert clf.temperature_ != 1.0
    nodes = clf.predict_nodes(TUPLES[:3])
    np.testing.assert_allclose(nodes[nodes.depth == 0][[0, 1]], clf.predict_proba(TUPLES[:3]), rtol=1e-4)


def test_roots_have_their_own_weights_in_the_calibration():
    """The labels of nodes change the training, but they do not weight the held-out roots."""
    y = np.where(np.arange(len(Y)) % 5, Y, 1 - Y)
    node_y = [[None, k, *[1] * (len(tree[2]) + 1)] for tree, k in zip(TUPLES, y)]
    params = {"max_epochs": 10, "calibrate": "temperature", "validation_fraction": 0.5}
    clf = quick(RecursiveNetClassifier, **params, class_weight={0: 1.0, 1: 4.0}).fit(TUPLES, y, node_y=node_y)
    seed = int(np.random.RandomState(0).randint(np.iinfo(np.int32).max))
    valid = split_validation(N_TREES, y, 0.5, seed)[1]
    margin = (clf.decision_function(TUPLES) * clf.temperature_)[valid]
    logits, weight = np.stack([0 * margin, margin], axis=1), np.where(y, 4.0, 1.0)[valid]
    assert clf.temperature_ == pytest.approx(fit_temperature(logits, y[valid], weight), rel=1e-5)
    assert clf.temperature_ != pytest.approx(fit_temperature(logits, y[valid]), rel=1e-3)  # the control


TARGET = {"two classes": 1, "three classes": 1, "labels": 1, "columns": (0, 1)}


@pytest.mark.parametrize("kind", TARGET)
@pytest.mark.parametrize("method", ["integrated_gradients", "shapley", "occlusion"])
def test_explanations_are_those_of_the_calibrated_outputs(method, kind):
    y = TARGETS[kind]
    clf = quick(RNNClassifier, **PARAMS, calibrate="temperature").fit(
        X[:50], y[:50], X_val=X[50:], y_val=y[50:]
    )
    explainer = CaptumExplainer(clf, method, target=TARGET[kind], output="probability", random_state=0)
    values = explainer.fit(X).explain(X[:6]).values
    proba = as_list(clf.predict_proba(X[:6]))[0][:, 1]
    np.testing.assert_allclose(values, proba, rtol=1e-5)
    margin = np.asarray(as_list(clf.decision_function(X[:6]))[0])
    if margin.ndim == 2 and kind != "labels":
        margin = margin[:, 1] - (margin[:, 0] + margin[:, 2]) / 2
    margin = margin[:, 1] if margin.ndim == 2 else margin
    explained = explainer.set_params(output="margin").fit(X).explain(X[:6])
    np.testing.assert_allclose(explained.values, margin, rtol=1e-4, atol=1e-6)
    plain = copy.deepcopy(clf)
    plain.target_ = plain.target_.with_temperatures(None)
    other = CaptumExplainer(plain, method, target=TARGET[kind], random_state=0).fit(X).explain(X[:6])
    t = temperatures(clf)[1 if kind == "labels" else 0]
    for a, b in zip(explained.attributions, other.attributions, strict=True):
        np.testing.assert_allclose(a * t, b, rtol=1e-3, atol=1e-5)
    assert t != 1.0  # the control


@pytest.mark.parametrize("method", ["occlusion", "interaction", "node_prediction", "integrated_gradients"])
def test_explanations_of_trees_are_those_of_the_calibrated_outputs(method):
    y = np.where(np.arange(len(Y)) % 7, Y, 1 - Y)
    clf = quick(RecursiveNetClassifier, max_epochs=10, calibrate="temperature")
    clf.fit(TUPLES, y, X_val=TUPLES, y_val=y)
    found = CaptumExplainer(clf, method, target=1, output="probability").fit(TUPLES).explain(TUPLES[:4])
    np.testing.assert_allclose(found.values, clf.predict_proba(TUPLES[:4])[:, 1], rtol=1e-5)
    assert clf.temperature_ != 1.0


def test_the_predicted_label_is_the_one_with_the_largest_calibrated_probability():
    target = MultiLabel()
    target.fit(np.eye(2, dtype=int))
    target = target.with_temperatures(np.array([4.0, 1.0]))
    outputs = np.array([[2.0, 1.0]], dtype=np.float32)
    assert target.proba(outputs).argmax() == 1
    np.testing.assert_allclose(logit(target.proba(outputs)), [[0.5, 1.0]], rtol=1e-6)
    objective = target.explained(torch.tensor(outputs), "predicted", "probability")
    assert objective.names.tolist() == [1]
    assert objective(torch.tensor(outputs)).item() == pytest.approx(expit(1.0))


def test_targets_are_calibrated_as_copies():
    rng = np.random.RandomState(0)
    for target, y in ((OneClass(), THREE), (MultiLabel(), LABELS), (MultiOutput(), COLUMNS)):
        encoded = target.fit(y)
        outputs = rng.randn(N, target.n_outputs).astype(np.float32)
        calibrated = target.calibrated(outputs, encoded)
        assert target.temperatures is None
        assert len(calibrated.temperatures) == len(target.head_sizes)
        assert sum(target.head_sizes) == target.n_outputs
        for found in (calibrated.margin(outputs), calibrated.proba(outputs)):
            assert {part.dtype for part in as_list(found)} == {np.dtype(np.float32)}
    assert isinstance(OneClass.temperature.fget(OneClass()), float)


def test_a_fit_with_trees_texts_and_tables_is_calibrated():
    for cls in CLASSIFIERS:
        for samples in (TUPLES if cls is RecursiveNetClassifier else TEXTS, TABLE):
            clf = quick(cls, calibrate="temperature", validation_fraction=0.5).fit(samples, Y)
            assert 0.1 <= clf.temperature_ <= 100
