"""Nodes of several trees in batch order, computed by numba; equal to the result of numpy in ``nn.batch``."""

from __future__ import annotations

import numpy as np

from sklearn_tree.nn.compiled.jit import compile_function


@compile_function
def sort_nodes(depths: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sort nodes into batch order.

    Parameters
    ----------
    depths : ndarray of int32, shape (n_nodes,)
        Depth of each node; the nodes of a tree are in preorder.
    parents : ndarray of int64, shape (n_nodes,)
        Parent of each node, -1 for roots.

    Returns
    -------
    is_leaf : ndarray of bool, shape (n_nodes,)
        Whether each node is a leaf.
    order, position : ndarray of int64, shape (n_nodes,)
        Node at each position of the batch, and position of each node.
    children, ranks : ndarray of int64, shape (n_children,)
        All nodes except the roots by depth, and the position of each among its siblings.
    n_inner, n_leaves : ndarray of int64, shape (n_levels,)
        Number of inner nodes and of leaves at each depth.
    """
    n = len(depths)
    is_leaf = np.empty(n, np.bool_)
    n_levels = 1
    for i in range(n):
        is_leaf[i] = i + 1 == n or depths[i + 1] <= depths[i]
        n_levels = max(n_levels, depths[i] + 1)
    n_inner, n_leaves = np.zeros(n_levels, np.int64), np.zeros(n_levels, np.int64)
    for i in range(n):
        if is_leaf[i]:
            n_leaves[depths[i]] += 1
        else:
            n_inner[depths[i]] += 1

    next_inner, next_leaf = np.empty(n_levels, np.int64), np.empty(n_levels, np.int64)
    next_child = np.empty(n_levels, np.int64)
    inner, leaf, child = 0, n_inner.sum(), -n_inner[0] - n_leaves[0]
    for depth in range(n_levels):
        next_inner[depth], next_leaf[depth], next_child[depth] = inner, leaf, child
        inner += n_inner[depth]
        leaf += n_leaves[depth]
        child += n_inner[depth] + n_leaves[depth]

    order, position = np.empty(n, np.int64), np.empty(n, np.int64)
    children, ranks = np.empty(max(child, 0), np.int64), np.empty(max(child, 0), np.int64)
    n_siblings = np.zeros(n, np.int64)  # of each node: the number of its children so far
    for i in range(n):
        depth = depths[i]
        if is_leaf[i]:
            position[i] = next_leaf[depth]
            next_leaf[depth] += 1
        else:
            position[i] = next_inner[depth]
            next_inner[depth] += 1
        order[position[i]] = i
        if depth:
            children[next_child[depth]] = i
            ranks[next_child[depth]] = n_siblings[parents[i]]
            n_siblings[parents[i]] += 1
            next_child[depth] += 1
    return is_leaf, order, position, children, ranks, n_inner, n_leaves


@compile_function
def find_distinct(codes: np.ndarray, n_inner: int, n_codes: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Find the distinct codes of the inner nodes and those of the leaves.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Code of each node, from 0 to ``n_codes - 1``.
    n_inner : int
        Number of inner nodes, which precede the leaves.
    n_codes : int
        Number of codes; the cost is linear in it.

    Returns
    -------
    first : ndarray of int64, shape (n_distinct,)
        First node of each distinct code, sorted by the code; the inner nodes precede the leaves.
    inverse : ndarray of int64, shape (n,)
        Index in ``first`` of the code of each node.
    n_distinct_inner : int
        Number of inner nodes in ``first``.
    """
    first, inverse = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
    index, k, n_distinct_inner = np.empty(n_codes, np.int64), 0, 0
    for part in range(2):
        start, stop = (0, n_inner) if part == 0 else (n_inner, len(codes))
        index[:] = -1
        for node in range(start, stop):
            if index[codes[node]] < 0:
                index[codes[node]] = node
        for code in range(n_codes):
            if index[code] >= 0:
                first[k] = index[code]
                index[code] = k
                k += 1
        for node in range(start, stop):
            inverse[node] = index[codes[node]]
        if part == 0:
            n_distinct_inner = k
    return first[:k].copy(), inverse, n_distinct_inner
