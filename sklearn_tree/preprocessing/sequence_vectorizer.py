"""``SequenceVectorizer``: texts or token lists to a ``RaggedArray`` of ids."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.containers import as_column
from sklearn_tree.preprocessing.tokenizer import Tokenizer, splitter
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.preprocessing.vocabulary import (
    VOCABULARY_CONSTRAINTS,
    learn_vocabulary,
    look_up,
    texts_of,
)
from sklearn_tree.trees import RaggedArray
from sklearn_tree.validation import Interval


class SequenceVectorizer(BaseVectorizer):
    """Turn texts into a :class:`RaggedArray` of token ids.

    Nothing of the order is lost, other than in a bag of words. Estimators for sequences do this
    by themselves when they are given raw texts; as a pipeline step its parameters can be
    searched, and texts are split once.

    Parameters
    ----------
    tokenizer : {"words", "chars"}, regular expression or callable, default="words"
        How a text is split: words and single other signs; characters; all matches of a regular
        expression; or ``tokenizer(text)``, which returns a list of str. Lists of tokens are
        taken as they are.
    lowercase : bool, default=True
        Convert to lower case.
    min_df : int or float, default=1
        Tokens in fewer texts become unknown: a count, or a share of the texts if a float.
    max_features : int, default=None
        Keep the tokens with the most occurrences only.
    max_length : int, default=None
        Longer texts are cut behind so many tokens.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Id of each token; 0 and 1 are "<pad>" and "<unk>" (unknown).

    See Also
    --------
    TreeVectorizer : The same for trees.

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
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
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
        """Put tokens back in the place of ids.

        Parameters
        ----------
        X : RaggedArray
            Token ids.

        Returns
        -------
        RaggedArray
            Sequences of str; "<unk>" for unknown tokens.

        Raises
        ------
        ValueError
            If X does not hold ids below the size of the vocabulary.
        """
        check_is_fitted(self)
        if not isinstance(X, RaggedArray) or X.vocabulary is not None or not X.is_tokens:
            raise ValueError("X must be a RaggedArray of ids as transform returns it")
        if X.values.max(initial=0) >= len(self.vocabulary_):
            raise ValueError(
                f"X must hold ids below {len(self.vocabulary_)}, the size of the vocabulary, "
                f"got {X.values.max()}"
            )
        return X.replace(vocabulary=texts_of(self.vocabulary_))

    def _learn(self, array: RaggedArray) -> None:
        self.vocabulary_ = learn_vocabulary(
            array.values,
            np.repeat(np.arange(len(array)), array.sizes),
            array.vocabulary,  # type: ignore[arg-type]
            len(array),
            min_df=self.min_df,
            max_features=self.max_features,
            normalize=self._norm,
        )

    def read(self, X: Any) -> RaggedArray:  # noqa: D102 (in the base class)
        array = X
        if not isinstance(X, RaggedArray):
            split = splitter(self.tokenizer)
            rows = [split(row) if isinstance(row, str) else row for row in as_column(X, "sequences")]
            array = RaggedArray.from_sequences(rows, self.max_length)
        if array.vocabulary is None:
            if len(array.values):
                raise TypeError("tokens must be str to be vectorized, got numbers; ids go into an estimator")
            array = array.replace(vocabulary=np.zeros(0, dtype=object))  # nothing but empty texts
        return array

    def _norm(self, token: str) -> str:
        return token.lower() if self.lowercase else token

    def _encode(self, array: RaggedArray) -> RaggedArray:
        ids = look_up(array.vocabulary, self.vocabulary_, self._norm)[array.values]
        return array.replace(values=ids, vocabulary=None, n_labels=len(self.vocabulary_))
