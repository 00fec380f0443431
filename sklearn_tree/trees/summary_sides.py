"""Summaries of the two sides of arrays of pairs."""

from __future__ import annotations

from typing import Any

from sklearn_tree.drawing import FOR, cut, escape
from sklearn_tree.trees.summary_html import PAGE


def draw_sides(title: str, sides: dict[str, Any]) -> str:
    """Draw the summaries of the sides of pairs, one below the other.

    Parameters
    ----------
    title : str
        Heading.
    sides : dict of str to TreeArray, RaggedArray, ndarray or Tensor
        Samples of each side by its name.

    Returns
    -------
    str
        One ``<div>`` element without scripts or external references, with all text escaped.
    """
    parts = [
        f'<div style="margin: 0.6em 0; padding-left: 0.8em; border-left: 2px solid rgba({FOR}, 0.6)">'
        f"<div><bdi>{escape(cut(name, 80))}</bdi></div>{_draw(side)}</div>"
        for name, side in sides.items()
    ]
    return f'<div style="{PAGE}"><div><b>{escape(title)}</b></div>{"".join(parts)}</div>'


def write_sides(title: str, sides: dict[str, Any]) -> str:
    """Write the summaries of the sides of pairs, one below the other.

    Parameters
    ----------
    title : str
        First line.
    sides : dict of str to TreeArray, RaggedArray, ndarray or Tensor
        Samples of each side by its name.

    Returns
    -------
    str
    """
    lines = [title]
    for name, side in sides.items():
        text = str(side) if hasattr(side, "_repr_html_") else _describe(side)
        lines += [f"  {line}" for line in f"{cut(name, 80)}: {text}".splitlines()]
    return "\n".join(lines)


def _draw(side: Any) -> str:
    return side._repr_html_() if hasattr(side, "_repr_html_") else f"<div>{escape(_describe(side))}</div>"


def _describe(side: Any) -> str:
    """Return the class, dtype and shape of an array or tensor in words."""
    return f"{type(side).__name__} of {side.dtype}, shape {tuple(side.shape)}"
