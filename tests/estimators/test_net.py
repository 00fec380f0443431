"""skorch nets over encoded batches."""

import gc
import pickle
import signal
import threading
import weakref
from contextlib import nullcontext

import numpy as np
import pytest
import skorch
import torch
from samples import tree_classifier
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, RNNClassifier
from sklearn_tree.estimators.batches import EncodedDataset, SplitBatch
from sklearn_tree.estimators.net import StopTraining, _needs_closure, mean_loss
from sklearn_tree.kinds import Trees


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RecursiveNetRegressor])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_with_split_batches_equals_a_fit_with_whole_batches(cls, weighted, listops):
    X, y = listops
    weight = np.random.RandomState(0).rand(300) if weighted else None
    fits = [
        cls(max_batch_nodes=limit, max_epochs=2, batch_size=50, random_state=0).fit(
            X[:100], y[:100], sample_weight=None if weight is None else weight[:100],
            X_val=X[100:140], y_val=y[100:140],
        )
        for limit in (None, 700, 1)
    ]  # fmt: skip
    whole, *split = fits
    for clf in split:
        for column in ("train_loss", "valid_loss", "valid_score"):
            np.testing.assert_allclose(clf.history_[column], whole.history_[column], rtol=2e-3)
        found = clf.transform(X[:140])
        np.testing.assert_allclose(found, whole.transform(X[:140]), rtol=0, atol=2e-2)
        clf.net_.iterator_valid__max_nodes = None
        np.testing.assert_allclose(clf.transform(X[:140]), found, rtol=0, atol=1e-6)


def test_a_split_batch_has_the_gradient_of_the_whole_batch(listops):
    X, y = listops
    clf = RecursiveNetClassifier(max_epochs=1, random_state=0).fit(X, y)
    dataset = EncodedDataset(X, y.astype(np.int64), np.random.RandomState(0).rand(300), kind=Trees())

    def gradients(max_nodes):
        batch = dataset.batch(np.arange(100), max_nodes)
        assert isinstance(batch[0], SplitBatch) == (max_nodes is not None)
        clf.net_.module_.zero_grad()
        step = clf.net_.train_step_single(batch)
        return step, [p.grad.clone() for p in clf.net_.module_.parameters()]

    (one, whole), (two, parts) = gradients(None), gradients(500)
    torch.testing.assert_close(one["loss"].detach(), two["loss"], rtol=1e-6, atol=0)
    torch.testing.assert_close(one["y_pred"].detach(), two["y_pred"], rtol=0, atol=1e-6)
    for a, b in zip(whole, parts):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6 + 1e-5 * float(a.abs().max()))
    assert two["loss"].grad_fn is None


def test_a_callback_held_by_the_user_sees_every_epoch(encoded):
    X, y = encoded

    class Count(skorch.callbacks.Callback):
        epochs_ = batches_ = 0

        def __init__(self, lock=None):
            self.lock = lock  # locks cannot be copied

        def on_epoch_end(self, net, **kwargs):
            self.epochs_ += 1

        def on_batch_end(self, net, **kwargs):
            self.batches_ += 1

    count = Count(threading.Lock())
    clf = tree_classifier(callbacks=[("count", count)], max_epochs=3, batch_size=50).fit(X, y)
    assert dict(clf.net_.callbacks_)["count"] is count
    assert (count.epochs_, count.batches_) == (3, 9)
    net = tree_classifier(callbacks=[("other", Count())], max_epochs=2)
    held = net.callbacks[0][1]
    net.make_net(X, y).fit(X, (y == "two").astype(np.int64))
    assert held.epochs_ == 2
    clone(net).fit(X, y)
    assert held.epochs_ == 2  # the control: a clone has its own callback


def test_an_interrupt_during_a_batch_propagates(encoded):
    X, y = encoded

    class Interrupt(skorch.callbacks.Callback):
        def on_batch_begin(self, net, **kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tree_classifier(callbacks=[Interrupt()]).fit(X, y)


def test_verbose_prints_one_line_per_epoch(encoded, capsys):
    X, y = encoded
    tree_classifier(max_epochs=2).fit(X, y)
    assert capsys.readouterr().out == ""
    tree_classifier(max_epochs=2, verbose=1).fit(X, y)
    assert "train_loss" in capsys.readouterr().out


def test_skorch_scoring_and_checkpoints_work(encoded, tmp_path):
    X, y = encoded
    callbacks = [
        skorch.callbacks.EpochScoring("accuracy", lower_is_better=False),
        skorch.callbacks.Checkpoint(dirname=tmp_path, f_history=None),
    ]
    clf = tree_classifier(callbacks=callbacks, max_epochs=3, net_params={"iterator_train__drop_last": True})
    clf.fit(X, y, sample_weight=np.ones(120), X_val=X, y_val=y)
    assert (tmp_path / "params.pt").exists()
    assert clf.net_.history[-1]["accuracy"] == clf.history_.valid_score.iloc[-1]


class Interrupt(skorch.callbacks.Callback):
    """Callback that raises an error at one point of the first epoch."""

    is_trained = False

    def __init__(self, point, error):
        self.point, self.error = point, error

    def notify(self, method_name, net, **kwargs):
        if method_name == "on_train_end":
            self.is_trained = True
        if method_name == self.point:
            raise self.error


def _forward_to_notify(name):
    return lambda self, net, **kwargs: self.notify(name, net, **kwargs)


POINTS = ["on_train_begin", "on_epoch_begin", "on_batch_begin", "on_grad_computed", "on_batch_end"]
for _point in [*POINTS, "on_epoch_end", "on_train_end"]:
    setattr(Interrupt, _point, _forward_to_notify(_point))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("point", POINTS)
def test_an_error_before_the_end_of_an_epoch_propagates(encoded, point, error):
    X, y = encoded
    clf = tree_classifier(callbacks=[Interrupt(point, error)])
    with pytest.raises(error):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)
    fitted = tree_classifier(max_epochs=1).fit(X, y)
    expected = fitted.predict_proba(X)
    with pytest.raises(error):
        fitted.set_params(callbacks=clf.callbacks).fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), expected)


def test_ctrl_c_during_a_batch_propagates(encoded):
    class PressCtrlC(skorch.callbacks.Callback):
        def on_batch_end(self, net, **kwargs):
            signal.raise_signal(signal.SIGINT)

    clf = tree_classifier(callbacks=[PressCtrlC()])
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore the signal
    try:
        with pytest.raises(KeyboardInterrupt):
            clf.fit(*encoded)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopTraining])
def test_a_callback_ends_the_training_normally_at_the_end_of_an_epoch(encoded, error):
    X, y = encoded
    stop = Interrupt("on_epoch_end", error)
    clf = tree_classifier(callbacks=[stop]).fit(X, y)
    assert stop.is_trained
    assert clf.n_iter_ == len(clf.history_) == 1
    expected = tree_classifier(max_epochs=1).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    with pytest.raises(RuntimeError):  # the control: any other error is an error
        tree_classifier(callbacks=[Interrupt("on_epoch_end", RuntimeError)]).fit(X, y)


@pytest.mark.parametrize("error", [KeyboardInterrupt, StopTraining])
def test_a_callback_ends_the_training_of_a_net_that_make_net_returns(encoded, error):
    X, y = encoded
    stop = Interrupt("on_epoch_end", error)
    net = tree_classifier(callbacks=[stop]).make_net(X, y)
    assert len(net.fit(X, (y == "two").astype(np.int64)).history) == 1
    assert stop.is_trained
    whole = tree_classifier(max_epochs=3).make_net(X, y)  # the control
    assert len(whole.fit(X, (y == "two").astype(np.int64)).history) == 3


class Spy(skorch.callbacks.Callback):
    """Callback that keeps what a function returns for the training and validation samples."""

    def __init__(self, function):
        self.function, self.seen = function, []

    def on_epoch_end(self, net, dataset_train, dataset_valid, **kwargs):
        datasets = [dataset for dataset in (dataset_train, dataset_valid) if dataset is not None]
        self.seen += [self.function(dataset.X) for dataset in datasets]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_encoded_samples_are_freed_after_the_training(small_trees, method):
    trees, y = small_trees
    weak, strong = Spy(weakref.ref), Spy(lambda samples: samples)

    def n_alive(*spies):
        weak.seen.clear()
        clf = tree_classifier(max_epochs=1, early_stopping=method == "fit", callbacks=list(spies))
        getattr(clf, method)(trees, y)
        gc.collect()
        assert len(weak.seen) == (2 if method == "fit" else 1)
        return sum(reference() is not None for reference in weak.seen)

    assert n_alive(weak) == 0
    assert n_alive(weak, strong) > 0  # the control


def test_bridges_are_forgotten_also_after_an_error(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=1).fit(X, y)
    train = EncodedDataset(X, (y == "two").astype(np.int64), kind=clf.kind_)
    net, bridge = clf.net_, ("bridge", skorch.callbacks.Callback())
    for callbacks in ([], [Interrupt("on_batch_end", RuntimeError)]):
        with pytest.raises(RuntimeError) if callbacks else nullcontext():
            net.train_on(train, None, n_epochs=1, callbacks=callbacks, bridges=[bridge])
        assert bridge not in net.callbacks_
        assert not net.module_.training


def test_train_on_starts_at_the_learning_rate_of_the_net(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=1, lr=0.01).fit(X, y)
    train = EncodedDataset(X, (y == "two").astype(np.int64), kind=clf.kind_)
    group = clf.net_.optimizer_.param_groups[0]
    group["lr"], group["initial_lr"] = 0.5, 0.7
    clf.net_.train_on(train, None, n_epochs=1, callbacks=[])
    assert group["lr"] == 0.01
    assert "initial_lr" not in group


def test_the_loss_of_an_epoch_is_the_mean_over_samples():
    losses = [torch.tensor(1.0), torch.tensor(4.0)]
    assert mean_loss(losses, [30, 10]) == pytest.approx(1.75)
    assert mean_loss(losses, [20, 20]) != pytest.approx(1.75)  # the control
    assert mean_loss([], []) == 0.0


def test_weights_of_samples_multiply_their_losses(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=1).fit(X, y)
    codes, weight = (y == "two").astype(np.int64), np.arange(4.0)
    outputs = torch.tensor([[1.0, 2.0]] * 4)
    batch, target = EncodedDataset(X[:4], codes[:4], weight, kind=clf.kind_).batch(np.arange(4))
    losses = torch.nn.functional.cross_entropy(outputs, target, reduction="none")
    loss = clf.net_.get_loss(outputs, target, X=batch)
    torch.testing.assert_close(loss, (losses * torch.tensor(weight)).mean().float())
    plain = clf.net_.get_loss(outputs, target)
    torch.testing.assert_close(plain, losses.mean())
    assert not torch.isclose(loss, plain)  # the control


def test_an_optimizer_that_needs_a_closure_is_stepped_with_one(encoded):
    X, y = encoded
    clf = tree_classifier(optimizer=torch.optim.LBFGS, lr=1.0, max_epochs=2).fit(X, y)
    assert clf.history_.train_loss.iloc[1] < clf.history_.train_loss.iloc[0]
    assert _needs_closure(torch.optim.LBFGS)
    assert not _needs_closure(torch.optim.AdamW)


def test_a_pickled_net_has_neither_optimizer_state_nor_callbacks(encoded):
    X, y = encoded
    clf = tree_classifier(max_epochs=1, lr_schedule="cosine", warm_start=True).fit(X, y)
    assert clf.net_.optimizer_.state
    clf.net_.is_continued = False
    loaded = pickle.loads(pickle.dumps(clf.net_))
    assert not loaded.optimizer_.state
    assert [name for name, _ in loaded.callbacks_] == [name for name, _ in clf.net_.callbacks_]
    assert clf.net_.optimizer_.state  # the original is unchanged


def test_the_best_epochs_are_those_with_a_smaller_loss_than_all_earlier_ones():
    X, y = np.random.RandomState(0).randn(20, 3), np.arange(20) % 2
    clf = RNNClassifier(hidden_size=4, lr=0.3, random_state=0)
    for _ in range(30):
        clf.partial_fit(X, y)
    losses = [row["train_loss"] for row in clf.net_.history]
    expected = [loss < min(losses[:i], default=np.inf) for i, loss in enumerate(losses)]
    assert [row["train_loss_best"] for row in clf.net_.history] == expected
    assert True in expected[1:]
    assert False in expected  # the control
