"""Base class of the vectorizers for trees and sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.callbacks import CallbackSupportMixin, fit_context, with_callbacks
from sklearn_tree.containers import without_arrow
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.preprocessing.output import NoTableMixin, TextInputMixin
from sklearn_tree.preprocessing.vocabulary import UNKNOWN_TOKEN, Frequencies, learn_vocabulary
from sklearn_tree.state import StateMixin
from sklearn_tree.trees.flat import UNKNOWN_ID


class BaseVectorizer(
    DocumentationLinkMixin,
    StateMixin,
    NoTableMixin,
    TextInputMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base class of vectorizers.

    A subclass converts X to an array of texts (``read``), may normalize them (``_read_normalized``), learns a
    vocabulary from the result or extends its vocabulary (``_learn``), and encodes it (``_encode``).
    """

    min_df: int | float
    max_features: int | None
    vocabulary_: dict[str, int]

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the vocabulary.

        Parameters
        ----------
        X : TreeArray or RaggedArray; or list, Series, object array or one-column DataFrame
            Trees of any registered format; or texts or lists of tokens.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted vectorizer.

        Raises
        ------
        TypeError, ValueError
            If X is empty, or a sample cannot be read. The message gives the row.
        """
        self._fit(X, y)
        return self

    @with_callbacks
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Extend the vocabulary by the labels or tokens of further samples.

        The ids of the vocabulary so far do not change, so samples that are encoded already stay valid.
        ``min_df`` and ``max_features`` refer to the samples of all calls of ``partial_fit`` since the last
        ``fit``, and a label or token is never removed. An estimator does not learn ids that are added after
        its first fit: extend the vocabulary before.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted vectorizer.

        Raises
        ------
        TypeError, ValueError
            As in ``fit``, and if X has another column than in the first call.
        """
        self._fit(X, y, reset=not hasattr(self, "vocabulary_"), is_partial=True)
        return self

    @with_callbacks
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Learn the vocabulary and return the ids; the samples are read only once.

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
        """Return the ids; labels and tokens that are not in the vocabulary get id 1.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        TreeArray or RaggedArray
        """
        return self._encode(self._read_checked(X))

    def transform_with(self, X: Any, find: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]) -> Any:
        """Return the ids; unknown labels and tokens that have a pretrained vector get further ids.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.
        find : callable
            Returns the positions of the words that have a vector, and the vectors.

        Returns
        -------
        TreeArray or RaggedArray
            Its ``vectors`` are those of the ids from the size of the vocabulary on.
        """
        array = self._read_checked(X)
        encoded = self._encode(array)
        is_unknown = encoded.codes == UNKNOWN_ID
        texts = {code: array.vocabulary[code] for code in np.unique(array.codes[is_unknown]).tolist()}
        codes = [code for code, text in texts.items() if text != UNKNOWN_TOKEN]
        positions, vectors = find([texts[code] for code in codes]) if codes else ((), None)
        if not len(positions):
            return encoded
        ids = np.full(len(array.vocabulary), UNKNOWN_ID, dtype=np.int32)
        ids[np.array(codes)[positions]] = encoded.n_labels + np.arange(len(positions))
        return encoded.replace_codes(np.where(is_unknown, ids[array.codes], encoded.codes), vectors=vectors)

    def _read_checked(self, X: Any) -> Any:
        check_is_fitted(self)
        X = without_arrow(X)
        array = self._read_normalized(X)
        self._check_column(X, reset=False)
        return array

    def _fit(self, X: Any, y: Any, *, reset: bool = True, is_partial: bool = False) -> Any:
        self._validate_params()
        X = without_arrow(X)
        with fit_context(self, X, y):
            array = self._read_normalized(X)
            self._check_column(X, reset=reset)
            for name in ("vocabulary_", "edge_vocabulary_", "_frequencies") if reset else ():
                self.__dict__.pop(name, None)
            if is_partial and not hasattr(self, "_frequencies"):
                self._frequencies = Frequencies()
            self._learn(array)
        return array

    def _pack(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if "_frequencies" not in attributes:
            return attributes
        return {**attributes, "_frequencies": self._frequencies.to_state()}

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        if "_frequencies" not in state:
            return state
        return {**state, "_frequencies": Frequencies.from_state(state["_frequencies"])}

    def _learn_labels(self, codes: np.ndarray, rows: np.ndarray, names: Iterable[str], n_rows: int) -> None:
        """Learn or extend the vocabulary, see :func:`learn_vocabulary`."""
        self.vocabulary_ = learn_vocabulary(
            codes,
            rows,
            names,
            n_rows,
            min_df=self.min_df,
            max_features=self.max_features,
            known=getattr(self, "vocabulary_", None),
            seen=getattr(self, "_frequencies", None),
        )

    def read(self, X: Any) -> Any:
        """Read X as ``transform`` does, but keep labels and tokens as texts.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        TreeArray or RaggedArray
            The samples that ``transform`` encodes, with a vocabulary.
        """
        raise NotImplementedError

    def _read_normalized(self, X: Any) -> Any:
        """Read X with labels and tokens as they enter the vocabulary."""
        return self.read(X)

    def _learn(self, array: Any) -> None:
        raise NotImplementedError

    def _encode(self, array: Any) -> Any:
        raise NotImplementedError


def describe(X: Any) -> str:
    """Return the type of X and the kind of its content, for error messages."""
    if not hasattr(X, "vocabulary"):
        return f"a {type(X).__name__}"
    return f"a {type(X).__name__} of {'numbers' if X.vocabulary is None else 'texts'}"


def check_ids(ids: Any, vocabulary: dict[str, int]) -> None:
    """Check that ids are smaller than the size of a vocabulary.

    Parameters
    ----------
    ids : ndarray of int
        The ids.
    vocabulary : dict of str to int
        The vocabulary.

    Raises
    ------
    ValueError
        If an id is too large.
    """
    if (largest := ids.max(initial=0)) >= len(vocabulary):
        raise ValueError(f"X must hold ids in [0, {len(vocabulary)}), got {largest}")
