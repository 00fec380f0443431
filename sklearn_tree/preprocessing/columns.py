"""Conversion of columns of trees in any container to arrays of trees."""

from __future__ import annotations

from typing import Any

from sklearn_tree.containers import as_column, without_arrow
from sklearn_tree.trees import Tree, TreeArray
from sklearn_tree.trees.formats import Part, read_json

# Types of the root that each format allows; nltk is not imported.
_TYPES = {"brackets": (str,), "nested": (tuple, list), "dict": (dict,), "tree": (Tree,)}


def to_tree_array(X: Any, format: str = "auto") -> TreeArray:
    """Read a column of trees.

    Parameters
    ----------
    X : TreeArray, or list, Series, object array or one-column DataFrame of trees
        The trees.
    format : {"auto", "brackets", "nested", "dict", "nltk", "tree", "json"}, default="auto"
        Format that all trees must have. "auto" allows any registered format; "json" reads all samples as JSON
        values.

    Returns
    -------
    TreeArray
        ``X`` itself if it is a TreeArray.

    Raises
    ------
    TypeError, ValueError
        If X is empty or not a column of trees, or a tree cannot be read. The message gives the row.
    """
    X = without_arrow(X)
    if isinstance(X, TreeArray):
        if not len(X):
            raise ValueError("X must contain at least one tree, got a TreeArray of 0 trees")
        return X
    column = as_column(X, allow_missing=format == "json")  # None is a JSON value
    if format == "json":
        return TreeArray.from_trees(Part(value, read_json) for value in column)
    if format != "auto":
        _check_format(column, format)
    return TreeArray.from_trees(column)


def _check_format(column: list, format: str) -> None:
    for i, tree in enumerate(column):
        if not (_is_nltk(tree) if format == "nltk" else isinstance(tree, _TYPES[format])):
            raise TypeError(f"X[{i}] must be a tree of the format {format!r}, got {type(tree).__name__}")


def _is_nltk(tree: Any) -> bool:
    names = [f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(tree).__mro__]
    return "nltk.Tree" in names
