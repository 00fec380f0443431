"""Trees, texts and named numbers as plain text, for terminals."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.drawing import cut
from sklearn_tree.trees.svg import list_leaves

_WIDTH, _LONGEST, _BAR = 100, 40, 24
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~&-])")  # characters with a meaning in Markdown or HTML
_SMALLEST = 0.05  # of the largest absolute number; smaller ones are not written beside tokens


def write_tree(tree: Any, values: np.ndarray, max_lines: int = 24) -> str:
    """Write a tree, one line per node: a signed number and the label, indented by depth.

    Parameters
    ----------
    tree : Tree
        The tree.
    values : ndarray of float, shape (n_nodes,)
        A number per node.
    max_lines : int, default=24
        Number of nodes with the largest absolute numbers that are written, with their ancestors. Three dots
        replace the others.

    Returns
    -------
    str
    """
    kept = np.zeros(tree.n_nodes, dtype=bool)
    kept[np.argsort(-np.abs(values), kind="stable")[:max_lines]] = True
    depths = np.asarray(tree.depths)
    path: list[int] = []
    for node in range(tree.n_nodes):
        path[depths[node] :] = [node]
        if kept[node]:
            kept[path] = True
    lines = []
    for node in range(tree.n_nodes):
        if kept[node]:
            label = cut(
                str(tree.labels[node]) or f"[{' '.join(list_leaves(tree, node, _LONGEST + 1))}]", _LONGEST
            )
            lines.append(f"{values[node]:+9.3g}  {'  ' * depths[node]}{label}")
        elif node == 0 or kept[node - 1]:
            lines.append(f"{'':9}  {'  ' * depths[node]}\u2026")
    return "\n".join(lines)


def write_tokens(tokens: Sequence[str], values: np.ndarray) -> str:
    """Write a text with the larger numbers after their tokens: ``not(-0.8) a great(+1.2) film``.

    Parameters
    ----------
    tokens : sequence of str, length n_tokens
        Tokens in order.
    values : ndarray of float, shape (n_tokens,)
        A number per token.

    Returns
    -------
    str
    """
    limit = _SMALLEST * np.abs(values).max(initial=0)
    words = [
        f"{cut(str(token), _LONGEST)}({value:+.2g})" if abs(value) > limit else cut(str(token), _LONGEST)
        for token, value in zip(tokens, values, strict=True)
    ]
    return textwrap.fill(" ".join(words), _WIDTH, break_long_words=False, break_on_hyphens=False)


def write_markdown_tokens(tokens: Sequence[str], values: np.ndarray) -> str:
    """Write a text as Markdown, with bold tokens for positive numbers and italic ones for negative numbers.

    Parameters
    ----------
    tokens : sequence of str, length n_tokens
        Tokens in order.
    values : ndarray of float, shape (n_tokens,)
        A number per token; small ones are left out.

    Returns
    -------
    str
    """
    limit = _SMALLEST * np.abs(values).max(initial=0)
    words = []
    for token, value in zip(tokens, values.tolist(), strict=True):
        word, mark = escape_markdown(str(token)) or "\u2205", "**" if value > 0 else "*"
        words.append(f"{mark}{word}{mark} ({value:+.2g})" if abs(value) > limit else word)
    return " ".join(words)


def escape_markdown(text: str) -> str:
    """Escape the characters of a text that have a meaning in Markdown or HTML; line breaks become spaces."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def write_bars(names: Sequence[str], values: np.ndarray, max_bars: int = 12) -> str:
    """Write named numbers as bars, the largest absolute number first.

    Parameters
    ----------
    names : sequence of str, length n_names
        The names.
    values : ndarray of float, shape (n_names,)
        A number per name.
    max_bars : int, default=12
        Maximum number of bars.

    Returns
    -------
    str
    """
    order = np.argsort(-np.abs(values), kind="stable")[:max_bars]
    largest = np.abs(values[order]).max(initial=0) or 1.0
    shown = [cut(str(names[i]), _LONGEST) for i in order]
    width = max(map(len, shown), default=0)
    lines = []
    for name, value in zip(shown, values[order].tolist(), strict=True):
        bar = ("+" if value > 0 else "-") * round(_BAR * abs(value) / largest)
        lines.append(f"{name:{width}}  {value:+9.3g}  {bar}")
    return "\n".join(line.rstrip() for line in lines)
