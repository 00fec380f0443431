"""Tables of pretrained vectors, and models that compute the vector of any word."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sklearn_tree.containers import to_numpy

RULE = "embeddings must hold finite vectors of one length"
# "don't" is "do" and "n't", as in the Penn Treebank, whose pieces most tables hold.
_PIECES = re.compile(r"[^\W\d_]+?(?=n't)|n't|'[^\W\d_]+|[^\W_]+", re.IGNORECASE)


def read_rows(vectors: Any, n_words: int, rule: str) -> Any:
    """Return an array, tensor or frame of vectors as an array, and other containers of vectors as a list.

    Parameters
    ----------
    vectors : array of float, shape (n_words, size), or list of vectors
        The vectors.
    n_words : int
        Number of words.
    rule : str
        Rule for the vectors, for error messages.

    Raises
    ------
    ValueError
        If the shape or the number of vectors is another.
    """
    rows = to_numpy(vectors) if hasattr(vectors, "shape") else list(vectors)
    if getattr(rows, "ndim", 2) != 2 or len(rows) != n_words:
        got = f"shape {rows.shape}" if hasattr(rows, "shape") else f"{len(rows)} vectors"
        raise ValueError(f"{rule}, got {got} for {n_words} words")
    return rows


def _to_vector(vector: Any, word: str) -> np.ndarray:
    try:
        return np.asarray(to_numpy(vector), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{RULE}, got {vector!r:.60} for {word!r}") from error


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
        vectors : list of ndarray of float32, length n_found
            Their vectors.

        Raises
        ------
        ValueError
            If a vector does not hold numbers, or those of the pieces of a word differ in length.
        """
        found = {i: x for i, word in enumerate(words) if (x := self._find_word(word)) is not None}
        return np.array(list(found), dtype=np.int64), list(found.values())

    def _find_word(self, word: str) -> np.ndarray | None:
        whole = self._find_form(word)
        if whole is not None:
            return whole
        pieces = _PIECES.findall(word.replace("’", "'"))
        found = [x for piece in pieces if (x := self._find_form(piece)) is not None]
        shapes = sorted({x.shape for x in found})
        if len(shapes) > 1:
            raise ValueError(f"{RULE}, got shapes {shapes} for the pieces of {word!r}")
        return np.mean(found, axis=0) if found else None

    def _find_form(self, word: str) -> np.ndarray | None:
        forms = (word, word.lower(), word.capitalize())
        found = ((form, self._get(form)) for form in forms)
        return next((_to_vector(x, form) for form, x in found if x is not None), None)


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
        rule = "embeddings.encode must return an array of shape (n_words, size)"
        rows = read_rows(self._encode(list(words)), len(words), rule)
        vectors = [_to_vector(row, word) for row, word in zip(rows, words, strict=True)]
        positions = np.flatnonzero([vector.any() for vector in vectors])
        return positions, [vectors[i] for i in positions]
