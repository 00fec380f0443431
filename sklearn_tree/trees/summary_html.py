"""Summaries of arrays as HTML, readable on light and dark pages."""

from __future__ import annotations

import numpy as np

from sklearn_tree.drawing import FONT, FOR, escape, scroll
from sklearn_tree.trees.summaries import ArraySummary, Histogram, Ranking

_WIDTH, _HEIGHT, _AXIS = 216, 52, 16  # of a histogram in pixels
_BAR = 72  # width of the longest bar of a ranking
_N_CHANNELS, _N_POINTS, _CHANNEL = 4, 120, 36
PAGE = "font: 13px system-ui, sans-serif; line-height: 1.4; max-width: 64em"
_ROW = "display: flex; flex-wrap: wrap; gap: 0.6em 2em; align-items: flex-start; margin: 0.6em 0"
_NAME = "font-weight: normal; white-space: nowrap; opacity: 0.7"
_CELL = "padding: 0 0.8em 0 0; text-align: left; vertical-align: top; background: none; border: none"


def draw_summary(summary: ArraySummary) -> str:
    """Draw a summary.

    Parameters
    ----------
    summary : ArraySummary
        The summary.

    Returns
    -------
    str
        One ``<div>`` element without scripts or external references, with all text escaped.
    """
    figures = [*map(_draw_histogram, summary.histograms), *map(_draw_ranking, summary.rankings)]
    samples = [
        f'<div style="margin: 0 0 0.8em; max-width: 100%"><small>{escape(sample.caption)}</small>'
        f"{scroll(sample.html)}</div>"
        for sample in summary.samples
    ]
    parts = [f"<div><b>{escape(summary.title)}</b></div>", _draw_facts(summary.facts)]
    parts += [f'<div style="{_ROW}">{"".join(items)}</div>' for items in (figures, samples) if items]
    return f'<div style="{PAGE}">{"".join(parts)}</div>'


def draw_tokens(tokens: list[str]) -> str:
    """Draw tokens as a text that wraps."""
    words = " ".join(f"<bdi>{escape(token)}</bdi>" for token in tokens) or "\u2205"
    return f'<div style="max-width: 40em; overflow-wrap: anywhere">{words}</div>'


def draw_lines(series: np.ndarray) -> str:
    """Draw a series as small lines, one per channel.

    Parameters
    ----------
    series : ndarray of float, shape (n_steps, n_channels)
        Finite numbers. Beyond 120 steps, the line passes through the minimum and maximum of neighbouring
        steps. Channels after the fourth are not drawn.

    Returns
    -------
    str
        One ``<svg>`` element; an empty set without steps.
    """
    n_steps, n_channels = series.shape
    if not series.size:
        return "<div>\u2205</div>"
    starts = np.linspace(0, n_steps, min(n_steps, _N_POINTS), endpoint=False).astype(int)
    shown = series[:, :_N_CHANNELS].astype(np.float64)
    lines = [
        f'<g transform="translate(0,{i * _CHANNEL})">{_draw_line(line, starts)}</g>'
        for i, line in enumerate(shown.T)
    ]
    more = n_channels - shown.shape[1]
    note = f"<small>{more} more channel{'s' * (more != 1)} not drawn</small>" if more else ""
    return _wrap(_WIDTH, _CHANNEL * shown.shape[1], f"{n_steps:,} steps", "".join(lines)) + note


def _draw_line(line: np.ndarray, starts: np.ndarray) -> str:
    """Draw the polyline of a channel, scaled to its range."""
    low, high = np.minimum.reduceat(line, starts), np.maximum.reduceat(line, starts)
    y = np.stack([low, high], axis=1).ravel()
    bottom, top = line.min() / 2, line.max() / 2  # halved, so that the difference does not overflow
    heights = (
        _CHANNEL - 4 - (_CHANNEL - 8) * ((y / 2 - bottom) / (top - bottom) if top > bottom else 0.5 + 0 * y)
    )
    x = np.repeat((np.arange(len(starts)) + 0.5) * (_WIDTH / len(starts)), 2)
    if len(starts) == 1:
        x = np.array([0.0, _WIDTH])
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), heights.tolist(), strict=True))
    return (
        f"<title>{line.min():.4g} to {line.max():.4g}</title>"
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-opacity="0.8"/>'
    )


def _draw_facts(facts: dict[str, str]) -> str:
    if not facts:
        return ""
    rows = [
        f'<tr style="background: none"><th style="{_CELL}; {_NAME}">{escape(name)}</th>'
        f'<td style="{_CELL}">{escape(text)}</td></tr>'
        for name, text in facts.items()
    ]
    return _draw_table(rows)


def _draw_table(rows: list[str]) -> str:
    style = "border-collapse: collapse; border: none; margin: 0; color: inherit; font-size: inherit"
    return scroll(f'<table style="{style}"><tbody>{"".join(rows)}</tbody></table>')


def _draw_histogram(histogram: Histogram) -> str:
    """Draw a bar per bin, with the smallest and the largest number below them."""
    n, largest = len(histogram.counts), max(int(histogram.counts.max()), 1)
    width = _WIDTH / max(n, 6)
    bars = []
    for i, count in enumerate(histogram.counts.tolist()):
        height = max(_HEIGHT * count / largest, 1.0 if count else 0.0)
        bars.append(
            f'<rect x="{i * width:.1f}" y="{_HEIGHT - height:.1f}" width="{max(width - 1, 1):.1f}" '
            f'height="{height:.1f}" fill="rgb({FOR})" fill-opacity="0.75">'
            f"<title>{histogram.bin_text(i)}</title></rect>"
        )
    labels = [_write(0, "start", f"{histogram.low:,}")]
    if histogram.high > histogram.low:
        labels.append(_write(n * width, "end" if n * width > 60 else "start", f"{histogram.high:,}"))
    axis = f'<path d="M0 {_HEIGHT + 0.5}H{n * width:.1f}" stroke="currentColor" stroke-opacity="0.5"/>'
    drawing = _wrap(_WIDTH, _HEIGHT + _AXIS, histogram.name, "".join([*bars, axis, *labels]))
    text = f'<div style="opacity: 0.7"><small>{escape(histogram.text)}</small></div>'
    return f"<div><div>{escape(histogram.name)}</div>{drawing}{text}</div>"


def _write(x: float, anchor: str, text: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{_HEIGHT + _AXIS - 3}" text-anchor="{anchor}" fill="currentColor" '
        f'font-size="11">{text}</text>'
    )


def _draw_ranking(ranking: Ranking) -> str:
    """Draw a table of labels, bars and counts."""
    largest = max(ranking.counts)
    rows = [
        f'<tr style="background: none"><td style="{_CELL}; max-width: 14em; overflow-wrap: anywhere">'
        f'<bdi>{escape(label)}</bdi></td><td style="{_CELL}">{_draw_bar(count / largest)}</td>'
        f'<td style="{_CELL}; text-align: right">{count:,}</td></tr>'
        for label, count in zip(ranking.labels, ranking.counts, strict=True)
    ]
    rest, n = ranking.n_distinct - len(ranking.labels), ranking.total - sum(ranking.counts)
    if rest:
        rows.append(
            f'<tr style="background: none; opacity: 0.7"><td style="{_CELL}" colspan="2">{rest:,} more</td>'
            f'<td style="{_CELL}; text-align: right">{n:,}</td></tr>'
        )
    return f'<div style="max-width: 100%"><div>{escape(ranking.name)}</div>{_draw_table(rows)}</div>'


def _draw_bar(length: float) -> str:
    style = "min-width: 1px; height: 0.8em; margin-top: 0.3em"
    return f'<div style="{style}; width: {_BAR * length:.0f}px; background: rgba({FOR}, 0.75)"></div>'


def _wrap(width: int, height: int, label: str, drawing: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(label)}" '
        f'style="{FONT}; max-width: 100%; overflow: visible">{drawing}</svg>'
    )
