"""Sequences of unequal length."""

import numpy as np
import pandas as pd
import pytest
import torch
from samples import IDS, WAVES, object_array

from sklearn_tree import RaggedArray
from sklearn_tree.kinds.ragged import read_sequences


@pytest.mark.parametrize(
    "make",
    [list, tuple, object_array, pd.Series, RaggedArray.from_sequences, lambda rows: list(map(torch.tensor, rows))],
)  # fmt: skip
@pytest.mark.parametrize("rows", [IDS, WAVES])
def test_sequences_of_all_containers_are_read(make, rows):
    assert read_sequences(make(rows)) == RaggedArray.from_sequences(rows)
    assert read_sequences(make(rows[1:])) != RaggedArray.from_sequences(rows)  # the control


def test_a_ragged_array_is_not_copied():
    array = RaggedArray.from_sequences(IDS)
    assert read_sequences(array) is array


@pytest.mark.parametrize("X", [[[], []], [np.zeros((0, 3)), np.zeros((0, 3))], pd.Series([[], []])])
def test_empty_sequences_are_ids(X):
    array = read_sequences(X)
    assert array.is_tokens
    assert array.offsets.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[2, 3], [], [4, -2, -7]], ValueError, r"X\[2\] must hold ids >= 0, got -7"),
        ([[-1]], ValueError, r"X\[0\] must hold ids >= 0, got -1"),
        ([[2], None], ValueError, r"X\[1\] is missing \(None\): fill it"),
        ([[2], [2, "a"]], TypeError, "'a'|2"),
        ([], ValueError, "X must contain at least one sample, a column of sequences, got 0 samples"),
        ("a text", TypeError, "array of sequences, got a single str"),
    ],
)
def test_errors_name_the_row_the_rule_and_the_value(X, error, message):
    with pytest.raises(error, match=message):
        read_sequences(X)
    assert read_sequences([[2, 3], [0]]).values.min() == 0  # the control
