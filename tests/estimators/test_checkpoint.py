"""Checkpoints: a fit that was killed continues and ends in the same bits."""

import os
import shutil
import time
from unittest import mock

import numpy as np
import pytest
import skorch
import torch
from crashes import assert_same_bits, counting, crash, crashing_after
from killing import kill_often
from samples import BRACKETS, ESTIMATORS, PIXELS, TABLE, TEXTS, WAVES, Y, quick
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_predict
from skorch.callbacks import EarlyStopping, Freezer, LRScheduler

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_tree.kinds import PairArray
from sklearn_tree.nn import CELLS

CASES = {
    "trees": (RecursiveNetClassifier, BRACKETS, {"dropout": 0.3}),
    "texts": (RNNClassifier, TEXTS, {"word_dropout": 0.2, "optimizer": "adagrad"}),
    "series": (CNNClassifier, WAVES, {"lr_schedule": "cosine"}),
    "images": (CNNClassifier, PIXELS, {"input_kind": "image"}),
    "table": (RNNRegressor, TABLE, {"lr_schedule": "exponential", "gradient_clip": 1.0}),
    "average": (RNNClassifier, TEXTS, {"weight_averaging": "ema"}),
    "one cycle": (CNNRegressor, TEXTS, {"lr_schedule": "one_cycle"}),
    "early stopping": (
        RNNClassifier,
        TEXTS,
        {"early_stopping": True, "patience": 2, "lr": 0.05, "max_epochs": 12},
    ),
    "calibration": (CNNClassifier, TEXTS, {"calibrate": "temperature"}),
    "momentum": (
        RecursiveNetClassifier,
        BRACKETS,
        {"optimizer": "sgd", "net_params": {"optimizer__momentum": 0.9}},
    ),
    "linear path": (CNNClassifier, TEXTS, {"linear_path": True}),
    "no seed": (RNNClassifier, TEXTS, {"random_state": None}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_that_crashed_continues_to_the_same_bits(name, tmp_path):
    cls, X, params = CASES[name]
    params = {"max_epochs": 5, "batch_size": 7, **params}
    np.random.seed(3)
    whole = quick(cls, **params).fit(X, Y)
    for epoch in (1, 3):
        np.random.seed(3 if epoch == 1 else 4)  # the seed of a fit without random_state is kept
        crash(quick(cls, **params, checkpoint_dir=tmp_path), X, Y, epoch)
    resumed = quick(cls, **params, checkpoint_dir=tmp_path).fit(X, Y)
    assert_same_bits(resumed, whole, X)
    with counting() as epochs:
        again = quick(cls, **params, checkpoint_dir=str(tmp_path)).fit(X, Y)
    assert epochs == []  # a finished fit is not trained again
    assert_same_bits(again, whole, X)


def test_without_a_checkpoint_a_crashed_fit_restarts(tmp_path):  # the control
    with counting() as epochs:
        for folder in (None, tmp_path):
            net = quick(RNNClassifier, max_epochs=4, checkpoint_dir=folder)
            crash(net, TEXTS, Y, 2)
            epochs.append("crash")
            net.fit(TEXTS, Y)
    assert epochs == [1, 2, "crash", 1, 2, 3, 4, 1, 2, "crash", 3, 4]


@pytest.mark.parametrize("folder", ["run", "{digest}"])
def test_a_fit_that_is_killed_at_random_moments_continues_to_the_same_bits(folder, tmp_path):
    params = {"max_epochs": 8, "batch_size": 5, "dropout": 0.3, "weight_averaging": "ema"}
    start = time.perf_counter()
    whole = quick(RecursiveNetClassifier, **params).fit(BRACKETS, Y)
    duration = 2 * (time.perf_counter() - start)
    net = quick(RecursiveNetClassifier, **params, checkpoint_dir=tmp_path / folder)

    def finish():
        assert_same_bits(net.fit(BRACKETS, Y), whole, BRACKETS)
        shutil.rmtree(tmp_path)

    kill_often(lambda: net.fit(BRACKETS, Y), np.random.RandomState(0), 6, duration, finish)
    finish()


def test_frozen_weights_stay_frozen(tmp_path):
    params = {"max_epochs": 5, "hidden_size": 4}
    freeze = Freezer("encoder.*")
    whole = quick(RNNClassifier, **params, callbacks=[freeze]).fit(TEXTS, Y)
    crash(
        quick(RNNClassifier, **params, callbacks=[Freezer("encoder.*")], checkpoint_dir=tmp_path), TEXTS, Y, 3
    )
    resumed = quick(RNNClassifier, **params, callbacks=[Freezer("encoder.*")], checkpoint_dir=tmp_path)
    assert_same_bits(resumed.fit(TEXTS, Y), whole, TEXTS)
    with pytest.raises(AssertionError):
        assert_same_bits(resumed, quick(RNNClassifier, **params).fit(TEXTS, Y), TEXTS)


def test_paths_are_expanded_once(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    move = skorch.callbacks.Callback()
    move.on_epoch_begin = lambda *_, **__: os.chdir("/")
    for path, expected in (("~/home run", "home run"), ("here", "here")):
        monkeypatch.chdir(tmp_path)
        quick(RNNClassifier, checkpoint_dir=path, callbacks=[move]).fit(TEXTS, Y)
        assert (tmp_path / expected / "checkpoint.pt").is_file()


def test_a_finished_fit_is_replaced_by_another(tmp_path):
    net = quick(RNNClassifier, checkpoint_dir=tmp_path).fit(TEXTS, Y)
    other = clone(net).set_params(random_state=1).fit(TEXTS, Y)
    assert_same_bits(other, quick(RNNClassifier, random_state=1).fit(TEXTS, Y), TEXTS)
    with pytest.raises(AssertionError):
        assert_same_bits(other, net, TEXTS)
    predicted = cross_val_predict(net, TEXTS, Y, cv=3, method="predict_proba")
    np.testing.assert_array_equal(
        predicted, cross_val_predict(quick(RNNClassifier), TEXTS, Y, cv=3, method="predict_proba")
    )


def test_more_epochs_continue_a_fit_without_a_schedule(tmp_path):
    params = {"lr_schedule": None, "dropout": 0.2}
    for n, folder in ((2, "a/{digest}"), (5, "a/{digest}"), (3, "a/{digest}")):
        net = quick(RNNClassifier, **params, max_epochs=n, checkpoint_dir=tmp_path / folder)
        with counting() as epochs:
            net.fit(TEXTS, Y)
        assert_same_bits(net, quick(RNNClassifier, **params, max_epochs=n).fit(TEXTS, Y), TEXTS)
        assert epochs == {2: [1, 2], 5: [3, 4, 5], 3: [1, 2, 3]}[n]
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_fewer_epochs_are_trained_without_a_loss_of_the_others(tmp_path):
    params = {"lr_schedule": None, "dropout": 0.2}
    net = quick(RNNClassifier, **params, max_epochs=9, checkpoint_dir=tmp_path)
    crash(clone(net), TEXTS, Y, 5)
    for n, expected in ((4, [1, 2, 3, 4]), (7, [6, 7]), (2, [1, 2]), (9, [8, 9]), (1, [1]), (9, [])):
        with counting() as epochs:
            fit = clone(net).set_params(max_epochs=n).fit(TEXTS, Y)
        assert epochs == expected
        assert_same_bits(fit, quick(RNNClassifier, **params, max_epochs=n).fit(TEXTS, Y), TEXTS)


@pytest.mark.parametrize("n_epochs", [3, 9, 13])
def test_a_halving_search_that_crashed_gives_the_scores_of_an_unbroken_one(n_epochs, tmp_path):
    def search(folder):
        net = quick(RNNClassifier, lr_schedule=None, checkpoint_dir=folder)
        grid = {"lr": [0.001, 0.01, 0.1, 0.3]}
        limits = {"resource": "max_epochs", "min_resources": 1, "max_resources": 4, "factor": 2}
        return HalvingGridSearchCV(net, grid, **limits, cv=2, random_state=0, error_score="raise")

    whole = search(None).fit(TEXTS, Y)
    for n in (n_epochs, 1):
        with counting() as epochs, crashing_after(epochs, n):
            search(tmp_path / "{digest}").fit(TEXTS, Y)
    again = search(tmp_path / "{digest}").fit(TEXTS, Y)
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"])
    assert again.best_params_ == whole.best_params_


def test_the_fits_of_a_search_have_folders_of_their_own(tmp_path):
    grid = {"hidden_size": [2, 3], "lr": [0.01, 0.1]}
    net = quick(RNNClassifier, checkpoint_dir=tmp_path / "{digest}")
    search = GridSearchCV(net, grid, cv=2).fit(TEXTS, Y)
    plain = GridSearchCV(quick(RNNClassifier), grid, cv=2).fit(TEXTS, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert len(list(tmp_path.iterdir())) == 9
    with counting() as epochs:
        again = clone(search).fit(TEXTS, Y)
    assert epochs == []
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_continued_fit_is_saved_too(cls, tmp_path):
    first = quick(cls, warm_start=True, max_epochs=3).fit(TABLE, Y)
    expected = clone(first).fit(TABLE, Y).fit(TABLE, Y)
    first.set_params(checkpoint_dir=tmp_path / "run")
    crash(first, TABLE, Y, 5)
    assert first.n_iter_ == 3
    first.fit(TABLE, Y)
    assert_same_bits(first, expected, TABLE)
    assert first.n_iter_ == 6
    # Another net cannot continue the training.
    shutil.rmtree(tmp_path / "run")
    crash(first, TABLE, Y, 7)
    other = clone(first).set_params(checkpoint_dir=None, random_state=5).fit(TABLE, Y)
    with pytest.raises(ValueError, match=r"with random_state=.*|with another net of"):
        other.set_params(checkpoint_dir=tmp_path / "run").fit(TABLE, Y)


def test_callbacks_of_skorch_and_of_users_continue(tmp_path):
    class Count(skorch.callbacks.Callback):
        """Callback that counts epochs and, with a state, continues to count."""

        def on_train_begin(self, net, **kwargs):
            self.n = 0

        def on_epoch_end(self, net, **kwargs):
            self.n += 1

    class Remember(Count):
        """Callback with a state."""

        def state_dict(self):
            return {"n": self.n}

        def load_state_dict(self, state):
            self.n = state["n"]

    def make():
        return [
            ("stop", EarlyStopping(monitor="train_loss", patience=50, load_best=True)),
            ("lr", LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5)),
            ("count", Count()),
            ("remember", Remember()),
        ]

    def fit(folder, callbacks):
        return quick(RNNClassifier, max_epochs=6, checkpoint_dir=folder, callbacks=callbacks)

    whole = fit(None, make()).fit(TEXTS, Y)
    crash(fit(tmp_path, make()), TEXTS, Y, 3)
    callbacks = make()
    resumed = fit(tmp_path, callbacks).fit(TEXTS, Y)
    assert_same_bits(resumed, whole, TEXTS)
    assert [row["event_lr"] for row in resumed.net_.history] == [
        row["event_lr"] for row in whole.net_.history
    ]
    assert (dict(callbacks)["count"].n, dict(callbacks)["remember"].n) == (3, 6)


def test_pairs_and_node_labels_are_part_of_the_fit(tmp_path):
    trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))", "(S (NP she) (VP works))"] * 4
    y = [1, 0, 1] * 4
    labels = [[root, *[-1] * 4] for root in y]
    net = quick(RecursiveNetClassifier, max_epochs=4, checkpoint_dir=tmp_path / "nodes")
    crash(clone(net), trees, y, 2, node_y=labels)
    other = [row[:] for row in labels]
    other[3][1] = 1
    with pytest.raises(ValueError, match="another y"):
        clone(net).fit(trees, y, node_y=other)
    net.fit(trees, y, node_y=labels)
    expected = quick(RecursiveNetClassifier, max_epochs=4).fit(trees, y, node_y=labels)
    assert_same_bits(net, expected, trees)
    vectorized = RNNClassifier(max_epochs=1).fit(TEXTS, Y).vectorizer_.transform(TEXTS)
    pairs = PairArray.from_columns(vectorized, vectorized[::-1])
    net = quick(RNNClassifier, max_epochs=4, checkpoint_dir=tmp_path / "pairs")
    crash(clone(net), pairs, Y, 2)
    with pytest.raises(ValueError, match="another X"):
        clone(net).fit(pairs[::-1], Y)
    assert_same_bits(net.fit(pairs, Y), quick(RNNClassifier, max_epochs=4).fit(pairs, Y), pairs)


@pytest.mark.parametrize("warm_start", [False, True])
def test_a_first_fit_that_was_interrupted_continues(warm_start, tmp_path):
    params = {"max_epochs": 5, "dropout": 0.3, "warm_start": warm_start, "linear_path": True}
    whole = quick(RNNClassifier, **params).fit(TEXTS, Y)
    net = quick(RNNClassifier, **params, checkpoint_dir=tmp_path)
    with (
        mock.patch("crashes.CrashError", KeyboardInterrupt),
        pytest.warns(UserWarning, match="keeps the 3 epochs"),
    ):
        crash(net, TEXTS, Y, 3)
    assert net.n_iter_ == 3
    with counting() as epochs:
        net.fit(TEXTS, Y)
    assert epochs == [4, 5]
    assert_same_bits(net, whole, TEXTS)
    net.fit(TEXTS, Y)
    assert net.n_iter_ == (10 if warm_start else 5)


def test_an_interrupted_fit_without_checkpoints_goes_on_with_warm_start():
    net = quick(RNNClassifier, max_epochs=5, warm_start=True)
    with (
        mock.patch("crashes.CrashError", KeyboardInterrupt),
        pytest.warns(UserWarning, match="keeps the 3 epochs"),
    ):
        crash(net, TEXTS, Y, 3)
    assert net.fit(TEXTS, Y).n_iter_ == 8


def test_buffers_outside_of_the_state_are_saved(tmp_path):
    class Cell(CELLS["child_sum_gru"]):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.register_buffer("n_calls", torch.zeros(()), persistent=False)

        def update(self, gates, messages):
            if self.training:
                self.n_calls = self.n_calls + 1
            return tuple(x * (1 + 0.01 * self.n_calls) for x in super().update(gates, messages))

    whole = quick(RecursiveNetClassifier, cell=Cell, max_epochs=4).fit(BRACKETS, Y)
    net = quick(RecursiveNetClassifier, cell=Cell, max_epochs=4, checkpoint_dir=tmp_path)
    crash(net, BRACKETS, Y, 2)
    assert_same_bits(net.fit(BRACKETS, Y), whole, BRACKETS)
