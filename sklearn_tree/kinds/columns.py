"""Kinds of samples that are read from columns with names."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.containers import as_known, is_column
from sklearn_tree.kinds.base import Kind
from sklearn_tree.validation import COLUMN_ATTRIBUTES, check_columns


class ColumnsMixin(Kind):
    """Number and names of the columns that samples are read from.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns; absent if samples were not in columns.
    feature_names_in_ : ndarray of str
        Names of the columns; absent if they have none.
    """

    def _columns_state(self) -> dict[str, Any]:
        names = vars(self).get("feature_names_in_")
        n_columns = vars(self).get("n_features_in_")
        return {"n_columns": n_columns, "names": None if names is None else names.tolist()}

    def _restore_columns(self, state: dict[str, Any]) -> None:
        if state["n_columns"] is not None:
            self.n_features_in_ = int(state["n_columns"])
        if state["names"] is not None:
            self.feature_names_in_ = np.array(state["names"], dtype=object)


class OneColumnMixin(ColumnsMixin):
    """Samples that are the items of a column, such as texts and trees."""

    def _learn_column(self, X: Any) -> None:
        """Learn the name of the column if X is an array or frame of one column."""
        for name in COLUMN_ATTRIBUTES:
            vars(self).pop(name, None)
        if is_column(X):
            check_columns(X, self, reader=self.reader, reset=True)

    def read(self, X: Any, *, is_training: bool = False) -> Any:
        """Read samples, see :meth:`Kind.read`, and compare their column with that of ``fit``."""
        X = as_known(X)
        if hasattr(self, "n_features_in_") and len(getattr(X, "shape", ())) == 2:
            check_columns(X, self, reader=self.reader, reset=False)
        return super().read(X, is_training=is_training)
