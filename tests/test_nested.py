"""Nested columns of arrays."""

import numpy as np
import pandas as pd
import pytest
from samples import PIXELS, WAVES, Y, quick

from sklearn_tree import CNNClassifier, RNNClassifier
from sklearn_tree.nested import unnest


def nest(array):
    """Return an array as nested object arrays, as pandas reads it from Parquet."""
    nested = np.empty(len(array), dtype=object)
    nested[:] = [nest(row) if row.ndim > 1 else row for row in array]
    return nested


def test_nested_arrays_of_numbers_become_one_array():
    for array in (WAVES[0], PIXELS[0], np.zeros((2, 3, 4))):
        np.testing.assert_array_equal(unnest(nest(array)), array)
        assert unnest(nest(array)).dtype == array.dtype


def test_other_items_are_unchanged():
    ragged, words = np.empty(2, dtype=object), np.array(["a", "b"], dtype=object)
    ragged[:] = [np.zeros(2), np.zeros(3)]
    nested_words = np.empty(2, dtype=object)
    nested_words[:] = [words, words]
    mixed = np.empty(2, dtype=object)
    mixed[:] = [np.zeros(2), "a"]
    for item in (
        ragged,
        words,
        nested_words,
        mixed,
        "a",
        None,
        [WAVES[0]],
        WAVES[0],
        np.array([], dtype=object),
    ):
        assert unnest(item) is item


@pytest.mark.parametrize(
    ("cls", "X", "params"),
    [(RNNClassifier, WAVES, {}), (CNNClassifier, list(PIXELS), {"input_kind": "image"})],
    ids=["series", "images"],
)
def test_nested_columns_are_read_like_arrays(cls, X, params):
    column = pd.Series([nest(x) for x in X])
    net = quick(cls, **params).fit(X, Y)
    np.testing.assert_array_equal(net.predict_proba(column), net.predict_proba(X))
    again = quick(cls, **params).fit(column, Y)
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
