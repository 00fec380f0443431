"""Images of one size."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sklearn_tree.containers import as_column, is_tensor, layout_of, move_channels_last, to_numpy
from sklearn_tree.kinds.channels import ChannelsMixin
from sklearn_tree.kinds.numbers import check_numbers
from sklearn_tree.kinds.training import TrainingDefaults

if TYPE_CHECKING:
    import torch

    from sklearn_tree.nn import ImageBatch

_MAX_RATIO = 8  # of the largest numbers of images in fit and later; all else means another scale


class Images(ChannelsMixin):
    """Images of one size, encoded as an array of shape (n, height, width, n_channels).

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels.
    range_ : list of float
        Smallest and largest number of the training images.
    """

    name: ClassVar[str] = "images"
    aliases = ("image",)
    is_paired_by_name = True  # grey images look like series
    max_map_size = 32
    training_defaults = TrainingDefaults(kernel_sizes=(3, 5))
    residual_defaults = TrainingDefaults(
        n_blocks=None,
        kernel_sizes=(3,),
        n_filters=16,
        pooling="mean",
        lr=0.01,
        lr_schedule="one_cycle",
        n_batches=200,
    )
    reader_hint = ", see CNNClassifier and CNNRegressor"

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X is a 4-D array or a list of 3-D arrays."""
        return layout_of(X).ndim == 4

    def accepts(self, X: Any) -> bool:
        """Return whether X holds images, with an axis of channels unless they have only one."""
        return self.recognizes(X) or (layout_of(X).ndim == 3 and self.n_channels_in_ == 1)

    def fit(self, X: Any) -> Any:
        """Read the images, their number of channels and the range of their numbers."""
        images = super().fit(X)
        self.range_ = _range(images)
        return images

    def _warn_of_encoded(self, encoded: Any, is_training: bool) -> None:
        old, new = self.range_, _range(encoded)
        largest, before = (max(map(abs, numbers)) for numbers in (new, old))
        is_larger = largest > _MAX_RATIO * before > 0
        if is_larger or (0 < largest <= 1 and before >= _MAX_RATIO and bool((encoded % 1).any())):
            warnings.warn(
                f"X holds numbers in [{new[0]:g}, {new[1]:g}], but in [{old[0]:g}, {old[1]:g}] in fit: scale "
                "images as in fit",
                stacklevel=3,
            )

    def _looks_swapped(self, samples: Any) -> bool:
        *sides, n_channels = samples.shape[1:]
        other = sides.pop(0 if self.channels == "last" else 1)
        return other in (1, 3, 4) and other < min(n_channels, *sides)

    def _read(self, X: Any) -> np.ndarray | torch.Tensor:
        if not hasattr(X, "ndim") or X.ndim == 1:
            X = _stack(as_column(X, "images"))
        images: Any = X if is_tensor(X) else np.asarray(X)
        if images.ndim not in (3, 4) or 0 in images.shape:
            raise ValueError(
                "X must be images of shape (n, height, width) or (n, height, width, channels) without axes "
                f"of length 0, got shape {tuple(images.shape)}{_reshape_remedy(images.shape)}"
            )
        if images.ndim == 4 and self.channels == "first":
            images = move_channels_last(images, 1)
        if str(images.dtype).removeprefix("torch.") != "uint8":  # bytes are finite and stay small
            images = check_numbers(images, images.ndim, integers=np.float32)
        return images if images.ndim == 4 else images[..., None]

    def _flatten(self, samples: Any) -> Any:
        return samples.reshape(-1, samples.shape[3])

    def _side(self, samples: Any, sample_weight: np.ndarray | None) -> float:
        return float(max(samples.shape[1:3]))

    def module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the number of channels, their statistics, and that the samples are images."""
        return {"is_image": True, **super().module_params(encoded, sample_weight)}

    def to_state(self) -> dict[str, Any]:
        """Return the number of channels, their axis and the range of the numbers."""
        return {**super().to_state(), "range": self.range_}

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Any:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        kind = super().from_state(state, reader)
        kind.range_ = list(state["range"])
        return kind

    def batch(self, encoded: Any, rows: np.ndarray) -> ImageBatch:
        """Return the images in the given rows as a batch."""
        from sklearn_tree.nn import ImageBatch
        from sklearn_tree.nn.tensors import select_rows

        return ImageBatch.from_array(select_rows(encoded, rows))

    def inputs(self, encoded: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the pixels."""
        return {"values": encoded[rows].astype(np.float64)}

    def n_positions(self, encoded: Any) -> np.ndarray:
        """Return the number of pixels of each image."""
        return np.full(len(encoded), math.prod(encoded.shape[1:3]))


def _stack(rows: list) -> np.ndarray:
    images = [to_numpy(row) for row in rows]
    for i, image in enumerate(images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"X[{i}] must be an image of shape {images[0].shape} like X[0], got {image.shape}: resize "
                'the images, or pad them with np.pad (see "Images of different sizes" in the user guide)'
            )
    return np.stack(images)


def _range(images: Any) -> list[float]:
    return [float(images.min()), float(images.max())]


def _reshape_remedy(shape: tuple[int, ...]) -> str:
    """Return how to reshape flat images; an empty string for other arrays."""
    if len(shape) != 2:
        return ""
    for n_channels in (1, 3, 4):
        side = math.isqrt(shape[1] // n_channels)
        if side * side * n_channels == shape[1] > 1:
            return f": X.reshape(-1, {side}, {side}{f', {n_channels}' if n_channels > 1 else ''})"
    return ": X.reshape(-1, height, width)"
