"""Objects that would unfold into endless or enormous trees."""

import ast
from itertools import count, repeat

import pytest

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray, register_tree_type
from sklearn_tree.trees.formats import endless


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(endless, "MANY", 1 << 12)
    monkeypatch.setattr(endless, "WINDOW", 1 << 12)
    monkeypatch.setattr(endless, "MAX_NODES", 100_000)
    monkeypatch.setattr(endless, "MAX_DEPTH", 1 << 13)


class Endless:
    """Node whose adapter makes new children; ``grow(level)`` returns them."""

    def __init__(self, grow, level=0):
        self.grow, self.level = grow, level

    def children(self):
        return self.grow(self.level + 1, lambda: Endless(self.grow, self.level + 1))


GROWTHS = {
    "chain": lambda level, make: [make()],
    "binary tree": lambda level, make: [make(), make()],
    "leaves before": lambda level, make: ["a", "b", make()],
    "leaves after": lambda level, make: [make(), "a", "b"],
    "generator": lambda level, make: (make() for _ in count()),
    "generator of leaves": lambda level, make: repeat("a"),
    "generators at depth 3": lambda level, make: [make()] if level < 3 else repeat("a"),
    "generator of chains": lambda level, make: (
        (make() for _ in count()) if level == 1 else [make()] * (level < 9)
    ),
}


@pytest.mark.parametrize("growth", GROWTHS)
def test_adapters_that_make_children_without_end_are_refused(growth, small_limits):
    register_tree_type(Endless, lambda node: ("i", node.children()))
    trees = [("a", "b"), Endless(GROWTHS[growth])]
    with pytest.raises(
        ValueError, match=r"^X\[1\]: the tree has more than \d+ (nodes|levels), .* raise .*endless.MAX"
    ):
        TreeArray.from_trees(trees)
    with pytest.raises(ValueError, match=r"^X\[1\]: the tree has more than"):
        RecursiveNetClassifier().fit(trees, [0, 1])


@pytest.mark.parametrize("n_levels", [1, 14])
def test_adapters_that_make_many_children_are_read(n_levels, small_limits):  # the control of the law above
    register_tree_type(Endless, lambda node: ("i", node.children()))

    def grow(level, make):
        return (make() for _ in range(2 if n_levels > 1 else 10_000)) if level <= n_levels else ()

    assert Tree.from_any(Endless(grow)).n_nodes == (2**15 - 1 if n_levels > 1 else 10_001)


def test_trees_of_columns_have_no_limit(small_limits):
    n = endless.MAX_NODES + 2
    assert Tree(["a"] * n, range(-1, n - 1)).height == n - 1


def make_cycle(kind):
    if kind == "dict":
        node = {"label": "a", "children": []}
        node["children"].append(node)
    elif kind == "json":
        node = {"x": [{}]}
        node["x"][0]["y"] = node
    else:
        node = ast.Expr()
        node.value = ast.UnaryOp(ast.USub(), node)
    return node


@pytest.mark.parametrize("kind", ["dict", "json", "ast"])
def test_objects_that_contain_themselves_are_refused(kind):
    with pytest.raises(ValueError, match=r"the tree contains a cycle: node .* own descendants"):
        Tree.from_any(make_cycle(kind))


def test_objects_nested_100_000_deep_are_read():  # the control of the law above
    node = ("a",)
    for _ in range(100_000):
        node = ("a", node)
    assert Tree.from_any(node).height == 100_000


def test_shared_parts_are_repeated():
    shared = {"k": [1, 2]}
    assert Tree.from_any({"a": shared, "b": shared}).n_nodes == 9


@pytest.mark.parametrize("kind", ["tuple", "json", "dict"])
def test_parts_that_are_doubled_sixty_times_are_refused(kind, small_limits):
    node = {"tuple": ("a", "b"), "json": {"x": 1}, "dict": {"label": "a"}}[kind]
    for _ in range(60):
        node = {
            "tuple": ("a", node, node),
            "json": {"x": node, "y": node},
            "dict": {"label": "a", "children": [node] * 2},
        }[kind]
    with pytest.raises(ValueError, match="because it shares its parts"):
        Tree.from_any(node)


def test_long_lists_of_shared_long_lists_are_refused():
    node = "a"
    for _ in range(3):
        node = ("b", *[node] * 10_000)
    with pytest.raises(ValueError, match="because it shares its parts: a few objects"):
        Tree.from_any(node)


@pytest.mark.parametrize("shared", [False, True])
def test_a_long_list_of_small_parts_is_read(shared, small_limits):  # the control of the laws above
    part = ("a", ("b", "c"))
    assert (
        Tree.from_any(("S", *[part if shared else ("a", tuple("bc")) for _ in range(20_000)])).n_nodes
        == 60_001
    )
