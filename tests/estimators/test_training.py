"""Optimizers, schedules, seeds and validation splits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import tree_classifier
from sklearn.exceptions import ConvergenceWarning

from sklearn_tree.estimators.rowwise import RowwiseAdagrad
from sklearn_tree.estimators.training import (
    LR_SCHEDULES,
    OPTIMIZERS,
    check_finite,
    optimizer_params,
    split_validation,
    torch_seed,
    warn_of_divergence,
)
from sklearn_tree.kinds import Table, Tokens


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd", "rmsprop", "nadam", torch.optim.Adam])
def test_optimizers_are_given_by_name_or_class(encoded, optimizer):
    X, y = encoded
    clf = tree_classifier(optimizer=optimizer, max_epochs=2, net_params={"optimizer__weight_decay": 0.0})
    losses = clf.fit(X, y).history_.train_loss
    assert losses.iloc[1] < losses.iloc[0]


def test_divergence_is_reported(encoded):
    X, y = encoded
    with pytest.warns(ConvergenceWarning, match="training loss became .* smaller lr"):
        tree_classifier(optimizer="sgd", lr=1e30, max_epochs=4).fit(X, y)


LINEAR = [torch.nn.Parameter(torch.ones(2))]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_built_from_its_parameters(name):
    params = optimizer_params(name, 0.25, torch.device("cpu"))
    cls = params.pop("optimizer")
    optimizer = cls(LINEAR, **{key.removeprefix("optimizer__"): value for key, value in params.items()})
    assert optimizer.param_groups[0].get("weight_decay", 0.25) == 0.25


@pytest.mark.parametrize(
    ("device", "fused"),
    [("cpu", {"adam", "adamw", "sgd", "adagrad"}), ("cuda", {"adam", "adamw", "sgd"}), ("mps", set())],
)
def test_optimizers_are_fused_where_torch_supports_it(device, fused):
    params = {name: optimizer_params(name, 0.1, torch.device(device)) for name in OPTIMIZERS}
    assert {name for name, value in params.items() if value.get("optimizer__fused")} == fused


def test_adagrad_has_sparse_steps_only_without_weight_decay():
    cpu = torch.device("cpu")
    assert optimizer_params("adagrad", 0.0, cpu)["optimizer"] is RowwiseAdagrad
    assert optimizer_params("adagrad", 0.1, cpu)["optimizer"] is torch.optim.Adagrad
    assert optimizer_params(torch.optim.Rprop, 0.1, cpu) == {"optimizer": torch.optim.Rprop}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cosine", lambda share: (1 + np.cos(np.pi * share)) / 2),
        ("exponential", lambda share: 0.01**share),
        ("linear", lambda share: 1 - share * (1 - 1e-3)),
    ],
)
def test_schedules_decay_as_documented(name, expected):
    optimizer = torch.optim.SGD(LINEAR, lr=1.0)
    params = LR_SCHEDULES[name](10)
    schedule = params.pop("policy")(optimizer, **params)
    rates = []
    for _ in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(rates, expected(np.arange(11) / 10), atol=1e-12)


def test_seeded_draws_are_equal_and_the_generator_is_restored():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    draws = []
    for seed in (1, 1, 2):
        with torch_seed(seed, torch.device("cpu")):
            draws.append(torch.rand(3).tolist())
    assert draws[0] == draws[1] != draws[2]
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(TypeError), torch_seed(1, torch.device("cpu")):
        torch.rand("three")
    assert torch.equal(torch.get_rng_state(), state)


@given(
    n=st.integers(2, 60), n_classes=st.integers(1, 8), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 9)
)
def test_a_split_divides_all_rows(n, n_classes, fraction, seed):
    y = np.random.RandomState(seed).randint(n_classes, size=n)
    for strata in (None, y):
        train, valid = split_validation(n, strata, fraction, seed)
        assert sorted([*train, *valid]) == list(range(n))
        assert len(train) >= 1
        assert len(valid) >= 1
        repeated = split_validation(n, strata, fraction, seed)
        assert (train.tolist(), valid.tolist()) == (repeated[0].tolist(), repeated[1].tolist())


def test_a_split_without_strata_has_the_given_fraction():
    for fraction, n_valid in ((0.1, 10), (0.25, 25), (0.001, 1), (0.999, 99)):
        assert len(split_validation(100, None, fraction, 0)[1]) == n_valid


def test_a_split_keeps_classes_in_proportion():
    y = np.repeat([0, 1, 2], [100, 50, 10])
    _, valid = split_validation(160, y, 0.1, 0)
    assert np.bincount(y[valid]).tolist() == [10, 5, 1]
    _, plain = split_validation(160, None, 0.1, 0)  # the control
    assert np.bincount(y[plain], minlength=3).tolist() != [10, 5, 1]


def test_small_classes_stay_in_the_training_part():
    y = np.repeat([0, 1, 2], [40, 40, 3])
    for seed in range(20):
        _, valid = split_validation(83, y, 0.1, seed)
        assert 2 not in y[valid]
    train, valid = split_validation(6, np.array([0, 0, 1, 1, 2, 3]), 0.3, 0)  # all classes are small
    assert set(valid) <= {0, 1, 2, 3}
    assert {4, 5} <= set(train)


def test_a_single_row_cannot_be_split():
    with pytest.raises(ValueError, match="early_stopping=True needs at least 2 samples to split, got 1"):
        split_validation(1, None, 0.1, 0)


def test_divergence_names_the_first_epoch_that_is_not_finite():
    with pytest.warns(ConvergenceWarning, match="the training loss became nan in epoch 2"):
        warn_of_divergence([1.0, float("nan"), float("inf")])
    warn_of_divergence([1.0, 1e300, 0.0])  # the control: a warning would be an error
    warn_of_divergence([])


def test_outputs_that_are_not_finite_name_the_row_and_its_largest_number():
    kind, X = Table(), np.array([[1.0, 2.0], [-1e30, 3.0]])
    check_finite(np.zeros((2, 3)), kind.fit(X), kind)
    output = np.array([[0.0, 1.0], [np.nan, 0.0]])
    message = r"the output of the net is not finite for X\[1\]; the largest number in this row is 1e"
    with pytest.raises(ValueError, match=message + r"\+30"):
        check_finite(output, kind.encode(X), kind)
    tokens = Tokens()
    with pytest.raises(ValueError, match=r"for X\[1\]$"):
        check_finite(output, tokens.fit(["a", "b"]), tokens)
