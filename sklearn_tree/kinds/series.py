"""Series of one or several channels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch

from sklearn_tree.containers import layout_of, may_be_sequences
from sklearn_tree.kinds.channels import ChannelsMixin
from sklearn_tree.kinds.numbers import check_numbers
from sklearn_tree.kinds.ragged import SequenceKind, read_sequences
from sklearn_tree.trees import RaggedArray


class Series(ChannelsMixin, SequenceKind):
    """Series of numbers: an array if their lengths are equal, otherwise a :class:`RaggedArray`.

    Attributes
    ----------
    n_channels_in_ : int
        Number of channels.
    """

    name: ClassVar[str] = "series"
    reader_hint = ", sequences for RNNClassifier, CNNClassifier and the regressors"
    is_signal = True
    kernel_sizes = (9, 19, 39)  # the widths of InceptionTime, made odd

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X is a 3-D array or holds sequences of floats or of vectors."""
        layout = layout_of(X)
        return layout.ndim == 3 or (layout.ndim == 2 and layout.is_ragged and not layout.is_integer)

    def accepts(self, X: Any) -> bool:
        """Return whether X holds series, lists of numbers of equal length, or lists of ints."""
        layout = layout_of(X)
        return self.recognizes(X) or may_be_sequences(X) or (layout.ndim == 2 and layout.is_ragged)

    def _read(self, X: Any) -> Any:
        if getattr(X, "ndim", 1) >= 3:
            return check_numbers(X, 3)
        series = read_sequences(X)
        steps = series.values  # not rounded until the mean is subtracted
        if series.is_tokens:
            steps = steps.astype(np.float64)
        n_channels = steps.shape[1] if steps.ndim == 2 else 1
        if not len(steps):  # all series are empty
            n_channels = vars(self).get("n_channels_in_", n_channels)
        return series.replace(values=steps.reshape(len(steps), n_channels), n_labels=None)

    def _flatten(self, samples: Any) -> Any:
        is_ragged = isinstance(samples, RaggedArray)
        return samples.values if is_ragged else samples.reshape(-1, samples.shape[2])

    def dtype(self, encoded: Any) -> torch.dtype:
        """Return float64 for arrays of doubles, float32 for series of unequal length."""
        return torch.float32 if isinstance(encoded, RaggedArray) else super().dtype(encoded)
