"""Stable sorting of non-negative ints."""

import numpy as np
import pytest

from sklearn_tree.trees.sorting import stable_argsort


@pytest.mark.parametrize("largest", [9, 2**16 + 9])
def test_equal_keys_keep_their_order(largest):
    keys = np.random.RandomState(0).choice([0, 1, largest], 1000)
    assert np.array_equal(stable_argsort(keys), np.argsort(keys, kind="stable"))
    assert len(stable_argsort(keys[:0])) == 0
