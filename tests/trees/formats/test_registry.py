"""The registry of tree formats."""

import ast
from xml.dom import minidom

import numpy as np
import pytest

from sklearn_tree import Tree, TreeArray, TreeVectorizer, register_tree_type


def test_formats_are_recognized_by_type_and_not_by_attributes():
    """``ast.Call`` and sympy have func and args, anytree and spaCy have root, soups have any attribute."""
    bs4, anytree, sympy = (pytest.importorskip(name) for name in ("bs4", "anytree", "sympy"))
    soup = bs4.BeautifulSoup("<label><name>x</name></label>", "html.parser")
    forest = [
        ast.parse("f(x)", mode="eval").body,
        sympy.Function("f")(sympy.Symbol("x")),
        anytree.Node("n"),
        soup,
    ]
    found = [tree.labels for tree in TreeArray.from_trees(forest)]
    assert found == [("Call", "Name", "f", "Name", "x"), ("f", "x"), ("n",), ("label", "name", "x")]

    class Lookalike:
        func = args = name = children = root = token = label = tag = ()

    with pytest.raises(TypeError, match=r"cannot read a tree from an object of type .*Lookalike"):
        Tree.from_any(Lookalike())
    with pytest.raises(TypeError, match=r"from an object of type xml\.dom\.minidom\.Element"):
        Tree.from_any(minidom.parseString("<a/>").documentElement)


def test_an_adapter_for_a_subclass_of_tuple_replaces_the_built_in_one():
    class Pair(tuple):
        pass

    register_tree_type(Pair, lambda pair: (pair[-1], pair[:-1]))
    assert Tree.from_any(Pair(("a", "b", "S"))) == Tree.from_any("(S a b)")


@pytest.mark.parametrize(
    "fixed",
    [str, np.str_, bytes, bool, int, float, tuple, list, dict, set, object, type(None), Tree],
)
def test_types_with_a_fixed_meaning_are_refused(fixed):
    before = Tree.from_any(("S", {"label": "a"}))
    with pytest.raises(TypeError, match=rf"got {fixed.__name__}, .* TreeParser\(function\)"):
        register_tree_type(fixed, lambda node: ("other", ()))
    assert Tree.from_any(("S", {"label": "a"})) == before


@pytest.mark.parametrize("base", [bytes, int, tuple, list, dict])
def test_subclasses_of_built_in_types_can_be_registered(base):  # the control of the law above
    class Own(base):
        pass

    register_tree_type(Own, lambda node: ("own", ()))
    assert Tree.from_any(("S", Own())) == Tree.from_any("(S own)")


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (("S", 3), r"type builtins.int; use str\(label\) for a category"),
        (("S", np.float32(3)), r"type numpy.float32; use str\(label\)"),
        (
            {"label": "S", "children": [{"label": "a", "edge": 3}]},
            r"edge label of node 1 must be str .* got 3",
        ),
    ],
)
def test_numbers_as_nodes_or_edge_labels_are_refused_with_advice(obj, message):
    with pytest.raises(TypeError, match=r"X\[0\]: .*" + message):
        TreeVectorizer().fit([obj])
