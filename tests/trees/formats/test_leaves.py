"""Leaves for texts and numbers."""

import numpy as np
import pytest

from sklearn_tree import TreeNode
from sklearn_tree.trees.formats.leaves import make_number_leaf, make_text_leaf, to_value


@pytest.mark.parametrize("text", ["0", "-1.5", "2e-3", "10"])
def test_texts_that_are_numbers_become_values(text):
    assert make_text_leaf(text, "x") == TreeNode("number", (), float(text), "x")


@pytest.mark.parametrize("text", ["007", "1.", "+1", "nan", "1e999", "1" * 41, "", "a"])
def test_other_texts_become_labels(text):  # the control of the law above
    assert make_text_leaf(text) == TreeNode(text)


def test_numbers_too_large_for_a_float_become_labels():
    assert make_number_leaf(2) == TreeNode("number", (), 2.0)
    assert make_number_leaf(10**400) == TreeNode("1" + "0" * 400)
    assert make_number_leaf(-(10**4300 - 1)) == TreeNode("-" + "9" * 4300)
    for number in (10**4300, -(1 << 4_000_000)):
        with pytest.raises(
            ValueError, match=r"at most 4300 digits, got an int of [0-9]+ bits: make it a string"
        ):
            make_number_leaf(number)


@pytest.mark.parametrize(
    ("number", "value"),
    [(2, 2.0), (np.float32(0.5), 0.5), (True, None), ("2", None), (float("nan"), None), (10**400, None)],
)
def test_only_finite_numbers_are_values(number, value):
    assert to_value(number) == value
