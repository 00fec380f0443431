"""Missing entries, and the types of pandas that allow them."""

import numpy as np
import pandas as pd
import pytest

from sklearn_tree.missing import first_missing, is_missing, without_nullable_types


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_the_first_row_with_a_missing_value_is_found(missing):
    column = np.array([1, "a", missing, missing], dtype=object)
    assert first_missing(column) == 2
    assert first_missing(np.stack([column[:2], column[2:]])) == 1
    assert first_missing(column[:2]) is None  # the control


def test_typed_arrays_have_missing_values_if_their_type_has():
    assert first_missing(np.array([0.0, np.inf, np.nan])) == 2
    assert first_missing(np.array(["2020", "NaT"], dtype="M8[D]")) == 1
    assert first_missing(np.array([0, 1])) is None
    assert first_missing(np.array(["", "nan"])) is None


def test_none_nan_and_missing_values_of_pandas_are_missing():
    assert all(map(is_missing, (None, np.nan, float("nan"), np.float64("nan"), pd.NA, pd.NaT)))
    assert not any(map(is_missing, (0, "", "nan", [], np.inf, False)))


NUMPY_TYPES = {
    "Int64": "int64",
    "UInt8": "uint8",
    "boolean": "bool",
    "Float64": "float64",
    "Float32": "float32",
}


@pytest.mark.parametrize(("nullable", "numpy_type"), NUMPY_TYPES.items())
def test_nullable_numbers_become_those_of_numpy(nullable, numpy_type):
    numbers = np.array([0, 1, 1]).astype(numpy_type)
    series = pd.Series(numbers).astype(nullable)
    table = pd.DataFrame({"a": series, "b": series})
    for y, expected in ((series, numbers), (table, np.stack([numbers] * 2, axis=1))):
        read = without_nullable_types(y)
        assert (read.dtype, read.tolist()) == (expected.dtype, expected.tolist())


def test_containers_without_nullable_numbers_are_unchanged():
    series = pd.Series([0, 1])
    for y in (series, series.to_frame(), pd.Series(list("ab"), dtype="string"), [0, 1], np.arange(2)):
        assert without_nullable_types(y) is y
