"""The image half of estimators that read images beside sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_array

from sklearn_tree.estimators.sequence_input import SequenceInputMixin, checked_tensor
from sklearn_tree.preprocessing.columns import as_column


class ImageInputMixin(SequenceInputMixin):
    """X to an array of pixels, shape (n, height, width, channels), or as for sequences."""

    def _encode_images(self, X: Any, *, reset: bool) -> np.ndarray | torch.Tensor:
        if not hasattr(X, "ndim") or X.ndim == 1:
            X = _stacked(as_column(X, "images"))
        images: Any = X if isinstance(X, torch.Tensor) else np.asarray(X)
        if images.ndim not in (3, 4):
            raise ValueError(
                "X must be images of shape (n, height, width) or (n, height, width, channels), "
                f"got shape {tuple(images.shape)}"
            )
        if isinstance(images, torch.Tensor):
            images = images if images.dtype == torch.uint8 else checked_tensor(images, torch.float32)
        elif images.dtype != np.uint8:  # which hold no NaN and stay small
            dtypes = [np.float64, np.float32] if images.dtype.kind in "fO" else np.float32
            images = check_array(images, allow_nd=True, dtype=dtypes, input_name="X")
        if 0 in images.shape:
            raise ValueError(f"X must hold images of at least one pixel, got shape {tuple(images.shape)}")
        images = images if images.ndim == 4 else images[..., None]
        self._check_channels(images.shape[3], reset=reset)
        return images


def _stacked(rows: list) -> np.ndarray:
    """Stack a list of images; an error names the first row that differs."""
    images = [np.asarray(row) for row in rows]
    for i, image in enumerate(images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"row {i} must be an image of shape {images[0].shape} as those before, got {image.shape}"
            )
    return np.stack(images)
