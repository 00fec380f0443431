"""``Features``: attributions of samples of any size as columns of a fixed number."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sklearn_tree.explain.columns import columns_of
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.subject import Subject
from sklearn_tree.preprocessing.vocabulary import learn_vocabulary
from sklearn_tree.trees import RaggedArray, TreeArray
from sklearn_tree.trees.flat import N_RESERVED_IDS, PAD_ID


class Features(NamedTuple):
    """What the columns are.

    Attributes
    ----------
    names : ndarray of str objects, shape (n_features_out,)
        Their names.
    kind : str
        See :class:`Explanations`.
    aggregate : {"sum", "mean"}
        How the attributions of one word or channel are joined.
    channels : ndarray of str
        Names of the channels, or of a table's columns.
    shape : tuple of int, or None
        The shape of a sample, where all have one.
    columns : Columns or None
        Of a table, what its columns were made of.
    vocabulary : dict of str to int, or None
        Of trees and texts, the column of each word.
    lookup : ndarray of int, or None
        The column of each id, -1 for none.
    """

    names: np.ndarray
    kind: str
    aggregate: str
    channels: np.ndarray
    shape: tuple[int, ...] | None = None
    columns: Any = None
    vocabulary: dict[str, int] | None = None
    lookup: Any = None

    def of(self, explanations: Explanations, encoded: Any) -> np.ndarray:
        """Return the columns of some samples.

        Parameters
        ----------
        explanations : Explanations
            The attributions.
        encoded : TreeArray, RaggedArray, ndarray or Tensor
            The samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_features_out)

        Raises
        ------
        ValueError
            If series or images have another size than in ``fit``.
        """
        if self.vocabulary is not None:
            return self._bag(explanations, encoded)
        if self.shape is None:  # series of unequal length
            sums = np.array([part.sum(axis=0) for part in explanations.own])
            sizes = np.maximum([[len(part)] for part in explanations.own], 1)
            return sums if self.aggregate == "sum" else sums / sizes
        rows = np.array(explanations.own)
        if rows.shape[1:] != self.shape:
            raise ValueError(f"X must have samples of shape {self.shape}, as in fit, got {rows.shape[1:]}")
        return rows.reshape(len(rows), -1)

    def _bag(self, explanations: Explanations, encoded: Any) -> np.ndarray:
        ids = encoded.labels if isinstance(encoded, TreeArray) else encoded.values
        known = np.where(ids < len(self.lookup), ids, PAD_ID)
        columns = self.lookup[known]
        samples = np.repeat(np.arange(len(encoded)), encoded.sizes)
        has_column = columns >= 0
        place = samples[has_column], columns[has_column]
        bag, counts = np.zeros((2, len(encoded), len(self.names)))
        np.add.at(bag, place, np.concatenate(explanations.own)[has_column])
        if self.aggregate == "mean":
            np.add.at(counts, place, 1)
            bag /= np.maximum(counts, 1)
        return bag


def learn_features(
    subject: Subject, encoded: Any, aggregate: str, min_df: int | float, max_features: int | None
) -> Features:
    """Choose the columns.

    Parameters
    ----------
    subject : Subject
        The net.
    encoded : TreeArray, RaggedArray, ndarray or Tensor
        The samples of ``fit``.
    aggregate, min_df, max_features
        See :class:`CaptumExplainer`.

    Returns
    -------
    Features
    """
    if subject.kind in ("trees", "tokens"):
        return _of_words(subject, encoded, aggregate, min_df, max_features)
    if subject.kind == "table":
        columns = columns_of(subject.steps, subject.net)
        width = (len(columns.names),)
        return Features(columns.names, "table", aggregate, columns.names, width, columns)
    channels: Any = np.array([f"ch{i}" for i in range(subject.net.n_channels_in_)], dtype=object)
    if isinstance(encoded, RaggedArray):
        return Features(channels, "series", aggregate, channels)
    shape: Any = tuple(encoded.shape[1:])
    if subject.kind == "series":
        names = [f"{channel}_t{t}" for t in range(shape[0]) for channel in channels]
    else:
        names = [
            f"y{y}_x{x}_{channel}" for y in range(shape[0]) for x in range(shape[1]) for channel in channels
        ]
    return Features(np.array(names, dtype=object), subject.kind, aggregate, channels, shape)


def _of_words(
    subject: Subject, encoded: Any, aggregate: str, min_df: int | float, max_features: int | None
) -> Features:
    ids = np.asarray(encoded.labels if isinstance(encoded, TreeArray) else encoded.values)
    names = subject.named(encoded)
    rows = np.repeat(np.arange(len(encoded)), encoded.sizes)
    is_word = ids >= N_RESERVED_IDS
    kept = learn_vocabulary(
        ids[is_word],
        rows[is_word],
        names,
        len(encoded),
        min_df=min_df,
        max_features=max_features,
        normalize=str,
    )
    words = list(kept)[N_RESERVED_IDS:]
    vocabulary = {word: i for i, word in enumerate(words)}
    lookup = np.array([vocabulary.get(name, -1) for name in names])
    return Features(
        np.array(words, dtype=object),
        subject.kind,
        aggregate,
        np.zeros(0, dtype=object),
        vocabulary=vocabulary,
        lookup=lookup,
    )
