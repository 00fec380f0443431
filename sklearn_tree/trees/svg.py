"""Drawings of trees as SVG, readable on light and dark pages."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sklearn_tree.drawing import (
    AGAINST,
    FONT,
    FOR,
    cut,
    escape,
    fill,
    find_limit,
    find_strengths,
    keep_finite,
)
from sklearn_tree.trees.preorder import find_subtree_ends

MAX_LEAVES = 60  # trees with more leaves have small subtrees folded
MAX_LEVELS = 40  # all subtrees below this depth are folded
_CHAR, _GAP, _LEVEL, _MARGIN, _LONGEST_LABEL = 7.2, 10.0, 34.0, 14.0, 16
_EDGE_CHAR, _LONGEST_EDGE = 5.6, 14  # of the labels of edges, in a smaller font
_TRIANGLE = 26.0  # height of the triangle and the count below the label of a folded subtree
_LONGEST_TITLE = 120
OWN_COLOUR = "#767676"  # a grey with a contrast above 4 to white and to the black of dark pages
_N_TITLE_NODES = 200  # nodes of a subtree whose leaves its tooltip lists


class _DrawableTree(Protocol):
    """The attributes of a ``Tree`` that a drawing needs."""

    @property
    def labels(self) -> tuple: ...
    @property
    def depths(self) -> np.ndarray: ...
    @property
    def values(self) -> tuple | None: ...
    @property
    def edges(self) -> tuple | None: ...
    @property
    def n_nodes(self) -> int: ...
    def children(self, node: int) -> list[int]: ...


@dataclass(frozen=True)
class _Rows:
    """The drawn nodes of a tree in preorder.

    Attributes
    ----------
    texts : list of str
        Text drawn at each node.
    parents : list of int
        Row of the parent, -1 for the root.
    depths : list of int
        Depths in the drawing.
    nodes : list of int
        Nodes of the tree.
    hidden : list of int
        Number of nodes folded into each row.
    edges : list of str
        Labels of the edges above the nodes; empty if they have none.
    """

    texts: list[str]
    parents: list[int]
    depths: list[int]
    nodes: list[int]
    hidden: list[int]
    edges: list[str]


def draw_tree(
    tree: _DrawableTree,
    values: Sequence[float] | None = None,
    titles: Sequence[str] | None = None,
    *,
    limit: float | None = None,
    colour: str = "currentColor",
) -> str:
    """Draw a tree.

    Parameters
    ----------
    tree : Tree
        The tree. If it has more than 60 leaves or 40 levels, small subtrees are folded: a triangle with the
        number of hidden nodes replaces them.
    values : sequence of float, length n_nodes, default=None
        A number per node: orange if positive, blue and dashed if negative. The colour is proportional to the
        size relative to ``limit``. NaN and infinity count as 0.
    titles : sequence of str, length n_nodes, default=None
        Tooltip of each node. By default, its edge label, the leaves below it and its value.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 95th percentile, at least 5 % of the largest.
    colour : str, default="currentColor"
        CSS colour of texts and uncoloured edges. The default is the text colour of the page, which a drawing
        inside an ``<img>`` cannot read; ``OWN_COLOUR`` is readable on light and dark backgrounds.

    Returns
    -------
    str
        One ``<svg>`` element without scripts or external references, with all text escaped.

    Raises
    ------
    ValueError
        If ``values`` or ``titles`` does not have one entry per node, or ``limit`` is not positive.
    """
    for name, column in (("values", values), ("titles", titles)):
        if column is not None and len(column) != tree.n_nodes:
            raise ValueError(f"{name} must have one entry per node: {tree.n_nodes}, got {len(column)}")
    rows = _select_rows(tree)
    x, y, width, height = _place(rows)
    numbers = np.zeros(tree.n_nodes) if values is None else keep_finite(values)
    strengths = find_strengths(numbers, find_limit(numbers, limit))[rows.nodes]
    if titles is None:
        shown = [_make_title(tree, node, values) for node in rows.nodes]
    else:
        shown = [titles[node] for node in rows.nodes]
    edges = [
        _draw_edge(x, y, row, rows.parents[row], strengths[row], rows.edges[row])
        for row in range(1, len(rows.nodes))
    ]
    nodes = map(_draw_node, x, y, rows.texts, strengths, map(_note_hidden, shown, rows.hidden), rows.hidden)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{escape(_describe(rows))}" '
        f'style="{FONT}; color: {colour}; max-width: none">'
        f"{''.join(edges)}{''.join(nodes)}</svg>"
    )


def _describe(rows: _Rows) -> str:
    """Return the leaves of a drawing as a text for screen readers."""
    inner = set(rows.parents)
    words = [text for row, text in enumerate(rows.texts) if row not in inner and text]
    return cut(f"tree: {' '.join(words)}", _LONGEST_TITLE)


def _select_rows(tree: _DrawableTree) -> _Rows:
    """Return the rows of a drawing in preorder, with folded subtrees as one row each."""
    ends = find_subtree_ends(tree.depths).tolist()
    n_shown = _count_shown_children(tree, ends)
    rows = _Rows(texts=[], parents=[], depths=[], nodes=[], hidden=[], edges=[])
    stack = [(0, -1, 0)]  # node, row of the parent, and number of nodes if the row replaces several siblings
    while stack:
        node, parent, n_folded = stack.pop()
        row = len(rows.texts)
        is_open = node in n_shown and not n_folded
        rows.texts.append("" if n_folded else cut(str(tree.labels[node]), _LONGEST_LABEL))
        rows.parents.append(parent)
        rows.depths.append(rows.depths[parent] + 1 if parent >= 0 else 0)
        rows.nodes.append(node)
        edge = tree.edges[node] if tree.edges is not None and not n_folded and node else None
        rows.edges.append("" if edge is None else cut(str(edge), _LONGEST_EDGE))
        rows.hidden.append(n_folded or (0 if is_open else ends[node] - node - 1))
        if is_open:
            children, count = tree.children(node), n_shown[node]
            if count < len(children):
                stack.append((node, row, ends[node] - children[count]))
            stack.extend((child, row, 0) for child in reversed(children[:count]))
    return rows


def _count_shown_children(tree: _DrawableTree, ends: list[int]) -> dict[int, int]:
    """Choose the nodes whose children are drawn, and how many of them; the largest subtrees come first.

    A node that is an only child takes no additional room.
    """
    counts: dict[int, int] = {}
    heap = [(-ends[0], 0)]
    room = MAX_LEAVES - 1
    while heap:
        _, node = heapq.heappop(heap)
        children = tree.children(node)
        if not children or tree.depths[node] >= MAX_LEVELS or (len(children) > 1 and not room):
            continue
        count = min(len(children), room + 1)
        counts[node] = count
        room -= count - 1 + (count < len(children))
        for child in children[:count]:
            heapq.heappush(heap, (child - ends[child], child))
    return counts


def _place(rows: _Rows) -> tuple[list[float], list[float], float, float]:
    """Return the coordinates of all rows and the width and height of the drawing.

    Leaves are on the bottom line, from left to right. An inner node is centred above its first and last
    child.
    """
    n = len(rows.texts)
    is_leaf = [True] * n
    for parent in rows.parents[1:]:
        is_leaf[parent] = False
    widths = _find_widths(rows)
    bottom = max(rows.depths)
    x, y, right = [0.0] * n, [0.0] * n, _MARGIN
    first, last = [0.0] * n, [0.0] * n  # x of the first and the last child
    for row in range(n):
        y[row] = _MARGIN + _LEVEL * (bottom if is_leaf[row] else rows.depths[row])
        if is_leaf[row]:
            x[row] = first[row] = last[row] = right + widths[row] / 2
            right = x[row] + widths[row] / 2 + _GAP
    for row in range(n - 1, -1, -1):
        if not is_leaf[row]:
            x[row] = (first[row] + last[row]) / 2
        parent = rows.parents[row]
        if parent >= 0:
            last[parent] = last[parent] or x[row]
            first[parent] = x[row]
    width = max(right, max(x) + _CHAR * _LONGEST_LABEL / 2) + _MARGIN
    return x, y, width, _MARGIN * 2 + _LEVEL * bottom + 8 + _TRIANGLE * any(rows.hidden)


def _find_widths(rows: _Rows) -> list[float]:
    """Return the width of each row's text; an only child is at least as wide as its parent."""
    n_children = [0] * len(rows.texts)
    for parent in rows.parents[1:]:
        n_children[parent] += 1
    texts = zip(rows.texts, map(_format_count, rows.hidden), rows.edges, strict=True)
    widths = [
        max(_CHAR * max(len(text), len(count), 2), _EDGE_CHAR * len(edge)) for text, count, edge in texts
    ]
    for row in range(1, len(widths)):
        if n_children[rows.parents[row]] == 1:
            widths[row] = max(widths[row], widths[rows.parents[row]])
    return widths


def _format_count(hidden: int) -> str:
    return f"\u2026{hidden}" if hidden else ""


def _note_hidden(title: str, hidden: int) -> str:
    return f"{title} [{hidden} node{'s' * (hidden != 1)} folded]" if hidden else title


def _draw_edge(x: list, y: list, row: int, parent: int, strength: float, label: str) -> str:
    """Draw a slanted line over one level and a vertical one below it, so that no two edges cross.

    A label is written above the lower end.
    """
    colour = f"rgb({FOR if strength > 0 else AGAINST})" if strength else "currentColor"
    dash = ' stroke-dasharray="4 3"' if strength < 0 else ""
    end, text = y[row] - 9, ""
    if label:
        end -= 9
        style = ' font-size="9" font-style="italic" fill-opacity="0.7"'
        text = _draw_text(x[row], y[row] - 10, label, style)
    corner = min(y[parent] + _LEVEL - 9, end)
    return (
        f'<path d="M{x[parent]:.1f} {y[parent] + 8:.1f} L{x[row]:.1f} {corner:.1f} '
        f'V{end:.1f}" fill="none" stroke="{colour}" stroke-opacity="{0.5 + 0.4 * abs(strength):.2f}" '
        f'stroke-width="{1 + 1.5 * abs(strength):.1f}"{dash}/>{text}'
    )


def _draw_node(x: float, y: float, text: str, strength: float, title: str, hidden: int) -> str:
    """Draw a node: its label on a coloured box, or a dot if it has no label."""
    width = _CHAR * len(text) + 6
    box = ""
    if strength and text:
        dash = ""
        if strength < 0:
            dash = f' stroke="rgba({AGAINST}, {min(1, 2 * abs(strength)):.2f})" stroke-dasharray="3 2"'
        box = (
            f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="17" rx="4" '
            f'fill="{fill(strength)}"{dash}/>'
        )
    if not text:
        style = 'r="3" fill="currentColor" fill-opacity="0.5"'
        if strength:
            colour, share = FOR if strength > 0 else AGAINST, 0.4 + 0.6 * abs(strength)
            style = f'r="5" fill="rgb({colour})" fill-opacity="{share:.2f}"'
        box = f'<circle cx="{x:.1f}" cy="{y - 0.5:.1f}" {style}/>'
    triangle = _draw_triangle(x, y, hidden) if hidden else ""
    return f"<g><title>{escape(title)}</title>{box}{_draw_text(x, y + 4, text)}{triangle}</g>"


def _draw_triangle(x: float, y: float, hidden: int) -> str:
    """Draw the triangle that replaces a folded subtree, and its number of nodes."""
    corners = f"{x:.1f},{y + 9:.1f} {x - 9:.1f},{y + 19:.1f} {x + 9:.1f},{y + 19:.1f}"
    triangle = f'<polygon points="{corners}" fill="currentColor" fill-opacity="0.15" stroke="currentColor"/>'
    return triangle + _draw_text(x, y + 31, _format_count(hidden), ' font-style="italic" fill-opacity="0.7"')


def _draw_text(x: float, y: float, text: str, style: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="currentColor"{style}>{escape(text)}</text>'
    )


def _make_title(tree: _DrawableTree, node: int, values: Sequence[float] | None) -> str:
    """Return the default tooltip of a node: edge label, label, leaves below it and values."""
    leaves = list_leaves(tree, node, _N_TITLE_NODES)
    text = f"{tree.labels[node]}: {' '.join(leaves)}" if leaves else str(tree.labels[node])
    text = text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1] + "\u2026"
    if tree.values is not None and tree.values[node] is not None:
        text = f"{text} = {tree.values[node]:.6g}"
    if tree.edges is not None and tree.edges[node] is not None:
        text = f"({tree.edges[node]}) {text}"
    return text if values is None else f"{text} ({values[node]:+.3g})"


def list_leaves(tree: _DrawableTree, node: int, n_nodes: int) -> list[str]:
    """Return the labels of the leaves among the first nodes of a subtree, in order.

    Parameters
    ----------
    tree : Tree
        The tree.
    node : int
        Root of the subtree.
    n_nodes : int
        Number of nodes that are looked at, with the root.
    """
    labels, depths = [], tree.depths
    for i in range(node + 1, min(node + n_nodes, tree.n_nodes)):
        if depths[i] <= depths[node]:
            break
        if i + 1 == tree.n_nodes or depths[i + 1] <= depths[i]:
            labels.append(str(tree.labels[i]))
    return labels
