"""Parameter changes between calls that continue training."""

import copy

import numpy as np
import pytest
import skorch
import torch
from samples import CLASSIFIERS, TABLE, TEXTS, TUPLES, Y, quick, tree_classifier

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.estimators.continuation import are_equal
from sklearn_tree.estimators.training import OPTIMIZERS
from sklearn_tree.nn import CELLS


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_continued_training_applies_changed_parameters_or_rejects_them(cls):
    rng = np.random.RandomState(0)
    X, y = rng.rand(40, 2), np.arange(40) % 2
    clf = cls(max_epochs=1, warm_start=True, random_state=0).fit(X, y)
    for params in ({"hidden_size": 3}, {"pooling": "attention"}, {"embedding_dim": 5}):
        changed = copy.deepcopy(clf).set_params(**params)
        for train in (changed.fit, changed.partial_fit):
            with pytest.raises(ValueError, match=f"{next(iter(params))} must stay .* continues training"):
                train(X, y)
    plain = copy.deepcopy(clf).fit(X, y).predict_proba(X)
    for params in ({"dropout": 0.5}, {"word_dropout": 0.5}, {"optimizer": "sgd"}, {"weight_decay": 0.9}):
        changed = copy.deepcopy(clf).set_params(**params).fit(X, y)
        assert changed.n_iter_ == 2
        assert np.abs(changed.predict_proba(X) - plain).max() > 1e-6
    np.testing.assert_array_equal(copy.deepcopy(clf).fit(X, y).predict_proba(X), plain)  # the control


def test_a_dropout_layer_of_a_user_defined_cell_is_unchanged(encoded):
    X, y = encoded

    class Cell(CELLS["rnn"]):
        is_pure = False

        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.drop = torch.nn.Dropout(0.3)

    clf = tree_classifier(cell=Cell, max_epochs=1, warm_start=True).fit(X, y)
    clf.set_params(dropout=0.1).fit(X, y)
    assert clf.net_.module_.encoder.cell.drop.p == 0.3
    assert clf.net_.module_.dropout.p == 0.1


@pytest.mark.parametrize("old", OPTIMIZERS)
@pytest.mark.parametrize("new", [*OPTIMIZERS, torch.optim.Rprop])
def test_an_optimizer_can_be_replaced_by_any_other(old, new):
    clf = quick(RNNClassifier, max_epochs=1, lr_schedule=None, warm_start=True, optimizer=old).fit(TEXTS, Y)
    clf.set_params(optimizer=new).fit(TEXTS, Y)
    fresh = quick(RNNClassifier, max_epochs=1, lr_schedule=None, optimizer=new).fit(TEXTS, Y)
    groups = [net.optimizer_.param_groups[0] for net in (clf.net_, fresh.net_)]
    found, expected = ({k: v for k, v in group.items() if k != "params"} for group in groups)
    assert type(clf.net_.optimizer_) is type(fresh.net_.optimizer_)
    assert found == expected


def test_an_unchanged_optimizer_keeps_its_state():
    clf = quick(RNNClassifier, max_epochs=1, warm_start=True).fit(TEXTS, Y)
    steps = [state["step"].item() for state in clf.net_.optimizer_.state.values()]
    optimizer = clf.net_.optimizer_
    clf.set_params(dropout=0.1).fit(TEXTS, Y)
    assert clf.net_.optimizer_ is optimizer
    assert [state["step"].item() for state in optimizer.state.values()] == [2 * step for step in steps]
    clf.set_params(weight_decay=0.5).fit(TEXTS, Y)  # the control
    assert clf.net_.optimizer_ is not optimizer


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (RNNClassifier, "module__hidden_size", 5),
        (CNNClassifier, "module__kernel_sizes", (1,)),
        (RNNClassifier, "module__dropout", 0.5),
        (RNNClassifier, "optimizer__weight_decay", 0.5),
    ],
)
def test_parameters_in_net_params_stay_fixed(cls, name, value):
    clf = quick(cls, max_epochs=1, warm_start=True, net_params={name: value}).fit(TEXTS, Y)
    assert getattr(clf.net_, name) == value
    assert clf.fit(TEXTS, Y).partial_fit(TEXTS, Y).n_iter_ == 3
    assert getattr(clf.net_, name) == value


def test_kernel_sizes_may_be_any_sequence():
    clf = quick(CNNClassifier, max_epochs=1, warm_start=True).fit(TEXTS, Y)
    for kernel_sizes in ([3, 4, 5], np.array([3, 4, 5]), None):
        clf.set_params(kernel_sizes=kernel_sizes).fit(TEXTS, Y)
    assert clf.n_iter_ == 4
    with pytest.raises(ValueError, match=r"kernel_sizes must stay \(3, 4, 5\) .*, got \(3, 4\)"):
        clf.set_params(kernel_sizes=[3, 4]).fit(TEXTS, Y)


def test_a_rejected_change_leaves_the_net_usable():
    clf = quick(RNNClassifier, warm_start=True).fit(TABLE, Y)
    expected = clf.predict_proba(TABLE)
    with pytest.raises(ValueError, match="hidden_size must stay 8 when warm_start or partial_fit continues"):
        clf.set_params(hidden_size=9).fit(TABLE, Y)
    np.testing.assert_array_equal(clf.predict_proba(TABLE), expected)
    assert clf.set_params(hidden_size=8).fit(TABLE, Y).n_iter_ == 4


class FailInSecondEpoch(skorch.callbacks.Callback):
    """Callback that fails after a complete epoch."""

    def on_batch_end(self, net, **kwargs):
        if net.history[-1]["epoch"] == len(net.history) and len(net.history) % 4 == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("change", [{}, {"optimizer": "sgd"}, {"dropout": 0.5}, {"weight_decay": 0.5}])
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_failed_continuation_leaves_no_trace(cls, change):
    clf = quick(cls, warm_start=True, batch_size=7).fit(TABLE, Y)
    untouched = copy.deepcopy(clf)
    clf.set_params(callbacks=[FailInSecondEpoch()], **change)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(TABLE, Y)
    assert clf.history_.equals(untouched.history_)
    np.testing.assert_array_equal(clf.predict_proba(TABLE), untouched.predict_proba(TABLE))
    clf.set_params(**{**untouched.get_params(), "callbacks": None})
    for _ in range(2):
        np.testing.assert_array_equal(
            clf.fit(TABLE, Y).predict_proba(TABLE), untouched.fit(TABLE, Y).predict_proba(TABLE)
        )
    assert clf.n_iter_ == 6  # the control: both were trained


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("net_params", "message"),
    [
        ({"lr": 1.0}, r"net_params must not contain \['lr'\]"),
        ({"unknown": 1}, "unknown must stay None when warm_start or partial_fit continues training, got 1"),
        ({"module__hidden_size": 5}, "hidden_size must stay 8 .*, got 5"),
        ({"optimizer__eps": 1e-3}, "optimizer__eps must stay 1e-05 .*, got 0.001"),
    ],
)
def test_a_continued_training_rejects_changed_net_params(method, net_params, message):
    clf = quick(RNNClassifier, warm_start=True, net_params={"optimizer__eps": 1e-5}).fit(TEXTS, Y)
    with pytest.raises(ValueError, match=message):
        getattr(clf.set_params(net_params=net_params), method)(TEXTS, Y)
    clf.set_params(net_params={"optimizer__eps": 1e-5})
    assert getattr(clf, method)(TEXTS, Y).n_iter_ > 2  # the control


EQUAL_PARAMS = [
    (RNNClassifier, {"net_params": {"criterion__weight": torch.tensor([1.0, 2.0]).double()}}),
    (
        RNNClassifier,
        {"net_params": {"criterion__weight": torch.tensor([1.0, 2.0]).double(), "optimizer__eps": 1e-5}},
    ),
    (RNNClassifier, {"input_kind": "table"}),
    (RNNClassifier, {"input_kind": "auto"}),
    (RecursiveNetClassifier, {"max_arity": 1}),
    (RecursiveNetClassifier, {"max_arity": None}),
]


@pytest.mark.parametrize(("cls", "params"), EQUAL_PARAMS)
def test_equal_parameters_continue_the_training(cls, params):
    net = quick(cls, warm_start=True, **params).fit(TABLE, Y)
    assert net.set_params(**copy.deepcopy(params)).fit(TABLE, Y).n_iter_ == 4


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("built", "changed", "message"),
    [
        ({"channels": "last"}, {"channels": "first"}, "channels must stay 'last' .*, got 'first'"),
        ({}, {"input_kind": "series"}, "input_kind must stay 'table' .*, got 'series'"),
        ({"net_params": {"optimizer__betas": (0.5, 0.9)}}, {"net_params": None}, "betas must stay .*got None"),
        ({"net_params": {"criterion__weight": torch.tensor([1.0, 2.0]).double()}},
         {"net_params": {"criterion__weight": torch.tensor([1.0, 3.0]).double()}}, r"weight must stay tensor\(.* 3\.\]"),
    ],
)  # fmt: skip
def test_a_continued_training_refuses_every_change_that_it_would_ignore(method, built, changed, message):
    net = quick(RNNClassifier, warm_start=True, **built).fit(TABLE, Y)
    expected = net.predict_proba(TABLE)
    with pytest.raises(ValueError, match=message):
        getattr(net.set_params(**changed), method)(TABLE, Y)
    np.testing.assert_array_equal(net.predict_proba(TABLE), expected)
    net.set_params(warm_start=False, **changed)  # the control: a new fit accepts the value
    if changed.get("input_kind") != "series":
        assert net.fit(TABLE, Y).n_iter_ == 2


def test_a_continued_training_refuses_to_drop_the_maximum_arity():
    net = quick(RecursiveNetClassifier, warm_start=True, max_arity=1).fit(TUPLES, Y)
    with pytest.raises(ValueError, match=r"max_arity must stay 1 .*, got None"):
        net.set_params(max_arity=None).fit(TUPLES, Y)


@pytest.mark.parametrize(
    ("a", "b", "is_equal"),
    [
        (np.arange(3), np.arange(3), True),
        (np.arange(3), np.arange(4), False),
        (torch.arange(3), torch.arange(3), True),
        (torch.arange(3), None, False),
        ([("*", {"weight": np.ones(2)})], [("*", {"weight": np.ones(2)})], True),
        ([("*", {"weight": np.ones(2)})], [("*", {"weight": np.zeros(2)})], False),
        ((3, 4), (3, 4), True),
        ((3, 4), (3,), False),
        ({"a": 1}, {"b": 1}, False),
        (1, 1.0, True),
        (None, 0, False),
    ],
)
def test_values_with_arrays_are_compared(a, b, is_equal):
    assert are_equal(a, b) is are_equal(b, a) is is_equal
