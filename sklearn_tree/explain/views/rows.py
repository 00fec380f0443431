"""View of the rows of models that contain nets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from sklearn_tree.drawing import escape
from sklearn_tree.explain.features import Features
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.pieces import Pieces
from sklearn_tree.explain.rows.array import Item, RowArray
from sklearn_tree.explain.rows.inputs import RowInputs
from sklearn_tree.explain.rows.parts import Cells, Nodes, Part, Words
from sklearn_tree.explain.views.base import View
from sklearn_tree.explain.views.table import TableView
from sklearn_tree.explain.views.tokens import TokensView
from sklearn_tree.explain.views.trees import TreesView
from sklearn_tree.plot.svg import stack_svg, write_svg_lines
from sklearn_tree.trees.reduction import reduce_subtrees

_VIEWS: dict[type[Part], View] = {Words: TokensView(), Nodes: TreesView(), Cells: TableView()}


class RowsView(View):
    """View of rows: the words of texts, the nodes of trees, and the cells of all other columns."""

    is_embedded: bool = True
    has_subtrees: bool = True

    def inputs(self, net: Any, encoded: RowArray, rows: np.ndarray, baseline: Tensor | str) -> RowInputs:
        """Build the inputs of the model for some rows, see :meth:`View.inputs`."""
        return RowInputs(net, encoded[rows], str(baseline))

    def choose_baseline(self, net: Any, encoded: RowArray, name: str) -> str:
        """Return the replacement of numbers, "median" for "auto", see :meth:`View.choose_baseline`."""
        if name == "unknown":
            raise ValueError(
                "baseline='unknown' is for nets that are explained themselves; words are deleted from the "
                "rows of a model with nets inside"
            )
        return "median" if name == "auto" else name

    def accumulate(self, inputs: Inputs, own: list[np.ndarray]) -> list[np.ndarray]:
        """Sum the attributions of each subtree of trees."""
        assert isinstance(inputs, RowInputs)
        rows = inputs.batch
        totals = [
            [reduce_subtrees(numbers, tree.depths) for numbers, tree in zip(column, part.shown, strict=True)]
            if isinstance(part, Nodes)
            else column
            for column, part in zip(rows.split(own), rows.parts, strict=True)
        ]
        return [np.concatenate(row) for row in zip(*totals, strict=True)]

    def learn_features(
        self,
        net: Any,
        encoded: RowArray,
        *,
        aggregate: str,
        min_df: int | float,
        max_features: int | None,
    ) -> RowFeatures:
        """Choose one column per word, label and column of cells, see :meth:`View.learn_features`."""
        labels, counts = _label(encoded), Counter[str]()
        documents = Counter[str]()
        for row in np.split(labels, np.cumsum(encoded.sizes)[:-1]):
            counts.update(row)
            documents.update(set(row))
        least = min_df if isinstance(min_df, (int, np.integer)) else min_df * len(encoded)
        cells = [name for part in encoded.parts for name in part.item_names]
        words = [name for name in counts if documents[name] >= least and name not in cells and name]
        words = sorted(sorted(words, key=lambda name: -counts[name])[:max_features])
        names = np.array([*words, *cells], dtype=object)
        vocabulary = {name: i for i, name in enumerate(names)}
        return RowFeatures(names=names, vocabulary=vocabulary, is_mean=aggregate == "mean")

    def show(self, net: Any, encoded: RowArray, raw: Any) -> RowArray:
        """Return the parts of the rows."""
        return encoded.without_table()

    def locate(
        self, samples: RowArray, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns column, position and value; for single columns those of texts or trees."""
        if len(samples.parts) == 1:
            return self._views(samples)[0].locate(samples.parts[0].shown, attributions, _names(samples, 0))
        parts = samples.parts
        positions = [np.concatenate([np.arange(n) for n in part.sizes] or [np.zeros(0)]) for part in parts]
        columns = [part.labels if part.name == "" else np.full(part.sizes.sum(), part.name) for part in parts]
        return {
            "column": samples.join(columns),
            "position": samples.join(positions).astype(int),
            "value": samples.join([part.contents for part in parts]),
        }

    def scaled(self, samples: RowArray, attributions: list[np.ndarray]) -> np.ndarray:
        """Return the attributions that set the scale of the colours, see :meth:`View.scaled`."""
        columns = zip(self._views(samples), samples.parts, samples.split(attributions), strict=True)
        return np.concatenate([view.scaled(part.shown, numbers) for view, part, numbers in columns])

    def pieces(
        self, samples: RowArray, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the pieces of all parts; their names begin with the column if there are several."""
        found = []
        columns = zip(samples.parts, samples.split(attributions), samples.split(own), strict=True)
        for k, (part, totals, parts) in enumerate(columns):
            view = _VIEWS[type(part)]
            prefix = f"{part.name}: " if part.name and len(samples.parts) > 1 else ""
            pieces = view.pieces(part.shown, totals, parts, _names(samples, k))
            found += [replace(piece, names=prefix + piece.names) for piece in pieces]
        return found

    def write(self, sample: list[Item], attributions: np.ndarray, names: np.ndarray) -> str:
        """Write the parts of a row one after the other."""
        texts = [
            (f"{item.name}:\n" if item.name else "")
            + (_VIEWS[item.part].write(item.shown, numbers, item.cell_names) if numbers.size else "\u2205")
            for item, numbers in _split_row(sample, attributions)
        ]
        return "\n".join(texts)

    def draw(self, sample: list[Item], attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw the parts of a row one below the other."""
        drawings = [
            (f"<small>{escape(item.name)}</small>" if item.name else "")
            + (
                _VIEWS[item.part].draw(item.shown, numbers, item.cell_names, limit)
                if numbers.size
                else "<div>\u2205</div>"
            )
            for item, numbers in _split_row(sample, attributions)
        ]
        return "".join(f'<div style="margin: 0 0 0.4em">{drawing}</div>' for drawing in drawings)

    def draw_svg(self, sample: list[Item], attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw the parts of a row below each other."""
        drawings = []
        for item, numbers in _split_row(sample, attributions):
            drawings += [write_svg_lines(item.name)] if item.name else []
            draw = _VIEWS[item.part].draw_svg
            is_empty = not numbers.size
            drawings.append(
                write_svg_lines("\u2205") if is_empty else draw(item.shown, numbers, item.cell_names, limit)
            )
        return stack_svg(drawings)

    def _views(self, samples: RowArray) -> list[View]:
        return [_VIEWS[type(part)] for part in samples.parts]


@dataclass(frozen=True, kw_only=True)
class RowFeatures(Features):
    """One output column per word, label and column of cells.

    Attributes
    ----------
    is_mean : bool
        Whether the attributions of a word that occurs several times in a row are averaged, not summed.
    """

    is_mean: bool

    def aggregate(self, own: list[np.ndarray], encoded: RowArray) -> np.ndarray:
        """Return the sum or mean attribution of each name, see :meth:`Features.aggregate`."""
        assert self.vocabulary is not None
        columns = np.array([self.vocabulary.get(name, -1) for name in _label(encoded)], dtype=int)
        rows = np.repeat(np.arange(len(encoded)), encoded.sizes)
        sums, counts = np.zeros((2, len(encoded), len(self.names)))
        cells = rows[columns >= 0], columns[columns >= 0]
        np.add.at(sums, cells, np.concatenate(own)[columns >= 0])
        np.add.at(counts, cells, 1)
        return sums / np.maximum(counts, 1) if self.is_mean else sums


def _label(rows: RowArray) -> np.ndarray:
    """Return the name of the output column of each position: that of the column and the word or label."""
    columns = []
    for part in rows.parts:
        prefix = f"{part.name}_" if part.name and len(rows.parts) > 1 else ""
        columns.append(np.array([prefix + label if label else "" for label in part.labels], dtype=object))
    return rows.join(columns)


def _names(samples: RowArray, k: int) -> np.ndarray:
    return samples.parts[k].item_names


def _split_row(sample: list[Item], attributions: np.ndarray) -> list[tuple[Item, np.ndarray]]:
    bounds = np.cumsum([item.size for item in sample])[:-1]
    return list(zip(sample, np.split(attributions, bounds), strict=True))
