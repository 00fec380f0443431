"""``Explanations``: why each sample got what it got, as a table, as pictures and as numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_tree.plot.bars import draw_bars
from sklearn_tree.plot.image import draw_image
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.plot.series import draw_series
from sklearn_tree.plot.tokens import draw_tokens
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.svg import draw_tree, escape

if TYPE_CHECKING:
    import pandas as pd

_MOST_SHOWN = 20  # samples in a notebook's picture


class Explanations:
    """Attributions of some samples, as :meth:`CaptumExplainer.explain` returns them.

    Parameters
    ----------
    kind : {"trees", "tokens", "series", "images", "table"}
        What the samples are.
    samples : TreeArray, RaggedArray or ndarray
        The samples, with the labels that users know.
    attributions : list of ndarray of float
        Per sample a number per node (of its whole subtree), token, step and channel, pixel and channel, or
        column.
    own : list of ndarray of float
        The same of each node's own label alone; for all else the attributions.
    targets : ndarray, shape (n,)
        What was explained of each sample: a class, or the number of an output.
    values, baseline_values : ndarray of float, shape (n,)
        The explained number of each sample, and what it is where everything is taken away.
    names : ndarray of str
        Names of the columns or channels.
    method : str
        The method.

    Attributes
    ----------
    completeness_error : ndarray of float, shape (n,)
        ``own`` summed (of "interaction" the attributions), minus the difference of ``values`` and
        ``baseline_values``: near 0 for methods that share the difference out, NaN for "node_prediction".

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

    def __init__(
        self,
        kind: str,
        samples: Any,
        attributions: list[np.ndarray],
        own: list[np.ndarray],
        targets: np.ndarray,
        values: np.ndarray,
        baseline_values: np.ndarray,
        names: np.ndarray,
        method: str,
    ) -> None:
        self.kind = kind
        self.samples = samples
        self.attributions = attributions
        self.own = own
        self.targets = targets
        self.values = values
        self.baseline_values = baseline_values
        self.names = names
        self.method = method

    @property
    def completeness_error(self) -> np.ndarray:
        """How far the attributions of each sample are from what there is to share out."""
        if self.method == "node_prediction":  # which says what phrases are worth, not what they add
            return np.full(len(self), np.nan)
        parts = self.attributions if self.method == "interaction" else self.own
        shared = np.array([part.sum() for part in parts], dtype=float)
        return shared - (self.values - self.baseline_values)

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, key: Any) -> Explanations:
        """Return the explanations of some samples, of one if ``key`` is an int."""
        rows = np.arange(len(self))[key]
        rows = np.atleast_1d(rows)
        return Explanations(
            self.kind,
            self.samples[rows],
            [self.attributions[i] for i in rows],
            [self.own[i] for i in rows],
            self.targets[rows],
            self.values[rows],
            self.baseline_values[rows],
            self.names,
            self.method,
        )

    def __iter__(self) -> Iterator[Explanations]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Explanations({len(self)} {self.kind}, method={self.method!r})"

    def to_frame(self) -> pd.DataFrame:
        """Return all attributions, a row for each.

        Returns
        -------
        DataFrame
            Columns ``sample``, then of trees ``node, parent, position`` (of the leaf in its sentence, -1 for
            inner nodes), ``token``, ``value`` and ``edge`` (where there are any), ``is_leaf``, the
            ``attribution`` of the subtree and ``own``, that of the node's own label; of texts
            ``position, token``; of series ``step, channel, value``; of images ``y, x, channel, value``;
            of tables ``column, value``; then ``attribution, target`` and ``delta``, the completeness
            error of the sample.
        """
        import pandas as pd

        sizes = [part.size for part in self.attributions]
        frame = {"sample": np.repeat(np.arange(len(self)), sizes), **self._places()}
        frame["attribution"] = _joined(self.attributions)
        if self.kind == "trees":
            frame["own"] = _joined(self.own)
        frame["target"] = np.repeat(self.targets, sizes)
        frame["delta"] = np.repeat(self.completeness_error, sizes)
        return pd.DataFrame(frame)

    def _places(self) -> dict[str, Any]:
        """Return the columns that say where each attribution belongs."""
        if self.kind == "trees":
            return _places_in_trees(self.samples)
        if self.kind == "tokens":
            starts = np.repeat(self.samples.offsets[:-1], self.samples.sizes)
            tokens = self.samples.vocabulary[self.samples.values]
            return {"position": np.arange(len(starts)) - starts, "token": tokens}
        places = [np.indices(part.shape).reshape(part.ndim, -1) for part in self.attributions]
        axes = np.concatenate(places, axis=1) if places else np.zeros((3, 0), dtype=int)
        values = [
            np.broadcast_to(np.asarray(s), a.shape).ravel()
            for s, a in zip(self.samples, self.attributions, strict=True)
        ]
        value = _joined(values)
        if self.kind == "table":
            return {"column": self.names[axes[0]], "value": value}
        where = {"step": axes[0]} if self.kind == "series" else {"y": axes[0], "x": axes[1]}
        return {**where, "channel": self.names[axes[-1]], "value": value}

    def plot(self, *, max_samples: int = _MOST_SHOWN) -> Picture:
        """Draw the samples, coloured by their attributions on one common scale.

        Parameters
        ----------
        max_samples : int, default=20
            The most samples that are drawn.

        Returns
        -------
        Picture
            Notebooks show it; ``save`` writes it.
        """
        shown = self[:max_samples]
        numbers = np.abs(_joined(shown.attributions))
        share = 99.5 if self.kind == "images" else 95
        limit = float(np.percentile(numbers, share) or numbers.max()) if numbers.size else 1.0
        limit = limit or 1.0
        rows = [_head(shown, i) + shown._drawn(i, limit) for i in range(len(shown))]
        if len(self) > len(shown):
            rows.append(f"<p>{len(self) - len(shown)} more samples are not drawn.</p>")
        legend = [draw_legend(limit)] if self.kind == "trees" else []  # all other pictures have their own
        html = "".join(f'<div style="margin: 0 0 1.2em">{row}</div>' for row in [*legend, *rows])
        return Picture(html, f"{self.method.replace('_', ' ')}, {self.kind}: {len(self)}")

    def _drawn(self, i: int, limit: float) -> str:
        values, sample = self.attributions[i], self.samples[i]
        if not values.size:  # a text without words, a series without steps
            return "<div>\u2205</div>"
        if self.kind == "trees":
            return f'<div style="overflow-x: auto">{draw_tree(sample, values.tolist(), limit=limit)}</div>'
        if self.kind == "tokens":
            return draw_tokens(sample, values, limit=limit)
        if self.kind == "series":
            return draw_series(np.asarray(sample), values, names=list(self.names), limit=limit)
        if self.kind == "images":
            return draw_image(np.asarray(sample), values, limit=limit)
        names = [f"{name} = {_short(value)}" for name, value in zip(self.names, sample, strict=True)]
        return draw_bars(names, values, limit=limit)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

    def save_html(self, path: str | os.PathLike) -> Path:
        """Write the picture of all samples as a page that needs nothing else.

        Parameters
        ----------
        path : str or path-like
            A name that ends in ``.html``.

        Returns
        -------
        pathlib.Path
            The absolute path written.
        """
        return self.plot(max_samples=len(self)).save(path)


def _head(explanations: Explanations, i: int) -> str:
    target, value = escape(str(explanations.targets[i])), explanations.values[i]
    words = f"f = {value:+.3g}, without everything {explanations.baseline_values[i]:+.3g}"
    error = explanations.completeness_error[i]
    words += "" if np.isnan(error) else f", error {error:+.2g}"
    return f"<div><b>{target}</b> <small>{words}</small></div>"


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def _places_in_trees(trees: TreeArray) -> dict[str, Any]:
    starts = np.repeat(trees.offsets[:-1], trees.sizes)
    is_leaf = trees.arities == 0
    before = np.concatenate([[0], np.cumsum(is_leaf)])
    position = np.where(is_leaf, before[:-1] - before[starts], -1)
    columns: dict[str, Any] = {} if trees.values is None else {"value": trees.values}
    if trees.edges is not None and trees.edge_vocabulary is not None:
        columns["edge"] = trees.edge_vocabulary[trees.edges]
    return {
        "node": np.arange(trees.n_nodes) - starts,
        "parent": trees.parents,
        "position": position,
        "token": trees.vocabulary[trees.labels],  # type: ignore[index]
        **columns,
        "is_leaf": is_leaf,
    }
