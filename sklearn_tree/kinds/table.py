"""Tables of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sklearn_tree.containers import holds_trees, is_tensor, layout_of, refuse_texts, to_numpy
from sklearn_tree.kinds.columns import ColumnsMixin
from sklearn_tree.kinds.numbers import check_numbers, widen_small_floats
from sklearn_tree.kinds.statistics import channel_statistics
from sklearn_tree.kinds.trees import TreeKind
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.flat import N_RESERVED_IDS
from sklearn_tree.validation import check_table

if TYPE_CHECKING:
    import torch

    from sklearn_tree.nn import SequenceBatch


class TableMixin(ColumnsMixin):
    """Reading and state of tables."""

    def _check_table(self, X: Any, *, reset: bool) -> np.ndarray:
        try:
            return check_table(widen_small_floats(X), self, reader=self.reader, reset=reset)
        except ValueError:
            refuse_texts(X, self.text_remedy)
            raise

    def to_state(self) -> dict[str, Any]:
        """Return the number of columns and their names."""
        return self._columns_state()

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Any:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        kind = cls(reader)
        kind._restore_columns(state)
        return kind


class Table(TableMixin):
    """Table of numbers, read by nets for sequences: each column is a token that carries a number."""

    name: ClassVar[str] = "table"

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X is a 2-D array, a frame or a list of rows of equal length."""
        layout = layout_of(X)
        return layout.ndim is not None and layout.ndim <= 2 and not layout.is_ragged

    def fit(self, X: Any) -> np.ndarray | torch.Tensor:
        """Read the table and its columns."""
        return self._read(X, reset=True)

    def encode(self, X: Any) -> np.ndarray | torch.Tensor:
        """Read a table."""
        return self._read(X, reset=False)

    def _read(self, X: Any, *, reset: bool) -> np.ndarray | torch.Tensor:
        if not is_tensor(X):
            return self._check_table(X, reset=reset)
        X = check_numbers(X, 2)
        self._check_table(np.zeros((1, X.shape[1])), reset=reset)
        return X

    def module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the number of token ids, including the columns, and the statistics of the columns."""
        shift, scale = channel_statistics(encoded, sample_weight, np.ones(len(encoded), dtype=np.int64))
        return {
            "n_labels": N_RESERVED_IDS + len(shift),
            "value_shift": [0.0] * N_RESERVED_IDS + shift,
            "value_scale": [1.0] * N_RESERVED_IDS + scale,
        }

    def batch(self, encoded: Any, rows: np.ndarray) -> SequenceBatch:
        """Return the given rows as a batch."""
        from sklearn_tree.nn import SequenceBatch

        return SequenceBatch.from_array(encoded, rows)

    def inputs(self, encoded: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the numbers, and the number of columns as the number of steps."""
        return {"values": encoded[rows].astype(np.float64), "lengths": np.full(len(rows), encoded.shape[1])}

    def n_positions(self, encoded: Any) -> np.ndarray:
        """Return the number of columns of each row."""
        return np.full(len(encoded), encoded.shape[1])


class StarTable(TableMixin, TreeKind):
    """Table of numbers, read by recursive nets: each row is a root over one leaf per column."""

    name: ClassVar[str] = "table"

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X holds rows of numbers rather than trees."""
        return not (holds_trees(X) or layout_of(X).is_ragged)

    def fit(self, X: Any) -> TreeArray:
        """Read the table and its columns."""
        return TreeArray.from_table(self._check_table(_without_tensor(X), reset=True))

    def encode(self, X: Any) -> TreeArray:
        """Read a table."""
        return TreeArray.from_table(self._check_table(_without_tensor(X), reset=False))

    def dtype(self, encoded: TreeArray) -> torch.dtype:
        """Return float64 for a table of doubles, float32 otherwise."""
        return super().dtype(encoded.values)


def _without_tensor(X: Any) -> Any:
    return to_numpy(check_numbers(X, 2)) if is_tensor(X) else X
