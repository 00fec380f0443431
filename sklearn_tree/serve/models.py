"""Classifier and regressor that score with an exported net."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from sklearn_tree.containers import as_reusable
from sklearn_tree.decoding import ClassDecoder
from sklearn_tree.kinds import Kind, check_finite
from sklearn_tree.serve.metadata import KEY, Metadata, check_digest, read_metadata
from sklearn_tree.validation import POSITIVE_INT

# Positions of a batch, padding included, with the best speed: levels of trees need many nodes, and steps of
# sequences should stay in the cache.
_NO_FOLDER = os.path.join(os.devnull, "none")
_MAX_NODES, _MAX_STEPS = 24_000, 4096


class OtherModelError(ValueError):
    """A file of a regressor that is opened as a classifier, or the other way round."""


class _OnnxModel(BaseEstimator):
    """Base class of models that score with an exported net."""

    _is_classifier: bool
    _metadata: Metadata

    def __init__(self, path: str | os.PathLike, *, n_threads: int = 1) -> None:
        self.path = path
        self.n_threads = n_threads
        self._load()

    def __getstate__(self) -> dict[str, Any]:
        return self.get_params()  # the file is opened again where the pickle is loaded

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Return the model, which is fitted already.

        Parameters
        ----------
        X, y : None
            Ignored.

        Returns
        -------
        self
        """
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def set_params(self, **params: Any) -> Self:
        """Set parameters and open the file again.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        self
            The model; it is unchanged if the file cannot be opened.
        """
        previous = self.get_params()
        super().set_params(**params)
        try:
            self._load()
        except BaseException:
            super().set_params(**previous)
            raise
        return self

    def _load(self) -> None:
        if not POSITIVE_INT.is_satisfied_by(self.n_threads):
            raise ValueError(f"n_threads must be an int >= 1, got {self.n_threads!r}")
        content = Path(self.path).read_bytes()
        try:
            check_digest(content)
            session = _open_session(content, int(self.n_threads))
            metadata = read_metadata(session.get_modelmeta().custom_metadata_map[KEY])
            self._check_outputs(session, metadata)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, MemoryError) as error:
            cls = OtherModelError if isinstance(error, OtherModelError) else ValueError
            raise cls(f"{os.fspath(self.path)}: {error}") from error
        self._session, self._metadata = session, metadata
        self._input_names = [value.name for value in session.get_inputs()]

    def _check_outputs(self, session: Any, metadata: Metadata) -> None:
        """Check that a file holds a whole net for this class."""
        if isinstance(metadata.decoder, ClassDecoder) != self._is_classifier:
            other = "OnnxRegressor" if self._is_classifier else "OnnxClassifier"
            raise OtherModelError(f"the file holds a {metadata.estimator}: open it with {other}")
        outputs = {value.name: value.shape for value in session.get_outputs()}
        if list(outputs) != ["logits"]:
            raise ValueError("the file holds a single step: export the estimator with step_only=False")
        if outputs["logits"][1:] != [metadata.decoder.n_outputs]:
            raise ValueError("the outputs of the net must be those of the target")

    @property
    def input_kind_(self) -> str:
        """Name of the kind of samples: "trees", "tokens", "series", "images", "table" or "pairs"."""
        return self._metadata.kind.name

    @property
    def n_features_in_(self) -> int:
        """Number of columns (tables, and columns of texts or trees, only)."""
        return self._first_reader.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns (only if all are strings)."""
        return self._first_reader.feature_names_in_

    @property
    def _first_reader(self) -> Any:
        return (*self._metadata.steps, self._metadata.kind)[0]

    def _run(self, X: Any) -> np.ndarray:
        """Return the outputs of the net, shape (n_samples, n_outputs)."""
        X = as_reusable(X)
        for step in self._metadata.steps:
            X = step.transform(X)
        kind = self._metadata.kind
        encoded = kind.to_host(kind.read(X))
        batches = list(split_into_batches(kind, encoded))
        parts = np.concatenate([self._run_batch(encoded, rows) for rows in batches])
        outputs = np.empty_like(parts)
        outputs[np.concatenate(batches)] = parts
        check_finite(outputs, encoded, kind)
        return outputs

    def _run_batch(self, encoded: Any, rows: np.ndarray) -> np.ndarray:
        inputs = self._metadata.kind.inputs(encoded, rows)
        if missing := sorted(set(self._input_names) - inputs.keys()):
            raise ValueError(f"the net in the file reads {missing}, which samples of its kind do not have")
        return self._session.run(None, {name: inputs[name] for name in self._input_names})[0]


class OnnxClassifier(ClassifierMixin, _OnnxModel):
    """Classifier that scores with a file of :func:`sklearn_tree.export.to_onnx`.

    It reads the same samples as the exported estimator and needs neither torch nor skorch, but the package
    ``onnxruntime``.

    Parameters
    ----------
    path : str or path
        File.
    n_threads : int, default=1
        Number of threads of a call.

    Attributes
    ----------
    classes_ : ndarray or list of ndarray
        Class labels, sorted; for several columns of classes a list with one array per column.
    input_kind_ : str
        Name of the kind of samples.
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns, if they have names.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file was not written by ``to_onnx``, is damaged or holds a regressor.
    ImportError
        If onnxruntime is not installed.

    See Also
    --------
    sklearn_tree.export.to_onnx : Writes the file.

    Notes
    -----
    Words outside the vocabulary are unknown, even if the exported estimator knew pretrained vectors of more
    words. A pickle holds the path, not the file.

    A file cannot name code or other files, and a damaged file is refused. The digest is not a signature,
    however: anyone can write a file with other weights, or with a slow regular expression as tokenizer.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_tree import CNNClassifier
    >>> from sklearn_tree.export import to_onnx
    >>> from sklearn_tree.serve import OnnxClassifier
    >>> texts, y = ["a good film", "a bad film"] * 20, ["positive", "negative"] * 20
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(CNNClassifier(random_state=0).fit(texts, y), f"{folder}/film.onnx")
    ...     scorer = OnnxClassifier(f"{folder}/film.onnx")
    >>> scorer.classes_.tolist(), scorer.predict(["a good play"]).tolist()
    (['negative', 'positive'], ['positive'])
    """

    _is_classifier = True

    @property
    def classes_(self) -> Any:
        """Class labels, sorted; for several columns of classes a list with one array per column."""
        return self._metadata.decoder.classes

    def decision_function(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the calibrated logits.

        Parameters
        ----------
        X : same as in ``fit`` of the exported estimator
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) for two classes, otherwise (n_samples, n_classes)
            For two classes the log-odds of the second, otherwise one logit per class or label. For several
            columns of classes, a list with one array per column.
        """
        return self._metadata.decoder.margin(self._run(X))

    def predict_proba(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Return the probabilities of the classes, in the order of ``classes_``.

        Parameters
        ----------
        X : same as in ``fit`` of the exported estimator
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_classes)
            For multi-label targets the probability of each label. For several columns of classes, a list
            with an array per column.
        """
        return self._metadata.decoder.proba(self._run(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each sample.

        Parameters
        ----------
        X : same as in ``fit`` of the exported estimator
            Samples.

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_outputs)
            For multi-label targets 0 or 1 for each label.
        """
        return self._metadata.decoder.predict(self._run(X))


class OnnxRegressor(RegressorMixin, _OnnxModel):
    """Regressor that scores with a file of :func:`sklearn_tree.export.to_onnx`.

    It reads the same samples as the exported estimator and needs neither torch nor skorch, but the package
    ``onnxruntime``.

    Parameters
    ----------
    path : str or path
        File.
    n_threads : int, default=1
        Number of threads of a call.

    Attributes
    ----------
    input_kind_, n_features_in_, feature_names_in_
        See :class:`OnnxClassifier`.

    Raises
    ------
    OSError, ValueError, ImportError
        See :class:`OnnxClassifier`.

    Notes
    -----
    The notes of :class:`OnnxClassifier` apply.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_tree import RNNRegressor
    >>> from sklearn_tree.export import to_onnx
    >>> from sklearn_tree.serve import OnnxRegressor
    >>> texts, stars = ["a good film", "a bad film"] * 20, [5.0, 1.0] * 20
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(RNNRegressor(random_state=0).fit(texts, stars), f"{folder}/film.onnx")
    ...     scorer = OnnxRegressor(f"{folder}/film.onnx")
    >>> scorer.predict(["a good film", "a bad film"]).round().tolist()
    [5.0, 1.0]
    """

    _is_classifier = False

    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets.

        Parameters
        ----------
        X : same as in ``fit`` of the exported estimator
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples,) or (n_samples, n_outputs)
            The shape of the targets that ``fit`` received.
        """
        return self._metadata.decoder.predict(self._run(X))


def open_onnx(path: str | os.PathLike) -> OnnxClassifier | OnnxRegressor:
    """Open a file of :func:`sklearn_tree.export.to_onnx` with the class for its estimator.

    Parameters
    ----------
    path : str or path
        File.

    Returns
    -------
    OnnxClassifier or OnnxRegressor

    Raises
    ------
    OSError, ValueError, ImportError
        See :class:`OnnxClassifier`.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_tree import RNNRegressor
    >>> from sklearn_tree.export import to_onnx
    >>> from sklearn_tree.serve import open_onnx
    >>> regressor = RNNRegressor(random_state=0).fit(["a good film", "a bad film"] * 20, [5.0, 1.0] * 20)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(regressor, f"{folder}/film.onnx")
    ...     scorer = open_onnx(f"{folder}/film.onnx")
    >>> type(scorer).__name__
    'OnnxRegressor'
    """
    try:
        return OnnxClassifier(path)
    except OtherModelError:
        return OnnxRegressor(path)


def split_into_batches(kind: Kind, encoded: Any) -> Iterator[np.ndarray]:
    """Yield the rows of batches of samples of similar cost.

    Parameters
    ----------
    kind : Kind
        Kind of the samples.
    encoded : encoded samples
        Samples.

    Yields
    ------
    ndarray of int64, shape (n,)
        Rows of a batch, at least one.
    """
    cost, sizes = kind.cost(encoded), kind.n_positions(encoded)
    order = np.arange(len(sizes)) if cost is None else np.argsort(cost, kind="stable")
    limit = _MAX_NODES if kind.is_batched_on_host else _MAX_STEPS  # only trees are
    start = largest = 0
    for end, size in enumerate(sizes[order].tolist()):
        largest = max(largest, size)
        if end > start and largest * (end + 1 - start) > limit:
            yield order[start:end]
            start, largest = end, size
    yield order[start:]


def _open_session(content: bytes, n_threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError("scoring requires onnxruntime: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = n_threads, 1
    options.log_severity_level = 3  # errors only
    # Tensors in other files are looked for in a folder that cannot exist.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NO_FOLDER)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many classes
        raise ValueError(f"the graph of the file is invalid: {error}") from error
