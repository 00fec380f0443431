"""Exponential moving average of the weights."""

import copy
import pickle

import numpy as np
import pytest
import skorch
import torch
from reference import moving_average
from samples import ESTIMATORS, TABLE, TEXTS, TUPLES, Y, outputs, quick
from torch import nn

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.estimators.averaging import MAX_DECAY, WeightAverage, ema_decay
from sklearn_tree.estimators.net import StopTraining

PARAMS = {"weight_averaging": "ema", "batch_size": 7, "max_epochs": 3}


def samples(cls):
    return TUPLES if cls.__name__.startswith("Recursive") else TEXTS


def weights(module):
    return torch.cat([weight.detach().flatten().double() for weight in module.parameters()])


class Recorder(skorch.callbacks.Callback):
    """Callback that keeps the weights at chosen points."""

    def __init__(self):
        self.steps_, self.starts_, self.ends_, self.validations_ = [], [], [], []

    def on_train_begin(self, net, **kwargs):
        self.first_ = weights(net.module_)

    def on_epoch_begin(self, net, **kwargs):
        self.starts_.append(weights(net.module_))

    def on_batch_end(self, net, training=False, **kwargs):
        (self.steps_ if training else self.validations_).append(weights(net.module_))

    def on_epoch_end(self, net, **kwargs):
        self.ends_.append(weights(net.module_))


def assert_close(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_all_but_the_training_see_the_average(cls):
    recorder, X = Recorder(), samples(cls)
    net = quick(cls, **PARAMS, callbacks=[recorder]).fit(X, Y, X_val=X, y_val=Y)
    averages = moving_average(recorder.first_, recorder.steps_)
    assert len(averages) == 12
    for epoch in range(3):
        last = 4 * epoch + 3
        assert_close(recorder.ends_[epoch], averages[last])
        assert_close(recorder.validations_[last], averages[last])
        if epoch < 2:
            assert_close(recorder.starts_[epoch + 1], recorder.steps_[last])
    assert_close(weights(net.net_.module_), averages[-1])
    assert not torch.allclose(averages[-1], recorder.steps_[-1], atol=1e-4)  # the control


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_training_goes_on_with_the_weights_of_the_last_step(cls):
    X, params = samples(cls), {"dropout": 0.3, "batch_size": 7, "max_epochs": 3}
    plain = quick(cls, **params).fit(X, Y)
    averaged = quick(cls, **params, weight_averaging="ema").fit(X, Y)
    assert averaged.history_.train_loss.tolist() == plain.history_.train_loss.tolist()
    assert not np.array_equal(outputs(averaged, X), outputs(plain, X))


def test_the_decay_grows_to_its_maximum():
    decays = [ema_decay(n) for n in range(1, 20_000)]
    assert decays == sorted(decays)
    assert decays[0] == 0.1
    assert decays[-1] == MAX_DECAY == 0.999
    assert np.prod(decays[:10]) < 2e-5  # the share of the initial weights


@pytest.mark.parametrize("n_steps", [10, 100, 1000])
def test_the_average_spans_a_tenth_of_the_training(n_steps):
    average = moving_average(0.0, np.arange(1, n_steps + 1))[-1]  # of the numbers of the steps
    assert average / n_steps == pytest.approx(0.9, abs=0.015)


def test_one_step_is_enough():
    net = quick(RNNClassifier, weight_averaging="ema", max_epochs=1).fit(TEXTS, Y)
    assert np.isfinite(net.predict_proba(TEXTS)).all()


def test_early_stopping_restores_the_average_of_the_best_epoch():
    recorder = Recorder()
    X = np.random.RandomState(0).rand(40, 3)
    y = np.random.RandomState(1).randint(2, size=40)  # noise: the net overfits
    net = quick(
        RNNClassifier, weight_averaging="ema", early_stopping=True, patience=3, max_epochs=60, lr=0.05,
        callbacks=[recorder],
    ).fit(X, y)  # fmt: skip
    best = net.history_.valid_loss.argmin()
    assert best < net.n_iter_ - 1
    assert_close(weights(net.net_.module_), recorder.ends_[best])
    averages = moving_average(recorder.first_, recorder.steps_)
    assert_close(recorder.ends_[best], averages[(best + 1) * len(averages) // net.n_iter_ - 1])


def test_a_stopped_training_holds_the_average():
    class Stop(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise StopTraining

    stopped = quick(CNNClassifier, **PARAMS, callbacks=[Stop()]).fit(TEXTS, Y)
    whole = quick(CNNClassifier, **{**PARAMS, "max_epochs": 2}).fit(TEXTS, Y)
    np.testing.assert_array_equal(outputs(stopped, TEXTS), outputs(whole, TEXTS))


class Interrupt(skorch.callbacks.Callback):
    """Callback that interrupts the second epoch."""

    def on_batch_end(self, net, training=False, **kwargs):
        if len(net.history) % 3 == 2:
            raise KeyboardInterrupt


def test_an_interrupted_net_of_make_net_holds_the_average():
    recorder = Recorder()
    X = RNNClassifier(max_epochs=1).fit(TEXTS, Y).vectorizer_.transform(TEXTS)
    torch.manual_seed(0)
    net = quick(RNNClassifier, **PARAMS, callbacks=[recorder, Interrupt()]).make_net(X, Y).fit(X, Y)
    assert len(recorder.steps_) == 5
    assert_close(weights(net.module_), moving_average(recorder.first_, recorder.steps_)[-1])


def test_an_interrupt_restores_the_net_and_the_state_of_the_average():
    net = quick(RNNClassifier, **PARAMS, warm_start=True).fit(TEXTS, Y)
    untouched = copy.deepcopy(net)
    with pytest.raises(KeyboardInterrupt):
        net.set_params(callbacks=[Interrupt()]).fit(TEXTS, Y)
    np.testing.assert_array_equal(outputs(net, TEXTS), outputs(untouched, TEXTS))
    net.set_params(callbacks=None).fit(TEXTS, Y)
    np.testing.assert_array_equal(outputs(net, TEXTS), outputs(untouched.fit(TEXTS, Y), TEXTS))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_partial_fit_continues_the_average(cls):
    recorder, X = Recorder(), samples(cls)
    net = quick(cls, weight_averaging="ema", batch_size=7, callbacks=[recorder])
    plain = quick(cls, batch_size=7, callbacks=[])
    for _ in range(3):
        net.partial_fit(X, Y)
        plain.partial_fit(X, Y)
        net = pickle.loads(pickle.dumps(net)).set_params(callbacks=[recorder])  # with its state
        if len(recorder.ends_) == 1:
            first = recorder.first_
    np.testing.assert_allclose(net.history_.train_loss, plain.history_.train_loss, rtol=1e-4)
    assert_close(weights(net.net_.module_), moving_average(first, recorder.steps_)[-1])


def test_a_pickle_continues_with_the_same_bits():
    net = quick(RNNClassifier, **PARAMS, warm_start=True).fit(TEXTS, Y)
    loaded = pickle.loads(pickle.dumps(net))
    for _ in range(2):
        np.testing.assert_array_equal(outputs(net.fit(TEXTS, Y), TEXTS), outputs(loaded.fit(TEXTS, Y), TEXTS))


def test_a_finished_fit_keeps_no_weights_of_the_last_step():
    net = quick(RNNClassifier, **PARAMS).fit(TEXTS, Y)
    assert net.net_.average_state_ is None
    continued = quick(RNNClassifier, **PARAMS, warm_start=True).fit(TEXTS, Y)
    assert continued.net_.average_state_ is not None  # the control
    plain = quick(RNNClassifier, **{**PARAMS, "weight_averaging": None}).fit(TEXTS, Y)
    # Two float32 copies of the weights would be as large as the pickle of a net.
    assert len(pickle.dumps(net)) < 1.2 * len(pickle.dumps(plain))


def test_a_training_without_average_ends_the_state():
    net = quick(RNNClassifier, **PARAMS, warm_start=True).fit(TEXTS, Y)
    net.set_params(weight_averaging=None).fit(TEXTS, Y)
    recorder = Recorder()
    net.set_params(weight_averaging="ema", callbacks=[recorder]).fit(TEXTS, Y)
    assert_close(recorder.starts_[0], recorder.first_)  # no gap of an earlier training
    assert_close(recorder.ends_[0], moving_average(recorder.first_, recorder.steps_)[3])


def test_vectors_can_be_frozen_and_trained_between_fits():
    vectors = {"works": [1.0, 2.0], "fails": [-1.0, 0.5], "it": [0.0, 0.3]}
    net = quick(
        RNNClassifier, **PARAMS, warm_start=True, embeddings=vectors, freeze_embeddings=True
    ).fit(TEXTS, Y)  # fmt: skip
    for freeze in (False, True):
        net.set_params(freeze_embeddings=freeze).fit(TEXTS, Y)
    assert net.n_iter_ == 9


class Normalised(nn.Module):
    """Module with running statistics."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)


def test_running_statistics_are_averaged_and_counters_are_not():
    module = Normalised()
    net = type("Net", (), {"module_": module, "average_state_": None, "history": []})()
    average = WeightAverage()
    average.on_train_begin(net)
    average.on_epoch_begin(net)
    steps = []
    for batch in torch.randn(5, 8, 2, generator=torch.Generator().manual_seed(0)):
        module.norm(3 + batch)
        average.on_batch_end(net, training=True)
        steps.append(module.norm.running_mean.clone())
    average.on_epoch_end(net)
    expected = moving_average(torch.zeros(2), steps)[-1]
    torch.testing.assert_close(module.norm.running_mean, expected)
    assert not torch.allclose(expected, steps[-1])  # the control
    assert module.norm.num_batches_tracked == 5
    average.on_epoch_begin(net)
    assert torch.equal(module.norm.running_mean, steps[-1])


def test_tables_with_numbers_and_trees_are_averaged_in_double_precision():
    net = quick(RecursiveNetClassifier, **PARAMS).fit(TABLE, Y)
    assert next(net.net_.module_.parameters()).dtype == torch.float64


def test_a_continued_fit_averages_beside_a_linear_path_with_other_bigrams():
    X = ["a b c d", "b a d c", "c d b a", "d c a b"] * 10
    clf = RNNClassifier(
        linear_path=True, weight_averaging="ema", warm_start=True, max_epochs=2, random_state=0
    ).fit(X, [0, 1] * 20)
    n_bigrams = len(clf.net_.module_.linear.bigrams)
    clf.fit(X[:1] * 40, [0, 1] * 20)
    assert len(clf.net_.module_.linear.bigrams) < n_bigrams  # the control
    assert np.isfinite(clf.predict_proba(X)).all()
