"""Optimizers, schedules, seeds and validation splits."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import skorch
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import DENSE, ESTIMATORS, TEXTS, TUPLES, Y, outputs, quick, tree_classifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from sklearn_tree import CNNClassifier, RNNClassifier
from sklearn_tree.estimators.rowwise import RowwiseAdagrad
from sklearn_tree.estimators.training import (
    LR_SCHEDULES,
    OPTIMIZERS,
    check_convergence,
    optimizer_params,
    split_validation,
)
from sklearn_tree.kinds import Table, Tokens, check_finite


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "sgd", "rmsprop", "nadam", torch.optim.Adam])
def test_optimizers_are_given_by_name_or_class(encoded, optimizer):
    X, y = encoded
    clf = tree_classifier(optimizer=optimizer, max_epochs=2, net_params={"optimizer__weight_decay": 0.0})
    losses = clf.fit(X, y).history_.train_loss
    assert losses.iloc[1] < losses.iloc[0]


DIVERGES = {"optimizer": "sgd", "lr": 1e30, "max_epochs": 4}
DIVERGED = r"the training diverged, the loss became (nan|inf) in epoch \d: try a smaller lr than 1e\+30, gradient_clip=1.0"


class Diverge(skorch.callbacks.Callback):
    """Callback that makes a weight NaN after a batch."""

    def on_batch_end(self, net, **kwargs):
        next(net.module_.parameters()).data.view(-1)[0] = torch.nan


def samples(cls):
    return TUPLES if cls.__name__.startswith("Recursive") else TEXTS


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_a_training_that_diverges_raises_and_leaves_the_previous_result(cls, warm_start, method):
    X = samples(cls)
    net = quick(cls, warm_start=warm_start, callbacks=[Diverge()])
    with pytest.raises(
        ValueError, match=r"the training diverged, .* in epoch \d: try a smaller lr than 0.005"
    ):
        getattr(net, method)(X, Y)
    with pytest.raises(NotFittedError):
        net.predict(X)
    net.set_params(callbacks=None).fit(X, Y)  # the control
    untouched = copy.deepcopy(net)
    with pytest.raises(ValueError, match="the training diverged"):
        getattr(net.set_params(callbacks=[Diverge()]), method)(X, Y)
    np.testing.assert_array_equal(outputs(net, X), outputs(untouched, X))
    results = [outputs(clf.set_params(callbacks=None).partial_fit(X, Y), X) for clf in (net, untouched)]
    np.testing.assert_array_equal(*results)  # the optimizer is restored, too


def test_the_loss_of_a_training_that_diverges_is_named():
    with pytest.raises(ValueError, match=DIVERGED):
        quick(RNNClassifier, **DIVERGES).fit(TEXTS, Y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_search_ranks_a_fit_that_diverges_last():
    search = GridSearchCV(quick(RNNClassifier, **DIVERGES), {"lr": [1e30, 0.01]}, cv=2)
    with pytest.warns(FitFailedWarning, match="the training diverged"):
        search.fit(TEXTS, Y)
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [True, False]
    assert search.best_params_ == {"lr": 0.01}


def test_early_stopping_that_restores_a_finite_epoch_warns():
    net = quick(CNNClassifier, **DIVERGES, n_blocks=1, early_stopping=True)  # its first epoch is finite
    with pytest.warns(ConvergenceWarning, match=DIVERGED):
        net.set_params(max_epochs=6).fit(DENSE, Y)
    assert np.isfinite(net.predict_proba(DENSE)).all()
    with pytest.raises(ValueError, match=DIVERGED):  # the control
        net.set_params(early_stopping=False).fit(DENSE, Y)


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
    with pytest.raises(ValueError, match="early_stopping=True needs at least 2 samples of weight > 0, got 1"):
        split_validation(1, None, 0.1, 0)


def trained(losses, weight=1.0, **callback):
    """Return a net with the given losses and weights, and one callback."""
    epochs = [{"epoch": i, "train_loss": loss} for i, loss in enumerate(losses, start=1)]
    module = torch.nn.Linear(1, 1).requires_grad_(False)
    module.weight.fill_(weight)
    callbacks = [("callback", SimpleNamespace(**callback))]
    return SimpleNamespace(history=epochs, module_=module, callbacks_=callbacks, lr=0.1)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (trained([1.0, np.nan, np.inf]), "the loss became nan in epoch 2: try a smaller lr than 0.1"),
        (trained([1.0, np.inf], load_best=False), "the loss became inf in epoch 2"),
        (trained([1.0, 2.0], weight=np.nan), "the weights became infinite or NaN in epoch 2"),
        (trained([1.0, np.nan], weight=-np.inf, load_best=True), "the loss became nan in epoch 2"),
    ],
)
def test_divergence_names_the_first_epoch_that_is_not_finite(net, message):
    with pytest.raises(ValueError, match=message):
        check_convergence(net, 0)


def test_a_net_that_recovers_or_is_restored_warns():
    for net in (trained([1.0, np.nan, 0.5]), trained([1.0, np.nan], load_best=True)):
        with pytest.warns(ConvergenceWarning, match="the loss became nan in epoch 2"):
            check_convergence(net, 0)
    check_convergence(
        trained([np.nan, 1e300, 0.0], weight=3e38), 1
    )  # the control: a warning would be an error


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


def test_rows_without_weight_do_not_affect_a_split():
    y = np.repeat([0, 1], 30)
    kept = np.arange(60) % 3 > 0
    train, valid = split_validation(60, y, 0.2, 0, weight=kept.astype(float))
    expected = split_validation(40, y[kept], 0.2, 0)[1]
    np.testing.assert_array_equal(valid, np.flatnonzero(kept)[expected])
    assert sorted([*train, *valid]) == list(range(60))
    assert not kept[split_validation(60, y, 0.2, 0)[1]].all()  # the control
    with pytest.raises(ValueError, match=r"at least 2 samples of weight > 0, got 1"):
        split_validation(60, y, 0.2, 0, weight=np.eye(60)[0])
