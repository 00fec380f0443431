"""Series of one or several channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sklearn_tree.containers import as_rows, layout_of, may_be_sequences, move_channels_last, to_numpy
from sklearn_tree.kinds.channels import ChannelsMixin
from sklearn_tree.kinds.numbers import check_numbers
from sklearn_tree.kinds.ragged import SequenceKind, read_sequences
from sklearn_tree.kinds.statistics import unit_of
from sklearn_tree.kinds.training import TrainingDefaults
from sklearn_tree.trees import RaggedArray

if TYPE_CHECKING:
    import torch

_MIN_CHANNELS_PER_STEP = 8  # from which on steps and channels may be swapped
_MIN_CORRELATION = 0.5  # of neighbours in a series; neighbouring channels are hardly correlated
_KERNEL_SIZES = (9, 19, 39)  # the widths of InceptionTime, made odd
_N_INSPECTED = 100  # series


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
    max_map_size = 128
    training_defaults = TrainingDefaults(kernel_sizes=_KERNEL_SIZES)
    residual_defaults = TrainingDefaults(
        n_blocks=None,
        kernel_sizes=_KERNEL_SIZES,
        n_filters=32,
        pooling="mean",
        lr=0.003,
        lr_schedule="one_cycle",
        n_batches=300,
    )

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X is a 3-D array or holds sequences of floats or of vectors."""
        layout = layout_of(X)
        return layout.ndim == 3 or (layout.ndim == 2 and layout.is_ragged and not layout.is_integer)

    def accepts(self, X: Any) -> bool:
        """Return whether X holds series, lists of numbers, or a table of series of one channel."""
        layout = layout_of(X)
        is_table = layout.ndim == 2 and (layout.is_ragged or self.n_channels_in_ == 1)
        return self.recognizes(X) or may_be_sequences(X) or is_table

    def _read(self, X: Any) -> Any:
        if getattr(X, "ndim", 1) >= 3:
            is_swapped = self.channels == "first" and X.ndim == 3
            return check_numbers(move_channels_last(X, 1) if is_swapped else X, 3)
        series = self._read_ragged(X)
        steps = series.values  # not rounded until the mean is subtracted
        if series.is_tokens:
            steps = steps.astype(np.float64)
        n_channels = steps.shape[1] if steps.ndim == 2 else 1
        if not len(steps):  # all series are empty
            n_channels = vars(self).get("n_channels_in_", n_channels)
        return series.replace(values=steps.reshape(len(steps), n_channels), n_labels=None)

    def _read_ragged(self, X: Any) -> RaggedArray:
        if isinstance(X, RaggedArray):
            return read_sequences(X)
        rows = as_rows(X)
        if self.channels == "first":
            rows = [move_channels_last(row, 0) if np.ndim(row) == 2 else row for row in rows]
        try:
            return read_sequences([_as_floats(row) for row in rows])
        except ValueError as error:
            if not _share_first_axis(rows):
                raise
            raise ValueError(
                f"{error}; is X (channels, steps)? Series are (steps, channels): transpose them, or "
                f"{self._order_remedy}"
            ) from error

    def _looks_swapped(self, samples: Any) -> bool:
        """Return whether there are few steps, and the numbers change smoothly along the channels."""
        if self._n_channels(samples) < _MIN_CHANNELS_PER_STEP * self.n_positions(samples).max(initial=1):
            return False
        steps = to_numpy(self._flatten(samples[:_N_INSPECTED])).astype(np.float64)
        steps /= unit_of(np.abs(steps).max(initial=0.0))
        steps -= steps.mean(axis=1, keepdims=True)
        return bool((steps[:, 1:] * steps[:, :-1]).sum() > _MIN_CORRELATION * (steps**2).sum())

    def _n_channels(self, samples: Any) -> int:
        return samples.values.shape[1] if isinstance(samples, RaggedArray) else samples.shape[2]

    def _flatten(self, samples: Any) -> Any:
        is_ragged = isinstance(samples, RaggedArray)
        return samples.values if is_ragged else samples.reshape(-1, samples.shape[2])

    def dtype(self, encoded: Any) -> torch.dtype:
        """Return float64 for arrays of doubles, float32 for series of unequal length."""
        import torch

        return torch.float32 if isinstance(encoded, RaggedArray) else super().dtype(encoded)


def _as_floats(row: Any) -> Any:
    """Return a sequence of ints as floats, so that it can be read among sequences of floats."""
    if hasattr(row, "dtype"):
        is_ints = row.dtype.kind in "iu" and row.ndim == 1
    else:
        is_ints = bool(row) and set(map(type, row)) <= {int} if isinstance(row, (list, tuple)) else False
    return np.asarray(row, dtype=float) if is_ints else row


def _share_first_axis(rows: list) -> bool:
    """Return whether arrays differ in the length of their second axis only."""
    shapes = {np.shape(row) for row in rows if hasattr(row, "shape")}
    return len(shapes) > 1 and {len(shape) for shape in shapes} == {2} and len({n for n, _ in shapes}) == 1
