"""Drawing a tree as SVG: leaves on one line, readable on light and dark pages, no recursion."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from html import escape as escape_html
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from sklearn_tree.trees.tree import Tree

MAX_LEAVES = 60  # above, small subtrees are folded
MAX_LEVELS = 40  # below, everything is folded
_CHAR, _GAP, _LEVEL, _MARGIN, _LONGEST = 7.2, 10.0, 34.0, 14.0, 16
FOR, AGAINST = "230, 120, 20", "40, 110, 220"  # orange and blue: safe for the colour-blind


class _Shown(NamedTuple):
    """The part of a tree that is drawn, in preorder: texts, rows of parents, depths, tree nodes."""

    texts: list[str]
    parents: list[int]
    depths: list[int]
    nodes: list[int]
    is_fold: list[bool]


def draw_tree(tree: Tree, values: Sequence[float] | None = None, titles: Sequence[str] | None = None) -> str:
    """Draw a tree.

    Parameters
    ----------
    tree : Tree
        The tree; beyond 60 leaves or 40 levels small subtrees are folded to "... (n)".
    values : sequence of float, length n_nodes, default=None
        A number per node: orange when positive, blue and dashed when negative, as strong as its
        size relative to the 95th percentile.
    titles : sequence of str, length n_nodes, default=None
        Tooltip of each node; None shows the words below it and the value.

    Returns
    -------
    str
        One ``<svg>`` element without scripts or outside references, all text escaped.

    Raises
    ------
    ValueError
        If ``values`` or ``titles`` do not have one entry per node.
    """
    for name, column in (("values", values), ("titles", titles)):
        if column is not None and len(column) != tree.n_nodes:
            raise ValueError(f"{name} must have one entry per node: {tree.n_nodes}, got {len(column)}")
    shown = _select(tree)
    x, y, width, height = _place(shown)
    strengths = _strengths(values)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" '
        'style="font: 12px ui-monospace, monospace; color: currentColor; max-width: none">'
    ]
    for row in range(1, len(shown.texts)):
        parts.append(
            _edge(x, y, row, shown.parents[row], strengths[shown.nodes[row]] if len(strengths) else 0)
        )
    for row, text in enumerate(shown.texts):
        node = shown.nodes[row]
        strength = strengths[node] if len(strengths) else 0.0
        title = titles[node] if titles is not None else _title(tree, node, values)
        parts.append(_node(x[row], y[row], text, strength, title, shown.is_fold[row]))
    return "".join([*parts, "</svg>"])


def subtree_ends(depths: np.ndarray) -> list[int]:
    """For each node in preorder, one past the last node of its subtree."""
    ends = [0] * len(depths)
    waiting: list[int] = []
    for i, depth in enumerate(depths.tolist()):
        while waiting and depths[waiting[-1]] >= depth:
            ends[waiting.pop()] = i
        waiting.append(i)
    for i in waiting:
        ends[i] = len(depths)
    return ends


def _select(tree: Tree) -> _Shown:
    """Open the largest subtrees first until there are as many leaves as fit."""
    ends = subtree_ends(tree.depths)
    opened: dict[int, int] = {}  # node -> how many of its children are shown
    heap = [(-ends[0], 0)]
    budget = MAX_LEAVES - 1
    while heap and budget > 0:
        _, node = heapq.heappop(heap)
        children = tree.children(node)
        if not children or tree.depths[node] >= MAX_LEVELS:
            continue
        count = min(len(children), budget + 1)
        opened[node] = count
        budget -= count - 1 + (count < len(children))
        for child in children[:count]:
            heapq.heappush(heap, (child - ends[child], child))
    shown = _Shown([], [], [], [], [])
    stack = [(0, -1, 0)]
    while stack:
        node, parent, more = stack.pop()
        row = len(shown.texts)
        hidden = more or (ends[node] - node - 1 if node not in opened else 0)
        label = "" if more else _cut(str(tree.labels[node]))
        shown.texts.append(f"{label} \u2026({hidden})".strip() if hidden else label)
        shown.parents.append(parent)
        shown.depths.append(shown.depths[parent] + 1 if parent >= 0 else 0)
        shown.nodes.append(node)
        shown.is_fold.append(bool(hidden))
        if more or node not in opened:
            continue
        children, count = tree.children(node), opened[node]
        if count < len(children):
            stack.append((node, row, ends[node] - children[count]))
        stack.extend((child, row, 0) for child in reversed(children[:count]))
    return shown


# What XML 1.0 cannot hold: control characters and lone surrogates.
_UNPRINTABLE = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def escape(text: str) -> str:
    """Escape a text for HTML and SVG; what they cannot hold becomes U+FFFD."""
    return escape_html(_UNPRINTABLE.sub("\ufffd", text))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026"


def _place(shown: _Shown) -> tuple[list[float], list[float], float, float]:
    n = len(shown.texts)
    is_leaf = [True] * n
    for parent in shown.parents[1:]:
        is_leaf[parent] = False
    needed = _widths(shown)
    bottom = max(shown.depths)
    x, y, right = [0.0] * n, [0.0] * n, _MARGIN
    first, last = [0.0] * n, [0.0] * n
    for row in range(n):
        y[row] = _MARGIN + _LEVEL * (bottom if is_leaf[row] else shown.depths[row])
        if is_leaf[row]:
            half = needed[row] / 2
            x[row] = first[row] = last[row] = right + half
            right = x[row] + half + _GAP
    for row in range(n - 1, -1, -1):  # a node stands over the middle of its first and last child
        if not is_leaf[row]:
            x[row] = (first[row] + last[row]) / 2
        parent = shown.parents[row]
        if parent >= 0:
            last[parent] = last[parent] or x[row]
            first[parent] = x[row]
    width = max(right, max(x) + _CHAR * _LONGEST / 2) + _MARGIN
    return x, y, width, _MARGIN * 2 + _LEVEL * bottom + 8


def _widths(shown: _Shown) -> list[float]:
    """Room for each node: its text and, down a chain of only children, those above it."""
    siblings = [0] * len(shown.texts)
    for parent in shown.parents[1:]:
        siblings[parent] += 1
    widths = [max(_CHAR * len(text), 2 * _CHAR) for text in shown.texts]
    for row in range(1, len(widths)):
        if siblings[shown.parents[row]] == 1:
            widths[row] = max(widths[row], widths[shown.parents[row]])
    return widths


def _strengths(values: Sequence[float] | None) -> np.ndarray:
    if values is None:
        return np.zeros(0)
    array = np.nan_to_num(np.asarray(values, dtype=float))
    largest = np.percentile(np.abs(array), 95) or np.abs(array).max() or 1.0
    return np.clip(array / largest, -1, 1)


def _edge(x: list, y: list, row: int, parent: int, strength: float) -> str:
    colour = f"rgb({FOR if strength > 0 else AGAINST})" if strength else "currentColor"
    dash = ' stroke-dasharray="4 3"' if strength < 0 else ""
    return (
        f'<line x1="{x[parent]:.1f}" y1="{y[parent] + 8:.1f}" x2="{x[row]:.1f}" y2="{y[row] - 9:.1f}" '
        f'stroke="{colour}" stroke-opacity="{0.35 + 0.5 * abs(strength):.2f}" '
        f'stroke-width="{1 + 1.5 * abs(strength):.1f}"{dash}/>'
    )


def _node(x: float, y: float, text: str, strength: float, title: str, is_fold: bool) -> str:
    width = _CHAR * len(text) + 6
    box = ""
    if strength:
        colour = FOR if strength > 0 else AGAINST
        dash = f' stroke="rgb({colour})" stroke-dasharray="3 2"' if strength < 0 else ""
        box = (
            f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="17" rx="4" '
            f'fill="rgba({colour}, {0.5 * abs(strength):.2f})"{dash}/>'
        )
    style = ' font-style="italic" fill-opacity="0.7"' if is_fold else ""
    return (
        f"<g><title>{escape(title)}</title>{box}"
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" fill="currentColor"{style}>'
        f"{escape(text)}</text></g>"
    )


def _title(tree: Tree, node: int, values: Sequence[float] | None) -> str:
    words = [str(tree.labels[node])]
    depth = tree.depths[node]
    for i in range(node + 1, min(node + 200, tree.n_nodes)):
        if tree.depths[i] <= depth:
            break
        if i + 1 == tree.n_nodes or tree.depths[i + 1] <= tree.depths[i]:
            words.append(str(tree.labels[i]))
    text = f"{words[0]}: {' '.join(words[1:])}" if len(words) > 1 else words[0]
    text = text if len(text) <= 120 else text[:119] + "\u2026"
    return text if values is None else f"{text} ({values[node]:+.3g})"
