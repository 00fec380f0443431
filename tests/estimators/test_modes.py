"""Modes of torch: results do not depend on the caller's modes, which are unchanged afterwards."""

import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cache

import numpy as np
import pytest
import skorch
import torch
from samples import BRACKETS, CLASSIFIERS, DENSE, ESTIMATORS, TEXTS, TUPLES, Y, outputs, quick

from sklearn_tree import CaptumExplainer, CNNClassifier, RNNClassifier
from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.explain.metrics import randomization_test


@contextmanager
def default_dtype(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(device):
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


MODES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "device": lambda: torch.device("meta"),
    "set_default_device": lambda: default_device("meta"),
    "float64": lambda: default_dtype(torch.float64),
    "float16": lambda: default_dtype(torch.float16),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
}


def current_modes():
    """Return the modes that a caller can set."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
        torch.get_default_dtype(),
        torch.empty(0).device,
    )


INITIAL = current_modes()


def samples(cls):
    return TUPLES if cls.__name__.startswith("Recursive") else TEXTS


def all_results(cls, X, **params):
    """Return everything that the methods of an estimator compute."""
    net = quick(cls, early_stopping=True, **params).fit(X, Y)
    results = [outputs(net, X), net.transform(X), net.history_.drop(columns="duration_s").to_numpy()]
    results += [outputs(net.partial_fit(X, Y), X)]
    results += [net.score(X, Y), [p.detach().numpy() for p in net.net_.module_.parameters()]]
    if hasattr(net, "predict_nodes"):
        results.append(net.predict_nodes(X).select_dtypes("number").to_numpy())
    results.append(len(net.make_net(X, Y).get_params()))
    return results


@cache
def expected_results(cls):
    return all_results(cls, samples(cls))


@cache
def explained(cls):
    """Return a net, and its explanations without any mode."""
    net = quick(cls).fit(samples(cls), Y)
    return net, explain(net)


def explain(net):
    X = samples(type(net))
    results = []
    for method in ("occlusion", "integrated_gradients"):
        explainer = CaptumExplainer(net, method, n_steps=4, max_steps=4, random_state=0).fit(X[:6])
        results += [explainer.transform(X[:6]), list(explainer.explain(X[:3]).attributions)]
    return [*results, randomization_test(explainer, X[:3], n_repeats=2)]


def assert_equal_bits(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_equal_bits(a, b) if isinstance(a, list) else np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_results_do_not_depend_on_the_modes_of_the_caller(cls, mode):
    expected = expected_results(cls)
    with MODES[mode]():
        before = current_modes()
        assert before != INITIAL  # the control: the mode is set
        found = all_results(cls, samples(cls))
        assert current_modes() == before
    assert current_modes() == INITIAL
    assert_equal_bits(found, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("params", [{"precision": "bfloat16"}, {"optimizer": "adagrad", "weight_decay": 0.0}])
@pytest.mark.parametrize(("cls", "X"), [(RNNClassifier, TEXTS), (CNNClassifier, DENSE)])
def test_precision_and_sparse_steps_do_not_depend_on_the_modes(cls, X, params, mode):
    expected = all_results(cls, X, **params)
    with MODES[mode]():
        found = all_results(cls, X, **params)
    assert_equal_bits(found, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_explanations_do_not_depend_on_the_modes_of_the_caller(cls, mode):
    net, expected = explained(cls)
    with MODES[mode]():
        before = current_modes()
        found = explain(net)
        assert current_modes() == before
    assert_equal_bits(found, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_explanations_of_series_do_not_depend_on_the_modes_of_the_caller(cls, mode):
    net = quick(cls).fit(DENSE, Y)

    def explain():
        return CaptumExplainer(net, "integrated_gradients", random_state=0).fit(DENSE).transform(DENSE[:6])

    expected = explain()
    with MODES[mode]():
        found = explain()
    np.testing.assert_array_equal(found, expected)


class Fail(skorch.callbacks.Callback):
    """Callback that records the modes and fails in the first batch."""

    def on_batch_end(self, net, **kwargs):
        self.modes = current_modes()
        raise RuntimeError("failed")


@pytest.mark.parametrize("mode", MODES)
def test_a_failed_fit_restores_the_modes_of_the_caller(mode):
    callback = Fail()
    with MODES[mode]():
        before = current_modes()
        for method in ("fit", "partial_fit"):
            with pytest.raises(RuntimeError, match="failed"):
                getattr(quick(RNNClassifier, callbacks=[callback]), method)(TEXTS, Y)
            assert current_modes() == before
    assert callback.modes == INITIAL  # callbacks see the modes of the fit


def test_overlapping_blocks_restore_the_first_default_type():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with default_modes():
            entered.set()
            leave.wait(10)

    with default_dtype(torch.float64):
        thread = threading.Thread(target=other)
        with default_modes():
            thread.start()
            assert entered.wait(10)
        assert torch.get_default_dtype() == torch.float32  # the other block is still active
        leave.set()
        thread.join()
        assert torch.get_default_dtype() == torch.float64


def test_inputs_created_in_a_mode_are_read():
    rows = torch.tensor(DENSE, dtype=torch.float32)
    expected = quick(RNNClassifier).fit(rows, Y).predict_proba(rows)
    with torch.inference_mode():
        X = rows.clone()
    np.testing.assert_array_equal(quick(RNNClassifier).fit(X, Y).predict_proba(X), expected)


_IMPORT_IN_MODES = """
import json, sys, torch
torch.set_default_device("meta")
torch.set_default_dtype(torch.float16)
with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
    import sklearn_tree
    assert torch.empty(0).device.type == "meta"  # the control: the modes are set
    for name, X, y in json.load(sys.stdin):
        net = getattr(sklearn_tree, name)(max_epochs=2, hidden_size=8, random_state=0).fit(X, y)
        print(json.dumps(net.predict_proba(X).tolist()))
"""


def test_results_do_not_depend_on_the_modes_in_which_the_package_is_imported():
    samples = {cls: BRACKETS if cls.__name__.startswith("Recursive") else TEXTS for cls in CLASSIFIERS}
    cases = [(cls.__name__, X, Y.tolist()) for cls, X in samples.items()]
    command = [sys.executable, "-c", _IMPORT_IN_MODES]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True)
    for (cls, X), line in zip(samples.items(), done.stdout.splitlines(), strict=True):
        expected = quick(cls).fit(X, Y).predict_proba(X)
        np.testing.assert_array_equal(json.loads(line), expected.astype(np.float64))
