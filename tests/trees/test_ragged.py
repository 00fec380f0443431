"""``RaggedArray`` behaves like an object array of its sequences."""

import pickle
from itertools import pairwise

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import RaggedArray

TOKENS = st.lists(st.lists(st.sampled_from(["a", "b", "", "é"]), max_size=5), min_size=1, max_size=6)


@given(TOKENS.filter(any), st.data())
def test_indexing_agrees_with_a_list_of_lists(sequences, data):
    array, n = RaggedArray.from_sequences(sequences), len(sequences)
    assert [list(s) for s in array] == sequences
    index = data.draw(st.one_of(st.slices(n), st.lists(st.integers(-n, n - 1), max_size=8)))
    expected = sequences[index] if isinstance(index, slice) else [sequences[i] for i in index]
    assert list(array[index]) == expected
    assert array[index, ...] == array[index]
    assert array[array.sizes > 0].sizes.tolist() == [len(s) for s in sequences if s]


@given(TOKENS)
def test_pickling_and_concatenation_keep_the_sequences(sequences):
    array = RaggedArray.from_sequences(sequences)
    assert pickle.loads(pickle.dumps(array)) == array
    assert RaggedArray.concatenate([array[:1], array[1:]]) == array
    if all(sequences):
        separate = [RaggedArray.from_sequences([s]) for s in sequences]
        assert RaggedArray.concatenate(separate) == array


def test_arrays_of_different_sequences_are_not_equal():
    one = RaggedArray.from_sequences([["a", "b"], ["c"]])
    assert one != RaggedArray.from_sequences([["a"], ["b", "c"]])
    assert one != RaggedArray.from_sequences([["a", "b"], ["d"]])


def test_numbers_have_channels_and_keep_their_dtype():
    array = RaggedArray.from_sequences([np.ones((2, 3), np.float32), np.zeros((0, 3), np.float32)])
    assert array.values.dtype == np.float32
    assert array[0].shape == (2, 3)
    assert array[1].shape == (0, 3)
    assert RaggedArray.from_sequences([[1.5, 2.5], [3.5]])[0].shape == (2, 1)
    assert repr(array) == "RaggedArray(2 sequences, 2 steps)"


def test_attributes_cannot_be_reassigned():
    array = RaggedArray.from_sequences([["a"], ["b"]])
    with pytest.raises(AttributeError):
        array.values = array.values[:1]
    assert array.replace(values=array.values[::-1])[0] == ["b"]  # the control


def test_pickles_can_be_memory_mapped(tmp_path):
    array = RaggedArray.from_sequences([[5, 7], [2]])
    joblib.dump(array, tmp_path / "array")
    mapped = joblib.load(tmp_path / "array", mmap_mode="r")
    assert isinstance(mapped.values, np.memmap)
    assert mapped == array


def test_ids_keep_their_values():
    array = RaggedArray.from_sequences([[5, 7], [2]])
    assert array.vocabulary is None
    assert array[0].tolist() == [5, 7]
    assert array.n_labels == 8


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([["a"], "text"], TypeError, r"X\[1\] must be a sequence of tokens or numbers, got 'text'"),
        ([["a"], 3], TypeError, r"X\[1\] must be a sequence"),
        ([["a"], ["b", None]], TypeError, r"X\[1\] must hold tokens \(str\) or ids \(int\), got None"),
        ([["a"], [3]], TypeError, "tokens must be all str or all int, got 3"),
        (
            [np.ones((2, 3)), np.ones((2, 4))],
            ValueError,
            r"X\[1\] must have 3 channels like the previous rows, got 4",
        ),
        ([[1.5], [np.nan]], ValueError, r"X\[1\] must hold finite numbers, got nan"),
        ([[1.5], ["x"]], ValueError, r"X\[1\] must be an array of floats"),
        ([np.ones((1, 2, 3))], ValueError, r"X\[0\] must be an array of floats"),
    ],
)
def test_bad_rows_are_named(sequences, error, message):
    with pytest.raises(error, match=message):
        RaggedArray.from_sequences(sequences)


def test_arrays_of_different_kinds_are_not_concatenated():
    with pytest.raises(ValueError, match="arrays must contain at least one RaggedArray, got none"):
        RaggedArray.concatenate([])
    arrays = [RaggedArray.from_sequences(sequences) for sequences in ([["a"]], [[2]], [[1.5]])]
    for first, second in pairwise(arrays):
        with pytest.raises(ValueError, match="arrays must be of one kind"):
            RaggedArray.concatenate([first, second])


@pytest.mark.parametrize("row", [{"a", "b"}, frozenset("ab"), {"a": 1}, "ab", b"ab", bytearray(b"ab")])
def test_rows_that_are_not_sequences_of_tokens_are_refused(row):
    with pytest.raises(TypeError, match=r"X\[1\] must be a sequence of tokens or numbers, got "):
        RaggedArray.from_sequences([["a", "b"], row])
    assert len(RaggedArray.from_sequences([["a", "b"], tuple("ab")])) == 2  # the control


def test_sequences_are_padded_to_the_longest_of_those_selected():
    tokens = RaggedArray([4, 5, 6, 7], [0, 1, 1, 4], n_labels=8)
    assert tokens.pad(np.array([2, 0, 1])).tolist() == [[5, 6, 7], [4, 0, 0], [0, 0, 0]]
    assert tokens.pad(np.array([0, 1])).tolist() == [[4], [0]]
    assert tokens.pad(np.array([1])).tolist() == [[0]]
    series = RaggedArray(np.ones((3, 2)), [0, 1, 3])
    assert series.pad(np.array([0, 1])).tolist() == [[[1, 1], [0, 0]], [[1, 1], [1, 1]]]
