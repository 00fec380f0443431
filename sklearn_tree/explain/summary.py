"""Summaries of the explanations of many samples: the words, phrases or columns that push each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sklearn_tree.drawing import escape, scroll
from sklearn_tree.plot.bars import draw_bars
from sklearn_tree.plot.picture import Picture
from sklearn_tree.plot.text import write_bars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sklearn_tree.explain.pieces import Pieces

_KEY = ["target", "feature", "name"]
_N_DRAWN = 10
_MAX_DOTS = 400  # of a name in a beeswarm


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Summary:
    """Pieces of samples that push classes, the result of :meth:`Explanations.summary`.

    Attributes
    ----------
    frame : DataFrame
        One row per class and piece, the strongest first; see :meth:`to_frame`.
    pieces : DataFrame
        One row per occurrence of a piece: ``target``, ``feature``, ``name``, ``sample`` and ``value``.
    caption : str
        Method and number of samples.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RNNClassifier
    >>> texts, y = ["a good film", "a bad film", "good play", "bad play"] * 10, ["yes", "no"] * 20
    >>> explainer = CaptumExplainer(RNNClassifier(random_state=0)).fit(texts, y)
    >>> summary = explainer.explain(texts).summary(features="word")
    >>> summary.top(1).to_frame()[["target", "name", "count"]].values.tolist()
    [['no', 'bad', 20], ['yes', 'good', 20]]
    """

    frame: pd.DataFrame
    pieces: pd.DataFrame
    caption: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per class and piece.

        Returns
        -------
        DataFrame
            The columns are ``target``, the explained class; ``feature``, the kind of the piece; ``name``, its
            text; ``count``, the number of its occurrences in samples of which the class is explained, and
            ``n_samples``, the number of these samples; ``mean`` and ``std`` of its attributions;
            ``strength``, ``mean * sqrt(count)``, by which the rows of a class are sorted; and ``example``,
            the sample with the attribution that is farthest from 0 in the direction of the mean.
        """
        return self.frame.copy()

    def __len__(self) -> int:
        return len(self.frame)

    def top(self, n: int = _N_DRAWN, *, against: bool = False) -> Summary:
        """Return the strongest pieces of each class and kind of piece.

        A run of words that holds a stronger one of the same class, or is a part of it, is skipped.

        Parameters
        ----------
        n : int, default=10
            Number of pieces for each class and kind.
        against : bool, default=False
            Whether the pieces that push against the class are returned instead.

        Returns
        -------
        Summary
        """
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"n must be an int >= 1, got {n!r}")
        frame = self.frame[self.frame["mean"] < 0 if against else self.frame["mean"] > 0]
        frame = frame.sort_values("strength", ascending=against, kind="stable")
        parts = [_drop_overlaps(part, n) for _, part in frame.groupby(["target", "feature"], sort=True)]
        kept = pd.concat(parts) if parts else frame
        return replace(self, frame=kept.reset_index(drop=True))

    def plot(self, n: int = _N_DRAWN) -> Picture:
        """Draw the strongest pieces of each class as bars.

        Parameters
        ----------
        n : int, default=10
            Number of pieces for each class and kind.

        Returns
        -------
        Picture
            Notebooks show it; ``save`` writes it to a file. A click on a class folds its bars.
        """
        frame = self.top(n).frame
        limit = frame["mean"].abs().max() if len(frame) else 1.0
        parts = []
        for target, rows in frame.groupby("target", sort=True):
            drawings = [
                f'<div style="min-width: 0"><div><small>{escape(str(feature))}</small></div>'
                f"{scroll(draw_bars(_label(part), part['mean'].to_numpy(), limit=limit, max_bars=n))}</div>"
                for feature, part in rows.groupby("feature", sort=False)
            ]
            bars = "".join(drawings)
            parts.append(
                f'<details open style="margin: 0 0 1.2em"><summary><b>{escape(str(target))}</b></summary>'
                f'<div style="display: flex; flex-wrap: wrap; gap: 0.5em 2.5em">{bars}</div></details>'
            )
        return Picture("".join(parts) or "<p>No pieces.</p>", f"mean attribution, {self.caption}")

    def beeswarm(self, n: int = _N_DRAWN, *, target: Any = None, ax: Axes | None = None) -> Axes:
        """Draw the attributions of the strongest pieces of a class as dots, one row of dots per piece.

        Parameters
        ----------
        n : int, default=10
            Number of pieces for each kind.
        target : class, default=None
            Class; None is the first.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If no piece has the class.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError('beeswarm needs matplotlib: pip install "sklearn-tree[plot]"') from error
        targets = list(pd.unique(self.frame["target"]))
        if target is None and targets:
            target = sorted(targets, key=str)[0]
        if target not in targets:
            raise ValueError(f"target must be one of the classes {targets}, got {target!r}")
        rows = self.top(n).frame
        rows = rows[rows["target"] == target][::-1]
        if ax is None:
            _, ax = plt.subplots(figsize=(7, 0.6 + 0.3 * len(rows)), layout="constrained")
        known = self.pieces[self.pieces["target"] == target].groupby(["feature", "name"])["value"]
        generator = np.random.default_rng(0)
        for y, key in enumerate(zip(rows["feature"], rows["name"], strict=True)):
            values = known.get_group(key).to_numpy()[:_MAX_DOTS]
            ax.scatter(values, y + _spread(values, generator), s=9, alpha=0.6, color="#e67814")
        ax.axvline(0, color="0.5", linewidth=0.8)
        ax.set_yticks(range(len(rows)), _label(rows))
        ax.set(xlabel="attribution", title=str(target))
        return ax

    def __repr__(self) -> str:
        parts = [f"Summary({len(self)} pieces, {self.caption})"]
        for (target, feature), rows in self.top(5).frame.groupby(["target", "feature"], sort=True):
            parts.append(f"{target}, {feature}:\n{write_bars(_label(rows), rows['mean'].to_numpy())}")
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        return self.plot()._repr_html_()


def summarize(
    pieces: Sequence[Pieces],
    targets: np.ndarray,
    *,
    features: str | Sequence[str] | None,
    min_count: int,
    caption: str,
) -> Summary:
    """Return the summary of pieces.

    Parameters
    ----------
    pieces : sequence of Pieces
        Pieces of each kind.
    targets : ndarray, shape (n_samples,)
        Explained class of each sample.
    features : str, sequence of str or None
        Kinds of pieces; None for all.
    min_count : int
        Number of occurrences that a piece needs.
    caption : str
        Method and number of samples.

    Raises
    ------
    ValueError
        If a kind of piece does not exist or ``min_count`` is not positive.
    """
    frame = select_pieces(pieces, targets, features=features, min_count=min_count)
    groups = frame.groupby(_KEY, sort=False, observed=True)
    table = groups["value"].agg(count="size", mean="mean", std="std")
    table["n_samples"] = groups["sample"].nunique()
    table["std"] = table["std"].fillna(0.0)
    table["strength"] = table["mean"] * np.sqrt(table["count"])
    table = table[table["count"] >= min_count].reset_index()
    table["example"] = _find_examples(frame, table)
    order = ["target", "feature", "name", "count", "n_samples", "mean", "std", "strength", "example"]
    table = table[order].sort_values(["target", "strength"], ascending=[True, False], kind="stable")
    return Summary(frame=table.reset_index(drop=True), pieces=frame, caption=caption)


def select_pieces(
    pieces: Sequence[Pieces], targets: np.ndarray, *, features: str | Sequence[str] | None, min_count: int
) -> pd.DataFrame:
    """Return the pieces of some kinds as a frame; the parameters are those of :func:`summarize`."""
    known = [part.feature for part in pieces]
    wanted = known if features is None else [features] if isinstance(features, str) else list(features)
    for name in wanted:
        if name not in known:
            raise ValueError(f"features must be names among {known}, got {name!r}")
    if isinstance(min_count, bool) or not isinstance(min_count, (int, np.integer)) or min_count < 1:
        raise ValueError(f"min_count must be an int >= 1, got {min_count!r}")
    parts = [
        pd.DataFrame(
            {
                "target": targets[part.samples],
                "feature": part.feature,
                "name": part.names,
                "sample": part.samples,
                "value": part.values,
            }
        )
        for part in pieces
        if part.feature in wanted
    ]
    return pd.concat(parts, ignore_index=True)


def select_group(targets: np.ndarray, group: Any, name: str) -> np.ndarray:
    """Return the samples of a group as a mask, see :meth:`Explanations.contrast`."""
    mask = np.zeros(len(targets), dtype=bool)
    if np.size(group) and np.ndim(group):
        mask[np.asarray(group)] = True
    elif not np.ndim(group):
        mask |= np.asarray(targets == group)
    if not mask.any():
        raise ValueError(f"{name} must select samples, got {group!r:.60}: no sample has this class")
    return mask


def compare(frame: pd.DataFrame, is_first: np.ndarray, is_second: np.ndarray, min_count: int) -> pd.DataFrame:
    """Compare the attributions of pieces in two groups of samples.

    Parameters
    ----------
    frame : DataFrame
        Return value of :func:`select_pieces`.
    is_first, is_second : ndarray of bool, shape (n_samples,)
        Samples of each group.
    min_count : int
        Number of occurrences that a piece needs in both groups together.

    Returns
    -------
    DataFrame
        See :meth:`Explanations.contrast`.
    """
    columns = {}
    for suffix, chosen in (("a", is_first), ("b", is_second)):
        part = frame[chosen[frame["sample"].to_numpy()]].assign(square=lambda x: x["value"] ** 2)
        groups, n = part.groupby(["feature", "name"], sort=False), int(chosen.sum())
        columns[f"count_{suffix}"], columns[f"mean_{suffix}"] = groups.size(), groups["value"].mean()
        columns[f"push_{suffix}"] = groups["value"].sum() / n
        columns[f"error_{suffix}"] = groups["square"].sum() / n**2
    table = pd.DataFrame(columns).fillna(0.0)
    table["difference"] = table["push_a"] - table["push_b"]
    error = np.sqrt(table["error_a"] + table["error_b"])
    table["z"] = table["difference"] / error.where(error > 0, np.inf)
    counts = ["count_a", "count_b"]
    table[counts] = table[counts].astype(np.int64)
    table = table[table[counts].sum(axis=1) >= min_count]
    order = [*counts, "mean_a", "mean_b", "difference", "z"]
    return table[order].sort_values("difference", ascending=False, kind="stable").reset_index()


def _find_examples(frame: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Return the sample with the most extreme attribution of each row of a table."""
    if not len(table):
        return np.zeros(0, dtype=np.int64)
    merged = frame.merge(table[[*_KEY, "mean"]], on=_KEY)
    merged["signed"] = merged["value"] * np.sign(merged["mean"])
    best = merged.loc[merged.groupby(_KEY, sort=False)["signed"].idxmax()].set_index(_KEY)["sample"]
    return best.reindex(pd.MultiIndex.from_frame(table[_KEY])).to_numpy()


def _drop_overlaps(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the first n rows whose words are not part of those of an earlier row, or the other way round."""
    kept: list[str] = []
    chosen = []
    for i, name in enumerate(rows["name"]):
        padded = f" {name} "
        if " " in name and any(padded in other or other in padded for other in kept):
            continue
        if " " in name:
            kept.append(padded)
        chosen.append(i)
        if len(chosen) == n:
            break
    return rows.iloc[chosen]


def _label(rows: pd.DataFrame) -> list[str]:
    return [f"{name} ({count})" for name, count in zip(rows["name"], rows["count"], strict=True)]


def _spread(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return vertical offsets of dots: larger where more values are close together."""
    counts, edges = np.histogram(values, bins=20)
    bins = np.clip(np.digitize(values, edges) - 1, 0, len(counts) - 1)
    return generator.uniform(-0.4, 0.4, len(values)) * counts[bins] / counts.max()
