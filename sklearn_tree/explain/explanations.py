"""Attributions of samples, as frames and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sklearn_tree.drawing import escape, find_limit
from sklearn_tree.explain.state import view_from_state, view_to_state
from sklearn_tree.explain.views import View
from sklearn_tree.plot.picture import Picture, draw_legend

if TYPE_CHECKING:
    import pandas as pd


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
    complete: Literal["own", "attributions"] | None = "own"

    @property
    def completeness_error(self) -> np.ndarray:
        """Sum of the attributions of each sample minus the difference from the baseline."""
        if self.complete is None:
            return np.full(len(self), np.nan)
        totals = np.array([part.sum() for part in getattr(self, self.complete)], dtype=float)
        return totals - (self.values - self.baseline_values)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "view": view_to_state(self.view)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, view=view_from_state(state["view"]))

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
        )

    def __iter__(self) -> Iterator[Explanations]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Explanations({len(self)} {self.kind}, method={self.method!r})"

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
            - ``target``, and ``delta``, the completeness error of the sample.
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
        frame["target"] = np.repeat(self.targets, sizes)
        frame["delta"] = np.repeat(self.completeness_error, sizes)
        return pd.DataFrame(frame)

    def plot(self, *, max_samples: int = 20) -> Picture:
        """Draw the samples, coloured by their attributions on a common scale.

        Parameters
        ----------
        max_samples : int, default=20
            Maximum number of samples to draw.

        Returns
        -------
        Picture
            Notebooks show it; ``save`` writes it to a file.
        """
        rows, errors = range(len(self))[:max_samples], self.completeness_error
        numbers = _flatten(self.attributions[:max_samples])
        limit = find_limit(numbers, percentile=self.view.limit_percentile)
        parts = [] if self.view.has_own_legend else [draw_legend(limit, values=numbers)]
        for i in rows:
            drawing = "<div>\u2205</div>"  # a text without words or a series without steps
            if self.attributions[i].size:
                drawing = self.view.draw(self.samples[i], self.attributions[i], self.names, limit)
            parts.append(self._draw_heading(i, errors[i]) + drawing)
        if len(rows) < len(self):
            parts.append(f"<p>{len(self) - len(rows)} more samples are not drawn.</p>")
        html = "".join(f'<div style="margin: 0 0 1.2em">{part}</div>' for part in parts)
        return Picture(html, f"{self.method.replace('_', ' ')}, {self.kind}: {len(self)}")

    def _draw_heading(self, i: int, error: float) -> str:
        text = f"f = {self.values[i]:+.3g}, baseline {self.baseline_values[i]:+.3g}"
        text += "" if np.isnan(error) else f", error {error:+.2g}"
        return f"<div><b>{escape(str(self.targets[i]))}</b> <small>{text}</small></div>"

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()

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
