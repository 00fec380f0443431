"""Labels, values and edge labels of single nodes."""

from decimal import Decimal

import numpy as np
import pytest

from sklearn_tree import RaggedArray, Tree
from sklearn_tree.trees.formats.fields import NUMBER_ADVICE, as_edge, as_label, as_value


class Word(str):
    pass


@pytest.mark.parametrize("text", ["a", "", Word("b"), np.str_("c")])
def test_texts_become_plain_str(text):
    for result in (as_label(text, 0), as_edge(text, 0)):
        assert type(result) is str
        assert result == text


@pytest.mark.parametrize("number", [2, -1.5, True, np.float32(0.5), np.int64(3), np.bool_(False)])
def test_finite_numbers_become_floats(number):
    value = as_value(number, 0)
    assert type(value) is float
    assert value == number


def test_ids_are_edge_labels_only_with_int_labels():
    assert type(as_edge(np.int64(3), 0, int)) is int
    assert as_edge(np.int64(3), 0, int) == 3
    for edge, kind in ((3, str), ("x", int), (True, int), (3.0, int)):
        with pytest.raises(TypeError, match=f"edge label of node 7 must be {kind.__name__} .* got {edge!r} "):
            as_edge(edge, 7, kind)


def test_none_is_a_missing_value_or_edge_label_but_not_a_label():
    assert as_value(None, 0) is as_edge(None, 0) is as_edge(None, 0, int) is None
    with pytest.raises(TypeError) as error:
        as_label(None, 7)
    assert str(error.value) == f"the label of node 7 must be a str, got None (NoneType); {NUMBER_ADVICE}"


@pytest.mark.parametrize("value", [np.nan, -np.inf, 10**400, 1j, np.complex64(1j), "2", Decimal(2), [1.0]])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match=r"^the value of node 7 must be a finite number, got "):
        as_value(value, 7)


class Renamed(str):
    def __str__(self):  # as members of an Enum with str do
        return "other"


def test_the_label_of_a_subclass_of_str_is_its_text():
    label = Renamed("red")
    assert str(label) != label == "red"  # the control
    assert as_label(label, 0) == as_edge(label, 0) == "red"
    assert Tree([label], [-1]) == Tree(["red"], [-1])
    assert RaggedArray.from_sequences([[label]]) == RaggedArray.from_sequences([["red"]])
