"""Precision of matrix products and convolutions."""

import numpy as np
import pytest
import torch

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, RNNRegressor
from sklearn_tree.nn.recursive import gains_from_bfloat16
from sklearn_tree.precision import autocast

TEXTS, Y = ["a great film", "dull", "a film so dull"] * 20, [1, 0, 0] * 20
SERIES = np.random.RandomState(0).randn(60, 12, 2).astype(np.float32)
SERIES[::3] += 1
PROBLEMS = {
    "trees": (RecursiveNetClassifier(random_state=0), ["(S a b)", "(S (T a) b)", "(S b (T b))"] * 20),
    "texts, RNN": (RNNClassifier(random_state=0), TEXTS),
    "texts, CNN": (CNNClassifier(random_state=0), TEXTS),
    "trees, attention": (
        RecursiveNetClassifier(pooling="attention", random_state=0),
        ["(S a b)", "(S (T a) b)", "(S b (T b))"] * 20,
    ),
    "trees, both walks": (
        RecursiveNetClassifier(bidirectional=True, random_state=0),
        ["(S a b)", "(S (T a) b)", "(S b (T b))"] * 20,
    ),
    "texts, attention, GRU": (RNNClassifier("gru", pooling="attention", random_state=0), TEXTS),
    "texts, attention, CNN": (CNNClassifier(pooling="attention", random_state=0), TEXTS),
    "series, CNN": (CNNClassifier(n_blocks=2, random_state=0), SERIES),
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_nets_learn_with_bfloat16_products(problem):
    estimator, X = PROBLEMS[problem]
    plain = estimator.set_params(precision="float32").fit(X, Y)
    exact = plain.predict_proba(X)
    rounded = estimator.set_params(precision="bfloat16").fit(X, Y)
    found = rounded.predict_proba(X)
    assert found.dtype == np.float32
    assert not np.array_equal(exact, found)  # the control: it does round
    assert rounded.score(X, Y) == 1.0
    assert {p.dtype for p in rounded.net_.module_.parameters()} == {torch.float32}


def test_bfloat16_predictions_do_not_depend_on_the_batch():
    clf = RNNClassifier(precision="bfloat16", random_state=0).fit(TEXTS, Y)
    one_by_one = np.concatenate([clf.predict_proba([text]) for text in TEXTS[:6]])
    np.testing.assert_allclose(one_by_one, clf.predict_proba(TEXTS)[:6], atol=0.02)


def test_doubles_are_not_rounded():
    X, y = np.random.RandomState(0).randn(40, 3), np.arange(40) % 2
    plain = RNNRegressor(random_state=0).fit(X, y).predict(X)
    found = RNNRegressor(precision="bfloat16", random_state=0).fit(X, y).predict(X)
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-12)


@pytest.mark.parametrize("has", [False, True])
def test_auto_uses_bfloat16_only_on_hardware_that_has_it(has, monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: has, raising=False)
    with autocast("auto", torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") == has
    with autocast("auto", torch.device("meta")):
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(("hidden_size", "is_rounded"), [(8, False), (250, True)])
def test_auto_rounds_only_large_recursive_nets_on_a_cpu(hidden_size, is_rounded, monkeypatch):
    monkeypatch.setattr("sklearn_tree.precision._has_bfloat16", lambda device: True)
    clf = RecursiveNetClassifier(hidden_size=hidden_size, precision="auto", max_epochs=1, random_state=0)
    clf.fit(["(S a b)", "(S b (T b))"] * 10, [0, 1] * 10)
    seen = []
    clf.net_.compute(
        lambda batch: seen.append(torch.is_autocast_enabled("cpu")) or torch.zeros(1), torch.zeros(1)
    )
    assert seen == [is_rounded]
    assert gains_from_bfloat16(torch.nn.Linear(2, 2))


def test_an_unknown_precision_is_rejected():
    with pytest.raises(ValueError, match=r"'precision' parameter.*'float16'"):
        RNNClassifier(precision="float16").fit(TEXTS, Y)


def test_make_net_passes_on_the_precision():
    net = RNNClassifier(precision="bfloat16").make_net(TEXTS, Y)
    assert net.get_params()["precision"] == "bfloat16"
    assert net.set_params(precision="float32").precision == "float32"
