"""Bar charts of named numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.drawing import (
    AGAINST,
    CHAR,
    FOR,
    count_cells,
    cut,
    escape,
    fill,
    find_limit,
    find_strengths,
    keep_finite,
)
from sklearn_tree.plot.picture import Picture
from sklearn_tree.plot.svg import wrap_svg, write_text

_ROW, _WIDTH, _NUMBER, _LONGEST = 22, 360, 80, 32


def plot_importances(
    explainer_or_names: Any,
    values: Any = None,
    *,
    max_bars: int = 20,
    caption: str = "",
) -> Picture:
    """Draw the importances of features as bars, largest first.

    Parameters
    ----------
    explainer_or_names : object or sequence of str, length n_features
        A fitted explainer with ``feature_importances_`` and ``get_feature_names_out()``, or the names of
        ``values``.
    values : array-like of float, shape (n_features,), default=None
        A number per name; None uses the ``feature_importances_`` of the explainer.
    max_bars : int, default=20
        Maximum number of bars. The sum of the remaining numbers is written below them, without a bar.
    caption : str, default=""
        Text of the line above the drawing.

    Returns
    -------
    Picture
        Displayed in notebooks; ``save`` writes it to an HTML or SVG file.

    Raises
    ------
    TypeError
        If ``values`` is None and the first argument is not a fitted explainer.
    ValueError
        If ``values`` does not have one entry per name, or ``max_bars`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import plot_importances
    >>> plot_importances(["height", "width"], [0.7, -0.2], caption="two features")
    Picture('two features')
    """
    names = explainer_or_names
    if values is None:
        if not hasattr(explainer_or_names, "get_feature_names_out"):
            kind = type(explainer_or_names).__name__
            raise TypeError(
                "explainer_or_names must have feature_importances_ and get_feature_names_out() if values is "
                f"None, got {kind}"
            )
        names, values = explainer_or_names.get_feature_names_out(), explainer_or_names.feature_importances_
    return Picture(draw_bars(names, values, max_bars=max_bars), caption)


def draw_bars(names: Sequence[str], values: Any, *, limit: float | None = None, max_bars: int = 20) -> str:
    """Draw named numbers as bars in SVG, sorted by absolute value.

    Parameters
    ----------
    names : sequence of str, length n_names
        The names.
    values : array-like of float, shape (n_names,)
        A number per name: orange and to the right if positive; blue, dashed and to the left if negative. NaN
        and infinity count as 0.
    limit : float, default=None
        Absolute value that gets the full length; None uses the largest. Longer bars are cut, and a break
        marks them. With a limit, the zero line is always in the middle, so that drawings can be compared.
    max_bars : int, default=20
        Maximum number of bars. The sum of the remaining numbers is written below them, without a bar.

    Returns
    -------
    str
        One ``<svg>`` element without scripts or external references, with all text escaped.

    Raises
    ------
    ValueError
        If ``values`` does not have one entry per name, or ``limit`` or ``max_bars`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import draw_bars
    >>> "2 others" in draw_bars(["a", "b", "c"], [1, 5, -2], max_bars=1)
    True
    """
    names, values = [str(name) or "\u2205" for name in names], np.asarray(values, dtype=float)
    if values.shape != (len(names),):
        raise ValueError(f"values must have one entry per name: shape ({len(names)},), got {values.shape}")
    if max_bars < 1:
        raise ValueError(f"max_bars must be an int >= 1, got {max_bars!r}")
    n_all = len(names)
    names, values = _select(names, keep_finite(values), max_bars)
    has_others = len(values) > min(n_all, max_bars)
    kept = values[:-1] if has_others else values
    scale = find_limit(kept, limit, percentile=100)
    strengths = find_strengths(kept, scale)
    strengths = np.append(strengths, 0.0) if has_others else strengths  # the sum would hide the others
    left = CHAR * max((count_cells(cut(name, _LONGEST)) for name in names), default=0) + 8
    is_central = limit is not None or (values < 0).any()
    zero, length = (left + _WIDTH / 2, _WIDTH / 2) if is_central else (left, _WIDTH)
    rows = [
        f'<g transform="translate(0,{_ROW * i})"><title>{escape(f"{name} {value:+.3g}")}</title>'
        f"{write_text(left - 8, 17, cut(name, _LONGEST), 'end')}"
        f"{_draw_bar(zero, length, strength, is_cut=abs(value) > 1.0001 * scale)}"
        f"{write_text(left + _WIDTH + 8, 17, f'{value:+.3g}')}</g>"
        for i, (name, value, strength) in enumerate(zip(names, values, strengths, strict=True))
    ]
    height = _ROW * len(names) + 4
    axis = f'<path d="M{zero:.1f} 0V{height}" stroke="currentColor" stroke-opacity="0.5"/>'
    label = ", ".join(f"{name} {value:+.3g}" for name, value in zip(names, values, strict=True))
    return wrap_svg(left + _WIDTH + _NUMBER, height, "".join(rows) + axis, f"bars: {label}")


def _select(names: list[str], values: np.ndarray, max_bars: int) -> tuple[list[str], np.ndarray]:
    """Sort names and values by absolute value, and sum the values beyond ``max_bars``."""
    order = np.argsort(-np.abs(values), kind="stable")
    kept, rest = order[:max_bars], order[max_bars:]
    names, values = [names[i] for i in kept], values[order]
    if not len(rest):
        return names, values
    others = f"{len(rest)} other{'s' * (len(rest) != 1)}"
    return [*names, others], np.append(values[:max_bars], values[max_bars:].sum())


def _draw_bar(zero: float, length: float, strength: float, *, is_cut: bool) -> str:
    if not strength:
        return ""
    sign = 1 if strength > 0 else -1
    x, width = zero + length * min(strength, 0), length * abs(strength)
    edge = f'stroke="rgb({FOR})"' if sign > 0 else f'stroke="rgb({AGAINST})" stroke-dasharray="4 2"'
    bar = f'<rect x="{x:.1f}" y="5" width="{width:.1f}" height="15" fill="{fill(sign)}" {edge}/>'
    if not is_cut:
        return bar
    end = zero + sign * (length - 12)  # two slanted lines, as of a broken axis
    lines = "".join(f"M{end + shift:.1f} 22l6 -19" for shift in (-5, 0))
    return f'{bar}<path d="{lines}" fill="none" stroke="currentColor" stroke-width="1.5"/>'
