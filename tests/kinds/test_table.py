"""Tables of numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from samples import CONTAINERS, TABLE

from sklearn_tree import TreeArray
from sklearn_tree.kinds import StarTable, Table
from sklearn_tree.trees.flat import N_RESERVED_IDS

FRAME = pd.DataFrame(TABLE, columns=list("abcd"))
parametrized = pytest.mark.parametrize("cls", [Table, StarTable])


def fit(cls, X):
    kind = cls("Reader")
    return kind, kind.fit(X)


@parametrized
@pytest.mark.parametrize("name", [name for name in CONTAINERS if name.startswith("table")])
def test_the_numbers_of_all_containers_are_read(cls, name):
    X = CONTAINERS[name].X
    kind, encoded = fit(cls, X)
    expected = np.asarray(X, dtype=np.float64)
    if cls is StarTable:
        leaves = encoded.values.reshape(len(X), -1)[:, 1:]
        np.testing.assert_array_equal(leaves, expected)
    else:
        np.testing.assert_array_equal(encoded, expected)
    assert kind.n_features_in_ == 4


@parametrized
@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_only_doubles_are_trained_in_double_precision(cls, make, dtype):
    kind, encoded = fit(cls, make(TABLE.astype(dtype)))
    assert kind.dtype(encoded) == (torch.float64 if dtype == "float64" else torch.float32)


def test_module_params_hold_the_statistics_of_the_columns():
    kind, encoded = fit(Table, TABLE)
    params = kind.module_params(encoded, None)
    assert params["n_labels"] == N_RESERVED_IDS + 4
    np.testing.assert_allclose(params["value_shift"], [0, 0, *TABLE.mean(axis=0)])
    np.testing.assert_allclose(params["value_scale"], [1, 1, *TABLE.std(axis=0)])
    star, encoded = fit(StarTable, TABLE)
    assert star.module_params(encoded, None)["max_arity"] == 4


@parametrized
def test_names_are_kept_in_the_state(cls):
    kind, _ = fit(cls, FRAME)
    assert kind.feature_names_in_.tolist() == list("abcd")
    restored = cls.from_state(kind.to_state())
    assert restored.feature_names_in_.tolist() == list("abcd")
    assert not hasattr(cls.from_state(fit(cls, TABLE)[0].to_state()), "feature_names_in_")


@parametrized
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (TABLE[:, :3], "X has 3 features, but Reader is expecting 4 features"),
        (torch.tensor(TABLE[:, :3]), "X has 3 features, but Reader is expecting 4 features"),
        (np.full((2, 4), np.nan), "Input X contains NaN"),
        (np.zeros(4), "Expected 2D array, got 1D array"),
    ],
)
def test_errors_name_the_rule_and_the_value(cls, X, message):
    kind, _ = fit(cls, TABLE)
    with pytest.raises(ValueError, match=message):
        kind.encode(X)


def test_errors_of_tensors_name_the_row():
    kind, _ = fit(Table, TABLE)
    with pytest.raises(ValueError, match=r"X\[1\] must hold finite numbers, got nan"):
        kind.encode(torch.tensor([[1.0] * 4, [1.0, 2.0, np.nan, 3.0]]))


@parametrized
def test_a_restored_table_names_its_reader_in_errors(cls):
    restored = cls.from_state({"n_columns": 2, "names": None}, "RNNClassifier")
    with pytest.raises(ValueError, match="X has 4 features, but RNNClassifier is expecting 2"):
        restored.encode(TABLE)


TEXT_FRAME = pd.DataFrame({"n": [1.0, 2.0], "text": ["a b", "c"]})


@parametrized
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            TEXT_FRAME,
            r"^X has 2 columns and 'text' holds strings: pass one column \(X\['text'\]\) or join columns",
        ),
        (pl.DataFrame(TEXT_FRAME.to_dict("list")), r"^X has 2 columns and 'text' holds strings"),
        (TEXT_FRAME.to_numpy(), r"^X has 2 columns and 1 holds strings: pass one column \(X\[:, 1\]\)"),
        (
            np.array([["a", "b"], ["c", "d"]]),
            r"^X is a 2-D array of str: (X\.tolist\(\)|pass one column).*astype\(object\) makes pairs",
        ),
        (np.array([["a", "b", "c"]] * 2, dtype=object), "^X is a 2-D array of str"),
        (
            pd.DataFrame({"a": ["x y", "z"], "b": [None, None]}),
            "^X has 2 columns and all entries of 'b' are missing: fill them to pass pairs, or pass the other",
        ),
        (pd.DataFrame({"a": [np.nan] * 2, "b": [["x"], ["y"]]}), "and all entries of 'a' are missing: fill"),
    ],
)
def test_columns_of_texts_are_named(cls, X, message):
    with pytest.raises(ValueError, match=message):
        fit(cls, X)
    fitted_on = TEXT_FRAME.assign(text=1.0) if hasattr(X, "columns") else np.ones((2, 2))
    with pytest.raises(ValueError, match=message):
        fit(cls, fitted_on)[0].encode(X)
    assert len(fit(cls, np.array([["1", "2"], ["3", "4"]]))[1]) == 2  # the control: digits


@parametrized
def test_structured_arrays_and_repeated_names_are_refused(cls):
    kind, _ = fit(cls, FRAME)
    with pytest.raises(ValueError, match=r"a structured array of \['a', 'b'\]: pass pandas.DataFrame"):
        kind.read(np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]))
    with pytest.raises(ValueError, match="X must have unique column names, got 'a' more than once"):
        kind.read(FRAME.set_axis(list("abca"), axis=1))
    assert len(kind.read(FRAME)) == len(FRAME)  # the control


@parametrized
def test_tensors_of_bfloat16_are_read_and_sparse_ones_are_refused(cls):
    table = torch.tensor(TABLE).bfloat16()
    kind, encoded = fit(cls, table)
    assert kind.dtype(encoded) == torch.float32
    assert equal_rows(encoded, fit(cls, table.float())[1])
    with pytest.raises(ValueError, match=r"got torch.float64, torch.sparse_coo: pass X.to_dense\(\)"):
        fit(cls, torch.tensor(TABLE).to_sparse())


def equal_rows(one, two):
    """Return whether two encoded tables are equal."""
    return one == two if isinstance(one, TreeArray) else torch.equal(one, two)
