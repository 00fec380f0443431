"""The sequence half of estimators: what X may be, and the sizes that a net takes from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils.validation import _check_n_features, check_array, validate_data

from sklearn_tree.containers import as_column
from sklearn_tree.estimators.tree_input import is_missing, is_number, items_of_column, on_host, plain
from sklearn_tree.preprocessing import SequenceVectorizer
from sklearn_tree.trees import RaggedArray
from sklearn_tree.trees.flat import N_RESERVED_IDS
from sklearn_tree.validation import StrOptions

# What `input_kind` names, and how messages say it.
KINDS = {"text": "texts", "tokens": "token ids", "series": "series", "table": "a table", "image": "images"}
_LISTS_OF_NUMBERS = ("token ids", "series")
SEQUENCE_CONSTRAINTS: dict = {"input_kind": [StrOptions({"auto", *KINDS} - {"image"})]}


class SequenceInputMixin:
    """X to a ``RaggedArray`` (tokens, ragged series), an ndarray or a tensor (tables, dense series)."""

    def _encode(self, X: Any, *, reset: bool) -> RaggedArray | np.ndarray | torch.Tensor:
        X = plain(X)
        kind = kind_of(X) if self.input_kind == "auto" else KINDS[self.input_kind]
        if reset:
            for name in ("vectorizer_", "n_features_in_", "feature_names_in_", "n_channels_in_"):
                self.__dict__.pop(name, None)
            self.input_kind_ = kind
        elif kind != self.input_kind_:
            if self.input_kind_ not in _LISTS_OF_NUMBERS or not _may_be_lists_of_numbers(X, kind):
                raise ValueError(f"X must be {self.input_kind_}, as in fit, got {kind}")
            kind = self.input_kind_
        if kind == "a table":
            return self._encode_table(X, reset=reset)
        if kind == "texts":
            if reset:
                self.vectorizer_ = SequenceVectorizer()
                return self.vectorizer_.fit_transform(X)
            return self.vectorizer_.transform(X)
        if kind == "token ids":
            return _as_ragged(X)
        return (
            self._encode_series(X, reset=reset) if kind == "series" else self._encode_images(X, reset=reset)
        )

    def _encode_images(self, X: Any, *, reset: bool) -> np.ndarray | torch.Tensor:
        raise ValueError("X must be texts, token sequences, series or a table, got images: see CNNClassifier")

    def _encode_table(self, X: Any, *, reset: bool) -> np.ndarray | torch.Tensor:
        if not isinstance(X, torch.Tensor):
            return validate_data(self, narrowed(X), dtype=[np.float64, np.float32], reset=reset)
        checked = checked_numbers(X, 2)
        _check_n_features(self, checked, reset=reset)
        return checked

    def _encode_series(self, X: Any, *, reset: bool) -> RaggedArray | np.ndarray | torch.Tensor:
        series: Any
        if getattr(X, "ndim", 1) >= 3:
            series = checked_numbers(X, 3)
            n_channels = series.shape[2]
        else:
            series = _as_ragged(X)
            steps = series.values  # not rounded: that waits until their mean is gone
            if series.is_tokens:
                steps = steps.astype(np.float64)
            n_columns = steps.shape[1] if steps.ndim == 2 else 1
            if not len(steps) and not reset:
                n_columns = self.n_channels_in_  # nothing but empty series
            series = series.replace(values=steps.reshape(len(steps), n_columns), n_labels=None)
            n_channels = series.values.shape[1]
        self._check_channels(n_channels, reset=reset)
        return series

    def _check_channels(self, n_channels: int, *, reset: bool) -> None:
        if reset:
            self.n_channels_in_ = n_channels
        elif n_channels != self.n_channels_in_:
            raise ValueError(f"X must have {self.n_channels_in_} channels, as in fit, got {n_channels}")

    def _input_params(self, X: Any, weight: np.ndarray | None) -> dict[str, Any]:
        if isinstance(X, RaggedArray) and X.is_tokens:
            return {"n_labels": X.n_labels}
        shift, scale = channel_statistics(X, weight)
        if self.input_kind_ != "a table":
            return {"n_channels": len(shift), "value_shift": shift, "value_scale": scale}
        # The columns of a table are tokens with numbers, the ids behind the reserved ones.
        return {
            "n_labels": N_RESERVED_IDS + len(shift),
            "value_shift": [0.0] * N_RESERVED_IDS + shift,
            "value_scale": [1.0] * N_RESERVED_IDS + scale,
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags


def kind_of(X: Any) -> str:
    """Say what X is: "texts", "token ids", "series", "a table" or "images"."""
    if isinstance(X, RaggedArray):
        return "series" if not X.is_tokens else "token ids" if X.vocabulary is None else "texts"
    if sparse.issparse(X):
        return "a table"
    if isinstance(X, torch.Tensor):
        return {3: "series", 4: "images"}.get(X.ndim, "a table")
    if not isinstance(X, (list, tuple)) and not hasattr(X, "iloc") and hasattr(X, "__array__"):
        X = np.asarray(X)
    rows = X
    if hasattr(X, "ndim"):  # numpy and pandas
        if X.ndim in (3, 4):
            return "series" if X.ndim == 3 else "images"
        rows = items_of_column(X)
        if rows is None:
            return "a table"
    return _kind_of_rows(rows) if isinstance(rows, (list, tuple)) and len(rows) else "texts"


def _kind_of_rows(rows: Any) -> str:
    row = next((r for r in rows if not is_missing(r) and not (hasattr(r, "__len__") and not len(r))), "")
    if isinstance(row, str) or (isinstance(row, (list, tuple)) and isinstance(row[0], str)):
        return "texts"
    if not hasattr(row, "__len__"):
        return "a table" if is_number(row) else "texts"
    if not is_number(row[0]):
        return {2: "series", 3: "images"}.get(np.ndim(row), "texts")
    if len({len(row) if hasattr(row, "__len__") else -1 for row in rows}) == 1:
        return "a table"
    is_integer = all(isinstance(x, (int, np.integer)) for x in row)
    return "token ids" if is_integer else "series"


def _may_be_lists_of_numbers(X: Any, kind: str) -> bool:
    """Whether X, said to be of some kind, is a column of lists of one length, or of empty ones."""
    if kind == "a table":
        return isinstance(X, (list, tuple)) or (hasattr(X, "ndim") and _items(X) is not None)
    rows = _items(X) if hasattr(X, "ndim") else X
    return kind == "texts" and isinstance(rows, (list, tuple)) and all(_is_empty(row) for row in rows)


def _items(X: Any) -> list | None:
    return None if isinstance(X, torch.Tensor) else items_of_column(np.asarray(X, dtype=object))


def _is_empty(row: Any) -> bool:
    return hasattr(row, "__len__") and not isinstance(row, str) and not len(row)


def narrowed(X: Any) -> Any:
    """Return small floats (half precision, foreign byte orders) as float32, all else as it is."""
    is_small = isinstance(X, np.ndarray) and X.dtype.kind == "f" and X.dtype.itemsize <= 4
    return X.astype(np.float32, copy=False) if is_small else X


def checked_numbers(
    X: np.ndarray | torch.Tensor, ndim: int, integers: Any = np.float64
) -> np.ndarray | torch.Tensor:
    """Return an array or tensor of finite floats, a tensor where it is.

    Parameters
    ----------
    X : ndarray or Tensor
        Numbers.
    ndim : int
        The number of axes that it must have, none of length 0.
    integers : dtype of numpy, default=float64
        What integers become.

    Returns
    -------
    ndarray or Tensor of float32 or float64
    """
    if X.ndim != ndim or 0 in X.shape:
        raise ValueError(f"X must have {ndim} axes of at least one entry, got shape {tuple(X.shape)}")
    if isinstance(X, torch.Tensor):
        if X.is_complex() or X.layout != torch.strided:
            raise ValueError(f"X must be a dense tensor of real numbers, got {X.dtype}, {X.layout}")
        X = X.detach()
        if X.dtype not in (torch.float32, torch.float64):
            narrow = X.is_floating_point() or integers == np.float32
            X = X.to(torch.float32 if narrow else torch.float64)
        is_finite = X.isfinite().flatten(1).all(1).cpu().numpy()
    else:
        dtypes = [np.float64, np.float32] if X.dtype.kind in "fO" else integers
        X = check_array(narrowed(X), allow_nd=True, dtype=dtypes, input_name="X", ensure_all_finite=False)
        is_finite = np.asarray(np.isfinite(X).reshape(len(X), -1).all(axis=1))
    for row in np.flatnonzero(~is_finite)[:1]:
        bad = on_host(X[row].ravel())
        raise ValueError(f"row {row} of X must hold finite numbers, got {bad[~np.isfinite(bad)][0]}")
    return X


def _as_ragged(X: Any) -> RaggedArray:
    array = X if isinstance(X, RaggedArray) else RaggedArray.from_sequences(_rows(X))
    if not len(array.values):  # nothing but empty sequences
        return RaggedArray(np.zeros(0, dtype=np.int32), array.offsets)
    if array.is_tokens and array.vocabulary is None and array.values.min() < 0:
        row = np.searchsorted(array.offsets, int(array.values.argmin()), side="right") - 1
        raise ValueError(f"row {row} must hold ids from 0, got {int(array.values.min())}")
    return array


def _rows(X: Any) -> list:
    """Return the rows of a container as a list, the rows of a table too; tensors become arrays."""
    if isinstance(X, torch.Tensor):
        X = on_host(X.detach())
    elif hasattr(X, "iloc") and X.ndim == 2 and X.shape[1] > 1:
        X = X.to_numpy()
    rows = list(X) if getattr(X, "ndim", 1) == 2 else as_column(X, "sequences")
    return [on_host(row.detach()) if isinstance(row, torch.Tensor) else row for row in rows]


def step_counts(X: RaggedArray | np.ndarray | torch.Tensor) -> np.ndarray:
    """Return how many steps (or pixels) each sample has; 1 for a row of a table."""
    if isinstance(X, RaggedArray):
        return X.sizes
    return np.full(len(X), np.prod(X.shape[1:-1], dtype=np.int64))


def channel_statistics(X: Any, weight: np.ndarray | None) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel of series, or of each column of a table.

    Parameters
    ----------
    X : RaggedArray of numbers; or ndarray, shape (n, ..., n_channels) or (n, n_columns)
        Series, images or a table.
    weight : array of float, shape (n,), or None
        Weights of the samples.

    Returns
    -------
    shift, scale : list of float
        Scale 1 where the numbers are constant.
    """
    sizes = step_counts(X)
    steps = X.values if isinstance(X, RaggedArray) else X.reshape(-1, X.shape[-1])
    n_channels = steps.shape[1]
    if not len(steps):
        return [0.0] * n_channels, [1.0] * n_channels
    w = np.repeat(np.ones(len(X)) if weight is None else weight, sizes)
    w = w if w.any() else np.ones_like(w)

    def total(function: Callable) -> np.ndarray:
        # in parts: images of bytes are many, and eight times as large in doubles
        parts = [slice(i, i + _PART) for i in range(0, len(steps), _PART)]
        numbers = (function(on_host(steps[part]).astype(np.float64)) for part in parts)
        # not by BLAS, whose threads wait for each other longer than they work
        return sum(np.einsum("i,ij->j", w[part], x) for part, x in zip(parts, numbers, strict=True))  # type: ignore[return-value]

    mean = total(lambda x: x) / w.sum()
    scale = np.sqrt(total(lambda x: (x - mean) ** 2) / w.sum())
    constant = scale <= 1e-12 * (1 + np.abs(mean))
    return mean.tolist(), np.where(constant, 1.0, scale).tolist()


_PART = 100_000  # rows
