"""Laws of ``RaggedArray``: it behaves like an object array of its sequences."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import RaggedArray

TOKENS = st.lists(st.lists(st.sampled_from(["a", "b", "", "é"]), max_size=5), min_size=1, max_size=6)


@given(TOKENS.filter(any), st.data())
def test_it_indexes_like_a_list_of_lists(sequences, data):
    array, n = RaggedArray.from_sequences(sequences), len(sequences)
    assert [list(s) for s in array] == sequences
    index = data.draw(st.one_of(st.slices(n), st.lists(st.integers(-n, n - 1), max_size=8)))
    expected = sequences[index] if isinstance(index, slice) else [sequences[i] for i in index]
    assert list(array[index]) == expected
    assert array[index, ...] == array[index]
    assert array[array.sizes > 0].sizes.tolist() == [len(s) for s in sequences if s]


@given(TOKENS)
def test_it_survives_pickle_and_concatenation(sequences):
    array = RaggedArray.from_sequences(sequences)
    assert pickle.loads(pickle.dumps(array)) == array
    assert RaggedArray.concatenate([array[:1], array[1:]]) == array
    if all(sequences):
        apart = [RaggedArray.from_sequences([s]) for s in sequences]
        assert RaggedArray.concatenate(apart) == array


def test_arrays_of_other_sequences_are_not_equal():
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


def test_ids_keep_their_values():
    array = RaggedArray.from_sequences([[5, 7], [2]])
    assert array.vocabulary is None
    assert array[0].tolist() == [5, 7]
    assert array.n_labels == 8


@pytest.mark.parametrize(
    ("sequences", "error", "message"),
    [
        ([["a"], "text"], TypeError, "row 1 must be a sequence of tokens or numbers, got 'text'"),
        ([["a"], 3], TypeError, "row 1 must be a sequence"),
        ([["a"], ["b", None]], TypeError, r"row 1 must hold tokens \(str\) or ids \(int\) only, got None"),
        ([["a"], [3]], TypeError, "tokens must be all str or all int, got 3"),
        ([np.ones((2, 3)), np.ones((2, 4))], ValueError, "row 1 must have 3 channels as those before, got 4"),
        ([[1.5], [np.nan]], ValueError, "row 1 must hold finite numbers, got nan"),
        ([[1.5], ["x"]], ValueError, "row 1 must be an array of floats"),
        ([np.ones((1, 2, 3))], ValueError, "row 0 must be an array of floats"),
    ],
)
def test_bad_rows_are_named(sequences, error, message):
    with pytest.raises(error, match=message):
        RaggedArray.from_sequences(sequences)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (([1], [0, 2]), r"offsets\[-1\] = 2 steps, got 1"),
        (([1], [1, 0]), "begin with 0"),
        (([1.5], [0, 1]), "floats of shape"),
    ],
)
def test_bad_columns_are_refused(args, message):
    with pytest.raises(ValueError, match=message):
        RaggedArray(*args)
    with pytest.raises(ValueError, match="at least one"):
        RaggedArray.concatenate([])
