"""Explanations as pictures in HTML and SVG."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from sklearn_tree.drawing import escape, find_limit
from sklearn_tree.explain.captions import write_explained
from sklearn_tree.explain.reports import write_text
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.plot.svg import frame_svg, stack_svg, write_svg_lines
from sklearn_tree.plot.switch import MAX_CHOICES, draw_switch

_MAX_BYTES = 500_000  # of an image in SVG
# Methods whose attributions sum to the difference from the baseline.
_SHARING = {"gradient_shap", "integrated_gradients", "interaction", "kernel_shap", "shapley"}


def plot_explanations(explanations: Any, *, max_samples: int, show_values: bool) -> Picture:
    """Draw explanations, see :meth:`Explanations.plot`."""
    shown = explanations.head(max_samples)
    n_hidden = explanations.n_samples - shown.n_samples
    limit, legend = _find_scale(shown)
    captions = _draw_captions(shown, show_values=show_values)
    drawings = [
        caption + (_draw(shown, i, limit, shown.view.draw) or "<div>\u2205</div>")
        for i, caption in enumerate(captions)
    ]
    style = "display: inline-block; margin: 0 1.5em 1.2em 0" if shown.view.is_compact else "margin: 0 0 1.2em"
    parts = [f'<div style="{style}">{sample}</div>' for sample in _group(shown, drawings)]
    if n_hidden:
        parts.append(f"<p>{count_more(n_hidden)} not drawn.</p>")
    text = f"<pre>{escape(write_text(shown))}</pre>"  # also for pages that remove pictures
    parts.append(f"<details><summary><small>as text</small></summary>{text}</details>")
    html = f'<div class="sklt-legend" style="margin: 0 0 1.2em">{legend}</div>{"".join(parts)}'
    return Picture(html, _describe(explanations), partial(draw_explanations_svg, shown, n_hidden=n_hidden))


def draw_explanations_svg(explanations: Any, *, n_hidden: int = 0) -> str:
    """Draw explanations as one ``<svg>`` element on a white background.

    Parameters
    ----------
    explanations : Explanations
        The explanations.
    n_hidden : int, default=0
        Number of other samples, which a line below the drawings shows.

    Returns
    -------
    str
        The first samples, as many as about 500 kB hold, with captions and a legend.
    """
    limit, legend = _find_scale(explanations)
    parts, size, captions = [write_svg_lines(_describe(explanations)), legend], 0, explanations.captions
    for i, sample in enumerate(explanations.sample_index):
        drawing = _draw(explanations, i, limit, explanations.view.draw_svg) or write_svg_lines("\u2205")
        size += len(drawing)
        if size > _MAX_BYTES:
            n_hidden += explanations.n_samples - int(sample)
            break
        parts += [write_svg_lines(captions[i], bold=True), drawing]
    if n_hidden:
        parts.append(write_svg_lines(f"{count_more(n_hidden)} not drawn."))
    return frame_svg(stack_svg(parts))


def count_more(n: int) -> str:
    """Return "n more samples are", as the beginning of a sentence."""
    return f"{n} more sample is" if n == 1 else f"{n} more samples are"


def _describe(explanations: Any) -> str:
    text = f"{explanations.method.replace('_', ' ')}: {explanations._count()}"
    n_classes = explanations.n_classes or 0
    return f"{text}, the most probable of {n_classes} classes" if n_classes > MAX_CHOICES else text


def _find_scale(explanations: Any) -> tuple[float, str]:
    """Return the attribution that gets the full colour, and the legend."""
    view = explanations.view
    numbers = view.scaled(explanations.samples, select_scaled(explanations))
    limit = find_limit(numbers, percentile=view.limit_percentile)
    words = ("against", "for") if explanations.predictions.averages is None else ("lowers", "raises")
    return limit, draw_legend(limit, values=numbers, words=words, opacity=view.opacity)


def select_scaled(explanations: Any) -> list[np.ndarray]:
    """Return the attributions that set the scale; those of explained nodes come first, as of roots."""
    if explanations.nodes is None:
        return explanations.attributions
    pairs = zip(explanations.attributions, explanations.nodes, strict=True)
    parts = [(part[node], np.delete(part, [0, node])) for part, node in pairs]
    return [np.r_[first, others[others != 0]] for first, others in parts]  # 0 outside the subtrees


def _draw(explanations: Any, i: int, limit: float, draw: Callable[..., str]) -> str:
    """Draw a sample with a method of the view; "" if it is a text without words or a series without steps."""
    if not explanations.attributions[i].size:
        return ""
    return draw(explanations._show(i), explanations.attributions[i], explanations.names, limit)


def _draw_captions(explanations: Any, *, show_values: bool) -> list[str]:
    """Return the caption of each sample as HTML."""
    drawings = []
    errors = explanations.completeness_error
    columns = (explanations.captions, explanations.values, explanations.baseline_values, errors)
    for caption, value, baseline, error in zip(*columns, strict=True):
        text = f"f = {value:+.3g}, baseline {baseline:+.3g}"
        text += "" if np.isnan(error) or explanations.method not in _SHARING else f", error {error:+.2g}"
        values = f" <small>{text}</small>" if show_values else ""
        drawings.append(f'<div title="{text}"><b>{escape(caption)}</b>{values}</div>')
    return drawings


def _group(explanations: Any, drawings: list[str]) -> list[str]:
    """Combine the drawings of several classes of a sample."""
    names = write_explained(explanations.predictions)
    starts = np.flatnonzero(np.diff(explanations.sample_index, prepend=-1)).tolist()
    bounds = pairwise([*starts, len(drawings)])
    return [drawings[a] if b - a == 1 else draw_switch(names[a:b], drawings[a:b]) for a, b in bounds]
