"""Syntax trees of Python as trees."""

import ast

from sklearn_tree import Tree


def test_types_are_labels_and_fields_are_edge_labels():
    tree = Tree.from_any(ast.parse("def f(x):\n    return -x * 2.5, 'a b', None, ..."))
    text = (
        r"(Module (FunctionDef f (arguments (arg x)) (Return (Tuple (BinOp (UnaryOp USub (Name x)) Mult "
        r"(Constant number)) (Constant a\ b) (Constant None) (Constant ...)))))"
    )
    assert tree.to_brackets() == text
    assert [v for v in tree.values if v is not None] == [2.5]
    assert tree.edges[:5] == (None, "body", "name", "args", "args")
    assert Tree.from_any(ast.parse("x", mode="eval").body) == Tree(["Name", "x"], [-1, 0], edges=[None, "id"])
    assert Tree.from_any(ast.Constant(10**400)).labels == ("Constant", "1" + "0" * 400)
