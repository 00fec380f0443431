"""Drawing a tree as SVG: leaves on one line, readable on light and dark pages, no recursion."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from html import escape as escape_html
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from sklearn_tree.trees.tree import Tree

MAX_LEAVES = 60  # above, small subtrees are folded
MAX_LEVELS = 40  # below, everything is folded
_CHAR, _GAP, _LEVEL, _MARGIN, _LONGEST = 7.2, 10.0, 34.0, 14.0, 16
_ROOF = 26.0  # below the label of a folded subtree: a triangle and a count
FOR, AGAINST = "230, 120, 20", "40, 110, 220"  # orange and blue: safe for the colour-blind
OPACITY = 0.5  # of the strongest: the text over it stays readable


class _Shown(NamedTuple):
    """What is drawn of a tree, in preorder: texts, rows of parents, depths, tree nodes, nodes folded."""

    texts: list[str]
    parents: list[int]
    depths: list[int]
    nodes: list[int]
    hidden: list[int]


def draw_tree(
    tree: Tree,
    values: Sequence[float] | None = None,
    titles: Sequence[str] | None = None,
    *,
    limit: float | None = None,
) -> str:
    """Draw a tree.

    Parameters
    ----------
    tree : Tree
        The tree; beyond 60 leaves or 40 levels small subtrees are folded: a triangle stands for
        them, below it the number of their nodes.
    values : sequence of float, length n_nodes, default=None
        A number per node: orange when positive, blue and dashed when negative, as strong as its
        size relative to ``limit``. What is not finite counts as 0.
    titles : sequence of str, length n_nodes, default=None
        Tooltip of each node; None shows its edge, the words below it and the value.
    limit : float, default=None
        The size that gets the full colour; None takes the 95th percentile of the sizes.

    Returns
    -------
    str
        One ``<svg>`` element without scripts or outside references, all text escaped.

    Raises
    ------
    ValueError
        If ``values`` or ``titles`` do not have one entry per node, or ``limit`` is not positive.
    """
    for name, column in (("values", values), ("titles", titles)):
        if column is not None and len(column) != tree.n_nodes:
            raise ValueError(f"{name} must have one entry per node: {tree.n_nodes}, got {len(column)}")
    shown = _select(tree)
    x, y, width, height = _place(shown)
    numbers = np.zeros(tree.n_nodes) if values is None else keep_finite(values)
    strengths = find_strengths(numbers, find_limit(numbers, limit))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" '
        'style="font: 12px ui-monospace, monospace; color: currentColor; max-width: none">'
    ]
    for row in range(1, len(shown.texts)):
        parts.append(_edge(x, y, row, shown.parents[row], strengths[shown.nodes[row]]))
    for row, (text, node, hidden) in enumerate(zip(shown.texts, shown.nodes, shown.hidden, strict=True)):
        title = titles[node] if titles is not None else _title(tree, node, values)
        if hidden:
            title = f"{title} [{hidden} node{'s' * (hidden != 1)} folded]"
        parts.append(_node(x[row], y[row], text, strengths[node], title, hidden))
    return "".join([*parts, "</svg>"])


def keep_finite(values: Any) -> np.ndarray:
    """Numbers of any shape as float64; NaN and infinity become 0."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array, 0.0)


def find_limit(values: np.ndarray, limit: float | None = None, percentile: float = 95.0) -> float:
    """Find the size that gets the full colour: by default a percentile; if that is 0 the largest, then 1."""
    if limit is None:
        sizes = np.abs(values) if values.size else np.zeros(1)
        return float(np.percentile(sizes, percentile) or sizes.max() or 1.0)
    if not 0 < limit < np.inf:
        raise ValueError(f"limit must be a positive number, got {limit!r}")
    return float(limit)


def find_strengths(values: np.ndarray, limit: float) -> np.ndarray:
    """Divide finite values by ``limit`` and clip to -1 .. 1."""
    with np.errstate(over="ignore"):  # infinity is clipped too
        return np.clip(values / limit, -1, 1)


def fill(strength: float) -> str:
    """Colour of a strength in -1 .. 1, translucent: the page shows through."""
    return f"rgba({FOR if strength > 0 else AGAINST}, {OPACITY * abs(strength):.2f})"


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
    """Open the largest subtrees first until there are as many leaves as fit; only children take no room."""
    ends = subtree_ends(tree.depths)
    opened: dict[int, int] = {}  # node -> how many of its children are shown
    heap = [(-ends[0], 0)]
    budget = MAX_LEAVES - 1
    while heap:
        _, node = heapq.heappop(heap)
        children = tree.children(node)
        if not children or tree.depths[node] >= MAX_LEVELS or (len(children) > 1 and not budget):
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
        shown.texts.append("" if more else cut(str(tree.labels[node])))
        shown.parents.append(parent)
        shown.depths.append(shown.depths[parent] + 1 if parent >= 0 else 0)
        shown.nodes.append(node)
        shown.hidden.append(hidden)
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


def cut(text: str, longest: int = _LONGEST) -> str:
    """Put a text on one line and shorten it."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


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
    return x, y, width, _MARGIN * 2 + _LEVEL * bottom + 8 + _ROOF * any(shown.hidden)


def _widths(shown: _Shown) -> list[float]:
    """Room for each node: its text and, down a chain of only children, those above it."""
    siblings = [0] * len(shown.texts)
    for parent in shown.parents[1:]:
        siblings[parent] += 1
    texts = zip(shown.texts, map(_count, shown.hidden), strict=True)
    widths = [_CHAR * max(len(text), len(count), 2) for text, count in texts]
    for row in range(1, len(widths)):
        if siblings[shown.parents[row]] == 1:
            widths[row] = max(widths[row], widths[shown.parents[row]])
    return widths


def _count(hidden: int) -> str:
    return f"\u2026{hidden}" if hidden else ""


def _edge(x: list, y: list, row: int, parent: int, strength: float) -> str:
    """Draw a line one level down and from there straight down, so that none crosses a neighbour's."""
    colour = f"rgb({FOR if strength > 0 else AGAINST})" if strength else "currentColor"
    dash = ' stroke-dasharray="4 3"' if strength < 0 else ""
    return (
        f'<path d="M{x[parent]:.1f} {y[parent] + 8:.1f} L{x[row]:.1f} {y[parent] + _LEVEL - 9:.1f} '
        f'V{y[row] - 9:.1f}" fill="none" stroke="{colour}" stroke-opacity="{0.35 + 0.5 * abs(strength):.2f}" '
        f'stroke-width="{1 + 1.5 * abs(strength):.1f}"{dash}/>'
    )


def _node(x: float, y: float, text: str, strength: float, title: str, hidden: int) -> str:
    width = _CHAR * len(text) + 6
    box = ""
    if strength:
        dash = f' stroke="rgb({AGAINST})" stroke-dasharray="3 2"' if strength < 0 else ""
        box = (
            f'<rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="17" rx="4" '
            f'fill="{fill(strength)}"{dash}/>'
        )
    if not text:  # a node without a label is a dot
        box += f'<circle cx="{x:.1f}" cy="{y - 0.5:.1f}" r="3" fill="currentColor" fill-opacity="0.5"/>'
    roof = _roof(x, y, hidden) if hidden else ""
    return f"<g><title>{escape(title)}</title>{box}{_text(x, y + 4, text)}{roof}</g>"


def _roof(x: float, y: float, hidden: int) -> str:
    """Draw the triangle that stands for a folded subtree, and the number of its nodes."""
    corners = f"{x:.1f},{y + 9:.1f} {x - 9:.1f},{y + 19:.1f} {x + 9:.1f},{y + 19:.1f}"
    triangle = f'<polygon points="{corners}" fill="currentColor" fill-opacity="0.15" stroke="currentColor"/>'
    return triangle + _text(x, y + 31, _count(hidden), ' font-style="italic" fill-opacity="0.7"')


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="currentColor"{style}>{escape(text)}</text>'
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
    if tree.values is not None and tree.values[node] is not None:
        text = f"{text} = {tree.values[node]:.6g}"
    if tree.edges is not None and tree.edges[node] is not None:
        text = f"({tree.edges[node]}) {text}"
    return text if values is None else f"{text} ({values[node]:+.3g})"
