"""Behaviour that ``TreeArray`` and ``RaggedArray`` share."""

import numpy as np
import pytest

from sklearn_tree import RaggedArray, TreeArray

ARRAYS = {
    "tree": TreeArray.from_trees(["(S a)", "(S (T b))"]),
    "sequence": RaggedArray.from_sequences([["a", "b"], ["c", "d", "e"]]),
}


@pytest.fixture(params=list(ARRAYS))
def noun(request):
    return request.param


@pytest.fixture
def array(noun):
    return ARRAYS[noun]


def test_arrays_look_like_one_dimensional_arrays_of_objects(array):
    assert (len(array), array.shape, array.ndim, array.dtype) == (2, (2,), 1, np.dtype(object))
    assert array.sizes.tolist() == [2, 3]
    assert np.asarray(array).shape == (2,)
    with pytest.raises(TypeError, match="unhashable"):
        hash(array)


def test_fields_are_replaced_without_changing_the_array(array):
    vocabulary = array.vocabulary
    replaced = array.replace(vocabulary=vocabulary[::-1].copy())
    assert replaced != array
    assert replaced.offsets is array.offsets
    assert array.vocabulary is vocabulary


@pytest.mark.parametrize("key", [slice(1, None), [1], np.array([False, True]), slice(None, 0, -1), [-1]])
def test_keys_of_all_kinds_select_the_same_item(array, key):
    assert array[key] == array[1:]
    assert array[key] != array[:1]  # the control


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (2, "{} 2 is out of range for 2 {}s"),
        (-3, "{} -3 is out of range for 2 {}s"),
        ([0, 7], "index 7 is out of range for 2 {}s"),
        (np.array([True]), r"a mask must have shape \(2,\), got \(1,\)"),
        ([0.5], r"{}s are indexed by ints, slices and 1-D arrays, got \[0.5\]"),
        ([[0]], "{}s are indexed by ints"),
    ],
)
def test_invalid_keys_are_refused(array, noun, key, message):
    with pytest.raises(IndexError, match=message.format(noun, noun)):
        array[key]
