"""Trees over tokens without a parser."""

from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import Tree
from sklearn_tree.preprocessing.parsers.branching import build_balanced_tree, build_right_tree

N = 100_000


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=20))
def test_trees_are_binary_with_the_tokens_as_leaves(tokens):
    balanced, right = Tree.from_flat(build_balanced_tree(tokens)), Tree.from_flat(build_right_tree(tokens))
    for tree in (balanced, right):
        assert [tree.labels[i] for i in tree.leaves] == tokens
        assert all(len(tree.children(i)) in (0, 2) for i in tree.nodes)
    assert balanced.height == (len(tokens) - 1).bit_length()
    assert right.height == len(tokens) - 1
    assert all(len(right.children(right.children(i)[0])) == 0 for i in right.nodes if right.children(i))


def test_no_tokens_are_one_node_without_a_label():
    assert build_balanced_tree([]).labels == build_right_tree([]).labels == [""]


def test_a_right_branching_tree_of_100_000_tokens_is_built():
    assert Tree.from_flat(build_right_tree(["a"] * N)).height == N - 1
