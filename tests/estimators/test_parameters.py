"""Parameters shared by all estimators."""

import re

import numpy as np
import pytest
import skorch
import torch
from samples import CLASSIFIERS, ESTIMATORS, TEXTS, TUPLES, Y, outputs, quick, tree_classifier

from sklearn_tree import RecursiveNetClassifier, RNNClassifier
from sklearn_tree.estimators.parameters import SHARED_CONSTRAINTS
from sklearn_tree.kinds import Kind


@pytest.mark.parametrize("schedule", ["cosine", "exponential", "linear"])
def test_a_schedule_lowers_the_learning_rate(encoded, schedule):
    X, y = encoded
    clf = tree_classifier(lr_schedule=schedule, lr=0.01, max_epochs=4).fit(X, y)
    rates = [row["event_lr"] for row in clf.net_.history]
    assert rates[0] == 0.01
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.005


def test_gradient_clip_bounds_the_norm(encoded):
    X, y = encoded
    norms = []

    class Watch(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            if kwargs["training"]:
                grads = [p.grad for p in net.module_.parameters() if p.grad is not None]
                norms.append(torch.nn.utils.get_total_norm(grads).item())

    tree_classifier(gradient_clip=1e-3, max_epochs=2, callbacks=[Watch()]).fit(X, y)
    assert max(norms) <= 1e-3 * (1 + 1e-3)
    tree_classifier(max_epochs=2, callbacks=[Watch()]).fit(X, y)  # the control
    assert max(norms) > 1e-3


INVALID = {
    "hidden_size": (0, 1.5, "64"),
    "dropout": (-0.1, 1.0, "0"),
    "embedding_dim": (0, 1.5),
    "embeddings": (1, 0.5),
    "freeze_embeddings": ("yes", 2),
    "embedding_lr": (0.0, -1, "0.1"),
    "word_dropout": (1.0, -1),
    "linear_path": ("yes", 2),
    "optimizer": ("sgdd", None, 1),
    "lr": (0.0, -1, "0.1"),
    "weight_decay": (-0.1, None),
    "lr_schedule": ("cosin", 1),
    "weight_averaging": ("swa", 0.99, True),
    "gradient_clip": (0.0, -1),
    "max_epochs": (0, 1.5),
    "batch_size": (0, None),
    "early_stopping": ("yes", 2),
    "validation_fraction": (0.0, 1.0),
    "patience": (0, 2.5),
    "warm_start": ("yes", None),
    "device": (1, None),
    "precision": ("float16", None),
    "random_state": ("seed", -1),
    "callbacks": ("print", {}),
    "checkpoint_dir": (3, ["run"]),
    "net_params": ([], "lr"),
    "verbose": ("yes", -1),
}


@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in INVALID.items() for value in values]
)
def test_invalid_shared_parameters_are_named_with_their_value(cls, name, value):
    with pytest.raises(
        ValueError, match=rf"The '{name}' parameter of {cls.__name__} must be .* Got {re.escape(repr(value))}"
    ):
        cls(**{name: value})._validate_params()
    cls()._validate_params()  # the control


def test_all_shared_parameters_are_checked():
    assert set(INVALID) == set(SHARED_CONSTRAINTS)
    for cls in ESTIMATORS:
        assert set(SHARED_CONSTRAINTS) < set(cls().get_params())


@pytest.mark.parametrize(
    ("n_samples", "batch_size", "max_epochs", "expected"),
    [
        (10_000, 64, None, 10),
        (64, 64, None, 100),
        (65, 64, None, 50),
        (640, 64, None, 10),
        (300, 100, None, 34),
        (10_000, 64, 3, 3),
    ],
)
def test_small_data_get_more_epochs(n_samples, batch_size, max_epochs, expected):
    clf = tree_classifier(max_epochs=max_epochs, batch_size=batch_size)
    clf.kind_ = Kind()  # of samples without words, for which a fit has at least 10 epochs
    assert clf._n_epochs(n_samples) == expected


def test_callbacks_follow_from_the_parameters():
    params = {"gradient_clip": 1.0, "lr_schedule": "cosine", "early_stopping": True}
    own = skorch.callbacks.Callback()
    clf = tree_classifier(**params, callbacks=[own, ("named", own)])
    named = ["gradient_clip", "lr_schedule", "early_stopping"]
    callbacks = clf._make_callbacks(10)
    assert [name for name, _ in callbacks[:3]] == named
    assert callbacks[3:] == [own, ("named", own)]
    single_epoch = clf._make_callbacks(1, is_whole=False)  # partial_fit has no schedule and does not stop
    assert [name for name, _ in single_epoch[:1]] == ["gradient_clip"]
    assert single_epoch[1:] == [own, ("named", own)]
    assert tree_classifier(lr_schedule=None)._make_callbacks(10) == []


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint16])
def test_numbers_of_numpy_give_the_same_net_as_those_of_python(cls, dtype):
    X = TUPLES if cls is RecursiveNetClassifier else TEXTS
    sizes = {"hidden_size": 6, "embedding_dim": 5}
    expected = outputs(quick(cls, **sizes).fit(X, Y), X)
    net = quick(cls, **{name: dtype(size) for name, size in sizes.items()}).fit(X, Y)
    np.testing.assert_array_equal(outputs(net, X), expected)
    assert not np.array_equal(outputs(quick(cls, hidden_size=6, embedding_dim=6).fit(X, Y), X), expected)


def test_numbers_of_numpy_in_net_params_are_accepted():
    net = quick(RNNClassifier, net_params={"module__n_layers": np.int64(2)}).fit(TEXTS, Y)
    assert type(net.net_.module__n_layers) is int
    assert net.set_params(warm_start=True, hidden_size=np.int64(8)).fit(TEXTS, Y).n_iter_ == 4
