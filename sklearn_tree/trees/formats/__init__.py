"""Tree formats, one module each; importing this package registers all of them."""

from sklearn_tree.trees.formats import (
    conllu_tree,
    linked_nodes,
    mapping,
    markup,
    nested,
    networkx_graph,
    nltk_tree,
    python_ast,
    spacy_doc,
    sympy_expr,
    tree_sitter_node,
)
from sklearn_tree.trees.formats.brackets import read_brackets, write_brackets
from sklearn_tree.trees.formats.json_value import read_json
from sklearn_tree.trees.formats.node import FlatTree, Part, TreeNode
from sklearn_tree.trees.formats.registry import register_tree_type
from sklearn_tree.trees.formats.walk import flatten

__all__ = [
    "FlatTree",
    "Part",
    "TreeNode",
    "conllu_tree",
    "flatten",
    "linked_nodes",
    "mapping",
    "markup",
    "nested",
    "networkx_graph",
    "nltk_tree",
    "python_ast",
    "read_brackets",
    "read_json",
    "register_tree_type",
    "spacy_doc",
    "sympy_expr",
    "tree_sitter_node",
    "write_brackets",
]
