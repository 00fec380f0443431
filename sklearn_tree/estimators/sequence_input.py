"""The sequence half of estimators: what X may be, and the sizes that a net takes from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_n_features, check_array, validate_data

from sklearn_tree.estimators.tree_input import is_missing, is_number, items_of_column, on_host
from sklearn_tree.preprocessing import SequenceVectorizer
from sklearn_tree.preprocessing.columns import as_column
from sklearn_tree.trees import RaggedArray
from sklearn_tree.trees.flat import N_RESERVED_IDS

# What `input_kind` names, and how messages say it.
KINDS = {"text": "texts", "tokens": "token ids", "series": "series", "table": "a table", "image": "images"}
_LISTS_OF_NUMBERS = ("token ids", "series")
SEQUENCE_CONSTRAINTS: dict = {"input_kind": [StrOptions({"auto", *KINDS} - {"image"})]}


class SequenceInputMixin:
    """X to a ``RaggedArray`` (tokens, ragged series), an ndarray or a tensor (tables, dense series)."""

    def _encode(self, X: Any, *, reset: bool) -> RaggedArray | np.ndarray | torch.Tensor:
        kind = kind_of(X) if self.input_kind == "auto" else KINDS[self.input_kind]
        if reset:
            for name in ("vectorizer_", "n_features_in_", "feature_names_in_", "n_channels_in_"):
                self.__dict__.pop(name, None)
            self.input_kind_ = kind
        elif kind == "a table" and isinstance(X, (list, tuple)) and self.input_kind_ in _LISTS_OF_NUMBERS:
            kind = self.input_kind_  # rows that happen to be of one length
        elif kind != self.input_kind_:
            raise ValueError(f"X must be {self.input_kind_}, as in fit, got {kind}")
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
            return validate_data(self, X, dtype=[np.float64, np.float32], reset=reset)
        _check_n_features(self, X, reset=reset)
        return checked_tensor(X)

    def _encode_series(self, X: Any, *, reset: bool) -> RaggedArray | np.ndarray | torch.Tensor:
        series: Any
        if isinstance(X, torch.Tensor) and X.ndim == 3:
            series = checked_tensor(X)
            n_channels = series.shape[2]
        elif getattr(X, "ndim", 1) == 3:
            series = check_array(X, allow_nd=True, dtype=[np.float64, np.float32], input_name="X")
            n_channels = series.shape[2]
        else:
            series = _as_ragged(X)
            steps = series.values  # not rounded: that waits until their mean is gone
            if series.is_tokens:
                steps = steps.astype(np.float64)
            series = series.replace(values=steps.reshape(len(steps), -1), n_labels=None)
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


def checked_tensor(X: torch.Tensor, integers: torch.dtype = torch.float64) -> torch.Tensor:
    """Return a tensor of finite floats where it is; integers become floats of the type given."""
    if X.is_complex():
        raise ValueError(f"Complex data not supported: X must hold real numbers, got {X.dtype}")
    if not len(X):
        raise ValueError(f"X must hold at least one sample, got shape {tuple(X.shape)}")
    X = X.detach()
    X = X if X.dtype in (torch.float32, torch.float64) else X.to(integers)
    if not X.isfinite().all():
        raise ValueError(f"X must hold finite numbers, got {X[~X.isfinite()][0]}")
    return X


def _as_ragged(X: Any) -> RaggedArray:
    return X if isinstance(X, RaggedArray) else RaggedArray.from_sequences(_rows(X))


def _rows(X: Any) -> list:
    """Return the rows of a container as a list, the rows of a 2-D array too."""
    return list(X) if getattr(X, "ndim", 1) == 2 else as_column(X, "sequences")


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
    steps = on_host(X.values if isinstance(X, RaggedArray) else X.reshape(-1, X.shape[-1]))
    if not len(steps):
        return [0.0] * steps.shape[1], [1.0] * steps.shape[1]
    w = np.repeat(np.ones(len(X)) if weight is None else weight, sizes)
    w = w if w.any() else np.ones_like(w)
    steps = steps.astype(np.float64)
    mean = np.average(steps, axis=0, weights=w)
    scale = np.sqrt(np.average((steps - mean) ** 2, axis=0, weights=w))
    constant = scale <= 1e-12 * (1 + np.abs(mean))
    return mean.tolist(), np.where(constant, 1.0, scale).tolist()
