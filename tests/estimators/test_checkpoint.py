"""Checkpoints: a fit that was killed continues and ends in the same bits."""

import os
import pickle
import resource
import shutil
import time
from contextlib import contextmanager

import numpy as np
import pytest
import skorch
import torch
from killing import kill_often
from samples import BRACKETS, ESTIMATORS, PIXELS, TABLE, TEXTS, WAVES, Y, outputs, quick
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from skorch.callbacks import EarlyStopping, Freezer, LRScheduler

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    load,
    save,
)
from sklearn_tree.io import files
from sklearn_tree.kinds import PairArray


class CrashError(Exception):
    """Ends a fit at the beginning of an epoch."""


class Crash(skorch.callbacks.Callback):
    """Callback that ends the fit at the beginning of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            raise CrashError


def crash(estimator, X, y, epoch, **fit_params):
    """Fit until an epoch."""
    with pytest.raises(CrashError):
        estimator.set_params(callbacks=[*(estimator.callbacks or ()), Crash(epoch)]).fit(X, y, **fit_params)


def bits(estimator, X):
    """Return everything that a fit computes, except durations."""
    weights = [value.numpy() for value in estimator.net_.module_.state_dict().values()]
    return [outputs(estimator, X), estimator.history_.drop(columns="duration_s").to_numpy(), *weights]


def assert_same_bits(estimator, expected, X):
    for found, wanted in zip(bits(estimator, X), bits(expected, X), strict=True):
        np.testing.assert_array_equal(found, wanted)


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
    trained = skorch.callbacks.Callback()
    trained.on_epoch_begin = lambda *_, **__: pytest.fail("a finished fit is trained again")
    again = quick(cls, **params, checkpoint_dir=str(tmp_path), callbacks=[trained]).fit(X, Y)
    assert_same_bits(again, whole, X)


def test_without_a_checkpoint_a_crashed_fit_restarts(tmp_path):  # the control
    epochs = []
    count = skorch.callbacks.Callback()
    count.on_epoch_begin = lambda net, **_: epochs.append(len(net.history))
    for folder in (None, tmp_path):
        net = quick(RNNClassifier, max_epochs=4, checkpoint_dir=folder)
        crash(net, TEXTS, Y, 2)
        net.set_params(callbacks=[count]).fit(TEXTS, Y)
    assert epochs == [1, 2, 3, 4, 2, 3, 4]


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


def fit_with(X=TEXTS, y=Y, sample_weight=None, X_val=None, y_val=None, **params):
    """Return the estimator and the arguments of a fit that differs from the default one."""
    return params, (X, y, sample_weight, X_val, y_val)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (fit_with(lr=0.5), "with lr=0.01, not 0.5"),
        (fit_with(batch_size=9), "with batch_size=64, not 9"),
        (fit_with(max_epochs=9, early_stopping=True), "with max_epochs=4, not 9|with early_stopping"),
        (fit_with(random_state=1), r"with random_state=\d+, not \d+"),
        (
            fit_with(net_params={"optimizer__eps": 1e-5}),
            "with net_params=None, not {'optimizer__eps': 1e-05}",
        ),
        (fit_with(embeddings=(["it"], np.ones((1, 64)))), "with embeddings=None, not"),
        (fit_with(X=TEXTS[::-1]), "with another X"),
        (fit_with(X=[text.replace("it", "she") for text in TEXTS]), "with another X"),
        (fit_with(y=1 - Y), "with another y"),
        (fit_with(y=np.where(Y, "yes", "no")), "with another y"),
        (fit_with(sample_weight=np.arange(len(Y))), "with another sample_weight"),
        (fit_with(X_val=TEXTS[:3], y_val=Y[:3]), "with another X_val"),
    ],
)
def test_another_fit_is_refused_with_the_difference(change, message, tmp_path):
    net = quick(RNNClassifier, max_epochs=4, lr=0.01, lr_schedule="cosine", checkpoint_dir=tmp_path)
    crash(clone(net), TEXTS, Y, 2)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    params, (X, y, sample_weight, X_val, y_val) = change
    with pytest.raises(ValueError, match=message) as error:
        clone(net).set_params(**params).fit(X, y, sample_weight, X_val, y_val)
    assert "checkpoint_dir" in str(error.value)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert net.set_params(verbose=1, callbacks=[skorch.callbacks.Callback()]).fit(TEXTS, Y).n_iter_ == 4


def test_equal_values_of_other_types_are_the_same_fit(tmp_path):
    y = np.where(Y, "yes", "no")
    params = {"max_epochs": np.int64(5), "lr": np.float64(0.01), "hidden_size": np.int32(8), "dropout": 0}
    crash(quick(RNNClassifier, **params, checkpoint_dir=tmp_path), TEXTS, y, 3)
    plain = {"max_epochs": 5, "lr": 0.01, "hidden_size": 8, "dropout": 0.0, "device": "cpu"}
    resumed = quick(RNNClassifier, **plain, checkpoint_dir=str(tmp_path), callbacks=[Crash(1)])
    resumed.fit(np.array(TEXTS, dtype=object), y.astype(object))
    assert_same_bits(resumed, quick(RNNClassifier, **plain).fit(TEXTS, y), TEXTS)


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
        epochs = []
        count = skorch.callbacks.Callback()
        count.on_epoch_begin = lambda net, epochs=epochs, **_: epochs.append(len(net.history))
        net.set_params(callbacks=[count]).fit(TEXTS, Y)
        assert_same_bits(net, quick(RNNClassifier, **params, max_epochs=n).fit(TEXTS, Y), TEXTS)
        assert epochs == {2: [1, 2], 5: [3, 4, 5], 3: [1, 2, 3]}[n]
    assert len(list((tmp_path / "a").iterdir())) == 1
    net = quick(RNNClassifier, **params, max_epochs=9, checkpoint_dir=tmp_path / "b")
    crash(clone(net), TEXTS, Y, 6)
    with pytest.raises(
        ValueError, match="max_epochs must be at least 5, the number of epochs of the unfinished"
    ):
        clone(net).set_params(max_epochs=4).fit(TEXTS, Y)


def test_the_fits_of_a_search_have_folders_of_their_own(tmp_path):
    grid = {"hidden_size": [2, 3], "lr": [0.01, 0.1]}
    net = quick(RNNClassifier, checkpoint_dir=tmp_path / "{digest}")
    search = GridSearchCV(net, grid, cv=2).fit(TEXTS, Y)
    plain = GridSearchCV(quick(RNNClassifier), grid, cv=2).fit(TEXTS, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert len(list(tmp_path.iterdir())) == 9
    failing = Crash(0)  # finished fits need no epoch
    again = GridSearchCV(clone(net).set_params(callbacks=[failing]), grid, cv=2, error_score="raise")
    np.testing.assert_array_equal(
        again.fit(TEXTS, Y).cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_continued_fit_is_saved_too(cls, tmp_path):
    first = quick(cls, warm_start=True, max_epochs=3).fit(TABLE, Y)
    expected = clone(first).fit(TABLE, Y).fit(TABLE, Y)
    first.set_params(checkpoint_dir=tmp_path / "run")
    with pytest.raises(CrashError):
        first.set_params(callbacks=[Crash(5)]).fit(TABLE, Y)
    assert first.n_iter_ == 3
    first.set_params(callbacks=None).fit(TABLE, Y)
    assert_same_bits(first, expected, TABLE)
    assert first.n_iter_ == 6
    # Another net cannot continue the training.
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(CrashError):
        first.set_params(callbacks=[Crash(7)]).fit(TABLE, Y)
    other = clone(first).set_params(checkpoint_dir=None, callbacks=None, random_state=5).fit(TABLE, Y)
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
    assert (dict(callbacks)["count"].n, dict(callbacks)["remember"].n) == (4, 6)


def test_pairs_and_node_labels_are_part_of_the_fit(tmp_path):
    trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))", "(S (NP she) (VP works))"] * 4
    y = [1, 0, 1] * 4
    labels = [[root, *[-1] * 4] for root in y]
    net = quick(RecursiveNetClassifier, max_epochs=4, checkpoint_dir=tmp_path / "nodes")
    with pytest.raises(CrashError):
        clone(net).set_params(callbacks=[Crash(2)]).fit(trees, y, node_y=labels)
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


@pytest.fixture
def crashed(tmp_path):
    """An estimator whose fit crashed in the third epoch, and the file of its checkpoint."""
    net = quick(RNNClassifier, max_epochs=5, checkpoint_dir=tmp_path)
    crash(clone(net), TEXTS, Y, 3)
    return net, tmp_path / "checkpoint.pt"


@contextmanager
def full_disk(n_bytes):
    """Let no file grow beyond a size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_raises_and_keeps_the_last_epoch(crashed):
    net, path = crashed
    before = path.read_bytes()
    with (
        full_disk(1000),
        pytest.raises(OSError, match="cannot be written, the fit continues from the last epoch"),
    ):
        net.fit(TEXTS, Y)
    assert not hasattr(net, "net_")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]
    assert_same_bits(net.fit(TEXTS, Y), quick(RNNClassifier, max_epochs=5).fit(TEXTS, Y), TEXTS)


def test_a_folder_that_cannot_be_written_is_refused_before_the_training(tmp_path):
    (tmp_path / "file").write_text("")
    started = skorch.callbacks.Callback()
    started.on_train_begin = lambda *_, **__: pytest.fail("the training has begun")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        net = quick(RNNClassifier, checkpoint_dir=folder, callbacks=[started])
        with pytest.raises(OSError, match=r"checkpoint_dir.*file"):
            net.fit(TEXTS, Y)
    with full_disk(10), pytest.raises(OSError, match="cannot be written"):
        quick(RNNClassifier, checkpoint_dir=tmp_path / "run", callbacks=[started]).fit(TEXTS, Y)


@pytest.mark.parametrize(
    "damage", [lambda x: x[:-9], lambda x: x[:40], lambda x: b"", lambda x: x[:-9] + b"x" * 9]
)
def test_a_damaged_file_is_refused(crashed, damage):
    net, path = crashed
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"checkpoint.pt is damaged, delete it to restart the fit"):
        net.fit(TEXTS, Y)
    path.unlink()
    assert net.fit(TEXTS, Y).n_iter_ == 5


def test_files_of_killed_processes_are_removed(crashed):
    net, path = crashed
    (path.parent / ".sklearn_tree-0123").write_bytes(b"half")
    net.fit(TEXTS, Y)
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


def test_partial_fit_and_copies_write_no_files(tmp_path):
    net = quick(RNNClassifier, checkpoint_dir=tmp_path / "run")
    net.partial_fit(TEXTS, Y)
    net.make_net(TEXTS, Y)
    assert not (tmp_path / "run").exists()
    save(net.fit(TEXTS, Y), tmp_path / "net")
    assert load(tmp_path / "net").checkpoint_dir is None
    assert pickle.loads(pickle.dumps(net)).checkpoint_dir == net.checkpoint_dir


def test_a_forged_file_cannot_name_a_folder(tmp_path):
    save(quick(RNNClassifier).fit(TEXTS, Y), tmp_path / "net")
    state, arrays = files.read(tmp_path / "net")
    state["state"]["checkpoint_dir"] = "/tmp/elsewhere"
    files.write(tmp_path / "forged", state, arrays)
    with pytest.raises(ValueError, match="checkpoint_dir must be None in a saved estimator"):
        load(tmp_path / "forged")
