"""What transformers of texts and objects tell scikit-learn: no table goes in, or none comes out."""

from __future__ import annotations

from typing import Any


class NoTableMixin:
    """Accept ``set_output``, which reaches all steps of a pipeline, without effect."""

    def set_output(self, *, transform: str | None = None) -> Any:
        """Accept the setting without effect: the output is no table.

        So ``pipeline.set_output(transform="pandas")`` reaches the steps that make tables.

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


class TextInputMixin:
    """Tell scikit-learn that X is a column of texts or objects, not a table."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.no_validation = True
        return tags
