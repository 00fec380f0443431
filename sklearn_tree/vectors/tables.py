"""Tables of pretrained vectors, and models that compute the vector of any word."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# "don't" is "do" and "n't", as in the Penn Treebank, whose pieces most tables hold.
_PIECES = re.compile(r"[^\W\d_]+?(?=n't)|n't|'[^\W\d_]+|[^\W_]+", re.IGNORECASE)


class VectorTable:
    """Table of vectors in which words are looked up.

    A word that is not in the table is looked up in lower case, then capitalised. The vector of a word of
    several pieces ("ice cream", "don't", "well-known") is the mean over its pieces that have a vector.

    Parameters
    ----------
    get : callable
        Maps a word to its vector, or to None.
    """

    def __init__(self, get: Callable[[str], Any]) -> None:
        self._get = get

    def find(self, words: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Find the words that have a vector.

        Parameters
        ----------
        words : sequence of str
            Words.

        Returns
        -------
        positions : ndarray of int64, shape (n_found,)
            Positions in ``words`` of the words that have a vector.
        vectors : list of ndarray of float, length n_found
            Their vectors.
        """
        found = {i: x for i, word in enumerate(words) if (x := self._find_word(word)) is not None}
        return np.array(list(found), dtype=np.int64), list(found.values())

    def _find_word(self, word: str) -> Any:
        whole = self._find_form(word)
        if whole is not None:
            return whole
        pieces = _PIECES.findall(word.replace("’", "'"))
        found = [x for piece in pieces if (x := self._find_form(piece)) is not None]
        return np.mean(found, axis=0) if found else None

    def _find_form(self, word: str) -> Any:
        forms = (word, word.lower(), word.capitalize())
        return next((x for form in forms if (x := self._get(form)) is not None), None)


class VectorModel:
    """Model that computes the vectors of all words in one call.

    Parameters
    ----------
    encode : callable
        Maps a list of str to an array of float, shape (n_words, size).
    """

    def __init__(self, encode: Callable[[list[str]], Any]) -> None:
        self._encode = encode

    def find(self, words: Sequence[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Compute the vectors of all words, see :meth:`VectorTable.find`; zero vectors count as missing."""
        if not len(words):
            return np.zeros(0, dtype=np.int64), []
        vectors = np.asarray(self._encode(list(words)))
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise ValueError(
                "embeddings.encode must return an array of shape (n_words, size), got shape "
                f"{vectors.shape} for {len(words)} words"
            )
        positions = np.flatnonzero(vectors.any(axis=1))
        return positions, list(vectors[positions])
