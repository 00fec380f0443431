"""Pieces of samples, such as words, phrases and windows, and their attributions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Pieces of one kind in some samples.

    Attributes
    ----------
    feature : str
        Kind of the pieces, such as "word" or "phrase".
    names : ndarray of str objects, shape (n,)
        Texts of the pieces; equal pieces have equal texts.
    samples : ndarray of int, shape (n,)
        Index of the sample of each piece.
    values : ndarray of float, shape (n,)
        Attributions of the pieces.
    """

    feature: str
    names: np.ndarray
    samples: np.ndarray
    values: np.ndarray

    def take(self, rows: np.ndarray) -> Pieces:
        """Return some of the pieces."""
        return Pieces(
            feature=self.feature,
            names=self.names[rows],
            samples=self.samples[rows],
            values=self.values[rows],
        )


def find_ngrams(words: Pieces, n: int) -> Pieces:
    """Return the runs of n words inside samples, with the sums of their attributions.

    Parameters
    ----------
    words : Pieces
        The words of all samples in order.
    n : int
        Number of words.
    """
    n_runs = max(len(words.names) - n + 1, 0)
    names, values = words.names[:n_runs], words.values[:n_runs]
    for i in range(1, n):
        names = names + " " + words.names[i : i + n_runs]
        values = values + words.values[i : i + n_runs]
    is_inside = words.samples[:n_runs] == words.samples[len(words.samples) - n_runs :]
    runs = Pieces(feature=f"{n}-gram", names=names, samples=words.samples[:n_runs], values=values)
    return runs.take(np.flatnonzero(is_inside))


def make_pieces(feature: str, names: np.ndarray, attributions: list[np.ndarray]) -> Pieces:
    """Return one piece for each attribution.

    Parameters
    ----------
    feature : str
        Kind of the pieces.
    names : ndarray of str, shape (n_attributions,)
        Names in the order of the attributions.
    attributions : list of ndarray of float
        Attributions of each sample, of any shape.
    """
    samples = np.repeat(np.arange(len(attributions)), [part.size for part in attributions])
    values = np.concatenate([*(part.ravel() for part in attributions), np.zeros(0)])
    return Pieces(feature=feature, names=np.asarray(names, dtype=object), samples=samples, values=values)
