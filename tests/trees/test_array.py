"""``TreeArray`` behaves like an object array of its trees."""

import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from strategies import forests

from sklearn_tree import Tree, TreeArray


@given(forests(), st.data())
def test_indexing_agrees_with_an_object_array(forest, data):
    array, n = TreeArray.from_trees(forest), len(forest)
    reference = np.empty(n, dtype=object)
    reference[:] = forest
    index = data.draw(
        st.one_of(
            st.slices(n),
            st.lists(st.integers(-n, n - 1), max_size=8),
            st.lists(st.booleans(), min_size=n, max_size=n).map(np.array),
        )
    )
    taken = array[index]
    expected = reference[np.array(index, dtype=int) if isinstance(index, list) else index]
    assert list(taken) == list(expected)
    assert taken.shape == expected.shape
    assert array[index, ...] == taken
    assert list(np.asarray(array)) == forest
    assert array[n - 1] == array[-1] == forest[-1]


@given(forests())
def test_pickling_and_concatenation_keep_the_trees(forest):
    array = TreeArray.from_trees(forest)
    assert pickle.loads(pickle.dumps(array)) == array
    parts = [array[i : i + 1] for i in range(len(array))]
    assert TreeArray.concatenate(parts) == array
    separate = [TreeArray.from_trees([tree]) for tree in forest]  # with different vocabularies
    assert TreeArray.concatenate(separate) == array


@given(forests(labels=st.integers(2, 5)))
def test_concatenation_keeps_ids(forest):
    array = TreeArray.from_trees(forest)
    assert array.vocabulary is None
    assert TreeArray.concatenate([array[:1], array]) == TreeArray.from_trees([forest[0], *forest])


@given(forests())
def test_heights_arities_parents_and_subtree_ends_agree_with_the_trees(forest):
    array = TreeArray.from_trees(forest)
    assert array.parents.tolist() == [p for tree in forest for p in tree.parents]
    assert array.arities.tolist() == [len(tree.children(i)) for tree in forest for i in tree.nodes]
    heights = []
    for tree in forest:
        below = [0] * tree.n_nodes
        for i in range(tree.n_nodes - 1, 0, -1):
            below[tree.parents[i]] = max(below[tree.parents[i]], below[i] + 1)
        heights += below
    assert array.heights.tolist() == heights
    rebuilt = TreeArray(array.labels, array.depths, array.offsets, vocabulary=array.vocabulary)
    assert rebuilt == array
    assert rebuilt.parents.tolist() == array.parents.tolist()
    ends = [
        start + i + tree.subtree(i).n_nodes for tree, start in zip(forest, array.offsets) for i in tree.nodes
    ]
    assert array.subtree_ends.tolist() == ends


def test_arrays_of_different_trees_are_not_equal():
    one = TreeArray.from_trees(["(S a b)"])
    assert one != TreeArray.from_trees(["(S a c)"])
    assert one != TreeArray.from_trees(["(S (a b))"])
    assert one != TreeArray.from_trees([Tree(["S", "a", "b"], [-1, 0, 0], edges=[None, "x", "y"])])
    assert (one == "other") is False


def test_rows_of_a_table_become_stars():
    array = TreeArray.from_table(np.array([[1.5, 2.0], [3.0, 4.0]], dtype=np.float32))
    assert array[1] == Tree([0, 2, 3], [-1, 0, 0], values=[None, 3.0, 4.0])
    assert array.values.dtype == np.float32
    assert array.n_labels == 4


def test_scikit_learn_splits_arrays_with_large_trees():
    n = 100_000
    big = Tree(["a"] * n, list(range(-1, n - 1)))
    array = TreeArray.from_trees([big, "(S a)", "(S b)", "(S c)"])
    left, right = train_test_split(array, test_size=0.5, random_state=0)
    assert isinstance(left, TreeArray)
    assert sorted(len(tree.labels) for part in (left, right) for tree in part) == [2, 2, 2, n]
    assert pickle.loads(pickle.dumps(array)) == array
    assert repr(array) == "TreeArray(4 trees, 100006 nodes)"


def test_attributes_cannot_be_reassigned():
    array = TreeArray.from_trees(["(S a)", "(S b)"])
    for name in ("labels", "offsets", "n_labels", "other"):
        with pytest.raises(AttributeError):
            setattr(array, name, None)
    assert array.replace(n_labels=9).n_labels == 9
    assert array.n_labels == 3  # the control


def test_replace_shares_the_other_columns_and_validates_nothing():
    array = TreeArray.from_trees(["(S a)", "(S b)"])
    replaced = array.replace(labels=None)
    assert replaced.depths is array.depths
    assert replaced.labels is None
    with pytest.raises(TypeError, match="unexpected keyword argument 'label'"):
        array.replace(label=None)


def test_pickles_are_small_and_can_be_memory_mapped(tmp_path):
    array = TreeArray.from_trees([Tree(["a"] * 1000, range(-1, 999))] * 20)
    assert len(pickle.dumps(array)) < 3.1 * 4 * array.n_nodes  # three columns of four bytes
    joblib.dump(array, tmp_path / "array")
    mapped = joblib.load(tmp_path / "array", mmap_mode="r")
    assert isinstance(mapped.labels, np.memmap)
    assert mapped[3:5] == array[3:5]


def test_arrays_of_different_kinds_are_not_concatenated():
    array = TreeArray.from_trees(["(S a)"])
    with pytest.raises(ValueError, match="arrays must contain at least one TreeArray, got none"):
        TreeArray.concatenate([])
    with pytest.raises(
        ValueError, match="arrays must all have a vocabulary or all be encoded, got both kinds"
    ):
        TreeArray.concatenate([array, TreeArray([2], [0], [0, 1])])
