"""Scoring of batches by a model in a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_tree.containers import as_reusable
from sklearn_tree.decoding import ClassDecoder
from sklearn_tree.serve import OnnxClassifier, OnnxRegressor, open_onnx

if TYPE_CHECKING:
    import pandas as pd

_lock = threading.Lock()


class Scorer:
    """Score batches with a model in a file, which each process loads once.

    A scorer is small, and its pickle holds the path only, so engines such as Spark, Ray and dask send it to
    their workers. The first call in a process loads the model.

    Parameters
    ----------
    path : str or path-like
        File of :func:`sklearn_tree.save`; or of :func:`sklearn_tree.export.to_onnx`, with the suffix
        ``.onnx``; or of ``skops.io.dump``, with the suffix ``.skops``.
    column : str or sequence of str, default=None
        Column of the batches with the samples, or columns of a table or of pairs; None for all columns.
    probabilities : bool, default=True
        Whether the probabilities of a classifier are returned too.
    device : str or torch.device, default="auto"
        Device of a saved estimator, see :func:`sklearn_tree.load`.
    cells : sequence of TreeCell subclasses, default=()
        The user's cells, see :func:`sklearn_tree.load`.
    trusted : sequence of str, default=()
        Further types that a file of skops may hold, for example those of a search.
    keep : sequence of str, default=()
        Columns of the batches that the result repeats before the predictions, such as a key to join them by.

    Attributes
    ----------
    model : estimator, OnnxClassifier or OnnxRegressor
        The model, loaded when it is first used.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from sklearn_tree import RNNClassifier, Scorer, save
    >>> texts, y = ["a good film", "a bad film"] * 20, ["positive", "negative"] * 20
    >>> frame = pd.DataFrame({"id": [7, 8], "text": ["a good play", "a bad play"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/film.safetensors"
    ...     save(RNNClassifier(random_state=0).fit(texts, y), path)
    ...     scorer = Scorer(path, column="text", probabilities=False, keep=["id"])
    ...     scorer(frame)
       id prediction
    0   7   positive
    1   8   negative
    """

    def __init__(
        self,
        path: str | os.PathLike,
        column: str | Sequence[str] | None = None,
        *,
        probabilities: bool = True,
        device: Any = "auto",
        cells: Sequence[type] = (),
        trusted: Sequence[str] = (),
        keep: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.column = column
        self.probabilities = probabilities
        self.device = device
        self.cells = cells
        self.trusted = trusted
        self.keep = keep
        self._model: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_model": None}

    @property
    def model(self) -> Any:
        """The model, loaded when it is first used."""
        with _lock:  # threads share the model
            if self._model is None:
                model = self._load()
                if not hasattr(model, "predict"):
                    raise TypeError(f"{self.path} must hold an estimator, got a {type(model).__name__}")
                self._model = model
            return self._model

    def _load(self) -> Any:
        suffix = Path(self.path).suffix.lower()
        if suffix == ".onnx":
            return open_onnx(self.path)
        if suffix == ".skops":
            import skops.io

            from sklearn_tree.io.registry import TRUSTED_TYPES

            return skops.io.load(self.path, trusted=[*TRUSTED_TYPES, *self.trusted])
        from sklearn_tree.io import load

        return load(self.path, self.device, self.cells)

    def __call__(self, batch: Any) -> pd.DataFrame:
        """Score a batch.

        Parameters
        ----------
        batch : DataFrame, pyarrow Table or RecordBatch, dict of str to array; or samples
            Rows with the samples in ``column``, or samples that the model reads.

        Returns
        -------
        DataFrame
            One row per sample, with the index of the batch: the columns of ``keep``; ``prediction``, or
            ``prediction_0``, ... for several outputs; then the probabilities, ``proba_<class>`` for one
            class per sample, ``proba_<label>`` for several labels, and ``proba_<column>_<class>`` for
            columns of classes.
        """
        import pandas as pd

        if isinstance(batch, dict):
            batch = pd.DataFrame({name: _as_list(column) for name, column in batch.items()})
        X = as_reusable(self._select(batch))
        kept = {name: _take_column(batch, name) for name in self.keep}
        index = getattr(batch, "index", None)
        if len(X):
            scores = pd.DataFrame(self._score(X), index=index if isinstance(index, pd.Index) else None)
        else:
            scores = pd.DataFrame(self._score_nothing())[:0]
        for position, (name, column) in enumerate(kept.items()):
            scores.insert(position, name, column)
        return scores

    def _select(self, batch: Any) -> Any:
        is_arrow = _is_arrow(batch)
        if self.column is None:
            return batch.to_pandas() if is_arrow and batch.num_columns > 1 else batch
        columns = [self.column] if isinstance(self.column, str) else list(self.column)
        for name in columns:
            _check_column(batch, name)
        if isinstance(self.column, str):
            return batch[self.column]
        return batch.select(columns).to_pandas() if is_arrow else batch[columns]

    def _score(self, X: Any) -> dict[str, np.ndarray]:
        model: Any = self.model
        if (found := _find_net(model)) is not None:  # the outputs are computed only once
            return self._name_outputs(_decoder_of(found[1]), _compute_outputs(*found, X))
        columns = _name_columns("prediction", model.predict(X))
        if self.probabilities and hasattr(model, "predict_proba"):
            columns |= self._name_probabilities(model.predict_proba(X))
        return columns

    def _score_nothing(self) -> dict[str, np.ndarray]:
        """Return the columns of one sample, whose values are of no use."""
        model: Any = self.model
        if (found := _find_net(model)) is not None:
            decoder = _decoder_of(found[1])
            return self._name_outputs(decoder, np.zeros((1, decoder.n_outputs), _output_dtype(found[1])))
        classes = getattr(model, "classes_", np.zeros(1))
        if isinstance(classes, list):
            columns = {f"prediction_{k}": part[:1] for k, part in enumerate(classes)}
            proba: Any = [np.zeros((1, len(part))) for part in classes]
        else:
            n_outputs, value = _n_outputs(model), np.asarray(classes)[:1]
            columns = _name_columns("prediction", value if n_outputs == 1 else value.repeat(n_outputs)[None])
            proba = np.zeros((1, len(classes)))
        if self.probabilities and hasattr(model, "predict_proba"):
            columns |= self._name_probabilities(proba)
        return columns

    def _name_outputs(self, decoder: Any, outputs: np.ndarray) -> dict[str, np.ndarray]:
        columns = _name_columns("prediction", decoder.predict(outputs))
        if self.probabilities and isinstance(decoder, ClassDecoder):
            columns |= self._name_probabilities(decoder.proba(outputs))
        return columns

    def map(self, batches: Iterable[Any]) -> Iterator[pd.DataFrame]:
        """Score batches one after the other, as ``DataFrame.mapInPandas`` of Spark requires.

        Parameters
        ----------
        batches : iterable of DataFrame
            Batches.

        Returns
        -------
        iterator of DataFrame
            Results of ``__call__``.
        """
        return (self(batch) for batch in batches)

    def _name_probabilities(self, proba: Any) -> dict[str, np.ndarray]:
        classes = self.model.classes_
        if not isinstance(proba, list):
            return {f"proba_{name}": proba[:, i] for i, name in enumerate(classes)}
        return {
            f"proba_{k}_{name}": part[:, i]
            for k, part in enumerate(proba)
            for i, name in enumerate(classes[k])
        }


def _find_net(model: Any) -> tuple[list[Any], Any] | None:
    """Return the steps before the net whose predictions a model returns, and the net; None without one."""
    if isinstance(model, (OnnxClassifier, OnnxRegressor)):
        return [], model
    from sklearn_tree.estimators.wrapped import split_estimator

    try:
        return split_estimator(model, with_transformed_targets=False)
    except TypeError:
        return None


def _decoder_of(net: Any) -> Any:
    is_exported = isinstance(net, (OnnxClassifier, OnnxRegressor))
    return net._metadata.decoder if is_exported else net.target_


def _output_dtype(net: Any) -> str:
    """Return the dtype of the outputs of a net, which are computed in the precision of its weights."""
    if isinstance(net, (OnnxClassifier, OnnxRegressor)):
        return "float32"
    return "float64" if net.net_.module_.head.weight.element_size() == 8 else "float32"


def _compute_outputs(steps: list[Any], net: Any, X: Any) -> np.ndarray:
    if isinstance(net, (OnnxClassifier, OnnxRegressor)):
        return net._run(X)
    from sklearn_tree.estimators.wrapped import apply_steps

    return net._run(apply_steps(steps, X)[0], "forward")


def _name_columns(name: str, array: np.ndarray) -> dict[str, np.ndarray]:
    if array.ndim == 1:
        return {name: array}
    return {f"{name}_{i}": column for i, column in enumerate(array.T)}


def _is_arrow(batch: Any) -> bool:
    return hasattr(batch, "schema") and hasattr(batch, "num_rows")


def _check_column(batch: Any, name: str) -> None:
    """Raise an error if a batch lacks a column."""
    if isinstance(batch, Iterator):
        raise TypeError("batch must be one batch, got an iterator of batches: pass scorer.map")
    if not (_is_arrow(batch) or hasattr(batch, "columns")):
        raise TypeError(
            f"batch must have the column {name!r}, got a {type(batch).__name__}: pass a frame, or set "
            "column=None to pass samples"
        )
    known = list(batch.schema.names if _is_arrow(batch) else batch.columns)
    if name not in known:
        raise KeyError(f"column {name!r} must be one of the columns {known}")


def _take_column(batch: Any, name: str) -> Any:
    """Return a column of a batch as an array of pandas or numpy."""
    _check_column(batch, name)
    column = batch[name]
    return column.array if hasattr(column, "iloc") else column.to_numpy()


def _n_outputs(model: Any) -> int:
    """Return the number of outputs of a model of scikit-learn without lists of classes."""
    model = model[-1] if hasattr(model, "named_steps") else model
    coef: Any = getattr(model, "coef_", None)
    default = len(coef) if np.ndim(coef) == 2 and not hasattr(model, "classes_") else 1
    return getattr(model, "n_outputs_", default)


def _as_list(column: Any) -> list:
    return column.to_pylist() if hasattr(column, "to_pylist") else list(column)
