"""Conversion of trees of registered types to preorder columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sklearn_tree.trees.formats import endless
from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.fields import as_edge, as_label, as_value
from sklearn_tree.trees.formats.node import FlatTree, Part, TreeNode
from sklearn_tree.trees.formats.registry import NESTED, RESOLVED, find_adapter


def flatten(root: Any) -> FlatTree:
    """Convert a tree of registered types to preorder columns, without recursion.

    Parameters
    ----------
    root : object
        The root node.

    Returns
    -------
    FlatTree
        Lists of labels, parents (-1 for the root) and depths; values and edges if any node has one.

    Raises
    ------
    TypeError
        If the type of a node is not registered or a label is not a str.
    ValueError
        If a value is not finite, the object contains itself, its shared parts would unfold into more than a
        million nodes, or it has more than 10 million nodes or a million levels.
    """
    # One loop over local variables: most of the time of a fit on raw trees is spent here.
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    values: dict[int, float | None] = {}
    edges: dict[int, str | int | None] = {}
    # The path from the root to the current node: objects, their indices, and the children that remain to
    # be visited.
    path: list[Any] = []
    numbers = [-1]
    waiting: list[Iterator] = [iter((root,))]
    endless_check = endless.EndlessCheck()
    many, deep = endless.MANY, endless.DEEP
    while waiting:
        parent, depth = numbers[-1], len(path)
        for node in waiting[-1]:
            i = len(labels)
            parents.append(parent)
            depths.append(depth)
            if type(node) is str:
                labels.append(node)
                continue
            # (label, child, ...) is read here; the adapter reads (label, [child, ...]).
            if type(node) in NESTED and len(node) > 1 and type(node[0]) is str and type(node[1]) is not list:
                children = iter(node)
                labels.append(next(children))
            else:
                node, description = _describe(node)
                if len(description) == 2:
                    label, children = description
                elif type(description) is FlatTree:
                    _insert(description, labels, parents, depths, values, edges)
                    continue
                else:
                    label, children, value, edge = description
                    if value is not None:
                        values[i] = as_value(value, i)
                    if edge is not None:
                        edges[i] = as_edge(edge, i)
                labels.append(label if type(label) is str else as_label(label, i))
                if not children:
                    continue
                children = _iterate(children, i)
            waiting.append(children)
            path.append(node)
            numbers.append(i)
            if i >= many or (depth >= deep and depth & (depth - 1) == 0):
                endless_check.check(path, numbers, waiting)
            break
        else:
            waiting.pop()
            numbers.pop()
            if path:
                path.pop()
    n = len(labels)
    return FlatTree(labels, parents, depths, _to_column(values, n), _to_column(edges, n))


def _describe(node: Any) -> tuple[Any, Any]:
    """Call the adapter of a node.

    Returns
    -------
    node : object
        The node itself; for a ``Part``, the node inside it.
    description : tuple, TreeNode or FlatTree
        What the adapter returned.
    """
    cls = type(node)
    if cls is TreeNode or cls is FlatTree:
        return node, node
    if cls is Part:
        node, adapter, edge = node
        description = adapter(node)
        if edge is not None:
            label, children, value, _ = description if len(description) == 4 else (*description, None, None)
            description = TreeNode(label, children, value, edge)
        return node, description
    if isinstance(node, str):
        return node, (node, ())
    description = (RESOLVED.get(cls) or find_adapter(cls))(node)
    is_valid = isinstance(description, tuple) and (
        len(description) in (2, 4) or type(description) is FlatTree
    )
    if not is_valid:
        raise TypeError(
            f"the adapter of {cls.__name__} must return (label, children) or a TreeNode, "
            f"got {excerpt(description)}"
        )
    return node, description


def _insert(
    flat: FlatTree, labels: list, parents: list[int], depths: list[int], values: dict, edges: dict
) -> None:
    """Insert a whole tree at the node whose parent and depth were appended last."""
    i, depth = len(labels), depths[-1]
    if type(flat.labels[0]) is not str:
        as_label(flat.labels[0], i)
    labels.extend(flat.labels)
    parents.extend([parent + i for parent in list(flat.parents)[1:]])
    depths.extend([d + depth for d in list(flat.depths)[1:]])
    values.update({k: v for k, v in enumerate(flat.values or (), start=i) if v is not None})
    edges.update({k: e for k, e in enumerate(flat.edges or (), start=i) if e is not None})


def _to_column(entries: dict, n_nodes: int) -> list | None:
    if not entries:
        return None
    column = [None] * n_nodes
    for i, entry in entries.items():
        column[i] = entry
    return column


def _iterate(children: Any, node: int) -> Iterator:
    # A str or a dict is iterable, but passing one as children is a mistake.
    if isinstance(children, (list, tuple)):
        return iter(children)
    if isinstance(children, (str, bytes, dict)) or not isinstance(children, Iterable):
        raise TypeError(f"the children of node {node} must be an iterable of nodes, got {excerpt(children)}")
    return iter(endless.read_children(children))  # EndlessCheck needs the length
