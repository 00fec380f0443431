"""Base class of the kinds of sequences, and the reader of sequences of unequal length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_tree.containers import as_rows, to_numpy
from sklearn_tree.kinds.base import Kind, to_tensor
from sklearn_tree.trees import RaggedArray

if TYPE_CHECKING:
    import torch

    from sklearn_tree.nn import SequenceBatch


class SequenceKind(Kind):
    """Base class of the kinds that are encoded as a :class:`RaggedArray` or as an array of equal lengths."""

    container = RaggedArray

    def batch(self, encoded: Any, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences in the given rows as a batch."""
        from sklearn_tree.nn import SequenceBatch

        return SequenceBatch.from_array(encoded, rows)

    def inputs(self, encoded: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the ids or numbers of the steps, padded with 0, and the number of steps."""
        if not isinstance(encoded, RaggedArray):
            values = encoded[rows].astype(np.float64)
            return {"values": values, "lengths": np.full(len(rows), values.shape[1])}
        steps = encoded.pad(rows)
        name, dtype = ("labels", np.int64) if encoded.is_tokens else ("values", np.float64)
        return {name: steps.astype(dtype), "lengths": encoded.sizes[rows]}

    def n_positions(self, encoded: Any) -> np.ndarray:
        """Return the number of steps of each sequence."""
        if isinstance(encoded, RaggedArray):
            return encoded.sizes
        return np.full(len(encoded), encoded.shape[1])

    def cost(self, encoded: Any) -> np.ndarray | None:
        """Return the length of each sequence; None if all are equal."""
        if not isinstance(encoded, RaggedArray) or not len(encoded):
            return None
        return encoded.sizes if (encoded.sizes != encoded.sizes[0]).any() else None

    def n_bytes(self, encoded: Any) -> int:
        """Return the size of all steps in memory."""
        return (encoded.values if isinstance(encoded, RaggedArray) else encoded).nbytes

    @classmethod
    def to(cls, encoded: Any, device: torch.device, dtype: torch.dtype | None = None) -> Any:
        """Return sequences with their steps on a device."""
        if isinstance(encoded, RaggedArray):
            return encoded.replace(values=to_tensor(encoded.values, device, dtype))
        return to_tensor(encoded, device, dtype)

    @classmethod
    def to_host(cls, encoded: Any) -> Any:
        """Return sequences with their steps as an array."""
        if isinstance(encoded, RaggedArray):
            return encoded.replace(values=to_numpy(encoded.values))
        return to_numpy(encoded)


def read_sequences(X: Any) -> RaggedArray:
    """Read sequences of ids or numbers from any container.

    Raises
    ------
    TypeError, ValueError
        If a row is not a sequence of ids or of numbers or holds a negative id; the message gives its row.
    """
    array = X if isinstance(X, RaggedArray) else RaggedArray.from_sequences(as_rows(X))
    if not len(array.values):  # all sequences are empty
        return RaggedArray(np.zeros(0, dtype=np.int32), array.offsets)
    if array.is_tokens and array.vocabulary is None and array.values.min() < 0:
        row = np.searchsorted(array.offsets, int(array.values.argmin()), side="right") - 1
        raise ValueError(f"X[{row}] must hold ids >= 0, got {int(array.values.min())}")
    return array
