"""Mixins for transformers whose input or output is not a table."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import TransformerMixin


class NoTableMixin:
    """Mixin for transformers whose output is not a table."""

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
    """Mixin for transformers whose input is a column of texts or objects."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags
