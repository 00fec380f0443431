"""Nets that ``make_net`` returns, for every family."""

import pickle
import threading

import numpy as np
import pytest
import skorch
import torch
from samples import object_array, quick, tree_classifier
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochScoring, LRScheduler

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    TreeVectorizer,
)

Y = np.arange(60) % 3 % 2
TREES = TreeVectorizer().fit_transform([("S", "it", ("VP", "works" if y else "fails")) for y in Y])
TEXTS = SequenceVectorizer().fit_transform(["it works" if y else "it fails again" for y in Y])
IMAGES = np.random.RandomState(0).rand(60, 5, 5, 1).astype(np.float32) + Y[:, None, None, None]
CASES = [
    (RecursiveNetClassifier, TREES),
    (RNNClassifier, TEXTS),
    (CNNClassifier, TEXTS),
    (CNNClassifier, IMAGES),
    (RecursiveNetRegressor, TREES),
    (RNNRegressor, TEXTS),
    (CNNRegressor, TEXTS),
]
IDS = [f"{cls.__name__}-{i}" for i, (cls, _) in enumerate(CASES)]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def make(cls, X, **params):
    y = Y if "Classifier" in cls.__name__ else Y[:, None].astype(np.float32)
    net = cls(random_state=0, **params).make_net(X, y)
    return net, y


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_the_net_fits_encoded_samples(cls, X):
    net, y = make(cls, X)
    assert isinstance(
        net, skorch.NeuralNetClassifier if "Classifier" in cls.__name__ else skorch.NeuralNetRegressor
    )
    assert not net.initialized_
    assert net.fit(X, y).score(X, y) > 0.9
    assert len(net.predict(X)) == 60


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_the_net_can_be_searched_with_skorch_parameter_names(cls, X):
    params = {"n_blocks": 1} if X is IMAGES else {}  # residual nets have no hidden layer
    net, y = make(cls, X, max_epochs=2, **params)
    grid = {"module__hidden_size": [4, 8], "optimizer__weight_decay": [0.0, 0.1]}
    search = GridSearchCV(net, grid, cv=2, error_score="raise").fit(X, y)
    hidden = search.best_params_["module__hidden_size"]
    assert search.best_estimator_.module_.head.in_features in (hidden, 2 * hidden)


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_the_net_accepts_skorch_callbacks(cls, X, tmp_path):
    net, y = make(cls, X, max_epochs=6)
    scoring = "accuracy" if "Classifier" in cls.__name__ else "r2"
    callbacks = [
        ("score", EpochScoring(scoring, lower_is_better=False, on_train=True, name="own")),
        ("schedule", LRScheduler("StepLR", step_size=1)),
        ("stop", EarlyStopping("train_loss", patience=50)),
        ("checkpoint", Checkpoint(monitor=None, dirname=tmp_path)),
    ]
    net.set_params(callbacks=callbacks).fit(X, y)
    assert len(net.history[:, "own"]) == 6
    assert (tmp_path / "params.pt").exists()


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_weights_are_saved_and_loaded(cls, X, tmp_path):
    net, y = make(cls, X, max_epochs=2)
    net.fit(X, y).save_params(f_params=tmp_path / "weights.pt")
    other, _ = make(cls, X)
    other.initialize().load_params(f_params=tmp_path / "weights.pt")
    np.testing.assert_array_equal(other.predict(X), net.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict(X), net.predict(X))


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_early_stopping_adds_an_internal_validation_split(cls, X):
    net, y = make(cls, X, max_epochs=3, early_stopping=True)
    assert net.fit(X, y).history[-1]["valid_loss"] > 0


def test_make_net_returns_an_unfitted_skorch_estimator(encoded):
    X, y = encoded
    codes = (y == "two").astype(np.int64)
    clf = tree_classifier(cell="nary_lstm", early_stopping=False)
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


def test_saved_parameters_give_equal_probabilities(encoded, tmp_path):
    X, y = encoded
    net = tree_classifier().make_net(X, y).fit(X, (y == "two").astype(np.int64))
    net.save_params(f_params=tmp_path / "net.pt")
    other = tree_classifier().make_net(X, y).initialize()
    other.load_params(f_params=tmp_path / "net.pt")
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))


def test_early_stopping_records_a_validation_loss_in_every_epoch(encoded):
    X, y = encoded
    net = tree_classifier(early_stopping=True, max_epochs=30).make_net(X, y)
    net.fit(X, (y == "two").astype(np.int64))
    assert all(np.isfinite(net.history[:, "valid_loss"]))


def test_a_pickled_net_can_be_trained_further(encoded):
    X, y = encoded
    codes = (y == "two").astype(np.int64)
    net = pickle.loads(pickle.dumps(tree_classifier(max_epochs=2).make_net(X, y).fit(X, codes)))
    assert net.get_params()["max_epochs"] == 2
    assert len(net.set_params(max_epochs=3, lr=0.1).partial_fit(X, codes).history) == 5


@pytest.mark.parametrize(("cls", "X"), CASES, ids=IDS)
def test_the_net_holds_the_callbacks_of_the_estimator_and_no_copies(cls, X):
    callback = Callback()
    assert make(cls, X, callbacks=[callback])[0].callbacks[-1] is callback
    callback.lock = threading.Lock()  # it cannot be copied
    assert make(cls, X, callbacks=[callback])[0].callbacks[-1] is callback


@pytest.mark.parametrize("form", [list, np.array, object_array], ids=["list", "str array", "object array"])
@pytest.mark.parametrize(
    ("cls", "samples", "container"),
    [(RNNClassifier, "it works", "RaggedArray"), (RecursiveNetClassifier, "(S it works)", "TreeArray")],
)
def test_a_net_refuses_samples_that_are_not_encoded(cls, samples, container, form):
    X, y = [samples] * 8, np.array([0, 1] * 4)
    net = quick(cls).make_net(X, y)
    with pytest.raises(
        TypeError, match=f"X must be encoded, got .*: a skorch net reads a {container} of ids"
    ):
        net.fit(form(X), y)
