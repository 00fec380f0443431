"""Arrays of sequences of unequal length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sklearn_tree.trees import arrow, mapped
from sklearn_tree.trees.arrow import ArrowLayout
from sklearn_tree.trees.checks import as_ints, check_codes, check_steps
from sklearn_tree.trees.codes import (
    are_columns_equal,
    as_vocabulary,
    concatenate_columns,
    count_codes,
    decode,
    factorize,
    merge_codes,
    merge_sizes,
)
from sklearn_tree.trees.flat import FlatArray
from sklearn_tree.trees.mapped import FileLayout
from sklearn_tree.trees.summaries import ArraySummary
from sklearn_tree.trees.summarize import summarize_sequences

# These have a length, but no order, or items other than tokens.
_NOT_SEQUENCES = (str, bytes, bytearray, set, frozenset, dict)
_MAX_DRAWN_TOKENS, _MAX_DRAWN_STEPS = 60, 100_000


@dataclass(frozen=True, eq=False, init=False)
class RaggedArray(FlatArray):
    """One-dimensional array of sequences of unequal length, stored as one column of all steps.

    The steps are tokens (texts if ``vocabulary`` is set, otherwise ids) or numbers with a fixed number of
    channels. ``len``, ``shape``, slices, masks and index arrays work as on a numpy array. The attributes
    cannot be reassigned; see :meth:`replace`. Notebooks and ``print`` show a summary: lengths, the most
    frequent tokens or the ranges of the channels, and the first sequences.

    Build an array with :meth:`from_sequences` or, for ids, with :class:`SequenceVectorizer`.

    Parameters
    ----------
    values : array-like of int, shape (n_steps_total,); or of float, shape (n_steps_total, n_channels)
        Steps of all sequences: positions in ``vocabulary``, token ids (0 means "padding" and 1 "unknown") or
        numbers.
    offsets : array-like of int, shape (n_sequences + 1,)
        Sequence ``i`` consists of steps ``offsets[i]`` to ``offsets[i + 1] - 1``; it may be empty.
    vocabulary : sequence of str, default=None
        Text of each token.
    n_labels : int, default=None
        Size of the id space; by default, the smallest that holds all tokens. None for numbers. It remains
        None, and nets refuse the sequences, if an id is at least 2**24 and more than 100 times the number of
        distinct ids.
    vectors : ndarray of float, shape (n_new, size), default=None
        Vectors of the ids ``n_labels``, ``n_labels + 1``, ...: words that are not in the vocabulary of a net.
    validate : bool, default=True
        Whether to check and convert the columns. With False, they must be valid arrays already.

    Raises
    ------
    ValueError
        If the offsets decrease, ``values`` has another length, shape or dtype, or a token is out of range.

    Examples
    --------
    >>> from sklearn_tree import RaggedArray
    >>> texts = RaggedArray.from_sequences([["a", "great", "film"], [], ["dull"]])
    >>> texts
    RaggedArray(3 sequences, 4 steps)
    >>> texts[0]
    ['a', 'great', 'film']
    >>> texts[texts.sizes > 0].shape
    (2,)
    """

    _columns: ClassVar[tuple[str, ...]] = ("values",)
    _noun: ClassVar[str] = "sequence"
    _arrow_layout: ClassVar[ArrowLayout] = arrow.SEQUENCES
    _file_layout: ClassVar[FileLayout] = mapped.SEQUENCES

    values: np.ndarray
    offsets: np.ndarray
    vocabulary: np.ndarray | None
    n_labels: int | None
    vectors: np.ndarray | None

    def __init__(
        self,
        values: Any,
        offsets: Any,
        *,
        vocabulary: Sequence[str] | np.ndarray | None = None,
        n_labels: int | None = None,
        vectors: np.ndarray | None = None,
        validate: bool = True,
    ) -> None:
        if validate:
            values, offsets = np.asarray(values), as_ints("offsets", offsets)
            check_steps(values, offsets)
            if values.dtype.kind in "iu":
                check_codes("values", values, vocabulary, n_labels)
                values = values.astype(np.int32)
            vocabulary = as_vocabulary(vocabulary)
        self._set(values=values, offsets=offsets, vocabulary=vocabulary, n_labels=n_labels, vectors=vectors)
        if n_labels is None and self.is_tokens:
            self._set(n_labels=count_codes(self.values, self.vocabulary))

    @classmethod
    def from_sequences(cls, sequences: Iterable[Any], max_length: int | None = None) -> Self:
        """Store sequences of tokens, ids or numbers.

        Parameters
        ----------
        sequences : iterable
            Lists of str; lists of int (ids); or float arrays of shape (length, n_channels) or (length,). All
            must be of one kind; any may be empty.
        max_length : int, default=None
            Longer sequences are truncated to this number of steps.

        Returns
        -------
        RaggedArray

        Raises
        ------
        TypeError, ValueError
            If the kinds are mixed, the numbers of channels differ or a number is not finite. The message
            gives the row.
        """
        sequences = list(sequences)
        for i, sequence in enumerate(sequences):
            if isinstance(sequence, _NOT_SEQUENCES) or not hasattr(sequence, "__len__"):
                raise TypeError(f"X[{i}] must be a sequence of tokens or numbers, got {sequence!r:.40}")
        sequences = [sequence[:max_length] for sequence in sequences]
        offsets = np.r_[0, np.cumsum([len(sequence) for sequence in sequences])].astype(np.int64)
        first = next((sequence for sequence in sequences if len(sequence)), ("",))
        if not _is_token(first[0]):
            return cls(_concatenate_series(sequences), offsets)
        codes, vocabulary = factorize(_concatenate_tokens(sequences), noun="tokens", offsets=offsets)
        return cls(codes, offsets, vocabulary=vocabulary, validate=False)

    @classmethod
    def concatenate(cls, arrays: Iterable[RaggedArray]) -> Self:
        """Concatenate arrays.

        Parameters
        ----------
        arrays : iterable of RaggedArray
            Arrays of one kind: texts, ids, or numbers with the same number of channels.

        Returns
        -------
        RaggedArray

        Raises
        ------
        ValueError
            If ``arrays`` is empty or the kinds differ.
        """
        arrays = list(arrays)
        if not arrays:
            raise ValueError("arrays must contain at least one RaggedArray, got none")
        if len({(a.vocabulary is None, a.values.shape[1:]) for a in arrays}) > 1:
            raise ValueError(
                "arrays must be of one kind: all texts, all ids, or numbers with the same number of channels"
            )
        values, vocabulary = merge_codes([(a.values, a.vocabulary) for a in arrays])
        n_labels = None
        if arrays[0].is_tokens and vocabulary is None:
            n_labels = merge_sizes([a.n_labels for a in arrays])
        offsets = np.r_[0, np.cumsum(np.concatenate([a.sizes for a in arrays]))]
        return cls(values, offsets, vocabulary=vocabulary, n_labels=n_labels)

    @property
    def is_tokens(self) -> bool:
        """Whether the steps are tokens rather than numbers."""
        return self.values.ndim == 1

    def pad(self, rows: np.ndarray) -> np.ndarray:
        """Return some sequences, padded at the end with 0 to the longest.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Indices of the sequences.

        Returns
        -------
        ndarray, shape (n, n_steps) or (n, n_steps, n_channels)
            At least one step.
        """
        starts, sizes = self.offsets[:-1][rows], self.sizes[rows]
        is_step = np.arange(max(int(sizes.max(initial=0)), 1)) < sizes[:, None]
        padded = np.zeros((*is_step.shape, *self.values.shape[1:]), dtype=self.values.dtype)
        first = np.cumsum(sizes) - sizes
        padded[is_step] = self.values[np.repeat(starts - first, sizes) + np.arange(sizes.sum())]
        return padded

    def _item(self, i: int) -> Any:
        steps = self.values[self.offsets[i] : self.offsets[i + 1]]
        return decode(steps, self.vocabulary) if self.vocabulary is not None else steps

    def _summarize(self) -> ArraySummary:
        return summarize_sequences(
            self, self._heads(_MAX_DRAWN_TOKENS if self.is_tokens else _MAX_DRAWN_STEPS)
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RaggedArray):
            return NotImplemented
        return len(self) == len(other) and all(
            are_columns_equal(a, b) for a, b in ((self.sizes, other.sizes), (self._texts(), other._texts()))
        )

    def _texts(self) -> np.ndarray:
        return self.values if self.vocabulary is None else self.vocabulary[self.values]

    def __repr__(self) -> str:
        n, steps = len(self), int(self.offsets[-1])
        return f"RaggedArray({n} sequence{'s' * (n != 1)}, {steps} step{'s' * (steps != 1)})"


def _is_token(x: Any) -> bool:
    return isinstance(x, (str, int, np.integer)) and not isinstance(x, bool)


def _concatenate_tokens(sequences: list) -> list[str | int]:
    for i, sequence in enumerate(sequences):
        for token in sequence:
            if not _is_token(token):
                raise TypeError(f"X[{i}] must hold tokens (str) or ids (int), got {token!r:.40}")
    tokens = (token for sequence in sequences for token in sequence)
    return [str.__str__(token) if isinstance(token, str) else int(token) for token in tokens]


def _concatenate_series(sequences: list) -> np.ndarray:
    series: list[np.ndarray] = []
    for i, sequence in enumerate(sequences):
        array = _as_series(sequence, i)
        if len(array):
            _check_series(array, i, n_channels=(series or [array])[0].shape[1])
            series.append(array)
    return concatenate_columns(series)


def _check_series(array: np.ndarray, row: int, n_channels: int) -> None:
    if array.shape[1] != n_channels:
        raise ValueError(
            f"X[{row}] must have {n_channels} channels like the previous rows, got {array.shape[1]}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"X[{row}] must hold finite numbers, got {array[~np.isfinite(array)][0]}")


def _as_series(sequence: Any, row: int) -> np.ndarray:
    """Return a sequence of numbers as an array of floats of shape (length, n_channels)."""
    rule = f"X[{row}] must be an array of floats of shape (length, channels)"
    try:
        array = np.asarray(sequence, dtype=sequence.dtype if hasattr(sequence, "dtype") else float)
    except (TypeError, ValueError) as error:
        raise ValueError(rule) from error
    if array.dtype.kind in "iub":
        array = array.astype(float)
    if array.dtype.kind != "f" or array.ndim > 2:
        raise ValueError(f"{rule}, got {array.dtype} of shape {array.shape}")
    return array[:, None] if array.ndim == 1 else array
