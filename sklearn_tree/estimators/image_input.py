"""The image half of estimators that read images beside sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from sklearn_tree.containers import as_column
from sklearn_tree.estimators.sequence_input import SequenceInputMixin, checked_numbers


class ImageInputMixin(SequenceInputMixin):
    """X to an array of pixels, shape (n, height, width, channels), or as for sequences."""

    def _encode_images(self, X: Any, *, reset: bool) -> np.ndarray | torch.Tensor:
        if not hasattr(X, "ndim") or X.ndim == 1:
            X = _stacked(as_column(X, "images"))
        images: Any = X if isinstance(X, torch.Tensor) else np.asarray(X)
        if images.ndim not in (3, 4) or 0 in images.shape:
            raise ValueError(
                "X must be images of shape (n, height, width) or (n, height, width, channels), none 0, "
                f"got shape {tuple(images.shape)}"
            )
        if images.dtype not in (np.uint8, torch.uint8):  # which hold no NaN and stay small
            images = checked_numbers(images, images.ndim, integers=np.float32)
        images = images if images.ndim == 4 else images[..., None]
        self._check_channels(images.shape[3], reset=reset)
        return images


def _stacked(rows: list) -> np.ndarray:
    """Stack a list of images; an error names the first row that differs."""
    images = [np.asarray(row.detach().cpu() if isinstance(row, torch.Tensor) else row) for row in rows]
    for i, image in enumerate(images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"row {i} must be an image of shape {images[0].shape} as those before, got {image.shape}"
            )
    return np.stack(images)
