"""Trees as outlines whose subtrees the reader folds and unfolds, without scripts."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.drawing import (
    cut,
    escape,
    find_limit,
    find_strengths,
    keep_finite,
    mark,
)
from sklearn_tree.trees import Tree
from sklearn_tree.trees.preorder import find_subtree_ends
from sklearn_tree.trees.svg import list_leaves

MAX_NODES = 100  # of an outline
MAX_LEVELS = 40  # nested elements slow browsers down
_N_IMPORTANT = 8  # nodes whose ancestors are open initially
_LONGEST = 40


def draw_outline(tree: Any, values: Sequence[float] | np.ndarray, *, limit: float | None = None) -> str:
    """Draw a tree as nested lists of its nodes, coloured by numbers; a click folds or unfolds a subtree.

    Parameters
    ----------
    tree : Tree or anything that ``Tree.from_any`` reads
        The tree. The outline has at most 100 nodes and 40 levels; a subtree with a large number in it is
        drawn first, and a line shows the number of the nodes left out.
    values : array-like of float, shape (n_nodes,)
        A number per node in preorder: orange if positive, blue and dashed if negative. NaN and infinity count
        as 0. Subtrees are open initially if they contain one of the eight largest absolute numbers.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 95th percentile, at least 5 % of the largest.

    Returns
    -------
    str
        HTML without scripts or external references, with all text escaped.

    Raises
    ------
    ValueError
        If ``values`` does not have one entry per node, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import draw_outline
    >>> draw_outline("(S (NP it) (VP works))", [1, 0.2, 0, 0.9, 0.8]).count("<details open>")
    3
    """
    tree = Tree.from_any(tree)
    numbers = keep_finite(values)
    if numbers.shape != (tree.n_nodes,):
        raise ValueError(f"values must have one entry per node: {tree.n_nodes}, got shape {numbers.shape}")
    strengths = find_strengths(numbers, find_limit(numbers, limit))
    children = _select(tree, np.abs(numbers))
    opened = _find_opened(children, np.abs(numbers))
    ends = find_subtree_ends(tree.depths)
    parts: list[str] = []
    stack: list[int | str] = [0]  # nodes, and tags between them
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        kept = children.get(item, [])
        hidden = int(ends[item] - item - 1 - sum(ends[child] - child for child in kept))
        label = _draw_label(tree, item, float(numbers[item]), float(strengths[item]))
        rest = f"\u2026 {hidden:,} more node{'s' * (hidden != 1)}" if hidden else ""
        if not kept:
            parts.append(f"{label} {rest}" if rest else label)
            continue
        parts.append(f"<details{' open' * (item in opened)}><summary>{label}</summary><ul>")
        items: list[int | str] = [x for child in kept for x in ("<li>", child, "</li>")]
        stack += reversed([*items, f"<li>{rest}</li>" if rest else "", "</ul></details>"])
    return f'<div class="sklt-outline">{"".join(parts)}</div>'


def _select(tree: Tree, sizes: np.ndarray) -> dict[int, list[int]]:
    """Choose the drawn children of each node; subtrees with the largest number in them come first."""
    largest = sizes.tolist()
    for node, parent in zip(range(tree.n_nodes - 1, 0, -1), tree.parents[:0:-1].tolist(), strict=True):
        largest[parent] = max(largest[parent], largest[node])
    chosen: dict[int, list[int]] = {}
    heap, room = [(-largest[0], 0)], MAX_NODES - 1
    while heap and room:
        _, node = heapq.heappop(heap)
        if tree.depths[node] < MAX_LEVELS:
            children = sorted(tree.children(node), key=lambda child: -largest[child])[:room]
            chosen[node] = sorted(children)
            room -= len(children)
            for child in children:
                heapq.heappush(heap, (-largest[child], child))
    return chosen


def _find_opened(children: dict[int, list[int]], sizes: np.ndarray) -> set[int]:
    """Return the drawn ancestors of the most important of the drawn nodes."""
    parents = {child: node for node, kept in children.items() for child in kept}
    opened = {0}
    for node in sorted(parents, key=lambda node: -sizes[node])[:_N_IMPORTANT]:
        while node in parents:
            node = parents[node]
            opened.add(node)
    return opened


def _draw_label(tree: Tree, node: int, value: float, strength: float) -> str:
    """Draw the label of a node, its number and, while it is folded, its leaves."""
    leaves = cut(" ".join(list_leaves(tree, node, _LONGEST)), _LONGEST)
    label = cut(str(tree.labels[node]), _LONGEST)
    note = f" <small>{escape(leaves)}</small>" if label and leaves else ""
    text = label or f"[{leaves}]"
    if tree.values is not None and tree.values[node] is not None:
        text = f"{text} = {tree.values[node]:.6g}"
    if tree.edges is not None and tree.edges[node] is not None:
        text = f"({cut(str(tree.edges[node]), _LONGEST)}) {text}"
    return f'<span style="{mark(strength)}">{escape(text)}</span> {value:+.3g}{note}'
