"""Tree formats: one small module each; importing this package registers them all."""

from sklearn_tree.trees.formats import mapping, nested, nltk_tree
from sklearn_tree.trees.formats.brackets import read_brackets, write_brackets
from sklearn_tree.trees.formats.registry import (
    FlatTree,
    TreeNode,
    flatten,
    register_tree_type,
)

__all__ = [
    "FlatTree",
    "TreeNode",
    "flatten",
    "mapping",
    "nested",
    "nltk_tree",
    "read_brackets",
    "register_tree_type",
    "write_brackets",
]
