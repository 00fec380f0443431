"""Summaries of arrays of trees and sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_tree.drawing import cut

MAX_ROWS = 2_000_000  # nodes or steps; of larger arrays, only every k-th item is counted
N_SAMPLES = 3
_MAX_BINS, _MAX_RANKS = 24, 8
_LONGEST_LABEL = 32
_MAX_SPARSITY = 8  # ratio of the largest code to the number of codes up to which codes are counted in a table


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Distribution of a quantity with integer values.

    Attributes
    ----------
    name : str
        Name of the quantity.
    starts : ndarray of int64, shape (n_bins,)
        Smallest number of each bin.
    width : int
        Number of integers in each bin. The last bin also holds all larger numbers.
    counts : ndarray of int64, shape (n_bins,)
        Number of items in each bin.
    low, high : int
        Smallest and largest number.
    median, mean : float
        Median and mean of the numbers.
    """

    name: str
    starts: np.ndarray
    width: int
    counts: np.ndarray
    low: int
    high: int
    median: float
    mean: float

    @property
    def text(self) -> str:
        """Range, median and mean in words."""
        if self.low == self.high:
            return f"{self.low:,}"
        return f"{self.low:,} to {self.high:,}, median {self.median:,.6g}, mean {self.mean:,.3g}"

    def bin_text(self, i: int) -> str:
        """Return the range of a bin and its count in words."""
        start, stop = int(self.starts[i]), int(self.starts[i]) + self.width - 1
        if i == len(self.starts) - 1:
            stop = max(self.high, start)
        numbers = f"{start:,}" if start == stop else f"{start:,} to {stop:,}"
        return f"{numbers}: {int(self.counts[i]):,}"


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Most frequent labels.

    Attributes
    ----------
    name : str
        Name of the labels.
    labels : list of str, length n_shown
        The most frequent labels, on one line each.
    counts : list of int, length n_shown
        Their counts.
    total : int
        Number of all occurrences.
    n_distinct : int
        Number of distinct labels.
    """

    name: str
    labels: list[str]
    counts: list[int]
    total: int
    n_distinct: int


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Item of an array, written and drawn.

    Attributes
    ----------
    caption : str
        Position and size.
    text : str
        The item as one line of text.
    html : str
        Drawing of the item, escaped.
    """

    caption: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class ArraySummary:
    """Summary of an array of trees or sequences.

    Attributes
    ----------
    title : str
        Class and size of the array.
    facts : dict of str to str
        Further properties by name.
    histograms : list of Histogram
        Distributions of sizes.
    rankings : list of Ranking
        Most frequent labels.
    samples : list of Sample
        The first items.
    """

    title: str
    facts: dict[str, str]
    histograms: list[Histogram]
    rankings: list[Ranking]
    samples: list[Sample]


def to_host(column: Any) -> np.ndarray:
    """Return an array, or a tensor on any device, as an array."""
    return np.asarray(column.cpu() if hasattr(column, "cpu") else column)


def thin_out(array: Any, noun: str) -> tuple[Any, dict[str, str]]:
    """Select the items that are counted.

    Parameters
    ----------
    array : TreeArray or RaggedArray
        The array.
    noun : str
        Name of one item.

    Returns
    -------
    array : TreeArray or RaggedArray
        The array itself, or every k-th item if it has more than 2,000,000 nodes or steps.
    facts : dict of str to str
        Note about the selection; empty if all items are counted.
    """
    step = -(-int(array.offsets[-1]) // MAX_ROWS)
    if step < 2:
        return array, {}
    part = array[::step]
    return part, {"counted": f"every {step}th {noun}, {len(part):,} of {len(array):,}"}


def make_histogram(name: str, numbers: np.ndarray) -> list[Histogram]:
    """Count integers in at most 24 bins.

    Parameters
    ----------
    name : str
        Name of the quantity.
    numbers : ndarray of int
        The numbers. The bins cover them up to the 99th percentile; the last bin holds the larger ones.

    Returns
    -------
    list of Histogram
        One histogram; none without numbers.
    """
    if not len(numbers):
        return []
    low, high = int(numbers.min()), int(numbers.max())
    top = int(np.percentile(numbers, 99))
    width = -(-(top - low + 1) // _MAX_BINS)
    n_bins = (top - low) // width + 1 + (top < high and (top - low) // width + 1 < _MAX_BINS)
    bins = np.minimum((numbers - low) // width, n_bins - 1)
    return [
        Histogram(
            name=name,
            starts=low + width * np.arange(n_bins),
            width=width,
            counts=np.bincount(bins, minlength=n_bins),
            low=low,
            high=high,
            median=float(np.median(numbers)),
            mean=float(numbers.mean()),
        )
    ]


def rank_codes(
    name: str, codes: np.ndarray, vocabulary: np.ndarray | None, hidden: Sequence[int]
) -> list[Ranking]:
    """Find the most frequent labels.

    Parameters
    ----------
    name : str
        Name of the labels.
    codes : ndarray of int, shape (n,)
        Positions in the vocabulary, or ids.
    vocabulary : ndarray of object, or None
        Text of each label; None for ids.
    hidden : sequence of int
        Codes that are not ranked.

    Returns
    -------
    list of Ranking
        One ranking; none without labels.
    """
    distinct, counts = count_distinct(codes)
    kept = ~np.isin(distinct, hidden)
    distinct, counts = distinct[kept], counts[kept]
    if not len(distinct):
        return []
    first = np.argsort(-counts, kind="stable")[:_MAX_RANKS]
    labels = distinct[first].tolist() if vocabulary is None else vocabulary[distinct[first]].tolist()
    return [
        Ranking(
            name=name,
            labels=[cut(str(label), _LONGEST_LABEL) or "\u2423" for label in labels],
            counts=counts[first].tolist(),
            total=int(counts.sum()),
            n_distinct=len(distinct),
        )
    ]


def count_distinct(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct codes in increasing order and their counts, ndarrays of int."""
    if codes.max(initial=0) > max(MAX_ROWS, _MAX_SPARSITY * len(codes)):
        return np.unique(codes, return_counts=True)
    counts = np.bincount(codes)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]


def count_share(n: int, total: int, noun: str) -> str:
    """Return a number with its share in words: ``"3 nodes (12.5 %)"``."""
    return f"{n:,} {noun if n == 1 else f'{noun}s'} ({100 * n / max(total, 1):.3g} %)"


def describe_numbers(numbers: np.ndarray) -> str:
    """Return the range, mean and standard deviation of finite numbers in words."""
    numbers = numbers.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = numbers.mean(), numbers.std()
    return f"{numbers.min():.4g} to {numbers.max():.4g}, mean {mean:.4g}, standard deviation {std:.4g}"
