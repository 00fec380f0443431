"""View of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.containers import pair_columns
from sklearn_tree.drawing import escape
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.features import Features
from sklearn_tree.explain.inputs import Inputs, PairInputs
from sklearn_tree.explain.pieces import Pieces
from sklearn_tree.explain.views.base import View, is_ragged
from sklearn_tree.explain.views.windows import WindowsView
from sklearn_tree.kinds import PairArray
from sklearn_tree.kinds.pairs import item_rows
from sklearn_tree.plot.svg import stack_svg, write_svg_lines
from sklearn_tree.plot.text import escape_markdown


class PairsView(View):
    """View of pairs: the positions of the first sample, then those of the second.

    Parameters
    ----------
    item_view : View
        View of the kind of the samples.
    """

    def __init__(self, item_view: View) -> None:
        self.item_view = item_view
        self.default_method = item_view.default_method
        self.is_embedded = item_view.is_embedded
        self.has_subtrees = item_view.has_subtrees
        self.limit_percentile = item_view.limit_percentile
        self.opacity = item_view.opacity

    # Inputs of the net.

    def inputs(self, net: ExplainedNet, encoded: Any, rows: np.ndarray, baseline: Tensor | str) -> Inputs:
        """Build the inputs of the net for some pairs, see :meth:`View.inputs`."""
        return self.item_view.inputs(net.for_items(), encoded.items, item_rows(rows), baseline).pair_up()

    def choose_baseline(self, net: ExplainedNet, encoded: Any, name: str) -> np.ndarray | str:
        """Return the baseline for the samples of all pairs."""
        return self.item_view.choose_baseline(net.for_items(), encoded.items, name)

    # Groups of positions.

    def groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the positions of both samples to groups; no group has positions of both."""
        if not isinstance(self.item_view, WindowsView):
            return self.item_view.groups(inputs, params)
        assert isinstance(inputs, PairInputs)
        windows = self.item_view.groups(inputs.first(), params)
        windows = torch.stack([windows, windows + windows.max() + 1])
        is_padding = ~inputs.removable[0].unsqueeze(-1).expand_as(windows)
        distinct, groups = windows.masked_fill(is_padding, -1).unique(return_inverse=True)
        return groups - (distinct[0] < 0).long()

    def batch_groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the positions of all pairs of a batch to groups; padding is a group."""
        if not isinstance(self.item_view, WindowsView):
            return super().batch_groups(inputs, params)
        groups = self.groups(inputs, params)
        return torch.where(groups < 0, groups.max() + 1, groups)

    def sliding_window(
        self, inputs: Inputs, params: Mapping[str, Any]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shape and the strides of a window that slides over each sample in turn."""
        assert isinstance(inputs, PairInputs)
        shape, strides = self.item_view.sliding_window(inputs.first(), params)
        return (1, *shape), (1, *strides)

    def has_length_dependent_windows(self, encoded: Any) -> bool:
        """Return whether the groups of a pair depend on the lengths of the others."""
        return self.item_view.has_length_dependent_windows(encoded.items)

    def accumulate(self, inputs: Inputs, own: list[np.ndarray]) -> list[np.ndarray]:
        """Return the attributions of each pair, see :meth:`View.accumulate`."""
        return self.item_view.accumulate(inputs, own)

    # Output columns.

    def learn_features(
        self,
        net: ExplainedNet,
        encoded: Any,
        *,
        aggregate: str,
        min_df: int | float,
        max_features: int | None,
    ) -> PairFeatures:
        """Choose the same output columns for both sides, see :meth:`View.learn_features`."""
        items = self.item_view.learn_features(
            net.for_items(), encoded.items, aggregate=aggregate, min_df=min_df, max_features=max_features
        )
        names = [f"{side}_{name}" for side in encoded.names for name in items.names]
        vocabulary = None if items.vocabulary is None else {name: i for i, name in enumerate(names)}
        return PairFeatures(
            names=np.array(names, dtype=object),
            channels=items.channels,
            vocabulary=vocabulary,
            items=items,
        )

    # Frames and pictures.

    def show(self, net: ExplainedNet, encoded: Any, raw: Any) -> PairArray:
        """Return the pairs with the user's labels or tokens."""
        raw_items = raw.items if isinstance(raw, PairArray) else None
        return encoded.replace(self.item_view.show(net.for_items(), encoded.items, raw_items))

    def find_texts(self, X: Any, n: int) -> list | None:
        """Return both texts of each pair as a tuple, see :meth:`View.find_texts`."""
        items: Any = ()
        with suppress(TypeError, ValueError):  # steps before the net may read other columns
            items, _ = pair_columns(X)
        texts = self.item_view.find_texts(items, 2 * n)
        return None if texts is None else list(zip(texts[::2], texts[1::2], strict=True))

    def annotate(self, sample: dict[str, Any], text: tuple[str, str] | None, node: int | None) -> dict:
        """Return the pair with the texts of both sides."""
        sides = zip(sample.items(), text or (None, None), strict=True)
        return {side: self.item_view.annotate(item, part, None) for (side, item), part in sides}

    def check(self, features: Any, encoded: Any) -> None:
        """Raise ValueError if the samples of the pairs cannot be explained, see :meth:`View.check`."""
        self.item_view.check(features.items, encoded.items)

    def locate(
        self, samples: PairArray, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the column side and the columns for the samples of the pairs."""
        parts = split_pairs(attributions, samples.items)
        sides = np.tile(np.array(samples.names, dtype=object), len(attributions))
        columns = self.item_view.locate(samples.items, parts, names)
        return {"side": np.repeat(sides, [part.size for part in parts]), **columns}

    def scaled(self, samples: PairArray, attributions: list[np.ndarray]) -> np.ndarray:
        """Return the attributions that set the scale of the colours, see :meth:`View.scaled`."""
        return self.item_view.scaled(samples.items, split_pairs(attributions, samples.items))

    def pieces(
        self, samples: PairArray, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the pieces of both samples of each pair; their names begin with the side."""
        items = samples.items
        parts = self.item_view.pieces(items, split_pairs(attributions, items), split_pairs(own, items), names)
        sides = np.array(samples.names, dtype=object)
        return [
            replace(part, names=sides[part.samples % 2] + ": " + part.names, samples=part.samples // 2)
            for part in parts
        ]

    def write(self, sample: dict[str, Any], attributions: np.ndarray, names: np.ndarray) -> str:
        """Write the samples of a pair one after the other."""
        texts = [
            f"{side}:\n{self.item_view.write(item, part, names) if part.size else ''}"
            for side, item, part in _sides(sample, attributions)
        ]
        return "\n".join(texts)

    def write_markdown(self, sample: dict[str, Any], attributions: np.ndarray, names: np.ndarray) -> str:
        """Write the samples of a pair as Markdown, one after the other."""
        texts = [
            f"{escape_markdown(side)}:\n\n"
            + (self.item_view.write_markdown(item, part, names) if part.size else "\u2205")
            for side, item, part in _sides(sample, attributions)
        ]
        return "\n\n".join(texts)

    def draw(self, sample: dict[str, Any], attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw the samples of a pair side by side."""
        drawings = [
            f"<small>{escape(side)}</small>"
            + (self.item_view.draw(item, part, names, limit) if part.size else "<div>\u2205</div>")
            for side, item, part in _sides(sample, attributions)
        ]
        cells = "".join(f'<div style="min-width: 0">{drawing}</div>' for drawing in drawings)
        return f'<div style="display: flex; flex-wrap: wrap; gap: 0.5em 2.5em">{cells}</div>'

    def draw_svg(
        self, sample: dict[str, Any], attributions: np.ndarray, names: np.ndarray, limit: float
    ) -> str:
        """Draw the samples of a pair below each other."""
        drawings = []
        for side, item, part in _sides(sample, attributions):
            drawings.append(write_svg_lines(side))
            drawings.append(
                self.item_view.draw_svg(item, part, names, limit) if part.size else write_svg_lines("\u2205")
            )
        return stack_svg(drawings)


@dataclass(frozen=True, kw_only=True)
class PairFeatures(Features):
    """Output columns of the first sample of each pair, then those of the second.

    Attributes
    ----------
    items : Features
        Output columns of single samples.
    """

    items: Features

    def aggregate(self, own: list[np.ndarray], encoded: PairArray) -> np.ndarray:
        """Return the output columns of both samples, see :meth:`Features.aggregate`."""
        parts, items = split_pairs(own, encoded.items), encoded.items
        return np.hstack([self.items.aggregate(parts[side::2], items[side::2]) for side in (0, 1)])


def split_pairs(attributions: list[np.ndarray], items: Any) -> list[np.ndarray]:
    """Split the attributions of pairs into those of their samples.

    Parameters
    ----------
    attributions : list of ndarray, length n
        Attributions of pairs, those of both samples one after the other.
    items : samples, length 2 * n
        The samples of the pairs; their sizes are equal unless they have ``sizes``.

    Returns
    -------
    list of ndarray, length 2 * n
    """
    sizes = items.sizes[::2].tolist() if is_ragged(items) else [len(part) // 2 for part in attributions]
    pairs = zip(attributions, sizes, strict=True)
    return [part for both, n in pairs for part in (both[:n], both[n:])]


def _sides(sample: dict[str, Any], attributions: np.ndarray) -> list[tuple[str, Any, np.ndarray]]:
    """Return the name of each side of a pair, its sample and its attributions."""
    n = _n_rows(next(iter(sample.values())))
    (first, item), (second, other) = sample.items()
    return [(first, item, attributions[:n]), (second, other, attributions[n:])]


def _n_rows(item: Any) -> int:
    """Return the number of nodes, tokens, steps or rows of pixels of a sample."""
    return item.n_nodes if hasattr(item, "n_nodes") else len(item)
