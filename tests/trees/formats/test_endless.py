"""Objects that would unfold into endless or enormous trees."""

import ast

import pytest

from sklearn_tree import Tree
from sklearn_tree.trees.formats import endless


@pytest.fixture
def small_limits(monkeypatch):
    monkeypatch.setattr(endless, "MANY", 1 << 12)
    monkeypatch.setattr(endless, "WINDOW", 1 << 12)


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
