"""View of images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.pieces import Pieces, make_pieces
from sklearn_tree.explain.views.base import locate_elements
from sklearn_tree.explain.views.windows import WindowsView
from sklearn_tree.plot.image import OVERLAY, draw_image, draw_image_svg
from sklearn_tree.plot.text import write_bars


class ImagesView(WindowsView):
    """View of images: a window is a square patch with all channels."""

    limit_percentile: float = 99.5
    opacity: float = OVERLAY
    is_compact: bool = True
    n_windows: ClassVar[int] = 7

    def lengths(self, batch: Any) -> None:
        """Return None: images of one size are not padded."""

    def groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the pixels to patches in row-major order, int64, shape (height, width, 1)."""
        height, width = inputs.x.shape[1:-1]
        side = self.window_length(inputs, params)
        rows, columns = torch.arange(height) // side, torch.arange(width) // side
        n_per_row = math.ceil(width / side)
        return (rows[:, None] * n_per_row + columns).unsqueeze(-1).to(inputs.x.device)

    def channels_per_window(self, inputs: Inputs) -> int:
        """Return the number of channels of the images."""
        return inputs.x.shape[-1]

    def element_names(self, shape: tuple[int, ...], channels: np.ndarray) -> list[str]:
        """Return names such as ``y0_x5_ch2``."""
        height, width = shape[:2]
        return [f"y{y}_x{x}_{channel}" for y in range(height) for x in range(width) for channel in channels]

    def check(self, features: Any, encoded: Any) -> None:
        """Raise ValueError if the images have another size than in ``fit``."""
        features.check_shape(encoded)

    def locate(
        self, samples: Any, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns y, x, channel and value."""
        indices, values = locate_elements(samples, attributions)
        return {"y": indices[0], "x": indices[1], "channel": names[indices[-1]], "value": values}

    def pieces(
        self, samples: Any, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the patches, a seventh of the image on each side; see :meth:`View.pieces`."""
        patches = [self._sum_patches(part) for part in attributions]
        labels = [label for part, _ in patches for label in part]
        return [make_pieces("patch", np.array([*labels, None], dtype=object)[:-1], [x for _, x in patches])]

    def write(self, sample: Any, attributions: np.ndarray, names: np.ndarray) -> str:
        """Write the patches with the largest attributions."""
        return write_bars(*self._sum_patches(attributions))

    def _sum_patches(self, attributions: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Return the names and the attributions of the patches of an image."""
        height, width = attributions.shape[:2]
        side = max(1, -(-max(height, width) // self.n_windows))
        totals = attributions.reshape(height, width, -1).sum(axis=2)
        rows, columns = np.arange(0, height, side), np.arange(0, width, side)
        sums = np.add.reduceat(np.add.reduceat(totals, rows, axis=0), columns, axis=1)
        labels = [
            f"y {y} to {min(y + side, height) - 1}, x {x} to {min(x + side, width) - 1}"
            for y in rows
            for x in columns
        ]
        return labels, sums.ravel()

    def draw(self, sample: Any, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw an image in grey under its coloured attributions."""
        return draw_image(np.asarray(sample), attributions, limit=limit, legend=False)

    def draw_svg(self, sample: Any, attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw an image in grey under its coloured attributions."""
        return draw_image_svg(np.asarray(sample), attributions, limit=limit)
