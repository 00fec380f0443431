"""Attributions of samples, as frames and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sklearn_tree.drawing import escape, find_limit
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.explain.captions import write_captions
from sklearn_tree.explain.nodes import name_nodes, select_below
from sklearn_tree.explain.pieces import Pieces
from sklearn_tree.explain.reports import write_json, write_markdown
from sklearn_tree.explain.state import predictions_from_state, view_from_state, view_to_state
from sklearn_tree.explain.summary import Summary, compare, select_group, select_pieces, summarize
from sklearn_tree.explain.views import View
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.trees.subtrees import take_subtrees

if TYPE_CHECKING:
    import pandas as pd

_MAX_WRITTEN = 3  # samples in a repr
# Methods whose attributions sum to the difference from the baseline.
_SHARING = {"gradient_shap", "integrated_gradients", "interaction", "kernel_shap", "shapley"}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Explanations:
    """Attributions of samples, the result of :meth:`CaptumExplainer.explain`.

    Behaves like a sequence: an index, slice, mask or index array selects the explanations of some samples.

    Parameters
    ----------
    kind : {"trees", "tokens", "series", "images", "table", "pairs"}
        Kind of the samples.
    view : View
        Layout of frames and pictures for the kind.
    samples : TreeArray, RaggedArray, ndarray or PairArray
        The samples, with labels or tokens if available.
    attributions : list of ndarray of float, length n
        Attributions of each sample. Shape (n_nodes,) for trees, one per subtree; (n_tokens,) for texts;
        (n_steps, n_channels) for series; (height, width, n_channels) for images; (n_columns,) for tables.
        Those of both samples of a pair are joined along the first axis.
    own : list of ndarray of float, length n
        Attributions of the label or value of each node without its children; equal to ``attributions`` for
        all other kinds.
    targets : ndarray, shape (n,)
        Explained class of each sample, or the index of the explained output.
    values, baseline_values : ndarray of float, shape (n,)
        Explained number of each sample, and its value if everything is replaced by the baseline.
    names : ndarray of str
        Names of the channels or columns; empty for trees and texts.
    method : str
        Name of the method.
    predictions : Predictions
        Predicted classes or numbers, with their probabilities.
    truths : ndarray, shape (n,), or None, default=None
        True classes or numbers of the explained outputs.
    texts : list of str, or of tuples of two str for pairs; or None, default=None
        The user's texts, which pictures show with their spaces; None if the samples are not texts.
    nodes : ndarray of int, shape (n,), or None, default=None
        Explained node of each tree; None for the roots.
    complete : {"own", "attributions"} or None, default="own"
        Numbers that should sum to ``values - baseline_values``; None if the method has no such property.

    Attributes
    ----------
    completeness_error : ndarray of float, shape (n,)
        Sum of ``own`` (for "interaction", of ``attributions``) minus ``values - baseline_values``. Near 0 for
        methods that distribute the difference, such as "shapley" and "integrated_gradients"; NaN for
        "node_prediction".

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> explainer = CaptumExplainer(RNNClassifier(random_state=0)).fit(texts, y)
    >>> explanations = explainer.explain(["a good play"])
    >>> explanations.to_frame().loc[:, ["position", "token"]].values.tolist()
    [[0, 'a'], [1, 'good'], [2, 'play']]
    >>> explanations.to_frame().set_index("token").attribution.idxmax()
    'good'
    """

    kind: str
    view: View
    samples: Any
    attributions: list[np.ndarray]
    own: list[np.ndarray]
    targets: np.ndarray
    values: np.ndarray
    baseline_values: np.ndarray
    names: np.ndarray
    method: str
    predictions: Predictions
    truths: np.ndarray | None = None
    texts: list | None = None
    nodes: np.ndarray | None = None
    complete: Literal["own", "attributions"] | None = "own"

    @property
    def completeness_error(self) -> np.ndarray:
        """Sum of the attributions of each sample minus the difference from the baseline."""
        if self.complete is None:
            return np.full(len(self), np.nan)
        totals = np.array([part.sum() for part in getattr(self, self.complete)], dtype=float)
        return totals - (self.values - self.baseline_values)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "view": view_to_state(self.view), "predictions": vars(self.predictions)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        predictions = predictions_from_state(state.get("predictions"), state["targets"])
        vars(self).update(
            {"truths": None, "texts": None, "nodes": None, **state},
            view=view_from_state(state["view"]),
            predictions=predictions,
        )

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, key: Any) -> Explanations:
        """Return the explanations of some samples; of one sample if ``key`` is an int."""
        rows = np.atleast_1d(np.arange(len(self))[key])
        return replace(
            self,
            samples=self.samples[rows],
            attributions=[self.attributions[i] for i in rows],
            own=[self.own[i] for i in rows],
            targets=self.targets[rows],
            values=self.values[rows],
            baseline_values=self.baseline_values[rows],
            predictions=self.predictions.take(rows),
            truths=None if self.truths is None else self.truths[rows],
            texts=None if self.texts is None else [self.texts[i] for i in rows],
            nodes=None if self.nodes is None else self.nodes[rows],
        )

    def __iter__(self) -> Iterator[Explanations]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        """Return the first samples and their attributions as plain text."""
        header = f"Explanations({self._count()}, method={self.method!r})"
        parts = [header, *([self._write(_MAX_WRITTEN)] if len(self) else [])]
        if len(self) > _MAX_WRITTEN:
            parts.append(f"{_count_more(len(self) - _MAX_WRITTEN)} not shown.")
        return "\n\n".join(parts)

    def _write(self, n: int) -> str:
        """Return the first n samples as plain text."""
        first = self[:n]
        texts = [
            first.view.write(first._show(i), part, first.names) if part.size else "\u2205"
            for i, part in enumerate(first.attributions)
        ]
        return "\n\n".join(f"{caption}\n{text}" for caption, text in zip(first.captions, texts, strict=True))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per attribution.

        Returns
        -------
        DataFrame
            The columns are

            - ``sample``, the index of the sample, and for pairs ``side``, the name of the column;
            - for trees ``node``, ``parent``, ``position`` (of a leaf in its sentence, -1 for inner nodes),
              ``token``, ``value`` and ``edge`` (if the trees have any) and ``is_leaf``; for texts
              ``position`` and ``token``; for series ``step``, ``channel`` and ``value``; for images ``y``,
              ``x``, ``channel`` and ``value``; for tables ``column`` and ``value``;
            - ``attribution``, and for trees ``own``, the attribution of the node without its children;
            - ``predicted``, the predicted class or number, ``true``, if the truth is known, and ``target``,
              the explained class or output, and ``explained_node``, if a node was chosen;
            - ``delta``, the completeness error of the sample.
        """
        import pandas as pd

        sizes = [part.size for part in self.attributions]
        frame = {
            "sample": np.repeat(np.arange(len(self)), sizes),
            **self.view.locate(self.samples, self.attributions, self.names),
            "attribution": _flatten(self.attributions),
        }
        if self.view.has_subtrees:
            frame["own"] = _flatten(self.own)
        frame["predicted"] = np.repeat(self.predictions.values, sizes)
        if self.truths is not None:
            frame["true"] = np.repeat(self.truths, sizes)
        frame["target"] = np.repeat(self.targets, sizes)
        if self.nodes is not None:
            frame["explained_node"] = np.repeat(self.nodes, sizes)
        frame["delta"] = np.repeat(self.completeness_error, sizes)
        return pd.DataFrame(frame)

    def summary(self, features: str | Sequence[str] | None = None, *, min_count: int = 2) -> Summary:
        """Return the words, phrases, columns or other pieces that push each explained class.

        Parameters
        ----------
        features : str or sequence of str, default=None
            Kinds of pieces; None for all. Texts have "word", "2-gram" and "3-gram"; trees "word" (leaves),
            "label", "phrase" (subtrees of two to six leaves), "production" (what a node adds to the sum of
            its children) and "edge"; series "channel" and "span"; images "patch"; tables "column".
        min_count : int, default=2
            Number of occurrences that a piece needs in the samples of a class.

        Returns
        -------
        Summary
            Counts, means, spreads and examples; a frame, a picture and a plot.

        Raises
        ------
        ValueError
            If a parameter is invalid.
        """
        caption = f"{self.method.replace('_', ' ')}, {self._count()}"
        return summarize(
            self._pieces(), self.targets, features=features, min_count=min_count, caption=caption
        )

    def contrast(
        self, a: Any, b: Any, *, features: str | Sequence[str] | None = None, min_count: int = 2
    ) -> pd.DataFrame:
        """Compare what pushes two classes or two groups of samples.

        Parameters
        ----------
        a, b : class, or mask or index array of samples
            The groups. A class selects the samples of which it is explained.
        features : str or sequence of str, default=None
            Kinds of pieces, see :meth:`summary`.
        min_count : int, default=2
            Number of occurrences that a piece needs in both groups together.

        Returns
        -------
        DataFrame
            One row per piece, those that push ``a`` more than ``b`` first: ``feature``, ``name``; ``count_a``
            and ``count_b``, its occurrences, and ``mean_a`` and ``mean_b``, its mean attributions;
            ``difference``, that of the sums of its attributions per sample; and ``z``, the difference divided
            by its standard error.

        Raises
        ------
        ValueError
            If a group is empty or a parameter is invalid.
        """
        first, second = (select_group(self.targets, group, name) for group, name in ((a, "a"), (b, "b")))
        frame = select_pieces(self._pieces(), self.targets, features=features, min_count=min_count)
        return compare(frame, first, second, min_count)

    def _pieces(self) -> list[Pieces]:
        samples, attributions, own = self.samples, self.attributions, self.own
        if self.nodes is not None:
            attributions, own = (select_below(part, samples, self.nodes) for part in (attributions, own))
            samples = take_subtrees(samples, self.nodes)
        return self.view.pieces(samples, attributions, own, self.names)

    @property
    def captions(self) -> list[str]:
        """Prediction of each sample or node, and the truth if known: "Predicted NUM (p = .98), true LOC"."""
        nodes = None if self.nodes is None else name_nodes(self.samples, self.nodes)
        return write_captions(self.predictions, self.truths, nodes)

    def _show(self, i: int) -> Any:
        """Return a sample as pictures show it: texts with their spaces, trees with a marked node."""
        text = None if self.texts is None else self.texts[i]
        node = None if self.nodes is None else int(self.nodes[i])
        return self.view.annotate(self.samples[i], text, node)

    def plot(self, *, max_samples: int = 20, show_values: bool = False) -> Picture:
        """Draw the samples, coloured by their attributions on a common scale.

        Parameters
        ----------
        max_samples : int, default=20
            Maximum number of samples to draw.
        show_values : bool, default=False
            Whether the captions show the explained number, its value at the baseline, and the completeness
            error of methods that distribute the difference.

        Returns
        -------
        Picture
            Notebooks show it; ``save`` writes it to a file.
        """
        shown = self[:max_samples]
        numbers = self.view.scaled(shown.samples, shown._scaled_parts())
        limit = find_limit(numbers, percentile=self.view.limit_percentile)
        words = ("against", "for") if self.predictions.averages is None else ("lowers", "raises")
        captions = shown._draw_captions(show_values=show_values)
        drawings = [caption + shown._draw(i, limit) for i, caption in enumerate(captions)]
        style = (
            "display: inline-block; margin: 0 1.5em 1.2em 0" if self.view.is_compact else "margin: 0 0 1.2em"
        )
        parts = [f'<div style="{style}">{drawing}</div>' for drawing in drawings]
        if len(shown) < len(self):
            parts.append(f"<p>{_count_more(len(self) - len(shown))} not drawn.</p>")
        legend = draw_legend(limit, values=numbers, words=words, opacity=self.view.opacity)
        text = f"<pre>{escape(self._write(len(shown)))}</pre>"  # also for pages that remove pictures
        parts.append(f"<details><summary><small>as text</small></summary>{text}</details>")
        html = f'<div style="margin: 0 0 1.2em">{legend}</div>{"".join(parts)}'
        return Picture(html, f"{self.method.replace('_', ' ')}: {self._count()}")

    def _scaled_parts(self) -> list[np.ndarray]:
        """Return the attributions that set the scale; those of explained nodes come first, as of roots."""
        if self.nodes is None:
            return self.attributions
        pairs = zip(self.attributions, self.nodes, strict=True)
        parts = [(part[node], np.delete(part, [0, node])) for part, node in pairs]
        return [np.r_[first, others[others != 0]] for first, others in parts]  # 0 outside the subtrees

    def _draw(self, i: int, limit: float) -> str:
        if not self.attributions[i].size:
            return "<div>\u2205</div>"  # a text without words or a series without steps
        return self.view.draw(self._show(i), self.attributions[i], self.names, limit)

    def _draw_captions(self, *, show_values: bool) -> list[str]:
        """Return the caption of each sample as HTML."""
        drawings = []
        columns = zip(self.captions, self.values, self.baseline_values, self.completeness_error, strict=True)
        for caption, value, baseline, error in columns:
            text = f"f = {value:+.3g}, baseline {baseline:+.3g}"
            text += "" if np.isnan(error) or self.method not in _SHARING else f", error {error:+.2g}"
            values = f" <small>{text}</small>" if show_values else ""
            drawings.append(f'<div title="{text}"><b>{escape(caption)}</b>{values}</div>')
        return drawings

    def _count(self) -> str:
        """Return the number of samples in words."""
        noun = {"tokens": "texts", "table": "rows"}.get(self.kind, self.kind)
        return f"{len(self)} {noun if len(self) != 1 else noun.removesuffix('s')}"

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/html": self._repr_html_(),
            "text/markdown": self[:_MAX_WRITTEN].to_markdown(),
            "text/plain": repr(self),
        }

    def to_markdown(self) -> str:
        """Return captions, words and trees as Markdown, for issues, reports and chats.

        Returns
        -------
        str
            Words that push the class are bold, those that push against it italic; trees and bars are blocks
            of plain text.
        """
        return write_markdown(self)

    def to_json(self) -> str:
        """Return all predictions and attributions as JSON.

        Returns
        -------
        str
            An object with ``kind``, ``method`` and ``samples``. Each sample has ``caption``, ``node`` (if one
            was chosen), ``predicted``, ``probability``, ``true`` (if known), ``target``, ``value``,
            ``baseline_value`` and ``parts``, a list with the columns of :meth:`to_frame` that describe its
            attributions. NaN is null.
        """
        return write_json(self)

    def save_html(self, path: str | os.PathLike) -> Path:
        """Write the picture of all samples as a self-contained page.

        Parameters
        ----------
        path : str or path-like
            Name of a file; it must end in ``.html``.

        Returns
        -------
        pathlib.Path
            Absolute path of the file.
        """
        return self.plot(max_samples=len(self)).save(path)


def _count_more(n: int) -> str:
    return f"{n} more sample is" if n == 1 else f"{n} more samples are"


def _flatten(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0)
