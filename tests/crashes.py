"""Fits that crash at the beginning of an epoch, and comparisons of fits."""

from contextlib import contextmanager
from unittest import mock

import numpy as np
import pytest
from samples import outputs

from sklearn_tree.estimators.net import OwnedNetMixin


class CrashError(Exception):
    """Ends a fit at the beginning of an epoch."""


@contextmanager
def crashing(epoch):
    """End the fits in the block with an error at the beginning of an epoch."""
    run = OwnedNetMixin.run_single_epoch

    def run_or_crash(net, batches, training, **kwargs):
        if training and len(net.history) - 1 >= epoch:
            raise CrashError
        run(net, batches, training=training, **kwargs)

    with mock.patch.object(OwnedNetMixin, "run_single_epoch", run_or_crash), pytest.raises(CrashError):
        yield


@contextmanager
def counting():
    """Collect the numbers of the epochs that are trained in the block."""
    run, epochs = OwnedNetMixin.run_single_epoch, []

    def run_and_count(net, batches, training, **kwargs):
        run(net, batches, training=training, **kwargs)
        if training:
            epochs.append(len(net.history))

    with mock.patch.object(OwnedNetMixin, "run_single_epoch", run_and_count):
        yield epochs


@contextmanager
def crashing_after(epochs, n):
    """End the fits in the block with an error after n epochs of all fits, counted by ``counting``."""
    run = OwnedNetMixin.run_single_epoch

    def run_or_crash(net, batches, training, **kwargs):
        if training and len(epochs) >= n:
            raise CrashError
        run(net, batches, training=training, **kwargs)

    with mock.patch.object(OwnedNetMixin, "run_single_epoch", run_or_crash), pytest.raises(CrashError):
        yield


def crash(estimator, X, y, epoch, **fit_params):
    """Fit a number of epochs, then crash."""
    with crashing(epoch):
        estimator.fit(X, y, **fit_params)


def bits(estimator, X):
    """Return everything that a fit computes, except durations."""
    weights = [value.numpy() for value in estimator.net_.module_.state_dict().values()]
    return [outputs(estimator, X), estimator.history_.drop(columns="duration_s").to_numpy(), *weights]


def assert_same_bits(estimator, expected, X):
    for found, wanted in zip(bits(estimator, X), bits(expected, X), strict=True):
        np.testing.assert_array_equal(found, wanted)
