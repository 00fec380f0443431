"""Texts with their tokens coloured by numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from unicodedata import bidirectional

import numpy as np

from sklearn_tree.drawing import (
    CHAR,
    count_cells,
    cut,
    escape,
    fill,
    find_limit,
    find_strengths,
    keep_finite,
    mark,
)
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.plot.svg import underline, wrap_svg, write_text

_WIDTH, _LINE, _LONGEST, _MAX_TOKENS = 720, 26, 60, 400  # of texts in SVG
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def plot_tokens(
    tokens: Sequence[str],
    values: Any,
    *,
    limit: float | None = None,
    caption: str = "",
) -> Picture:
    """Draw a text with its tokens coloured by numbers.

    Parameters
    ----------
    tokens : sequence of str, length n_tokens
        Tokens in order.
    values : array-like of float, shape (n_tokens,)
        A number per token: orange and underlined if positive, blue and dashed if negative. NaN and infinity
        count as 0.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 95th percentile, at least 5 % of the largest.
    caption : str, default=""
        Text of the line above the drawing.

    Returns
    -------
    Picture
        Displayed in notebooks; ``save`` writes it to a file.

    Raises
    ------
    ValueError
        If ``values`` does not have one entry per token, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import plot_tokens
    >>> plot_tokens(["not", "a", "great", "film"], [-0.8, 0.0, 0.5, 0.1], caption="a review")
    Picture('a review')
    """
    return Picture(draw_tokens(tokens, values, limit=limit), caption)


def draw_tokens(
    tokens: Sequence[str],
    values: Any,
    *,
    limit: float | None = None,
    legend: bool = True,
    gaps: Sequence[str] | None = None,
) -> str:
    """Draw a text as HTML with its tokens coloured by numbers.

    Parameters
    ----------
    tokens : sequence of str, length n_tokens
        Tokens in order. A token of spaces is drawn as ``␣``, an empty one as ``∅``. Control characters,
        including those that change the writing direction, are drawn as escape sequences.
    values : array-like of float, shape (n_tokens,)
        A number per token.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 95th percentile, at least 5 % of the largest.
    legend : bool, default=True
        Whether the legend of the colours is drawn.
    gaps : sequence of str, length n_tokens + 1, default=None
        Texts before, between and after the tokens; None separates tokens by spaces.

    Returns
    -------
    str
        One ``<div>`` element without scripts or external references, with all text escaped.

    Raises
    ------
    ValueError
        If ``values`` does not have one entry per token, ``gaps`` not one more, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import draw_tokens
    >>> draw_tokens(["a", "<b>"], [0, 1]).count("<span ")
    2
    """
    tokens = [str(token) for token in tokens]
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != (len(tokens),):
        raise ValueError(f"values must have one entry per token: shape ({len(tokens)},), got {numbers.shape}")
    shown = keep_finite(numbers)
    limit = find_limit(shown, limit)
    strengths = find_strengths(shown, limit)
    spans = list(map(_draw_token, tokens, numbers.tolist(), strengths.tolist()))
    if gaps is None:
        gaps = ["", *[" "] * (len(spans) - 1), ""]
    elif len(gaps) != len(spans) + 1:
        raise ValueError(f"gaps must have one entry more than tokens: {len(spans) + 1}, got {len(gaps)}")
    text = "".join(escape(gap) + span for gap, span in zip(gaps, [*spans, ""], strict=False))
    # The first letters determine the writing direction. Every token is isolated from its neighbours, so a
    # right-to-left token does not reorder them.
    return (
        '<div><div dir="auto" style="line-height: 2; white-space: pre-wrap; overflow-wrap: anywhere">'
        f"{text}</div>{draw_legend(limit, values=shown) if legend else ''}</div>"
    )


def _draw_token(token: str, value: float, strength: float) -> str:
    title = escape(f"{repr(token)[:120]} {value:+.3g}")
    style = f"unicode-bidi: isolate; padding: 1px 2px; {mark(strength)}"
    return f'<span title="{title}" style="{style}">{escape(_make_visible(token))}</span>'


def draw_tokens_svg(
    tokens: Sequence[str], values: Any, *, limit: float | None = None, gaps: Sequence[str] | None = None
) -> str:
    """Draw the first 400 tokens of a text as one ``<svg>`` element; see :func:`draw_tokens`."""
    shown = keep_finite(values)
    strengths = find_strengths(shown, find_limit(shown, limit)).tolist()
    words = [cut(_make_visible(str(token)), _LONGEST) for token in tokens[:_MAX_TOKENS]]
    is_spaced = [gaps is None or bool(gaps[i]) for i in range(len(words))]
    x, y, boxes = 0.0, 0, []
    for word, has_space in zip(words, is_spaced, strict=True):
        width = CHAR * count_cells(word) + 2
        x += CHAR * (has_space and x > 0)
        if x and x + width > _WIDTH:
            x, y = 0.0, y + _LINE
        boxes.append((x, y, width))
        x += width
    total = max((left + width for left, _, width in boxes), default=0.0)
    if _is_right_to_left(tokens):
        boxes = [(total - left - width, top, width) for left, top, width in boxes]
    parts = list(map(_draw_box, words, boxes, strengths))
    if len(tokens) > len(words):
        y += _LINE
        parts.append(write_text(0, y + 15, f"\u2026 {len(tokens) - len(words):,} more tokens"))
    return wrap_svg(total + 1, y + _LINE, "".join(parts), " ".join(words))


def _draw_box(word: str, box: tuple[float, int, float], strength: float) -> str:
    left, top, width = box
    text = write_text(left + width / 2, top + 15, word, "middle")
    if not strength:
        return text
    area = f'<rect x="{left:.1f}" y="{top + 2}" width="{width:.1f}" height="18" fill="{fill(strength)}"/>'
    return area + underline(left, left + width, top + 20, strength) + text


def _is_right_to_left(tokens: Sequence[str]) -> bool:
    """Return whether the first letter with a direction is written from right to left."""
    directions = (bidirectional(character) for token in tokens for character in str(token))
    return next((name for name in directions if name in ("L", "R", "AL")), "L") != "L"


def _make_visible(token: str) -> str:
    if not token.strip(" "):
        return "\u2423" * len(token) or "\u2205"
    return _INVISIBLE.sub(_escape_character, token)


def _escape_character(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def find_gaps(text: str, tokens: Sequence[str]) -> list[str] | None:
    """Return the texts before, between and after the tokens of a text.

    Parameters
    ----------
    text : str
        The text.
    tokens : sequence of str, length n_tokens
        Its tokens in order.

    Returns
    -------
    list of str, length n_tokens + 1, or None
        None if a token does not occur in the text after the one before it.
    """
    gaps, at = [], 0
    for token in tokens:
        start = text.find(token, at)
        if start < 0:
            return None
        gaps.append(text[at:start])
        at = start + len(token)
    return [*gaps, text[at:]]
