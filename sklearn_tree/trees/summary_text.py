"""Summaries of arrays as plain text, for terminals."""

from __future__ import annotations

import numpy as np

from sklearn_tree.trees.summaries import ArraySummary, Histogram, Ranking

_WIDTH = 110
_BLOCKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"


def write_summary(summary: ArraySummary) -> str:
    """Write a summary, one line per property.

    Parameters
    ----------
    summary : ArraySummary
        The summary.

    Returns
    -------
    str
        Lines of at most 110 characters.
    """
    rows = {
        **summary.facts,
        **{histogram.name: _write_histogram(histogram) for histogram in summary.histograms},
        **{ranking.name: _write_ranking(ranking) for ranking in summary.rankings},
        **{sample.caption: sample.text for sample in summary.samples},
    }
    width = max(map(len, rows), default=0)
    lines = [f"  {name:{width}}  {text}".rstrip() for name, text in rows.items()]
    return "\n".join([summary.title, *map(_shorten, lines)])


def _write_histogram(histogram: Histogram) -> str:
    if len(histogram.counts) == 1:
        return histogram.text
    heights = np.ceil(histogram.counts * (len(_BLOCKS) - 1) / max(histogram.counts.max(), 1))
    return f"{histogram.text}  {''.join(_BLOCKS[int(height)] for height in heights)}"


def _write_ranking(ranking: Ranking) -> str:
    pairs = zip(ranking.labels, ranking.counts, strict=True)
    rest = ranking.n_distinct - len(ranking.labels)
    words = [f"{label} ({count:,})" for label, count in pairs]
    return ", ".join(words) + (f", and {rest:,} more" if rest else "")


def _shorten(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}\u2026"
