"""Images of one size."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch

from sklearn_tree.containers import as_column, is_tensor, layout_of, to_numpy
from sklearn_tree.kinds.channels import ChannelsMixin
from sklearn_tree.kinds.numbers import check_numbers
from sklearn_tree.nn import ImageBatch
from sklearn_tree.nn.tensors import select_rows


class Images(ChannelsMixin):
    """Images of one size, encoded as an array of shape (n, height, width, n_channels).

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels.
    """

    name: ClassVar[str] = "images"
    aliases = ("image",)
    kernel_sizes = (3, 5)
    reader_hint = ", see CNNClassifier and CNNRegressor"

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X is a 4-D array or a list of 3-D arrays."""
        return layout_of(X).ndim == 4

    def _read(self, X: Any) -> np.ndarray | torch.Tensor:
        if not hasattr(X, "ndim") or X.ndim == 1:
            X = _stack(as_column(X, "images"))
        images: Any = X if is_tensor(X) else np.asarray(X)
        if images.ndim not in (3, 4) or 0 in images.shape:
            raise ValueError(
                "X must be images of shape (n, height, width) or (n, height, width, channels) without axes "
                f"of length 0, got shape {tuple(images.shape)}"
            )
        if images.dtype not in (np.uint8, torch.uint8):  # bytes are finite and stay small
            images = check_numbers(images, images.ndim, integers=np.float32)
        return images if images.ndim == 4 else images[..., None]

    def _flatten(self, samples: Any) -> Any:
        return samples.reshape(-1, samples.shape[3])

    def module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the number of channels, their statistics, and that the samples are images."""
        return {"is_image": True, **super().module_params(encoded, sample_weight)}

    def batch(self, encoded: Any, rows: np.ndarray) -> ImageBatch:
        """Return the images in the given rows as a batch."""
        return ImageBatch.from_array(select_rows(encoded, rows))

    def n_positions(self, encoded: Any) -> np.ndarray:
        """Return the number of pixels of each image."""
        return np.full(len(encoded), math.prod(encoded.shape[1:3]))


def _stack(rows: list) -> np.ndarray:
    images = [to_numpy(row) for row in rows]
    for i, image in enumerate(images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"row {i} must be an image of shape {images[0].shape} like the first one, got {image.shape}"
            )
    return np.stack(images)
