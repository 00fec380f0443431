"""Trees from lists of parents in any numbering."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sklearn_tree.trees.formats.registry import FlatTree


def check_parents(parents: Sequence, n: int) -> list[int]:
    """Return the parents of n nodes as ints, -1 for the root, or say what is wrong with them."""
    parents = [-1 if p is None else p for p in parents]
    if len(parents) != n:
        raise ValueError(f"parents must have one entry per label: {n}, got {len(parents)}")
    for i, p in enumerate(parents):
        if not isinstance(p, (int, np.integer)) or isinstance(p, bool) or not -1 <= p < n:
            raise ValueError(f"parents must hold ints from -1 to {n - 1}, got {p!r} at node {i}")
    roots = [i for i, p in enumerate(parents) if p == -1]
    if len(roots) > 1:
        raise ValueError(f"a tree has one root (parent -1), got {len(roots)}: nodes {roots[:5]}")
    if not roots:
        raise ValueError("a tree has one root (parent -1), got none: the parents form a cycle")
    return parents


def to_preorder(parents: list[int]) -> tuple[list[int], list[int], list[int]]:
    """Return the nodes in preorder, siblings by number; and the new parents and depths."""
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
        new = len(order)
        order.append(node)
        new_parents.append(parent)
        depths.append(depth)
        stack.extend((child, new, depth + 1) for child in reversed(children[node]))
    if len(order) < len(parents):
        lost = sorted(set(range(len(parents))) - set(order))
        raise ValueError(f"the parents contain a cycle: nodes {lost[:5]} never reach the root")
    return order, new_parents, depths


def dependency_tree(words: list[str], heads: list[int], relations: list[str | None]) -> FlatTree:
    """Build the tree of a sentence from each word's head (-1 for the root) and relation."""
    order, parents, depths = to_preorder(check_parents(heads, len(words)))
    edges = [relations[i] if heads[i] >= 0 else None for i in order]
    return FlatTree([words[i] for i in order], parents, depths, None, edges)
