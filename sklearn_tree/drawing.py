"""Colours, fonts and escaping shared by all pictures."""

from __future__ import annotations

import re
from html import escape as escape_html
from typing import Any
from unicodedata import east_asian_width

import numpy as np

FOR, AGAINST = "230, 120, 20", "40, 110, 220"  # orange and blue, which colour-blind readers can distinguish
OPACITY = 0.5  # of the strongest colour, so that text on it stays readable
FONT = "font: 12px ui-monospace, monospace"
_SMALLEST_LIMIT = 0.05  # of the largest absolute value
CHAR = 7.4  # width of a character of FONT in pixels, rounded up so that no text is cut off

# Characters that XML 1.0 does not allow: control characters and lone surrogates.
_NOT_ALLOWED = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_SIZE = re.compile(r'<svg [^>]*?\bwidth="(\d+)" height="(\d+)"')


def keep_finite(values: Any) -> np.ndarray:
    """Return numbers of any shape as float64, with NaN and infinity replaced by 0."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isfinite(array), array, 0.0)


def find_limit(values: np.ndarray, limit: float | None = None, percentile: float = 95.0) -> float:
    """Return the absolute value that gets the full colour.

    Parameters
    ----------
    values : ndarray of float
        Finite numbers.
    limit : float, default=None
        The limit itself; None computes it from ``values``.
    percentile : float, default=95.0
        Percentile of the absolute values that is the limit. If it is 0, the largest absolute value is the
        limit, and if that is 0 too, 1. The limit is at least 5 % of the largest absolute value, so that noise
        does not get the full colour.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If ``limit`` is not positive and finite.
    """
    if limit is None:
        sizes = np.abs(values) if values.size else np.zeros(1)
        limit = np.percentile(sizes, percentile) or sizes.max() or 1.0
        return float(max(limit, _SMALLEST_LIMIT * sizes.max()))
    if not 0 < limit < np.inf:
        raise ValueError(f"limit must be a positive number, got {limit!r}")
    return float(limit)


def find_strengths(values: np.ndarray, limit: float) -> np.ndarray:
    """Divide finite values by ``limit`` and clip them to [-1, 1]."""
    with np.errstate(over="ignore"):  # infinite quotients are clipped
        return np.clip(values / limit, -1, 1)


def fill(strength: float, opacity: float = OPACITY) -> str:
    """Return the translucent CSS colour of a strength in [-1, 1], given the opacity of the strongest."""
    return f"rgba({FOR if strength > 0 else AGAINST}, {opacity * abs(strength):.2f})"


def mark(strength: float) -> str:
    """Return the CSS of a coloured text with a line below it, which is dashed for negative numbers."""
    if not strength:
        return ""
    line, colour = ("solid", FOR) if strength > 0 else ("dashed", AGAINST)
    opacity = 0.3 + 0.7 * abs(strength)
    return f"background: {fill(strength)}; border-bottom: 2px {line} rgba({colour}, {opacity:.2f})"


def escape(text: str) -> str:
    """Escape a text for HTML and SVG; characters that XML does not allow become U+FFFD."""
    return escape_html(_NOT_ALLOWED.sub("\ufffd", text))


def cut(text: str, longest: int) -> str:
    """Return a text on one line, truncated to ``longest`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def count_cells(text: str) -> int:
    """Return the width of a text in characters; wide East Asian characters count as two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def measure_svg(html: str) -> tuple[int, int] | None:
    """Return the width and height in pixels of a drawing that begins with an ``<svg>`` element, or None."""
    size = _SIZE.match(html)
    return None if size is None else (int(size[1]), int(size[2]))


def scroll(html: str) -> str:
    """Put a drawing in an element that scrolls if the drawing is wider than the page, also with the keyboard.

    A note above an ``<svg>`` element is visible only in this case: its height is a large multiple of the
    difference between the widths of the drawing and the page, limited to 0 and one line.
    """
    size, note = measure_svg(html), ""
    if size is not None:
        height = f"height: 0; padding-bottom: clamp(0px, ({size[0] - 8}px - 100%) * 9999, 18px)"
        text = '<text y="13" fill="currentColor">wider than the page: scroll \u2192</text>'
        svg = f'<svg width="240" height="18" style="{FONT}">{text}</svg>'  # pages without SVG need no note
        note = f'<div role="note" style="overflow: hidden; {height}">{svg}</div>'
    return f'{note}<div style="overflow-x: auto" tabindex="0">{html}</div>'
