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


def test_arrays_are_concatenated_by_plus_and_by_numpy(array):
    expected = type(array).concatenate([array, array])
    assert array + array == expected
    assert np.concatenate([array, array]) == np.concatenate((array, array), axis=0) == expected
    assert type(np.concatenate([array, array])) is type(array)
    assert [list(item) if isinstance(item, list) else item for item in expected] == [*array, *array]


@pytest.mark.parametrize(
    "call",
    [
        lambda a: np.concatenate([a, list(ARRAYS["tree"])]),
        lambda a: np.concatenate([a, a], dtype=object),
        lambda a: np.concatenate(list(ARRAYS.values())),
        lambda a: np.stack([a, a]),
        lambda a: np.append(a, a),
    ],
)
def test_other_calls_of_numpy_give_object_arrays(array, call):  # the control of the law above
    objects = call(array)
    assert isinstance(objects, np.ndarray)
    assert objects.dtype == object
    assert objects.size == 4
    assert np.shape(array) == (2,)
    assert np.ndim(array) == 1


def test_arrays_that_do_not_match_are_refused_with_the_reason(array, noun):
    other = ARRAYS["sequence" if noun == "tree" else "tree"]
    for wrong in (other, list(array), 3):
        with pytest.raises(TypeError, match="unsupported operand"):
            array + wrong
    ids = {"tree": TreeArray([2], [0], [0, 1]), "sequence": RaggedArray([2], [0, 1])}[noun]
    for join in (lambda: array + ids, lambda: np.concatenate([array, ids])):
        with pytest.raises(ValueError, match=r"arrays must (all have a vocabulary|be of one kind)"):
            join()


def test_codes_are_the_labels_or_tokens_and_vectors_follow_selections(array):
    column = array._columns[0]
    assert array.codes is getattr(array, column)
    replaced = array.replace_codes(array.codes + 1, vectors=np.eye(2))
    assert np.array_equal(getattr(replaced, column), array.codes + 1)
    for selected in (replaced[:1], replaced[[1, 0]]):
        assert selected.vectors is replaced.vectors
    assert array.vectors is None
