"""Mixins for transformers whose input or output is not a table."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.validation import check_feature_names_in, validate_data


class NoTableMixin:
    """Mixin for transformers whose output is not a table."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # scikit-learn would convert the output if transform_output="pandas" is set for all transformers.
        super().__init_subclass__(**{"auto_wrap_output_keys": None, **kwargs})

    def set_output(self, *, transform: str | None = None) -> Self:
        """Accept the setting and ignore it.

        This lets ``pipeline.set_output(transform="pandas")`` reach the steps that do return tables.

        Parameters
        ----------
        transform : str or None, default=None
            Ignored.

        Returns
        -------
        self
            The transformer.
        """
        return self


class TextInputMixin(TransformerMixin):
    """Mixin for transformers from a column of texts or objects to a column of trees or sequences."""

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the name of the column, which is not changed.

        Parameters
        ----------
        input_features : array-like of str, shape (1,), default=None
            Name of the column; by default, its name in ``fit``, or "x0" if it had none.

        Returns
        -------
        ndarray of object, shape (1,)
        """
        check_is_fitted(self)
        if input_features is None and not hasattr(self, "n_features_in_"):
            input_features = ["x0"]
        return check_feature_names_in(self, input_features)

    def _check_column(self, X: Any, *, reset: bool) -> None:
        """Learn the name of the column, or compare it with that of ``fit``; X may have no columns."""
        if reset:
            for name in ("n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
        if len(getattr(X, "shape", ())) == 2 and (reset or hasattr(self, "n_features_in_")):
            validate_data(self, X, reset=reset, skip_check_array=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags
