"""One column of trees, whatever container it comes in."""

from __future__ import annotations

from typing import Any

from sklearn_tree.containers import as_column
from sklearn_tree.trees import Tree, TreeArray
from sklearn_tree.trees.formats import Part, read_json

# The types of a tree's root that each format name allows.
_FORMATS = {
    "brackets": (str,),
    "nested": (tuple, list),
    "dict": (dict,),
    "tree": (Tree,),
}


def to_tree_array(X: Any, format: str = "auto") -> TreeArray:
    """Read a column of trees.

    Parameters
    ----------
    X : TreeArray, or list, Series, object array or one-column DataFrame of trees
        The trees.
    format : str, default="auto"
        The format that every tree must have, "auto" for any, "json" to read all as JSON values.

    Returns
    -------
    TreeArray
        ``X`` itself if it is one.

    Raises
    ------
    TypeError, ValueError
        If X is empty or no column of trees, or a tree cannot be read; the message gives its row.
    """
    if isinstance(X, TreeArray):
        if not len(X):
            raise ValueError("X must hold at least one tree, got a TreeArray of 0 trees")
        return X
    column = as_column(X)
    if format == "json":
        return TreeArray.from_trees(Part(value, read_json) for value in column)
    if format != "auto":
        _check_format(column, format)
    return TreeArray.from_trees(column)


def _check_format(column: list, format: str) -> None:
    for i, obj in enumerate(column):
        if format == "nltk":
            names = [f"{c.__module__.partition('.')[0]}.{c.__name__}" for c in type(obj).__mro__]
            right = "nltk.Tree" in names
        else:
            right = type(obj) in _FORMATS[format] or isinstance(obj, _FORMATS[format])
        if not right:
            raise TypeError(f"X[{i}] must be a tree of the format {format!r}, got {type(obj).__name__}")
