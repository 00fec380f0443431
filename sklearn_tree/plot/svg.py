"""Parts of drawings in SVG, and images made of several drawings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from sklearn_tree.drawing import AGAINST, CHAR, FONT, FOR, count_cells, escape, measure_svg

_GAP, _MARGIN, _LINE = 6, 12, 16
_COLUMNS, _MAX_LINES = 100, 4  # of a paragraph


def wrap_svg(
    width: float, height: float, drawing: str, label: str | None = None, style: str = "max-width: none"
) -> str:
    """Wrap a drawing in an ``<svg>`` element that can be written to a file.

    Parameters
    ----------
    width, height : float
        Size in pixels.
    drawing : str
        Elements of SVG.
    label : str, default=None
        Text for screen readers, which is escaped; None if the parts of the drawing have their own.
    style : str
        CSS.
    """
    role = 'role="group"' if label is None else f'role="img" aria-label="{escape(label)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" {role} style="{FONT}; {style}">{drawing}</svg>'
    )


def underline(left: float, right: float, y: float, strength: float) -> str:
    """Draw a horizontal line: solid and orange for positive strengths, dashed and blue for negative ones."""
    dash = "" if strength > 0 else ' stroke-dasharray="4 2"'
    colour = f"rgba({FOR if strength > 0 else AGAINST}, {0.3 + 0.7 * abs(strength):.2f})"
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{colour}" stroke-width="2"{dash}/>'


def write_text(x: float, y: float, text: str, anchor: str = "start") -> str:
    """Draw a text in the text colour of the page."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{escape(text)}</text>'


def stack_svg(drawings: Iterable[str]) -> str:
    """Place drawings below each other.

    Parameters
    ----------
    drawings : iterable of str
        ``<svg>`` elements with a width and a height.

    Returns
    -------
    str
        One ``<svg>`` element.
    """
    parts, width, y = [], 0, 0
    for drawing in drawings:
        size = measure_svg(drawing)
        assert size is not None, "drawings have a width and a height"
        parts.append(f'<svg y="{y}" ' + drawing.removeprefix("<svg "))
        width, y = max(width, size[0]), y + size[1] + _GAP
    return wrap_svg(width, max(0, y - _GAP), "".join(parts))


def frame_svg(drawing: str) -> str:
    """Draw an ``<svg>`` element on a white background, readable on light and dark pages and as a file."""
    size = measure_svg(drawing)
    assert size is not None, "the drawing has a width and a height"
    background = '<rect width="100%" height="100%" rx="6" fill="#fff"/>'
    inner = f'<svg x="{_MARGIN}" y="{_MARGIN}" ' + drawing.removeprefix("<svg ")
    style = "color: #111; max-width: 100%; height: auto"
    return wrap_svg(size[0] + 2 * _MARGIN, size[1] + 2 * _MARGIN, background + inner, style=style)


def write_svg_lines(text: str, *, bold: bool = False) -> str:
    """Write a text as an ``<svg>`` element of at most four lines.

    Parameters
    ----------
    text : str
        The text; it is escaped.
    bold : bool, default=False
        Whether the text is bold.
    """
    lines = textwrap.wrap(text, _COLUMNS, max_lines=_MAX_LINES, placeholder=" \u2026") or [""]
    parts = [write_text(0, _LINE * i + 12, line) for i, line in enumerate(lines)]
    width = CHAR * max(map(count_cells, lines)) + 2
    style = "font-weight: bold" if bold else "max-width: none"
    return wrap_svg(width, _LINE * len(lines), "".join(parts), text, style)
