"""Attributions of samples, as frames and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.explain.captions import write_captions
from sklearn_tree.explain.nodes import name_nodes, select_below
from sklearn_tree.explain.pictures import count_more, draw_explanations_svg, plot_explanations
from sklearn_tree.explain.pieces import Pieces
from sklearn_tree.explain.reports import write_json, write_markdown, write_text
from sklearn_tree.explain.state import predictions_from_state, view_from_state, view_to_state
from sklearn_tree.explain.summary import Summary, compare, select_group, select_pieces, summarize
from sklearn_tree.explain.views import View
from sklearn_tree.plot.picture import Picture
from sklearn_tree.trees.subtrees import take_subtrees

if TYPE_CHECKING:
    import pandas as pd

_MAX_WRITTEN = 3  # samples in a repr


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Explanations:
    """Attributions of samples, the result of :meth:`CaptumExplainer.explain`.

    Behaves like a sequence: an index, slice, mask or index array selects the explanations of some samples.

    Parameters
    ----------
    kind : {"trees", "tokens", "series", "images", "table", "pairs", "rows"}
        Kind of the samples; "rows" for a model with nets inside.
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
    texts : list of str, list of tuple of str, or None, default=None
        The user's texts or pairs of texts, which pictures show with their spaces; None for other samples.
    complete : {"own", "attributions"} or None, default="own"
        Numbers that should sum to ``values - baseline_values``; None if the method has no such property.
    sample_ids : ndarray of int, shape (n,), or None, default=None
        Identifier of each sample; consecutive explanations of several classes of one sample share it. None if
        each explanation has its own sample.
    n_classes : int or None, default=None
        Number of classes if several classes of each sample are explained.
    nodes : ndarray of int, shape (n,), or None, default=None
        Explained node of each tree; None if the predictions for whole samples are explained.

    Attributes
    ----------
    n_samples : int
        Number of explained samples.
    sample_index : ndarray of int, shape (n,)
        Index of the sample of each explanation: 0, 1, ... unless several classes of a sample are explained.
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
    texts: list[Any] | None = None
    complete: Literal["own", "attributions"] | None = "own"
    sample_ids: np.ndarray | None = None
    n_classes: int | None = None
    nodes: np.ndarray | None = None

    @property
    def sample_index(self) -> np.ndarray:
        """Index of the sample of each explanation; a sample is a run of equal ``sample_ids``."""
        if self.sample_ids is None or not len(self):
            return np.arange(len(self))
        return np.cumsum(np.r_[False, self.sample_ids[1:] != self.sample_ids[:-1]])

    @property
    def n_samples(self) -> int:
        """Number of explained samples."""
        return int(self.sample_index.max(initial=-1)) + 1

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
            {"truths": None, "texts": None, "sample_ids": None, "n_classes": None, "nodes": None, **state},
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
            sample_ids=None if self.sample_ids is None else self.sample_ids[rows],
            nodes=None if self.nodes is None else self.nodes[rows],
        )

    def __iter__(self) -> Iterator[Explanations]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        """Return the first samples and their attributions as plain text."""
        header = f"Explanations({self._count()}, method={self.method!r})"
        parts = [header, *([write_text(self.head(_MAX_WRITTEN))] if len(self) else [])]
        if self.n_samples > _MAX_WRITTEN:
            parts.append(f"{count_more(self.n_samples - _MAX_WRITTEN)} not shown.")
        return "\n\n".join(parts)

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
            "sample": np.repeat(self.sample_index, sizes),
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

        If several classes of a sample are explained, buttons select the one that is shown.

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
            Notebooks show it; ``save`` writes it to an HTML or SVG file. The image in SVG leaves out samples
            for which it would become larger than 500 kB.
        """
        return plot_explanations(self, max_samples=max_samples, show_values=show_values)

    def head(self, n: int) -> Explanations:
        """Return the explanations of the first samples, with all their classes.

        Parameters
        ----------
        n : int
            Number of samples.

        Returns
        -------
        Explanations
        """
        return self[self.sample_index < n]

    def _count(self) -> str:
        """Return the number of samples in words, and that of explanations if it differs."""
        n, noun = self.n_samples, {"tokens": "texts", "table": "rows"}.get(self.kind, self.kind)
        text = f"{n} {noun if n != 1 else noun.removesuffix('s')}"
        return text if n == len(self) else f"{len(self)} explanations of {text}"

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        first = self.head(_MAX_WRITTEN)
        return {
            "text/html": self._repr_html_(),
            "image/svg+xml": draw_explanations_svg(first, n_hidden=self.n_samples - first.n_samples),
            "text/markdown": first.to_markdown(),
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


def _flatten(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0)
