"""Lists of parents in any order."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import parent_lists

from sklearn_tree.trees.formats.parents import build_dependency_tree, check_parents, to_preorder


@given(parent_lists(), st.data())
def test_nodes_are_sorted_into_preorder(parents, data):
    new = data.draw(st.permutations(range(len(parents))))
    shuffled = [None] * len(parents)
    for node, parent in enumerate(parents):
        shuffled[new[node]] = -1 if parent == -1 else new[parent]
    order, new_parents, depths = to_preorder(shuffled)
    assert sorted(order) == list(range(len(parents)))
    for position, (node, parent) in enumerate(zip(order, new_parents)):
        assert (-1 if parent == -1 else order[parent]) == shuffled[node]
        assert depths[position] == (0 if parent == -1 else depths[parent] + 1)
        assert parent < position
    assert all(after <= before + 1 for before, after in pairwise(depths))


def test_siblings_keep_the_order_of_their_indices():
    assert to_preorder([3, 3, 1, -1])[0] == [3, 0, 1, 2]


def test_relations_become_edge_labels_except_at_the_root():
    tree = build_dependency_tree(["dogs", "run"], [1, -1], ["nsubj", "root"])
    assert (tree.labels, tree.edges) == (["run", "dogs"], [None, "nsubj"])


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ([-1], "one entry per label: 2, got 1"),
        ([-1, 2], r"parents must be ints in \[-1, 2\), got 2 at node 1"),
        ([-1, True], "got True at node 1"),
        ([None, None], r"one root \(parent -1\), got 2: nodes \[0, 1\]"),
        ([1, 0], "got none: the parents form a cycle"),
    ],
)
def test_invalid_parents_are_refused(parents, message):
    with pytest.raises(ValueError, match=message):
        check_parents(parents, 2)
