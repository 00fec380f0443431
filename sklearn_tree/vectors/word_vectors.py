"""Pretrained vectors of a vocabulary and of words that occur at prediction only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from sklearn_tree.trees.flat import N_RESERVED_IDS
from sklearn_tree.vectors.sources import open_source
from sklearn_tree.vectors.tables import RULE


class WordVectors:
    """Pretrained vectors of the words of a vocabulary.

    Copies and pickles hold ``embeddings`` and the vocabulary; the source is opened when it is needed.

    Parameters
    ----------
    embeddings : str, path, pair, mapping or object
        Parameter of the estimators, which names or holds the vectors.
    words : sequence of str
        Vocabulary; the ids of the words are 2, 3, ...

    Attributes
    ----------
    size : int
        Length of a vector.

    Raises
    ------
    ImportError
        If the package of the vectors is not installed.
    ValueError
        If the source cannot be read, no word has a vector, or a vector has another length than the others
        or is not finite; the message gives the word.
    """

    def __init__(self, embeddings: Any, words: Sequence[str]) -> None:
        self.embeddings = embeddings
        self.words = list(words)
        if not len(self._initial[0]):
            raise ValueError(f"embeddings must have vectors for words of X, got none for {self.words[:3]}")
        self.size = self._initial[1].shape[1]

    @classmethod
    def restore(cls, embeddings: Any, words: Sequence[str], size: int) -> WordVectors:
        """Return the vectors of a fitted model; the source is opened when it is needed."""
        vectors = cls.__new__(cls)
        vectors.embeddings, vectors.words, vectors.size = embeddings, list(words), size
        return vectors

    @cached_property
    def _initial(self) -> tuple[np.ndarray, np.ndarray]:
        return self._find(self.words)

    def load(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the words of the vocabulary that have a vector, and their vectors.

        Returns
        -------
        ids : ndarray of int64, shape (n_found,)
            Ids of the words.
        vectors : ndarray of float32, shape (n_found, size)
            Their vectors.
        """
        positions, vectors = self._initial
        return positions + N_RESERVED_IDS, vectors

    def find(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Find the words that have a vector.

        Parameters
        ----------
        words : sequence of str
            Words.

        Returns
        -------
        positions : ndarray of int64, shape (n_found,)
            Positions in ``words`` of the words that have a vector.
        vectors : ndarray of float32, shape (n_found, size)
            Their vectors.
        """
        positions, vectors = self._find(words)
        if len(positions) and vectors.shape[1] != self.size:
            raise ValueError(
                f"embeddings must have vectors of length {self.size}, as in fit, got {vectors.shape[1]}"
            )
        return positions, vectors.reshape(len(positions), self.size)

    def _find(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        positions, vectors = open_source(self.embeddings).find(words)
        for position, vector in zip(positions, vectors, strict=True):
            if vector.shape != vectors[0].shape or vector.ndim != 1 or not np.isfinite(vector).all():
                raise ValueError(
                    f"{RULE}, got {vector!r:.60} of shape {vector.shape} for {words[position]!r}"
                )
        return positions, np.array(vectors, dtype=np.float32)

    def is_from(self, embeddings: Any) -> bool:
        """Return whether the vectors come from the given value of ``embeddings``."""
        if isinstance(embeddings, (str, os.PathLike)) and isinstance(self.embeddings, (str, os.PathLike)):
            return os.fspath(embeddings) == os.fspath(self.embeddings)
        return embeddings is self.embeddings

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_initial"}
