"""Ctrl-C during a fit: it always raises, and nothing is lost."""

import copy
import pickle
import signal
import sys
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import torch
from samples import ESTIMATORS, TABLE, Y, outputs, quick
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from sklearn_tree import RNNClassifier
from sklearn_tree.estimators import base, modes, net, threads, user_code


@pytest.fixture(autouse=True)
def default_handler():
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore the signal
    yield
    signal.signal(signal.SIGINT, previous)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


class Press(Callback):
    """Callback during which Ctrl-C is pressed."""

    def __init__(self, point="on_epoch_end", epoch=1):
        self.point, self.epoch = point, epoch

    def press(self, point, net):
        if (point, self.epoch) == (self.point, len(net.history)):
            press_ctrl_c()

    def on_epoch_begin(self, net, **kwargs):
        self.press("on_epoch_begin", net)

    def on_batch_end(self, net, **kwargs):
        self.press("on_batch_end", net)

    def on_epoch_end(self, net, **kwargs):
        self.press("on_epoch_end", net)


class Stop(Callback):
    """Callback that ends the training itself."""

    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


class CleanUp(Press):
    """Callback that does something after Ctrl-C and raises the error again."""

    def on_epoch_end(self, net, **kwargs):
        try:
            super().on_epoch_end(net)
        except KeyboardInterrupt:
            self.is_clean = True
            raise


def handle(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("handler", [signal.default_int_handler, handle])
@pytest.mark.parametrize("callback", [Press(), CleanUp()])
def test_ctrl_c_during_a_callback_at_the_end_of_an_epoch_raises(callback, handler):
    signal.signal(signal.SIGINT, handler)
    for method in ("fit", "partial_fit"):
        with pytest.raises(KeyboardInterrupt):
            getattr(quick(RNNClassifier, callbacks=[callback]), method)(TABLE, Y)
    assert quick(RNNClassifier, callbacks=[Stop()]).fit(TABLE, Y).n_iter_ == 1  # the control


def test_ctrl_c_while_a_callback_of_scikit_learn_scores_raises():
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring=lambda *_: press_ctrl_c())
    with pytest.raises(KeyboardInterrupt):
        quick(RNNClassifier).set_callbacks(monitor).fit(TABLE, Y)
    monitor = callback.ScoringMonitor(scoring="accuracy")  # the control
    assert quick(RNNClassifier).set_callbacks(monitor).fit(TABLE, Y).n_iter_ == 2


class Injector:
    """Tracer that raises KeyboardInterrupt at the n-th line that is executed in some files."""

    def __init__(self, n, modules):
        self.n, self.files = n, {module.__file__ for module in modules}

    def __call__(self, frame, event, arg):
        if frame.f_code.co_filename not in self.files:
            return None
        if event == "line":
            self.n -= 1
            if self.n == -1:
                raise KeyboardInterrupt
        return self

    @contextmanager
    def active(self):
        previous = sys.gettrace()
        sys.settrace(self)
        try:
            yield
        finally:
            sys.settrace(previous)


def test_a_refit_that_is_interrupted_in_any_line_raises_and_leaves_a_complete_result():
    clf = quick(RNNClassifier, max_epochs=1).fit(TABLE, Y)
    previous = clf.predict_proba(TABLE)
    complete = clf.set_params(random_state=1).fit(TABLE, Y).predict_proba(TABLE)
    clf.set_params(random_state=0).fit(TABLE, Y).set_params(random_state=1)
    state, n, n_kept = clf._state(), 0, 0
    while True:
        clf._replace_state(state)
        injector = Injector(n, [base, net, user_code])
        with suppress(KeyboardInterrupt), injector.active():
            clf.fit(TABLE, Y)
            break
        assert not _get_current_dispatch_mode_stack()
        is_kept = clf._state() == state
        np.testing.assert_array_equal(clf.predict_proba(TABLE), previous if is_kept else complete)
        n, n_kept = n + 1, n_kept + is_kept
    assert injector.n >= 0  # a fit that ends normally was not interrupted
    assert n_kept > n - 10 > 100  # a result is new only if the last lines are interrupted


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_first_fit_that_is_interrupted_holds_the_complete_epochs(cls):
    for point, epoch, n_epochs in (("on_epoch_end", 1, 1), ("on_epoch_begin", 3, 2), ("on_batch_end", 3, 2)):
        net = quick(cls, max_epochs=5, callbacks=[Press(point, epoch)])
        with pytest.raises(KeyboardInterrupt):
            net.fit(TABLE, Y)
        assert net.n_iter_ == len(net.history_) == n_epochs
        assert net.history_["train_loss"].notna().all()
        found, short = outputs(net, TABLE), quick(cls, max_epochs=n_epochs, callbacks=[Callback()])
        is_equal = np.array_equal(found, outputs(short.fit(TABLE, Y), TABLE))
        assert is_equal == (point != "on_batch_end")  # a batch of the third epoch has changed the weights
        net.set_params(callbacks=None)
        copies = [pickle.loads(pickle.dumps(net)), copy.deepcopy(net), net]
        first, *others = [outputs(copied.partial_fit(TABLE, Y), TABLE) for copied in copies]
        for other in others:
            np.testing.assert_array_equal(first, other)


def test_an_interrupted_fit_warns_with_the_number_of_epochs_that_it_keeps():
    clf = quick(RNNClassifier, max_epochs=5, callbacks=[Press("on_batch_end", 3)])
    message = "the estimator keeps the 2 epochs that are complete"
    with pytest.warns(UserWarning, match=message), pytest.raises(KeyboardInterrupt):
        clf.fit(TABLE, Y)
    assert clf.score(TABLE, Y) >= 0
    search = GridSearchCV(clf, {"lr": [0.01, 0.1]}, cv=2)
    with pytest.warns(UserWarning, match="2 epochs"), pytest.raises(KeyboardInterrupt):
        search.fit(TABLE, Y)  # a search does not go on


@pytest.mark.parametrize("params", [{"early_stopping": True, "lr": 0.1}, {"weight_averaging": "ema"}])
def test_an_interrupted_fit_has_the_weights_that_a_shorter_one_has(params):
    params = {"max_epochs": 7, "lr_schedule": None, "patience": 50, **params}
    clf = quick(RNNClassifier, **params, callbacks=[Press("on_epoch_begin", 6)])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(TABLE, Y)
    short = quick(RNNClassifier, **{**params, "max_epochs": 5}).fit(TABLE, Y)
    np.testing.assert_array_equal(clf.predict_proba(TABLE), short.predict_proba(TABLE))


def test_a_first_fit_that_is_interrupted_in_the_first_epoch_holds_nothing():
    clf = quick(RNNClassifier, callbacks=[Press("on_batch_end")])
    with pytest.raises(KeyboardInterrupt):
        clf.fit(TABLE, Y)
    with pytest.raises(NotFittedError):
        clf.predict(TABLE)
    assert "kind_" not in vars(clf)


def raise_once(monkeypatch, function, only=None):
    """Make a function of torch raise KeyboardInterrupt once, after it has had its effect."""
    original, is_raised = getattr(torch, function), []

    def interrupted(value):
        original(value)
        if not is_raised and only in (None, value):
            is_raised.append(True)
            raise KeyboardInterrupt

    monkeypatch.setattr(torch, function, interrupted)


def test_an_interrupt_while_the_default_type_is_set_restores_it(monkeypatch):
    clf = quick(RNNClassifier)
    torch.set_default_dtype(torch.float64)
    try:
        raise_once(monkeypatch, "set_default_dtype", torch.float32)
        with pytest.raises(KeyboardInterrupt):
            clf.fit(TABLE, Y)
        assert torch.get_default_dtype() == torch.float64
        assert not modes._previous_types
        clf.fit(TABLE, Y)  # the control
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_an_interrupt_while_the_number_of_threads_is_set_restores_it(monkeypatch):
    n = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        raise_once(monkeypatch, "set_num_threads")
        with pytest.raises(KeyboardInterrupt), threads.limit_threads(1):
            pass
        assert torch.get_num_threads() == 2
        assert not threads._previous_counts
        with threads.limit_threads(1):  # the control
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(n)
