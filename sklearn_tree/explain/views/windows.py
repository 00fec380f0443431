"""Base class of the views of series and images, which are removed in windows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.views.base import View


class WindowsView(View):
    """View of samples whose neighbouring positions are removed together.

    Attributes
    ----------
    n_windows : int
        Number of windows along the longest axis, unless ``method_params`` holds their length.
    """

    n_windows: ClassVar[int]

    def window_length(self, inputs: Inputs, params: Mapping[str, Any]) -> int:
        """Return the length of the windows: ``params["window"]``, or a fraction of the longest axis."""
        return int(params.get("window", math.ceil(max(inputs.x.shape[1:-1]) / self.n_windows)))

    def batch_groups(self, inputs: Inputs, params: Mapping[str, Any]) -> Tensor:
        """Assign the positions to windows, which are the same for all samples of a batch."""
        return self.groups(inputs, params)

    def sliding_window(
        self, inputs: Inputs, params: Mapping[str, Any]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shape of a window that slides over a sample, and its strides.

        Parameters
        ----------
        inputs : Inputs
            The samples.
        params : mapping
            ``window``: length of the window; ``stride``: its step, by default half of its length.

        Returns
        -------
        shape, strides : tuple of int
            One entry per axis of a sample, the channels included.
        """
        sizes, n_channels = inputs.x.shape[1:-1], self.channels_per_window(inputs)
        length = max(math.ceil(max(sizes) / self.n_windows), int(params.get("stride", 1)))
        length = min(int(params.get("window", length)), *sizes)
        stride = min(int(params.get("stride", max(1, length // 2))), length)
        return (*(length for _ in sizes), n_channels), (*(stride for _ in sizes), n_channels)

    def channels_per_window(self, inputs: Inputs) -> int:
        """Return the number of channels that a window covers."""
        raise NotImplementedError
