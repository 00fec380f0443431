"""Samples with channels: what series and images share."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

import numpy as np

from sklearn_tree.kinds.base import Kind
from sklearn_tree.kinds.numbers import check_n_channels
from sklearn_tree.kinds.statistics import channel_statistics

_OTHER_ORDER = {"last": "first", "first": "last"}


class ChannelsMixin(Kind):
    """Reading, statistics and state of samples with channels.

    A subclass defines ``_read(X)``, which returns the samples with their channels last,
    ``_flatten(samples)``, which returns their steps or pixels as an array of shape (n_positions_total,
    n_channels), and ``_looks_swapped(samples)``.

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels.
    max_map_size : int
        Largest length or side of the feature maps in the blocks of a residual net.
    """

    max_map_size: ClassVar[int]

    def _read(self, X: Any) -> Any:
        raise NotImplementedError

    def _flatten(self, samples: Any) -> Any:
        raise NotImplementedError

    def _n_channels(self, samples: Any) -> int:
        return samples.shape[-1]

    def _looks_swapped(self, samples: Any) -> bool:
        """Return whether the channels of the samples seem to be on another axis than ``channels`` names."""
        raise NotImplementedError

    @property
    def _order_remedy(self) -> str:
        return f"pass channels={_OTHER_ORDER[self.channels]!r} to {self.reader}"

    def fit(self, X: Any) -> Any:
        """Read the samples and their number of channels."""
        vars(self).pop("n_channels_in_", None)
        samples = self._read(X)
        self.n_channels_in_ = self._n_channels(samples)
        if self._looks_swapped(samples):
            warnings.warn(
                f"X is read as {self.name} of {self.n_channels_in_} channels, but its channels seem to be "
                f"{_OTHER_ORDER[self.channels]}: if they are, {self._order_remedy}",
                stacklevel=3,
            )
        return samples

    def encode(self, X: Any) -> Any:
        """Read samples."""
        samples = self._read(X)
        check_n_channels(self._n_channels(samples), self.n_channels_in_)
        return samples

    def module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the number of channels and their statistics."""
        channels = self._flatten(encoded)
        shift, scale = channel_statistics(channels, sample_weight, self.n_positions(encoded))
        return {"n_channels": len(shift), "value_shift": shift, "value_scale": scale}

    def pool_size(self, encoded: Any, sample_weight: np.ndarray | None) -> int:
        """Return the power of 2 that brings samples of mean size to at most ``max_map_size``."""
        side = max(self._side(encoded, sample_weight), 1)
        return 2 ** max(0, math.ceil(math.log2(side / self.max_map_size)))

    def _side(self, samples: Any, sample_weight: np.ndarray | None) -> float:
        """Return the mean length or side of the samples."""
        return self.mean_length(samples, sample_weight)

    def to_state(self) -> dict[str, Any]:
        """Return the number of channels and their axis."""
        return {"n_channels": self.n_channels_in_, "channels": self.channels}

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Any:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        kind = cls(reader, channels=state["channels"])
        kind.n_channels_in_ = int(state["n_channels"])
        return kind
