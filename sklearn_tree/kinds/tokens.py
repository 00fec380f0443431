"""Texts and token sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sklearn_tree.containers import is_int_array, layout_of, may_be_sequences
from sklearn_tree.kinds.columns import OneColumnMixin
from sklearn_tree.kinds.encoding import NotEncodedError, warn_of_unknown
from sklearn_tree.kinds.ids import count_bigrams, refuse_sparse_ids
from sklearn_tree.kinds.ragged import SequenceKind, read_sequences
from sklearn_tree.kinds.training import TrainingDefaults
from sklearn_tree.preprocessing import SequenceVectorizer
from sklearn_tree.trees import RaggedArray

if TYPE_CHECKING:
    import torch


class Tokens(OneColumnMixin, SequenceKind):
    """Texts, lists of tokens, or token ids.

    Attributes
    ----------
    vectorizer : SequenceVectorizer or None
        Vectorizer fitted on texts or lists of tokens; None if the training samples were token ids.
    """

    name: ClassVar[str] = "tokens"
    aliases = ("text",)
    has_labels = True
    reader_hint = ", sequences for RNNClassifier, CNNClassifier and the regressors"

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X holds texts, lists of str, or lists of ints of unequal length."""
        layout = layout_of(X)
        return layout.ndim is None or (layout.is_ragged and layout.is_integer)

    def accepts(self, X: Any) -> bool:
        """Return whether X holds tokens. After a fit on token ids, ids in rows of equal length count."""
        is_ids = self.vectorizer is None and (may_be_sequences(X) or is_int_array(X))
        return self.recognizes(X) or is_ids

    def fit(self, X: Any) -> RaggedArray:
        """Read the sequences and learn the vocabulary of texts."""
        self.vectorizer = None
        self._learn_column(X)
        if not _is_text(X):
            return _read_ids(X)
        self.vectorizer = SequenceVectorizer()
        return self.vectorizer.fit_transform(X)

    def encode(self, X: Any) -> RaggedArray:
        """Read sequences, encoding texts."""
        if self.vectorizer is None:
            if _is_text(X) and not may_be_sequences(X):
                raise NotEncodedError("X must hold token ids, as in fit, got texts")
            return _read_ids(X)
        if not _is_text(X):
            raise ValueError("X must hold texts, as in fit, got token ids")
        return self._vectorize(X)

    def _warn_of_encoded(self, encoded: RaggedArray, is_training: bool) -> None:
        if self.vectorizer is not None and not is_training:
            warn_of_unknown(encoded.values, encoded.offsets)

    def module_params(self, encoded: RaggedArray, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the number of token ids."""
        if encoded.n_labels is None:
            refuse_sparse_ids(encoded.values, encoded.offsets)
        return {"n_labels": encoded.n_labels}

    def label_ids(self, encoded: RaggedArray) -> Any:
        """Return the ids of all tokens."""
        return encoded.values

    def count_bigrams(self, encoded: RaggedArray, n_labels: int, max_bigrams: int) -> tuple[np.ndarray, Any]:
        """Count the bigrams of each sequence, see :meth:`Kind.count_bigrams`."""
        return count_bigrams(encoded.values, encoded.offsets, n_labels, max_bigrams)

    @property
    def training_defaults(self) -> TrainingDefaults:
        """Default parameters of the training, for an open or a closed vocabulary."""
        if not self.is_open:
            return TrainingDefaults(n_epochs=20)
        return TrainingDefaults(
            dropout=0.5, lr=0.001, lr_schedule="cosine", linear_path=True, n_epochs=6, max_batches=300
        )

    def dtype(self, encoded: RaggedArray) -> torch.dtype:
        """Return float32."""
        import torch

        return torch.float32

    def magnitude(self, encoded: RaggedArray, row: int) -> None:
        """Return None: tokens are not numbers."""

    def to_state(self) -> dict[str, Any]:
        """Return the vocabulary as a list, None for token ids; and the name of the column."""
        tokens = None if self.vectorizer is None else list(self.vectorizer.vocabulary_)
        return {"tokens": tokens, "is_open": self.is_open, **self._columns_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Tokens:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        kind = cls(reader)
        kind._restore_columns(state)
        kind.is_open = state["is_open"]
        if state["tokens"] is not None:
            kind.vectorizer = SequenceVectorizer()
            kind.vectorizer.vocabulary_ = {token: i for i, token in enumerate(state["tokens"])}
        return kind


def _read_ids(X: Any) -> RaggedArray:
    ids = read_sequences(X)
    if not ids.is_tokens:
        raise ValueError(f"X must hold token ids (int), got {ids.values.dtype}")
    return ids


def _is_text(X: Any) -> bool:
    return layout_of(X).ndim is None
