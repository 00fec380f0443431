"""What the vectorizers for trees and for sequences share: scikit-learn's face over reading and encoding."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.callbacks import CallbackSupportMixin, fit_context, with_callbacks
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.preprocessing.output import NoTableMixin, TextInputMixin


class BaseVectorizer(
    DocumentationLinkMixin,
    NoTableMixin,
    TextInputMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base class: subclasses read X (``read``), learn from it (``_learn``), encode it (``_encode``)."""

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> BaseVectorizer:
        """Learn the vocabulary.

        Parameters
        ----------
        X : TreeArray or RaggedArray; or list, Series, object array or one-column DataFrame
            Trees in any registered format, or texts and lists of tokens.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted vectorizer.

        Raises
        ------
        TypeError, ValueError
            If a row cannot be read (the message gives its number) or X is empty.
        """
        self._fit(X, y)
        return self

    @with_callbacks
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn the vocabulary and return the ids; X is read once.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.
        y : None
            Ignored.

        Returns
        -------
        TreeArray or RaggedArray
        """
        return self._encode(self._fit(X, y))

    def transform(self, X: Any) -> Any:
        """Return the ids; labels and tokens that the vocabulary does not hold get id 1.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        TreeArray or RaggedArray
        """
        check_is_fitted(self)
        return self._encode(self.read(X))

    def _fit(self, X: Any, y: Any) -> Any:
        self._validate_params()
        with fit_context(self, X, y):
            array = self.read(X)
            self._learn(array)
        return array

    def read(self, X: Any) -> Any:
        """Read X as the vectorizer does, but leave the labels as they are.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        TreeArray or RaggedArray
            With text labels.
        """
        raise NotImplementedError

    def _learn(self, array: Any) -> None:
        raise NotImplementedError

    def _encode(self, array: Any) -> Any:
        raise NotImplementedError
