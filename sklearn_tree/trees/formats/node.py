"""Descriptions of nodes and trees that adapters return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np


class TreeNode(NamedTuple):
    """Description of one node of a tree, returned by an adapter.

    Parameters
    ----------
    label : str
        Label of the node.
    children : iterable, default=()
        Child nodes in order: objects of any registered type, or ``TreeNode``.
    value : float, default=None
        Finite number that the node carries, None for no value.
    edge : str, default=None
        Label of the edge to the node's parent, None for no label.

    Examples
    --------
    >>> from sklearn_tree import Tree, TreeNode
    >>> Tree.from_any(TreeNode("price", [TreeNode("net", value=3.5)]))
    Tree('(price net)')
    """

    label: str
    children: Iterable[Any] = ()
    value: float | None = None
    edge: str | None = None


class FlatTree(NamedTuple):
    """Columns of one tree in preorder, returned by an adapter that reads a whole object at once.

    ``values`` and ``edges`` are None if no node has any.
    """

    labels: Sequence
    parents: Sequence[int] | np.ndarray
    depths: Sequence[int] | np.ndarray
    values: Sequence | None = None
    edges: Sequence | None = None


class Part(NamedTuple):
    """A child that ``adapter`` reads whatever its type, with the label of the edge to its parent."""

    node: Any
    adapter: Callable[[Any], Any]
    edge: str | None = None


Adapter = Callable[[Any], "tuple[str, Iterable[Any]] | TreeNode | FlatTree"]
