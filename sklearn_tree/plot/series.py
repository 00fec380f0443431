"""Line charts of series with their steps coloured by numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.drawing import AGAINST, FOR, OPACITY, cut, find_limit, find_strengths, keep_finite
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.plot.svg import underline, wrap_svg, write_text

MAX_STRIPS = 360  # of two pixels each
_LEFT, _WIDTH, _RIGHT = 8, 720, 80
_LABEL, _HEIGHT, _CHANNEL = 18, 44, 76  # heights of a channel: its label, its strips, in total


def plot_series(
    series: Any,
    values: Any,
    *,
    names: Sequence[str] | None = None,
    limit: float | None = None,
    caption: str = "",
) -> Picture:
    """Draw a series as lines over strips coloured by numbers.

    Parameters
    ----------
    series : array-like of float, shape (n_steps, n_channels) or (n_steps,)
        The series, without missing values.
    values : array-like of float, shape of ``series``
        A number per step and channel: orange if positive, blue and dashed if negative. NaN and infinity count
        as 0.
    names : sequence of str, length n_channels, default=None
        Names of the channels; None uses their numbers.
    limit : float, default=None
        Absolute value that gets the full colour in all channels; None uses the 95th percentile, at least 5 %
        of the largest.
    caption : str, default=""
        Text of the line above the drawing.

    Returns
    -------
    Picture
        Displayed in notebooks; ``save`` writes it to an HTML or SVG file.

    Raises
    ------
    ValueError
        If the shapes differ or are empty, ``series`` is not finite, ``names`` does not have one entry
        per channel, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import plot_series
    >>> plot_series([20.5, 21.0, 24.5], [0.0, 0.1, 0.9], names=["temperature"], caption="a warm day")
    Picture('a warm day')
    """
    return Picture(draw_series(series, values, names=names, limit=limit), caption)


def draw_series(
    series: Any,
    values: Any,
    *,
    names: Sequence[str] | None = None,
    limit: float | None = None,
    legend: bool = True,
) -> str:
    """Draw a series as SVG: one line per channel over strips coloured by numbers.

    Parameters
    ----------
    series : array-like of float, shape (n_steps, n_channels) or (n_steps,)
        The series, without missing values. Each channel has its own scale, written on its right.
    values : array-like of float, shape of ``series``
        A number per step and channel. Beyond 360 steps, a strip shows the sum over
        neighbouring steps, and the line passes through their minimum and maximum.
    names : sequence of str, length n_channels, default=None
        Names of the channels, drawn with their totals; None uses their numbers.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 95th percentile over all strips.
    legend : bool, default=True
        Whether the legend of the colours is drawn.

    Returns
    -------
    str
        One ``<svg>`` element without scripts or external references, with all text escaped.

    Raises
    ------
    ValueError
        If the shapes differ or are empty, ``series`` is not finite, ``names`` does not have one entry
        per channel, or ``limit`` is not positive.

    Examples
    --------
    >>> from sklearn_tree.plot import draw_series
    >>> draw_series([[1, 5], [2, 4], [3, 3]], [[0, 1], [0, 0], [1, 1]]).count("<polyline")
    2
    """
    series, values = _read(series, values)
    n_steps, n_channels = series.shape
    names = [f"channel {i}" for i in range(n_channels)] if names is None else [str(name) for name in names]
    if len(names) != n_channels:
        raise ValueError(f"names must have one entry per channel: {n_channels}, got {len(names)}")
    starts = np.linspace(0, n_steps, min(n_steps, MAX_STRIPS), endpoint=False).astype(int)
    sums = np.add.reduceat(values, starts)
    limit = find_limit(sums, limit)
    columns = zip(names, series.T, sums.T, find_strengths(sums, limit).T, strict=True)
    drawings = [_draw_channel(starts, *column) for column in columns]
    drawings = [_move(_LEFT, i * _CHANNEL, drawing) for i, drawing in enumerate(drawings)]
    bottom = n_channels * _CHANNEL
    axis = _move(_LEFT, bottom, _draw_axis(n_steps))
    bar = _move(_LEFT, bottom + 28, draw_legend(limit, values=sums)) if legend else ""
    height = bottom + (52 if legend else 28)
    totals = ", ".join(f"{name} {total:+.3g}" for name, total in zip(names, values.sum(axis=0), strict=True))
    label = f"series of {n_steps:,} steps; {totals}"
    return wrap_svg(_LEFT + _WIDTH + _RIGHT, height, "".join(drawings) + axis + bar, label)


def _read(series: Any, values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check a series and its values and return both with shape (n_steps, n_channels)."""
    series, values = np.asarray(series, dtype=float), np.asarray(values, dtype=float)
    if series.ndim not in (1, 2) or not series.size:
        raise ValueError(f"series must have shape (n_steps, n_channels) or (n_steps,), got {series.shape}")
    if values.shape != series.shape:
        raise ValueError(f"values must have the shape of series: {series.shape}, got {values.shape}")
    if not np.isfinite(series).all():
        raise ValueError("series must be finite, got NaN or infinity")
    shape = (len(series), -1)
    return series.reshape(shape), keep_finite(values).reshape(shape)


def _draw_channel(
    starts: np.ndarray, name: str, line: np.ndarray, sums: np.ndarray, strengths: np.ndarray
) -> str:
    right, ends = _WIDTH + 6, np.append(starts[1:], len(line))
    label = write_text(0, 12, f"{cut(name, 60)}: {sums.sum():+.3g}")
    scale = write_text(right, 10, f"{line.max():.3g}") + write_text(right, _HEIGHT, f"{line.min():.3g}")
    strips = _draw_strips(starts, ends, sums, strengths)
    return label + _move(0, _LABEL, strips + _draw_line(line, starts, ends) + scale)


def _draw_strips(starts: np.ndarray, ends: np.ndarray, sums: np.ndarray, strengths: np.ndarray) -> str:
    """Draw the positive strips, then the negative ones, so that each colour is written once."""
    step = _WIDTH / ends[-1]
    parts = []
    for sign, colour in ((1, FOR), (-1, AGAINST)):
        rows = np.flatnonzero(sign * strengths > 0)
        strips = "".join(_draw_strip(starts[i], ends[i], sums[i], strengths[i], step) for i in rows)
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
        lines = "".join(_underline(starts[r[0]] * step, ends[r[-1]] * step, strengths[r]) for r in runs)
        parts.append(f'<g fill="rgb({colour})">{strips}</g>{lines}')
    return "".join(parts)


def _underline(left: float, right: float, strengths: np.ndarray) -> str:
    return underline(left, right, _HEIGHT + 2, strengths[np.abs(strengths).argmax()])


def _draw_strip(start: int, end: int, value: float, strength: float, step: float) -> str:
    steps = f"step {start}" if end - start == 1 else f"steps {start} to {end - 1}"
    return (
        f'<path d="M{start * step:.1f} 0H{end * step:.1f}V{_HEIGHT}H{start * step:.1f}z" '
        f'fill-opacity="{OPACITY * abs(strength):.2f}"><title>{steps}: {value:+.3g}</title></path>'
    )


def _draw_line(line: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> str:
    """Draw a line through the minimum and the maximum of each strip, from edge to edge."""
    x = np.repeat((starts + ends) / 2 * (_WIDTH / len(line)), 2)
    y = np.stack([np.minimum.reduceat(line, starts), np.maximum.reduceat(line, starts)], axis=1).ravel()
    if len(starts) == len(line):
        x, y = x[::2], line
    low, span = line.min(), np.ptp(line)
    heights = _HEIGHT - 4 - (_HEIGHT - 8) * ((y - low) / span if span else np.full(len(y), 0.5))
    x, heights = np.r_[0, x, _WIDTH], np.r_[heights[0], heights, heights[-1]]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), heights.tolist(), strict=True))
    return f'<polyline points="{points}" fill="none" stroke="currentColor" pointer-events="none"/>'


def _draw_axis(n_steps: int) -> str:
    """Draw an axis with at most ten ticks at a distance of 1, 2 or 5 times a power of ten."""
    power = 10 ** (len(str(n_steps)) - 1)
    size = next(s for s in (power // 10, power // 5, power // 2, power) if s and n_steps <= 10 * s)
    step = _WIDTH / n_steps
    ticks = [((i + 0.5) * step, str(i)) for i in range(0, n_steps, size)]
    marks = "".join(f'<path d="M{x:.1f} 0v4" stroke="currentColor"/>' for x, _ in ticks)
    return (
        marks + "".join(write_text(x, 16, i, "middle") for x, i in ticks) + write_text(_WIDTH + 6, 16, "step")
    )


def _move(x: float, y: float, drawing: str) -> str:
    return f'<g transform="translate({x},{y})">{drawing}</g>'
