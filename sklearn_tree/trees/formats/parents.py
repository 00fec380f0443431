"""Conversion of lists of parents in any order to preorder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklearn_tree.trees.formats.node import FlatTree


def check_parents(parents: Sequence, n_nodes: int) -> list[int]:
    """Check that parents are valid and that exactly one node is a root.

    Parameters
    ----------
    parents : sequence of int or None
        Index of each node's parent, -1 or None for the root.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    list of int
        The parents, -1 for the root.

    Raises
    ------
    ValueError
        If an entry is invalid or the number of roots is not one.
    """
    parents = [-1 if p is None else p for p in parents]
    if len(parents) != n_nodes:
        raise ValueError(f"parents must have one entry per label: {n_nodes}, got {len(parents)}")
    for i, p in enumerate(parents):
        if not isinstance(p, (int, np.integer)) or isinstance(p, bool) or not -1 <= p < n_nodes:
            raise ValueError(f"parents must be ints in [-1, {n_nodes}), got {p!r} at node {i}")
    roots = [i for i, p in enumerate(parents) if p == -1]
    if len(roots) > 1:
        raise ValueError(f"a tree must have one root (parent -1), got {len(roots)}: nodes {roots[:5]}")
    if not roots:
        raise ValueError("a tree must have one root (parent -1), got none: the parents form a cycle")
    return parents


def to_preorder(parents: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Sort the nodes of a tree into preorder; siblings keep the order of their indices.

    Parameters
    ----------
    parents : list of int
        Index of each node's parent, -1 for the only root.

    Returns
    -------
    order : list of int
        The nodes in preorder.
    new_parents : list of int
        Position of each node's parent in ``order``, -1 for the root.
    depths : list of int
        Depth of each node.

    Raises
    ------
    ValueError
        If the parents contain a cycle.
    """
    children: list[list[int]] = [[] for _ in parents]
    for i, p in enumerate(parents):
        if p >= 0:
            children[p].append(i)
    order: list[int] = []
    new_parents: list[int] = []
    depths: list[int] = []
    stack = [(parents.index(-1), -1, 0)]
    while stack:
        node, parent, depth = stack.pop()
        position = len(order)
        order.append(node)
        new_parents.append(parent)
        depths.append(depth)
        stack.extend((child, position, depth + 1) for child in reversed(children[node]))
    if len(order) < len(parents):
        unreached = sorted(set(range(len(parents))) - set(order))
        raise ValueError(
            f"the parents contain a cycle: nodes {unreached[:5]} are not descendants of the root"
        )
    return order, new_parents, depths


def build_dependency_tree(words: list[str], heads: list[int], relations: list[str | None]) -> FlatTree:
    """Build the tree of a sentence from the head (-1 for the root) and the relation of each word."""
    order, parents, depths = to_preorder(check_parents(heads, len(words)))
    edges = [relations[i] if heads[i] >= 0 else None for i in order]
    return FlatTree([words[i] for i in order], parents, depths, None, edges)
