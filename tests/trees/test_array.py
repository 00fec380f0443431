"""Laws of ``TreeArray``: it behaves like an object array of its trees."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from strategies import forests

from sklearn_tree import Tree, TreeArray, register_tree_type


@given(forests(), st.data())
def test_it_indexes_like_an_object_array(forest, data):
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
def test_it_survives_pickle_and_concatenation(forest):
    array = TreeArray.from_trees(forest)
    assert pickle.loads(pickle.dumps(array)) == array
    parts = [array[i : i + 1] for i in range(len(array))]
    assert TreeArray.concatenate(parts) == array
    apart = [TreeArray.from_trees([tree]) for tree in forest]  # vocabularies of their own
    assert TreeArray.concatenate(apart) == array


@given(forests(labels=st.integers(2, 5)))
def test_ids_survive_concatenation_and_are_never_renumbered(forest):
    array = TreeArray.from_trees(forest)
    assert array.vocabulary is None
    assert TreeArray.concatenate([array[:1], array]) == TreeArray.from_trees([forest[0], *forest])


@given(forests())
def test_heights_arities_and_parents_agree_with_the_trees(forest):
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


def test_arrays_of_other_trees_are_not_equal():
    one = TreeArray.from_trees(["(S a b)"])
    assert one != TreeArray.from_trees(["(S a c)"])
    assert one != TreeArray.from_trees(["(S (a b))"])
    assert one != TreeArray.from_trees([Tree(["S", "a", "b"], [-1, 0, 0], edges=[None, "x", "y"])])
    assert (one == "other") is False


def test_a_table_becomes_stars():
    array = TreeArray.from_table(np.array([[1.5, 2.0], [3.0, 4.0]], dtype=np.float32))
    assert array[1] == Tree([0, 2, 3], [-1, 0, 0], values=[None, 3.0, 4.0])
    assert array.values.dtype == np.float32
    assert array.n_labels == 4


def test_scikit_learn_splits_it_and_keeps_big_trees():
    n = 100_000
    big = Tree(["a"] * n, list(range(-1, n - 1)))
    array = TreeArray.from_trees([big, "(S a)", "(S b)", "(S c)"])
    left, right = train_test_split(array, test_size=0.5, random_state=0)
    assert isinstance(left, TreeArray)
    assert sorted(len(tree.labels) for part in (left, right) for tree in part) == [2, 2, 2, n]
    assert pickle.loads(pickle.dumps(array)) == array
    assert repr(array) == "TreeArray(4 trees, 100006 nodes)"


def test_an_adapters_own_error_says_which_tree():
    class Broken:
        pass

    register_tree_type(Broken, lambda node: {}["nothing"])
    with pytest.raises(KeyError) as info:
        TreeArray.from_trees(["(S a)", Broken()])
    assert info.value.__notes__ == ["while reading trees[1]"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: a[2], IndexError, "tree 2 is out of range for 2 trees"),
        (lambda a: a[[0, 7]], IndexError, "index 7 is out of range"),
        (lambda a: a[np.array([True])], IndexError, r"a mask must have shape \(2,\), got \(1,\)"),
        (lambda a: a[[0.5]], IndexError, "indexed by ints"),
        (lambda a: TreeArray.from_trees(["(S a)", "(S a"]), ValueError, r"trees\[1\]: unbalanced"),
        (lambda a: TreeArray.from_trees(["(S a)", ("S", 3.5)]), TypeError, r"trees\[1\]: cannot read"),
        (lambda a: TreeArray.from_trees(["(S a)", Tree([3], [-1])]), TypeError, r"trees\[1\].* got 3"),
        (
            lambda a: TreeArray([2], [0], [0, 1], values=[1, 2]),
            ValueError,
            "values must have one entry per node: 1",
        ),
        (lambda a: TreeArray([2], [0], [0, 1], values=[np.inf]), ValueError, "values must be finite"),
        (lambda a: TreeArray([-2], [0], [0, 1]), ValueError, "labels must be at least 0, got -2"),
        (
            lambda a: TreeArray([2], [0], [0, 1], vocabulary=["a"]),
            ValueError,
            "at least 0 and below 1, got 2",
        ),
        (lambda a: TreeArray([2.7], [0], [0, 1]), ValueError, "labels must be ints, got float64"),
        (lambda a: TreeArray([2, 2], [0, 2], [0, 2]), ValueError, "got 2 at node 1 of tree 0"),
        (lambda a: TreeArray([2, 2], [0, 0], [0, 2]), ValueError, "got 0 at node 1 of tree 0"),
        (lambda a: TreeArray([2], [0], [0, 0, 1]), ValueError, "at least one node per tree"),
        (lambda a: TreeArray([2], [0], [0, 2]), ValueError, r"offsets\[-1\] = 2 entries, got 1 and 1"),
        (lambda a: TreeArray.concatenate([]), ValueError, "at least one"),
        (lambda a: TreeArray.concatenate([a, TreeArray([2], [0], [0, 1])]), ValueError, "both kinds"),
    ],
)
def test_bad_input_names_the_rule_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call(TreeArray.from_trees(["(S a)", "(S (T b))"]))
