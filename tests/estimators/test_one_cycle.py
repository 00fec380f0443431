"""One-cycle schedule of the learning rate."""

import math
import pickle

import numpy as np
import pytest
import skorch
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import ESTIMATORS, TEXTS, TUPLES, Y, quick
from sklearn.base import clone

from sklearn_tree import CNNClassifier, RNNClassifier
from sklearn_tree.estimators.one_cycle import one_cycle


class Rates(skorch.callbacks.Callback):
    """Callback that keeps the learning rates of each step."""

    def __init__(self):
        self.seen_ = []

    def on_grad_computed(self, net, **kwargs):
        self.seen_.append([group["lr"] for group in net.optimizer_.param_groups])


@given(n_steps=st.integers(1, 2000))
def test_the_rate_rises_linearly_then_falls_as_a_cosine(n_steps):
    rates = [one_cycle(step, n_steps) for step in range(n_steps)]
    peak = int(np.argmax(rates))
    assert rates[peak] == 1.0
    assert peak + 1 == max(1, round(0.3 * n_steps))
    np.testing.assert_allclose(rates[: peak + 1], np.arange(1, peak + 2) / (peak + 1))
    n_falling = n_steps - peak
    expected = [(1 + math.cos(math.pi * k / n_falling)) / 2 for k in range(n_falling)]
    np.testing.assert_allclose(rates[peak:], expected, atol=1e-12)
    assert min(rates) > 0  # no step is wasted


def test_further_steps_have_the_rate_zero():
    assert one_cycle(10, 10) == one_cycle(50, 10) == 0.0


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_cycle_spans_all_batches_of_a_fit(cls):
    rates = Rates()
    X = TUPLES if cls.__name__.startswith("Recursive") else TEXTS
    net = quick(cls, lr_schedule="one_cycle", lr=0.01, batch_size=7, max_epochs=5, callbacks=[rates])
    net.fit(X, Y)
    np.testing.assert_allclose(rates.seen_, [[0.01 * one_cycle(step, 20)] for step in range(20)])
    assert [row["event_lr"] for row in net.net_.history] == [row[0] for row in rates.seen_[3::4]]
    rates.seen_.clear()
    net.set_params(warm_start=True).fit(X, Y)
    rates.seen_.clear()
    net.set_params(max_epochs=2).fit(X, Y)  # every fit restarts the schedule
    np.testing.assert_allclose(rates.seen_, [[0.01 * one_cycle(step, 8)] for step in range(8)])


def test_held_out_samples_and_dropped_batches_are_not_counted():
    rates = Rates()
    params = {"lr_schedule": "one_cycle", "batch_size": 5, "max_epochs": 2, "callbacks": [rates], "lr": 1.0}
    drop = {"iterator_train__drop_last": True}
    quick(RNNClassifier, **params, early_stopping=True, validation_fraction=0.25, net_params=drop).fit(
        TEXTS, Y
    )
    np.testing.assert_allclose(rates.seen_, [[one_cycle(step, 6)] for step in range(6)])


def test_groups_of_parameters_keep_their_proportions():
    rates = Rates()
    net = quick(
        RNNClassifier, lr_schedule="one_cycle", batch_size=5, embedding_lr=1e-4, lr=0.01, callbacks=[rates]
    ).fit(TEXTS, Y)  # fmt: skip
    seen = np.array(rates.seen_)
    assert seen.shape == (10, 2)
    np.testing.assert_allclose(seen.min(axis=1) * 100, seen.max(axis=1))
    assert sorted(group["lr"] for group in net.net_.optimizer_.param_groups) == [1e-4, 0.01]


def test_partial_fit_ignores_the_schedule():
    rates = Rates()
    quick(CNNClassifier, lr_schedule="one_cycle", lr=0.01, callbacks=[rates]).partial_fit(TEXTS, Y)
    assert rates.seen_ == [[0.01]]


def test_a_net_of_make_net_has_the_schedule_in_every_fit():
    X = RNNClassifier(max_epochs=1).fit(TEXTS, Y).vectorizer_.transform(TEXTS)
    rates = Rates()
    torch.manual_seed(0)
    params = {"lr_schedule": "one_cycle", "early_stopping": True, "validation_fraction": 0.25, "lr": 1.0}
    net = quick(RNNClassifier, **params, batch_size=6, callbacks=[rates]).make_net(X, Y)
    for _ in range(2):
        net.partial_fit(X, Y)
        np.testing.assert_allclose(rates.seen_, [[one_cycle(step, 6)] for step in range(6)])
        rates.seen_.clear()


def test_a_fitted_net_is_pickled():
    net = quick(RNNClassifier, lr_schedule="one_cycle", warm_start=True).fit(TEXTS, Y)
    assert pickle.loads(pickle.dumps(net)).fit(TEXTS, Y).n_iter_ == 4


def test_a_fitted_net_of_make_net_is_cloned():
    net = quick(RNNClassifier, lr_schedule="one_cycle", weight_averaging="ema").make_net(TEXTS, Y)
    X = RNNClassifier(max_epochs=1).fit(TEXTS, Y).vectorizer_.transform(TEXTS)
    assert not clone(net.fit(X, Y)).initialized_
