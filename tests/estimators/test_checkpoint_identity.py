"""The parameters and samples by which checkpoints know their fit."""

import copy
import functools
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import skorch
import torch
from crashes import assert_same_bits, counting, crash
from samples import BRACKETS, TABLE, TEXTS, Y, quick
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EarlyStopping, PrintLog
from torch import nn

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, TreeVectorizer
from sklearn_tree.estimators.digests import digest, digest_callback
from sklearn_tree.nn import CELLS


def fit_with(X=TEXTS, y=Y, sample_weight=None, X_val=None, y_val=None, **params):
    """Return the estimator and the arguments of a fit that differs from the default one."""
    return params, (X, y, sample_weight, X_val, y_val)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (fit_with(lr=0.5), "with lr=0.01, not 0.5"),
        (fit_with(batch_size=9), "with batch_size=64, not 9"),
        (fit_with(max_epochs=9, early_stopping=True), "with max_epochs=4, not 9|with early_stopping"),
        (fit_with(random_state=1), "with random_state=0, not 1"),
        (
            fit_with(net_params={"optimizer__eps": 1e-5}),
            "with net_params=None, not {'optimizer__eps': 1e-05}",
        ),
        (fit_with(embeddings=(["it"], np.ones((1, 64)))), "with embeddings=None, not"),
        (fit_with(X=TEXTS[::-1]), "with another X"),
        (fit_with(X=[text.replace("it", "she") for text in TEXTS]), "with another X"),
        (fit_with(y=1 - Y), "with another y"),
        (fit_with(y=np.where(Y, "yes", "no")), "with another y"),
        (fit_with(sample_weight=np.arange(len(Y))), "with another sample_weight"),
        (fit_with(X_val=TEXTS[:3], y_val=Y[:3]), "with another X_val"),
    ],
)
def test_another_fit_is_refused_with_the_difference(change, message, tmp_path):
    net = quick(RNNClassifier, max_epochs=4, lr=0.01, lr_schedule="cosine", checkpoint_dir=tmp_path)
    crash(clone(net), TEXTS, Y, 2)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    params, (X, y, sample_weight, X_val, y_val) = change
    with pytest.raises(ValueError, match=message) as error:
        clone(net).set_params(**params).fit(X, y, sample_weight, X_val, y_val)
    assert "checkpoint_dir" in str(error.value)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert (
        net.set_params(verbose=1, callbacks=[skorch.callbacks.PrintLog(sink=str)]).fit(TEXTS, Y).n_iter_ == 4
    )


def test_equal_values_of_other_types_are_the_same_fit(tmp_path):
    y = np.where(Y, "yes", "no")
    params = {"max_epochs": np.int64(5), "lr": np.float64(0.01), "hidden_size": np.int32(8), "dropout": 0}
    crash(quick(RNNClassifier, **params, checkpoint_dir=tmp_path), TEXTS, y, 3)
    plain = {"max_epochs": 5, "lr": 0.01, "hidden_size": 8, "dropout": 0.0, "device": "cpu"}
    resumed = quick(RNNClassifier, **plain, checkpoint_dir=str(tmp_path))
    with counting() as epochs:
        resumed.fit(np.array(TEXTS, dtype=object), y.astype(object))
    assert epochs == [4, 5]
    assert_same_bits(resumed, quick(RNNClassifier, **plain).fit(TEXTS, y), TEXTS)


def test_values_of_no_effect_are_the_same_fit(tmp_path):
    table = np.asarray(TABLE, dtype=np.float64)
    weight = np.arange(len(Y)) % 3 + 0.5
    net = quick(RNNClassifier, max_epochs=4, net_params={}, callbacks=[], checkpoint_dir=tmp_path)
    whole = clone(net).set_params(checkpoint_dir=None).fit(table, Y, weight)
    crash(net, table, Y, 2, sample_weight=weight)
    with counting() as epochs:
        for X, w in (
            (np.asfortranarray(table), weight.astype(np.float32)),
            (np.repeat(table, 2, axis=0)[::2], list(weight)),
            (table, pd.Series(weight)),
        ):
            other = clone(net).set_params(net_params=None, callbacks=None).fit(X, Y, w)
            assert_same_bits(other, whole, table)
    assert epochs == [3, 4]


def test_trees_whose_properties_were_read_are_the_same_fit(tmp_path):
    trees = TreeVectorizer().fit_transform(BRACKETS)
    net = quick(RecursiveNetClassifier, max_epochs=4, checkpoint_dir=tmp_path)
    crash(net, trees, Y, 2)
    assert trees.depths.max() > 0
    assert len(trees.heights) > 0
    with counting() as epochs:
        net.fit(trees, Y)
    assert epochs == [3, 4]


class Model:
    """Word vectors of a model."""

    def __init__(self, scale):
        self.scale = scale

    def encode(self, words):
        return np.array([[len(word) * self.scale, 1.0] for word in words])


def test_vectors_are_compared_by_value(tmp_path):
    grid = {"embeddings": [Model(1), Model(5)]}
    net = quick(RNNClassifier, max_epochs=3, checkpoint_dir=tmp_path / "{digest}")
    search = GridSearchCV(net, grid, cv=2).fit(TEXTS, Y)
    assert len(list(tmp_path.iterdir())) == 5
    plain = GridSearchCV(clone(net).set_params(checkpoint_dir=None), grid, cv=2).fit(TEXTS, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    file = tmp_path / "vectors.txt"
    file.write_text("it 1 2\nworks 3 4\n")
    net = quick(RNNClassifier, max_epochs=3, checkpoint_dir=tmp_path / "run", embeddings=str(file))
    crash(net, TEXTS, Y, 2)
    before = net.embeddings
    file.write_text("it 1 2\nworks 3 5\n")
    with pytest.raises(ValueError, match="unfinished fit with other embeddings"):
        net.fit(TEXTS, Y)
    file.write_text("works 3 4\nit 1 2\n")
    assert net.fit(TEXTS, Y).n_iter_ == 3
    assert net.embeddings is before


class Scale(torch.optim.SGD):
    """Optimizer with an object that cannot be pickled."""

    def __init__(self, params, lr, weight_decay=0.0, scale=None, unused=None):
        super().__init__(params, lr * (scale or 1))


@pytest.mark.parametrize("unused", [lambda: 0, np.float64, [lambda: 1, 2]])
def test_values_beside_one_that_cannot_be_pickled_count(unused, tmp_path):
    net = quick(RNNClassifier, max_epochs=3, optimizer=Scale, checkpoint_dir=tmp_path)
    params = {"optimizer__unused": unused, "optimizer__scale": 2.0}
    crash(net.set_params(net_params=params), TEXTS, Y, 2)
    with pytest.raises(ValueError, match="unfinished fit with net_params="):
        clone(net).set_params(net_params={**params, "optimizer__scale": 3.0}).fit(TEXTS, Y)
    assert net.fit(TEXTS, Y).n_iter_ == 3


def test_callbacks_that_change_the_training_count(tmp_path):
    stop = EarlyStopping(monitor="train_loss", patience=1, threshold=10)
    grid = {"callbacks": [None, [stop], [EarlyStopping(monitor="train_loss", patience=3, threshold=10)]]}
    net = quick(RNNClassifier, max_epochs=6, checkpoint_dir=tmp_path / "{digest}")
    search = GridSearchCV(net, grid, cv=2, refit=False).fit(TEXTS, Y)
    assert len(list(tmp_path.iterdir())) == 6
    assert search.cv_results_["params"] == [{"callbacks": x} for x in grid["callbacks"]]
    net.set_params(checkpoint_dir=tmp_path / "run", callbacks=[stop])
    assert clone(net).fit(TEXTS, Y).n_iter_ == 2
    assert clone(net).set_params(callbacks=None).fit(TEXTS, Y).n_iter_ == 6
    crash(clone(net).set_params(callbacks=None, random_state=1), TEXTS, Y, 1)
    with pytest.raises(ValueError, match=r"callbacks=\[\], not \[EarlyStopping\]"):
        clone(net).set_params(random_state=1).fit(TEXTS, Y)
    logged = clone(net).set_params(random_state=1, callbacks=[("log", PrintLog(sink=str))])
    with counting() as epochs:
        logged.fit(TEXTS, Y)
    assert epochs == [2, 3, 4, 5, 6]


def make_cell(factor):
    class Cell(CELLS["child_sum_gru"]):
        is_pure = True

        def update(self, gates, messages):
            return tuple(factor * x for x in super().update(gates, messages))

    return Cell


def test_edited_cells_are_another_fit(tmp_path):
    net = quick(RecursiveNetClassifier, cell=make_cell(0.5), max_epochs=3, checkpoint_dir=tmp_path)
    crash(net, BRACKETS, Y, 2)
    with pytest.raises(ValueError, match=r"unfinished fit with (another )?cell"):
        clone(net).set_params(cell=make_cell(0.6)).fit(BRACKETS, Y)
    assert clone(net).set_params(cell=make_cell(0.5)).fit(BRACKETS, Y).n_iter_ == 3


# Digests.


def _function(a, *, b=2):
    return a + b


def _other(a, *, b=2):
    return a - b


class _Base:
    limit = 3

    def method(self):
        return 1


class _Child(_Base):
    pass


class _Slots:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


def _cycle():
    value = [1]
    value.append(value)
    return value


EQUAL = [
    (1, 1.0),
    (np.int8(3), 3),
    ([1, 2], (1, 2.0)),
    (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
    (np.arange(6)[::2], np.array([0, 2, 4])),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1, "a"}, {"a", 1}),
    (torch.ones(2), nn.Parameter(torch.ones(2))),
    (np.array(["a", "b"]), np.array(["a", "b"], dtype=object)),
    (_cycle(), _cycle()),
    (_Slots(1), _Slots(1)),
    (nn.Linear(2, 1), None),
    (lambda x: x + 1, lambda x: x + 1),
    (pd.Series([1, 2]), pd.Series([1, 2])),
]
DIFFERENT = [
    (1, 2), (1, True), ("1", 1), ("a", b"a"), ([1, [2]], [[1], 2]), ([1, 2], [2, 1]), ([], None), (["ab"], ["a", "b"]),
    (np.ones(2), np.ones((2, 1))), (np.ones(2, dtype=np.float32), np.ones(2)), ({"a": 1}, {"a": 2}), ({1}, [1]),
    (torch.ones(2), torch.zeros(2)), (_function, _other), (lambda x: x + 1, lambda x: x + 2), (_Base, _Child),
    (_Slots(1), _Slots(2)), (nn.Linear(2, 1), nn.Linear(2, 1)), (np.sin, np.cos), (torch.optim.SGD, torch.optim.Adam),
    (pd.Series([1, 2]), pd.Series([1, 3])), (make_cell(1), make_cell(2)), (torch.float32, torch.float64),
    (functools.partial(_function, 1), functools.partial(_function, 2)), (_Base().method, _Child().method),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_values_of_equal_effect_have_equal_digests(one, other):
    assert digest(one) == digest(copy.deepcopy(one) if other is None else other)
    assert digest([one]) == digest([copy.deepcopy(one) if other is None else other])


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_values_of_different_effect_have_different_digests(one, other):
    assert digest(one) != digest(other)
    assert digest({"a": one}) != digest({"a": other})
    assert digest([one, lambda: 0]) != digest([other, lambda: 0])


def test_attributes_of_classes_and_defaults_count(monkeypatch):
    before = digest(_Base), digest(_Child), digest(_Base()), digest(_function)
    monkeypatch.setattr(_Base, "limit", 4)
    monkeypatch.setattr(_function, "__kwdefaults__", {"b": 3})
    after = digest(_Base), digest(_Child), digest(_Base()), digest(_function)
    assert not set(before) & set(after)


def test_digests_are_those_of_other_processes():
    code = "from sklearn_tree.estimators.digests import digest; print(digest([{'a', 'b', 'c'}, {1: 'x'}, len, 2.5]))"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
        )
        assert found.stdout.split()[-1] == digest([{"a", "b", "c"}, {1: "x"}, len, 2.5])


def test_callbacks_are_compared_by_parameters():
    assert digest_callback(EarlyStopping(patience=2)) != digest_callback(EarlyStopping(patience=3))
    assert digest_callback(EarlyStopping) == digest_callback(EarlyStopping)
    used = EarlyStopping(patience=2)
    used.misses_, used.note = 4, "x"
    assert digest_callback(used) == digest_callback(EarlyStopping(patience=2))
    trials = [skorch.callbacks.EpochScoring(object()) for _ in range(2)]
    assert digest_callback(trials[0]) == digest_callback(trials[1])
