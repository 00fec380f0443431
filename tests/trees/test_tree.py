"""``Tree`` is an immutable ordered tree in preorder."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import parent_lists, trees, trees_with_values_and_edges

from sklearn_tree import Tree, TreeNode, register_tree_type

BIG = 100_000


@pytest.fixture(params=["chain", "star"])
def big(request):
    parents = list(range(-1, BIG - 1)) if request.param == "chain" else [-1] + [0] * (BIG - 1)
    return Tree(["a"] * BIG, parents)


@given(parent_lists(), st.data())
def test_permuted_nodes_give_the_same_tree_if_siblings_keep_their_order(parents, data):
    n = len(parents)
    labels = [f"n{i}" for i in range(n)]
    new = data.draw(st.permutations(range(n)))
    # Siblings are ordered by id, so the new ids of each family are sorted.
    families = {}
    for i, p in enumerate(parents):
        families.setdefault(p, []).append(i)
    number = dict(enumerate(new))
    for family in families.values():
        for i, k in zip(family, sorted(number[i] for i in family)):
            number[i] = k
    shuffled_labels, shuffled_parents = [None] * n, [None] * n
    for i, p in enumerate(parents):
        shuffled_labels[number[i]] = labels[i]
        shuffled_parents[number[i]] = -1 if p == -1 else number[p]
    assert Tree(shuffled_labels, shuffled_parents) == Tree(labels, parents)


def test_swapped_siblings_give_another_tree():  # the control of the law above
    assert Tree(["S", "a", "b"], [-1, 0, 0]) != Tree(["S", "b", "a"], [-1, 0, 0])


@given(trees())
def test_conversions_can_be_read_back(tree):
    assert Tree.from_any(tree.to_brackets()) == tree
    assert Tree.from_any(tree.to_tuple()) == tree
    assert Tree.from_any(as_dict(tree)) == tree
    assert Tree.from_any(("extra", tree)) == Tree.from_any(("extra", tree.to_tuple()))
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert hash(pickle.loads(pickle.dumps(tree))) == hash(tree)
    restored = Tree.__new__(Tree)  # as skops.io does
    restored.__setstate__(tree.__getstate__())
    assert restored == tree


@given(trees())
def test_nltk_trees_can_be_read_back(tree):
    pytest.importorskip("nltk")
    assert Tree.from_any(tree.to_nltk()) == tree


def as_dict(tree):
    nodes = [{"label": label, "children": []} for label in tree.labels]
    for i, p in enumerate(tree.parents[1:], start=1):
        nodes[p]["children"].append(nodes[i])
    return nodes[0]


@given(trees())
def test_nodes_are_in_preorder_and_children_agree_with_parents(tree):
    assert tree.parents[0] == -1
    seen = []
    stack = [tree.root]
    while stack:
        node = stack.pop()
        seen.append(node)
        assert all(tree.parents[child] == node for child in tree.children(node))
        stack.extend(reversed(tree.children(node)))
    assert seen == list(tree.nodes)
    assert tree.leaves.tolist() == [i for i in tree.nodes if not tree.children(i)]
    depth = {0: 0}
    for i in range(1, tree.n_nodes):
        depth[i] = depth[tree.parents[i]] + 1
    assert tree.height == max(depth.values())


def subtree_by_recursion(tree, node):
    """Return a subtree as nested tuples of labels, values and edge labels."""
    value, edge = (None if column is None else column[node] for column in (tree.values, tree.edges))
    return tree.labels[node], value, edge, *(subtree_by_recursion(tree, k) for k in tree.children(node))


@given(trees_with_values_and_edges())
def test_subtrees_keep_labels_values_and_edges(tree):
    assert tree.subtree(tree.root) == tree
    for node in tree.nodes:
        subtree = tree.subtree(node)
        assert subtree_by_recursion(subtree, 0) == subtree_by_recursion(tree, node)
        assert subtree.parents[0] == -1
        assert subtree.depths[0] == 0


def test_subtrees_of_siblings_differ():  # the control of the law above
    tree = Tree.from_any("(S (NP I) (VP I))")
    assert tree.subtree(1) != tree.subtree(3)
    assert tree.subtree(2) == tree.subtree(4)


def test_a_tree_is_not_a_sequence_for_numpy():
    tree = Tree.from_any("(S a b)")
    assert np.array([tree, tree], dtype=object).shape == (2,)
    with pytest.raises(TypeError):
        len(tree)


def test_a_tree_is_immutable():
    tree = Tree.from_any("(S a b)")
    with pytest.raises(AttributeError, match="immutable: cannot set 'labels'"):
        tree.labels = ()
    with pytest.raises(ValueError, match="read-only"):
        tree.parents[0] = 3


def test_values_and_edges_are_kept_and_compared():
    tree = Tree(["S", "a", "b"], [-1, 0, 0], values=[None, 2, None], edges=[None, "x", "y"])
    assert tree.values == (None, 2.0, None)
    assert tree.edges == (None, "x", "y")
    assert tree != Tree(["S", "a", "b"], [-1, 0, 0])
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert Tree.from_any(("T", tree)).values == (None, None, 2.0, None)
    same = TreeNode("S", [TreeNode("a", (), 2.0, "x"), TreeNode("b", edge="y")])
    assert Tree.from_any(same) == tree


def test_large_trees_are_converted_compared_printed_pickled_and_drawn_without_recursion(big):
    assert Tree.from_any(big.to_brackets()) == big
    assert Tree.from_any(big.to_tuple()) == big
    assert pickle.loads(pickle.dumps(big)) == big
    assert len(repr(big)) < 80
    assert str(big).count("a") == BIG
    assert len(big._repr_svg_()) < 50_000
    assert big.children(0)[0] == 1


def test_nested_tuples_and_lists_may_be_mixed():
    expected = Tree.from_any("(S (NP I) (VP run))")
    for nested in (
        ("S", ("NP", "I"), ("VP", "run")),
        ("S", [("NP", ["I"]), ("VP", ["run"])]),
        ["S", ["NP", "I"], ["VP", "run"]],
        ("S", [["NP", "I"], ("VP", "run")]),
    ):
        assert Tree.from_any(nested) == expected
    assert Tree.from_any(("S",)) == Tree.from_any(("S", [])) == Tree.from_any("(S)")


def test_a_registered_type_and_its_subclasses_are_read():
    class Box:
        def __init__(self, name, *inside):
            self.name, self.inside = name, inside

    class Crate(Box):
        pass

    register_tree_type(Box, lambda box: (box.name, box.inside))
    assert Tree.from_any(Crate("c", Box("b"), Box("b"))) == Tree.from_any("(c b b)")


def endless():
    node = ["a", "b"]
    node.append(node)
    return node


def bad_adapter(description):
    class Odd:
        pass

    register_tree_type(Odd, lambda node: description)
    return Odd()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Tree([], []), ValueError, "labels must not be empty"),
        (lambda: Tree("abc", [-1, 0, 0]), TypeError, "labels must be a sequence"),
        (lambda: Tree(["a", 3], [-1, 0]), TypeError, "labels must be all str or all int, got both"),
        (lambda: Tree(["a", 3.5], [-1, 0]), TypeError, r"got 3.5 \(float\) at node 1"),
        (lambda: Tree(["a", "b"], [-1]), ValueError, "one entry per label: 2, got 1"),
        (lambda: Tree(["a", "b"], [-1, 5]), ValueError, "got 5 at node 1"),
        (lambda: Tree(["a", "b"], [-1, "x"]), ValueError, "got 'x' at node 1"),
        (lambda: Tree(["a", "b"], [-1, -1]), ValueError, r"one root.*got 2: nodes \[0, 1\]"),
        (lambda: Tree(["a", "b"], [1, 0]), ValueError, "got none: the parents form a cycle"),
        (lambda: Tree(["r", "a", "b"], [-1, 2, 1]), ValueError, r"cycle: nodes \[1, 2\]"),
        (lambda: Tree(["a"], [-1], values=[float("nan")]), ValueError, "value of node 0 .* got nan"),
        (lambda: Tree(["a"], [-1], values=[1, 2]), ValueError, "values must have one entry per node: 1"),
        (lambda: Tree.from_any(()), ValueError, "a node must have a label, got an empty tuple"),
        (lambda: Tree.from_any(("S", ())), ValueError, "got an empty tuple"),
        (lambda: Tree.from_any({1: "x"}), TypeError, r"keys of a JSON object must be str, got 1 \(int\)"),
        (lambda: Tree.from_any(("S", 3)), TypeError, r"type builtins.int; use str\(label\) for a category"),
        (lambda: Tree.from_any((3, "a")), TypeError, r"label of node 0 must be a str, got 3 \(int\)"),
        (lambda: Tree.from_any(("S", (None, "a"))), TypeError, "label of node 1 .* got None"),
        (lambda: Tree.from_any(TreeNode("a", value=float("inf"))), ValueError, "value of node 0 .* got inf"),
        (lambda: Tree.from_any(object()), TypeError, "type builtins.object"),
        (lambda: Tree(["a"], [-1], values=["x"]), ValueError, "value of node 0 .* got 'x'"),
        (lambda: Tree(["a", "b"], [-1, 0], edges=[None, 3.5]), TypeError, "edge label of node 1 .* got 3.5"),
        (
            lambda: Tree(["a", "b"], [-1, 0], edges=[None, 3]),
            TypeError,
            "edge label of node 1 must be str like the node labels, got 3",
        ),
        (lambda: Tree([-3], [-1]), ValueError, "labels must be ids >= 0, got -3 at node 0"),
        (
            lambda: Tree.from_any({"label": "a", "children": "bc"}),
            TypeError,
            "children of node 0 .* got 'bc'",
        ),
        (lambda: Tree.from_any({"label": "a", "children": {"label": "b"}}), TypeError, "children of node 0"),
        (lambda: Tree.from_any(bad_adapter(None)), TypeError, "adapter of Odd must return .* got None"),
        (lambda: Tree.from_any(bad_adapter(("a", 3))), TypeError, "children of node 0 .* got 3"),
        (lambda: Tree.from_any(endless()), ValueError, "the tree contains a cycle"),
        (lambda: Tree.from_any("(S a)").children(2), IndexError, r"node must be in \[0, 2\), got 2"),
        (lambda: Tree.from_any("(S a)").subtree(-1), IndexError, r"node must be in \[0, 2\), got -1"),
        (lambda: register_tree_type("x", str), TypeError, "type must be a class"),
        (lambda: register_tree_type(complex, 3), TypeError, "adapter must be callable"),
    ],
)
def test_bad_input_names_the_rule_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_long_list_of_equal_objects_is_not_a_cycle():
    shared = ("x", "y")
    assert Tree.from_any(("S", *[shared] * 10_000)).n_nodes == 20_001
