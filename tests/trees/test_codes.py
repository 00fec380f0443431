"""Label codes and their vocabularies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree.trees.codes import (
    are_columns_equal,
    as_vocabulary,
    concatenate_columns,
    count_codes,
    decode,
    factorize,
    merge_codes,
)

TEXTS = st.lists(st.sampled_from(["a", "b", "", "é"]), max_size=8)


@given(TEXTS)
def test_codes_decode_to_the_labels(labels):
    codes, vocabulary = factorize(labels)
    assert decode(codes, vocabulary) == labels
    assert list(vocabulary) == list(dict.fromkeys(labels))


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_merged_columns_decode_to_the_concatenated_labels(columns):
    codes, vocabulary = merge_codes([factorize(labels) for labels in columns])
    assert decode(codes, vocabulary) == [label for labels in columns for label in labels]
    assert len(set(vocabulary)) == len(vocabulary)


def test_codes_without_their_vocabulary_do_not_decode_to_the_labels():  # the control of the laws above
    codes, _ = factorize(["a", "b"])
    assert decode(codes, None) == [0, 1]


def test_ids_keep_their_values_and_none_is_a_missing_label():
    codes, vocabulary = factorize([5, None, 2])
    assert (codes.tolist(), vocabulary) == ([5, 0, 2], None)
    codes, vocabulary = factorize(["a", None], missing="")
    assert decode(codes, vocabulary) == ["a", ""]
    codes, vocabulary = merge_codes([(np.array([3]), None), (np.array([2]), None)])
    assert (codes.tolist(), vocabulary) == ([3, 2], None)


def test_columns_with_and_without_a_vocabulary_cannot_be_merged():
    with pytest.raises(ValueError, match="zip"):
        merge_codes([factorize(["a"]), (np.array([2]), None)])


@pytest.mark.parametrize(("labels", "wrong"), [(["a", 3], r"3 \(int\)"), ([1.5], r"1.5 \(float\)")])
def test_mixed_labels_are_refused(labels, wrong):
    with pytest.raises(TypeError, match=rf"tokens must be all str or all int, got {wrong}"):
        factorize(labels, noun="tokens")


def test_sizes_include_the_reserved_ids():
    assert count_codes(np.array([5, 2]), None) == 6
    assert count_codes(np.zeros(0, dtype=int), None) == 2
    assert count_codes(np.array([0]), as_vocabulary(["a", "b", "c"])) == 3


def test_columns_are_equal_if_their_numbers_are():
    nan = np.array([1.0, np.nan])
    assert are_columns_equal(nan, nan.copy())
    assert are_columns_equal(None, None)
    assert not are_columns_equal(nan, None)
    assert not are_columns_equal(nan, np.array([1.0, 2.0]))
    assert concatenate_columns([]).tolist() == []
