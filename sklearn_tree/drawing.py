"""Colours, fonts and escaping shared by all pictures."""

from __future__ import annotations

import re
from html import escape as escape_html
from typing import Any

import numpy as np

FOR, AGAINST = "230, 120, 20", "40, 110, 220"  # orange and blue, which colour-blind readers can distinguish
OPACITY = 0.5  # of the strongest colour, so that text on it stays readable
FONT = "font: 12px ui-monospace, monospace"
_SMALLEST_LIMIT = 0.05  # of the largest absolute value
CHAR = 7.4  # width of a character of FONT in pixels, rounded up so that no text is cut off

# Characters that XML 1.0 does not allow: control characters and lone surrogates.
_NOT_ALLOWED = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


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


def escape(text: str) -> str:
    """Escape a text for HTML and SVG; characters that XML does not allow become U+FFFD."""
    return escape_html(_NOT_ALLOWED.sub("\ufffd", text))


def cut(text: str, longest: int) -> str:
    """Return a text on one line, truncated to ``longest`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "\u2026"


def scroll(html: str) -> str:
    """Put a drawing in an element that scrolls if the drawing is wider than the page."""
    return f'<div style="overflow-x: auto">{html}</div>'
