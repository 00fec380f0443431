"""Syntax trees of tree-sitter as trees."""

import pytest

from sklearn_tree import Tree


def test_types_are_labels_fields_are_edge_labels_and_texts_are_leaves():
    tree_sitter, python = pytest.importorskip("tree_sitter"), pytest.importorskip("tree_sitter_python")
    parsed = tree_sitter.Parser(tree_sitter.Language(python.language())).parse(b"x = 1")
    tree = Tree.from_any(parsed)
    assert tree == Tree.from_any(parsed.root_node)
    assert tree.labels == (
        "module",
        "expression_statement",
        "assignment",
        "identifier",
        "x",
        "=",
        "integer",
        "number",
    )
    assert tree.edges[3:] == ("left", None, None, "right", None)
