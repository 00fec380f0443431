"""View of series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.pieces import Pieces, make_pieces
from sklearn_tree.explain.views.base import is_ragged, locate_elements
from sklearn_tree.explain.views.windows import WindowsView
from sklearn_tree.plot.series import draw_series
from sklearn_tree.plot.text import write_bars


class SeriesView(WindowsView):
    """View of series: a window is a run of steps of one channel."""

    default_method: str = "integrated_gradients"
    n_windows: ClassVar[int] = 10

    def groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the steps of each channel to windows, int64, shape (n_steps, n_channels)."""
        n_steps, n_channels = inputs.x.shape[1:]
        windows = torch.arange(n_steps) // self.window_length(inputs, params)
        return (windows[:, None] * n_channels + torch.arange(n_channels)).to(inputs.x.device)

    def has_length_dependent_windows(self, encoded: Any) -> bool:
        """Return whether the series may differ in length: windows are a fraction of the longest."""
        return is_ragged(encoded)

    def channels_per_window(self, inputs: Inputs) -> int:
        """Return 1."""
        return 1

    def element_names(self, shape: tuple[int, ...], channels: np.ndarray) -> list[str]:
        """Return names such as ``ch0_t3``."""
        return [f"{channel}_t{t}" for t in range(shape[0]) for channel in channels]

    def locate(
        self, samples: Any, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns step, channel and value."""
        indices, values = locate_elements(samples, attributions)
        return {"step": indices[0], "channel": names[indices[-1]], "value": values}

    def pieces(
        self, samples: Any, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the channels, and the tenths of each channel, see :meth:`View.pieces`."""
        indices, _ = locate_elements(samples, attributions)
        channels = make_pieces("channel", names[indices[-1]], attributions)
        spans = [self._sum_spans(part, names) for part in attributions if part.size]
        labels = [label for part, _ in spans for label in part]
        return [
            channels,
            make_pieces("span", np.array([*labels, None], dtype=object)[:-1], [x for _, x in spans]),
        ]

    def write(self, sample: Any, attributions: np.ndarray, names: np.ndarray) -> str:
        """Write the spans of steps with the largest attributions, a tenth of the series each."""
        return write_bars(*self._sum_spans(attributions, names))

    def _sum_spans(self, attributions: np.ndarray, names: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Return the names and the attributions of the tenths of each channel of a series."""
        size = max(1, -(-len(attributions) // self.n_windows))
        starts = list(range(0, len(attributions), size))
        sums = np.add.reduceat(attributions, starts)
        labels = [
            f"{name}, steps {start} to {min(start + size, len(attributions)) - 1}"
            for start in starts
            for name in names
        ]
        return labels, sums.ravel()

    def draw_svg(self, sample: Any, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw each channel as a line over coloured strips."""
        return draw_series(np.asarray(sample), attributions, names=list(names), limit=limit, legend=False)
