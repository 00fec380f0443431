"""``RaggedArray``: many sequences of unequal length in flat storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from sklearn_tree.trees.flat import (
    N_RESERVED_IDS,
    FlatArray,
    decoded,
    joined,
    merged_codes,
    numbered,
    same,
)


class RaggedArray(FlatArray):
    """A one-dimensional array of sequences, stored as one column of all their steps.

    Sequences are of tokens (text with ``vocabulary``, or ids) or of numbers with a fixed number of
    channels. ``len``, ``shape``, slices, masks and index arrays work as in a numpy array.

    Build one with :meth:`from_sequences`, or with :class:`SequenceVectorizer` (ids).

    Parameters
    ----------
    values : array, shape (n_steps_total,) of int or (n_steps_total, n_channels) of float
        Steps of all sequences: token ids (0 means "padding" and 1 "unknown"), positions in
        ``vocabulary``, or numbers.
    offsets : array of int, shape (n_sequences + 1,)
        Sequence ``i`` is the steps from ``offsets[i]`` to ``offsets[i + 1]``; it may be empty.
    vocabulary : sequence of str, default=None
        The text of each token, if ``values`` are positions in it.
    n_labels : int, default=None
        Size of the id space; None takes what the values need. Numbers have none.

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
    _noun = "sequence"

    values: np.ndarray
    vocabulary: np.ndarray | None
    n_labels: int | None

    def __init__(
        self,
        values: Any,
        offsets: Any,
        *,
        vocabulary: Sequence[str] | None = None,
        n_labels: int | None = None,
    ) -> None:
        values, offsets = np.asarray(values), np.asarray(offsets, dtype=np.int64)
        if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or np.any(np.diff(offsets) < 0):
            raise ValueError("offsets must begin with 0 and never fall")
        if len(values) != offsets[-1]:
            raise ValueError(f"values must have offsets[-1] = {offsets[-1]} steps, got {len(values)}")
        kind = values.dtype.kind
        if not (kind in "iu" and values.ndim == 1) and not (kind == "f" and values.ndim == 2):
            raise ValueError(
                "values must be ints of shape (n_steps,) or floats of shape (n_steps, n_channels), "
                f"got {values.dtype} of shape {values.shape}"
            )
        self._fill(
            values=values.astype(np.int32) if kind in "iu" else values,
            offsets=offsets,
            vocabulary=None if vocabulary is None else np.array(vocabulary, dtype=object),
            n_labels=n_labels,
        )

    def _fill(self, **fields: Any) -> RaggedArray:
        super()._fill(**fields)
        if self.n_labels is None and self.is_tokens:
            needed = int(self.values.max(initial=N_RESERVED_IDS - 1)) + 1
            self.n_labels = needed if self.vocabulary is None else len(self.vocabulary)
        return self

    @classmethod
    def from_sequences(cls, sequences: Iterable[Any], max_length: int | None = None) -> RaggedArray:
        """Store sequences of tokens, of ids or of numbers.

        Parameters
        ----------
        sequences : iterable
            Lists of str; lists of int (ids); or float arrays of shape (length, n_channels) or
            (length,). All of one kind; any may be empty.
        max_length : int, default=None
            Longer sequences are cut behind so many steps.

        Returns
        -------
        RaggedArray

        Raises
        ------
        TypeError, ValueError
            If kinds are mixed, channels differ or a number is not finite; the message gives the
            row.
        """
        sequences = list(sequences)
        for i, sequence in enumerate(sequences):
            if isinstance(sequence, (str, bytes)) or not hasattr(sequence, "__len__"):
                raise TypeError(f"row {i} must be a sequence of tokens or numbers, got {sequence!r:.40}")
        sequences = [sequence[:max_length] for sequence in sequences]
        offsets = np.r_[0, np.cumsum([len(sequence) for sequence in sequences])].astype(np.int64)
        first = next((i for i, sequence in enumerate(sequences) if len(sequence)), None)
        if first is not None and not _is_token(sequences[first][0]):
            return cls(_numbers(sequences), offsets)
        for i, sequence in enumerate(sequences):
            for token in sequence:
                if not _is_token(token):
                    raise TypeError(f"row {i} must hold tokens (str) or ids (int) only, got {token!r:.40}")
        tokens = [_plain(token) for sequence in sequences for token in sequence]
        codes, vocabulary = numbered(tokens, what="tokens")
        return cls(codes, offsets, vocabulary=None if vocabulary is None else vocabulary.tolist())

    @classmethod
    def concatenate(cls, arrays: Iterable[RaggedArray]) -> RaggedArray:
        """Join arrays end to end.

        Parameters
        ----------
        arrays : iterable of RaggedArray
            All of one kind.

        Returns
        -------
        RaggedArray

        Raises
        ------
        ValueError
            If there is no array, or their kinds differ.
        """
        arrays = list(arrays)
        if not arrays:
            raise ValueError("arrays must hold at least one RaggedArray, got none")
        if len({(a.vocabulary is None, a.values.shape[1:]) for a in arrays}) > 1:
            raise ValueError("arrays must be of one kind: all text, all ids, or numbers of equal channels")
        values, vocabulary = merged_codes([(a.values, a.vocabulary) for a in arrays])
        sizes = np.concatenate([a.sizes for a in arrays])
        n_labels = None
        if arrays[0].is_tokens and vocabulary is None:
            n_labels = max(a.n_labels or 0 for a in arrays)
        offsets = np.r_[0, np.cumsum(sizes)]
        return cls(
            values,
            offsets,
            vocabulary=None if vocabulary is None else vocabulary.tolist(),
            n_labels=n_labels,
        )

    @property
    def is_tokens(self) -> bool:
        """Whether the steps are tokens, not numbers."""
        return self.values.ndim == 1

    def _item(self, i: int) -> Any:
        steps = self.values[self.offsets[i] : self.offsets[i + 1]]
        return decoded(steps, self.vocabulary) if self.vocabulary is not None else steps

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RaggedArray):
            return NotImplemented
        return len(self) == len(other) and all(
            same(a, b) for a, b in ((self.sizes, other.sizes), (self._text(), other._text()))
        )

    __hash__ = None  # type: ignore[assignment]

    def _text(self) -> np.ndarray:
        return self.values if self.vocabulary is None else self.vocabulary[self.values]

    def __repr__(self) -> str:
        n, steps = len(self), int(self.offsets[-1])
        return f"RaggedArray({n} sequence{'s' * (n != 1)}, {steps} step{'s' * (steps != 1)})"


def _is_token(x: Any) -> bool:
    return isinstance(x, (str, int, np.integer)) and not isinstance(x, bool)


def _plain(token: Any) -> str | int:
    return str(token) if isinstance(token, str) else int(token)


def _numbers(sequences: list) -> np.ndarray:
    channels, parts = None, []
    for i, sequence in enumerate(sequences):
        try:
            array = np.asarray(sequence, dtype=float if not hasattr(sequence, "dtype") else sequence.dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(f"row {i} must be an array of floats of shape (length, channels)") from error
        if array.dtype.kind in "iub":
            array = array.astype(float)
        if array.dtype.kind != "f" or array.ndim > 2:
            raise ValueError(
                f"row {i} must be an array of floats of shape (length, channels), "
                f"got {array.dtype} of shape {array.shape}"
            )
        if not len(array):
            continue
        array = array[:, None] if array.ndim == 1 else array
        channels = array.shape[1] if channels is None else channels
        if array.shape[1] != channels:
            raise ValueError(f"row {i} must have {channels} channels as those before, got {array.shape[1]}")
        if not np.isfinite(array).all():
            bad = array[~np.isfinite(array)][0]
            raise ValueError(f"row {i} must hold finite numbers, got {bad}")
        parts.append(array)
    return joined(parts)
