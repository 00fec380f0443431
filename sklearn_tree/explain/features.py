"""Output columns of ``CaptumExplainer.transform``, a fixed number for samples of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_tree.estimators.wrapped import split_estimator
from sklearn_tree.explain.columns import SourceColumns, trace_columns
from sklearn_tree.trees.flat import PAD_ID


@dataclass(frozen=True, kw_only=True)
class Features:
    """Output columns, learned in ``fit``.

    Attributes
    ----------
    names : ndarray of str objects, shape (n_features_out,)
        Names of the output columns.
    channels : ndarray of str objects
        Names of the channels of a sample, or of the columns of a table; empty for words.
    vocabulary : dict of str to int, or None
        Output column of each word; None unless the columns are words.
    """

    names: np.ndarray
    channels: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=object))
    vocabulary: dict[str, int] | None = None

    def aggregate(self, own: list[np.ndarray], encoded: Any) -> np.ndarray:
        """Return the output columns of some samples.

        Parameters
        ----------
        own : list of ndarray of float, length n
            Attributions of the positions of each sample.
        encoded : encoded samples
            The samples.

        Returns
        -------
        ndarray of float, shape (n, n_features_out)
        """
        raise NotImplementedError

    def merge(self, own: list[np.ndarray]) -> list[np.ndarray]:
        """Return the attributions of the user's features; for tables, one-hot columns are summed."""
        return own

    def values(self, X: Any, shown: Any) -> Any:
        """Return the values of the user's features; for tables, those of the source columns."""
        return shown

    def rename(self, estimator: Any, names: np.ndarray) -> np.ndarray:
        """Return the names of the output columns if the input columns have other names.

        Parameters
        ----------
        estimator : estimator
            The explained estimator.
        names : ndarray of str objects, shape (n_columns,)
            Names of the input columns.
        """
        return self.names


@dataclass(frozen=True, kw_only=True)
class ElementFeatures(Features):
    """One output column per number of a sample, for series and images of one size.

    Attributes
    ----------
    shape : tuple of int
        Shape of a sample.
    """

    shape: tuple[int, ...]

    def aggregate(self, own: list[np.ndarray], encoded: Any) -> np.ndarray:
        """Return the attributions of each sample as a row, see :meth:`Features.aggregate`.

        Raises
        ------
        ValueError
            If the samples do not have the shape seen in ``fit``.
        """
        rows = np.array(own)
        self.check_shape(rows)
        return rows.reshape(len(rows), -1)

    def check_shape(self, samples: Any) -> None:
        """Raise ValueError if an array of samples has samples of another shape than in ``fit``."""
        shape = tuple(samples.shape[1:])
        if shape != self.shape:
            raise ValueError(f"X must have samples of shape {self.shape}, as in fit, got {shape}")


@dataclass(frozen=True, kw_only=True)
class ChannelFeatures(Features):
    """One output column per channel, for series of unequal length.

    Attributes
    ----------
    is_mean : bool
        Whether the attributions of a channel are averaged over the steps instead of summed.
    """

    is_mean: bool

    def aggregate(self, own: list[np.ndarray], encoded: Any) -> np.ndarray:
        """Return the sum or mean attribution of each channel, see :meth:`Features.aggregate`."""
        sums = np.array([part.sum(axis=0) for part in own])
        sizes = np.maximum([[len(part)] for part in own], 1)
        return sums / sizes if self.is_mean else sums


@dataclass(frozen=True, kw_only=True)
class WordFeatures(Features):
    """One output column per word, for trees and texts.

    Attributes
    ----------
    lookup : ndarray of int
        Output column of each id; -1 for ids without a column.
    is_mean : bool
        Whether the attributions of a word that occurs several times in a sample are averaged instead of
        summed.
    get_ids : callable
        Returns the ids of all positions of encoded samples.
    """

    lookup: np.ndarray
    is_mean: bool
    get_ids: Callable[[Any], np.ndarray]

    def aggregate(self, own: list[np.ndarray], encoded: Any) -> np.ndarray:
        """Return the sum or mean attribution of each word, see :meth:`Features.aggregate`."""
        ids = self.get_ids(encoded)
        columns = self.lookup[np.where(ids < len(self.lookup), ids, PAD_ID)]
        samples = np.repeat(np.arange(len(encoded)), encoded.sizes)
        has_column = columns >= 0
        cells = samples[has_column], columns[has_column]
        sums, counts = np.zeros((2, len(encoded), len(self.names)))
        np.add.at(sums, cells, np.concatenate(own)[has_column])
        if not self.is_mean:
            return sums
        np.add.at(counts, cells, 1)
        return sums / np.maximum(counts, 1)


@dataclass(frozen=True, kw_only=True)
class ColumnFeatures(Features):
    """One output column per source column of a table.

    Attributes
    ----------
    sources : SourceColumns
        Sources of the columns that enter the net.
    """

    sources: SourceColumns

    def aggregate(self, own: list[np.ndarray], encoded: Any) -> np.ndarray:
        """Return the merged attributions as rows, see :meth:`Features.aggregate`."""
        return np.array(own)

    def merge(self, own: list[np.ndarray]) -> list[np.ndarray]:
        """Sum the attributions of each source column."""
        return list(self.sources.sum(np.array(own)))

    def values(self, X: Any, shown: Any) -> np.ndarray:
        """Return the values of the source columns."""
        return self.sources.values(X, shown)

    def rename(self, estimator: Any, names: np.ndarray) -> np.ndarray:
        """Trace new names of the input columns through the steps, see :meth:`Features.rename`."""
        steps, net = split_estimator(estimator)
        return trace_columns(steps, net, names).names
