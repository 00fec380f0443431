"""Views of tables."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.containers import to_numpy
from sklearn_tree.drawing import cut
from sklearn_tree.explain.columns import trace_columns
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.features import ColumnFeatures
from sklearn_tree.explain.pieces import Pieces, make_pieces
from sklearn_tree.explain.tree_inputs import StarInputs
from sklearn_tree.explain.views.base import View, locate_elements
from sklearn_tree.explain.views.trees import build_tree_inputs, has_value
from sklearn_tree.plot.bars import draw_bars
from sklearn_tree.plot.text import write_bars

_LONGEST = 20  # characters of a name, so that its value is not cut off


class TableView(View):
    """View of tables: a position is a column, embedded as a token with a value."""

    default_method: str = "integrated_gradients"
    is_embedded: bool = True

    def baselines(self, net: ExplainedNet, batch: Any, x: Tensor, baseline: Tensor | str) -> Tensor:
        """Return the embeddings of the columns with the value 0 or, as for missing values, their mean."""
        values = torch.full_like(batch.values, torch.nan if baseline == "mean" else 0.0)
        return net.embed(dataclasses.replace(batch, values=values))

    def learn_features(
        self,
        net: ExplainedNet,
        encoded: Any,
        *,
        aggregate: str,
        min_df: int | float,
        max_features: int | None,
    ) -> ColumnFeatures:
        """Choose one column per source column, see :meth:`View.learn_features`."""
        sources = trace_columns(net.steps, net.estimator)
        return ColumnFeatures(names=sources.names, channels=sources.names, sources=sources)

    def locate(
        self, samples: Any, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns column and value."""
        indices, values = locate_elements(samples, attributions)
        return {"column": names[indices[0]], "value": values}

    def pieces(
        self, samples: Any, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the columns, see :meth:`View.pieces`."""
        return [make_pieces("column", np.tile(names, len(attributions)), attributions)]

    def write(self, sample: Any, attributions: np.ndarray, names: np.ndarray) -> str:
        """Write one bar per column, labelled with its value."""
        return write_bars(_label(names, sample), attributions)

    def draw_svg(self, sample: Any, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw one bar per column, labelled with its value."""
        return draw_bars(_label(names, sample), attributions, limit=limit)


class StarTableView(TableView):
    """View of tables that recursive nets read as stars."""

    def inputs(self, net: ExplainedNet, encoded: Any, rows: np.ndarray, baseline: Tensor | str) -> StarInputs:
        """Build the inputs of the net for some rows, see :meth:`View.inputs`."""
        return build_tree_inputs(StarInputs, self, net, encoded[rows], baseline)

    def removable(self, batch: Any, x: Tensor) -> Tensor:
        """Return the mask of the leaves, bool, shape (n_nodes,)."""
        return has_value(batch)

    def show(self, net: ExplainedNet, encoded: Any, raw: Any) -> np.ndarray:
        """Return the numbers of the table, without the roots of the stars."""
        return to_numpy(encoded.values).reshape(len(encoded), -1)[:, 1:]


def _label(names: np.ndarray, values: Any) -> list[str]:
    return [
        f"{cut(str(name), _LONGEST)} = {_format(value)}" for name, value in zip(names, values, strict=True)
    ]


def _format(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
