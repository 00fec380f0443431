"""Laws of the skorch nets that estimators own."""

import threading

import numpy as np
import pytest
import skorch
import torch
from samples import tree_classifier
from sklearn.base import clone

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor
from sklearn_tree.estimators.batches import EncodedDataset, SplitBatch
from sklearn_tree.kinds import Trees


@pytest.mark.parametrize("cls", [RecursiveNetClassifier, RecursiveNetRegressor])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_with_split_batches_equals_a_fit_with_whole_batches(cls, weighted, listops):
    X, y = listops
    weight = np.random.RandomState(0).rand(300) if weighted else None
    fits = [
        cls(max_batch_nodes=limit, max_epochs=3, batch_size=100, random_state=0).fit(
            X[:200], y[:200], sample_weight=None if weight is None else weight[:200],
            X_val=X[200:], y_val=y[200:],
        )
        for limit in (None, 700, 1)
    ]  # fmt: skip
    whole, *split = fits
    for clf in split:
        for column in ("train_loss", "valid_loss", "valid_score"):
            np.testing.assert_allclose(clf.history_[column], whole.history_[column], rtol=2e-3)
        np.testing.assert_allclose(clf.transform(X), whole.transform(X), rtol=0, atol=2e-2)
        whole_again = clf.transform(X)
        clf.net_.iterator_valid__max_nodes = None
        np.testing.assert_allclose(clf.transform(X), whole_again, rtol=0, atol=1e-6)


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
            self.lock = lock  # which cannot be copied

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
    assert held.epochs_ == 2  # the control: a clone has a callback of its own


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
