"""Trees and arrays of trees and sequences; requires numpy only."""

from sklearn_tree.trees.array import TreeArray
from sklearn_tree.trees.formats import TreeNode, register_tree_type
from sklearn_tree.trees.ragged import RaggedArray
from sklearn_tree.trees.tree import Tree

__all__ = ["RaggedArray", "Tree", "TreeArray", "TreeNode", "register_tree_type"]
