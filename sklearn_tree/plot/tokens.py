"""Texts with their tokens coloured by numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.drawing import AGAINST, FOR, escape, fill, find_limit, find_strengths, keep_finite
from sklearn_tree.plot.picture import Picture, draw_legend

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
    style = "unicode-bidi: isolate; padding: 1px 2px"
    if strength:
        line, colour = ("solid", FOR) if strength > 0 else ("dashed", AGAINST)
        opacity = 0.3 + 0.7 * abs(strength)
        style += f"; background: {fill(strength)}; border-bottom: 2px {line} rgba({colour}, {opacity:.2f})"
    return f'<span title="{title}" style="{style}">{escape(_make_visible(token))}</span>'


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
