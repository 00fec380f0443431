"""Vectorizer for texts and sequences of tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.containers import as_column, without_arrow
from sklearn_tree.preprocessing.tokenizer import Tokenizer, build_tokenizer
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer, check_ids, describe
from sklearn_tree.preprocessing.vocabulary import (
    VOCABULARY_CONSTRAINTS,
    invert_vocabulary,
    look_up,
    lower,
)
from sklearn_tree.trees import RaggedArray
from sklearn_tree.validation import POSITIVE_INT


class SequenceVectorizer(BaseVectorizer):
    """Convert texts to a :class:`RaggedArray` of token ids.

    Unlike a bag of words, the result keeps the order of the tokens. Estimators for sequences vectorize raw
    texts themselves. As a step of a pipeline, the vectorizer makes its parameters searchable, and texts are
    split only once.

    Parameters
    ----------
    tokenizer : {"words", "chars"}, regular expression or callable, default="words"
        How to split a text. "words" gives words and single other characters, "chars" gives characters, and a
        regular expression gives all its matches. A callable ``tokenizer(text)`` returns a list of str.
        Samples that are lists of tokens are neither split nor converted to lower case.
    lowercase : bool, default=True
        Whether to convert the tokens of texts to lower case.
    min_df : int or float, default=1
        Minimum number of texts (or fraction of the texts, if a float) in which a token must occur. Rarer
        tokens become unknown.
    max_features : int, default=None
        Maximum size of the vocabulary, without the reserved ids; the most frequent tokens are kept.
    max_length : int, default=None
        Longer texts are truncated to this number of tokens.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each token; 0 is "<pad>" (padding) and 1 is "<unk>" (unknown). Tokens with these two names get
        these ids.
    n_features_in_ : int
        1 if X was an array or frame of one column in ``fit``; absent for lists and Series.
    feature_names_in_ : ndarray of str, shape (1,)
        Name of the column, if X was a DataFrame.

    See Also
    --------
    TreeVectorizer : Vectorizer for trees.

    Examples
    --------
    >>> from sklearn_tree import SequenceVectorizer
    >>> vectorizer = SequenceVectorizer()
    >>> ids = vectorizer.fit_transform(["A great film!", "dull"])
    >>> ids
    RaggedArray(2 sequences, 5 steps)
    >>> vectorizer.inverse_transform(ids)[0]
    ['a', 'great', 'film', '!']
    >>> vectorizer.transform(["a dull play"])[0].tolist()
    [3, 4, 1]
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **VOCABULARY_CONSTRAINTS,
        "tokenizer": [str, callable],
        "max_length": [POSITIVE_INT, None],
    }

    def __init__(
        self,
        tokenizer: Tokenizer = "words",
        *,
        lowercase: bool = True,
        min_df: int | float = 1,
        max_features: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.min_df = min_df
        self.max_features = max_features
        self.max_length = max_length

    def inverse_transform(self, X: RaggedArray) -> RaggedArray:
        """Replace ids by tokens.

        Parameters
        ----------
        X : RaggedArray
            Token ids.

        Returns
        -------
        RaggedArray
            Sequences of str, with "<unk>" for unknown tokens.

        Raises
        ------
        ValueError
            If X is not a RaggedArray of ids, or an id is not in the vocabulary.
        """
        check_is_fitted(self)
        if not isinstance(X, RaggedArray) or X.vocabulary is not None or not X.is_tokens:
            raise ValueError(f"X must be a RaggedArray of ids, got {describe(X)}")
        check_ids(X.values, self.vocabulary_)
        return X.replace(vocabulary=invert_vocabulary(self.vocabulary_))

    def _learn(self, array: RaggedArray) -> None:
        assert array.vocabulary is not None
        rows = np.repeat(np.arange(len(array)), array.sizes)
        self._learn_labels(array.values, rows, array.vocabulary, len(array))

    def read(self, X: Any) -> RaggedArray:  # noqa: D102 (in the base class)
        return self._split(X)[0]

    def _split(self, X: Any) -> tuple[RaggedArray, np.ndarray]:
        """Return the tokens of all samples, and whether each sample was a text, bool, shape (n_samples,)."""
        X = without_arrow(X)
        array, is_text = X, np.zeros(len(X) if isinstance(X, RaggedArray) else 0, dtype=bool)
        if not isinstance(X, RaggedArray):
            tokenize, column = build_tokenizer(self.tokenizer), as_column(X, "sequences")
            is_text = np.array([isinstance(row, str) for row in column])
            rows = [tokenize(row) if isinstance(row, str) else row for row in column]
            array = RaggedArray.from_sequences(rows, self.max_length)
        if array.vocabulary is None:
            if len(array.values):
                raise TypeError("tokens must be str, got numbers; pass ids to an estimator directly")
            array = array.replace(vocabulary=np.zeros(0, dtype=object))  # all texts are empty
        return array, is_text

    def _read_normalized(self, X: Any) -> RaggedArray:
        array, is_text = self._split(X)
        if not self.lowercase or not is_text.any():
            return array
        assert array.vocabulary is not None
        lowered = lower(array.vocabulary)
        if is_text.all():
            return array.replace(vocabulary=lowered)
        shifts = np.repeat(is_text, array.sizes) * len(lowered)
        return array.replace(values=array.values + shifts, vocabulary=np.r_[array.vocabulary, lowered])

    def _encode(self, array: RaggedArray) -> RaggedArray:
        assert array.vocabulary is not None
        ids = look_up(array.vocabulary, self.vocabulary_)[array.values]
        return array.replace(values=ids, vocabulary=None, n_labels=len(self.vocabulary_))
