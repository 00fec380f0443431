"""Saving and loading of estimators."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_tree.files import replacing
from sklearn_tree.io.codec import Decoder, Encoder
from sklearn_tree.nn import TreeCell

_FORMAT = "sklearn_tree"
_VERSION = "1"
_STATE = "state"  # array with the JSON


def save(estimator: Any, path: str | os.PathLike) -> None:
    """Save an estimator to a file that :func:`load` reads without executing code.

    The file is written in the safetensors format: the weights and other arrays, and everything else as JSON.
    It replaces an older file in one step, so a file is never half-written.

    Parameters
    ----------
    estimator : estimator, vectorizer, parser, explainer, Explanations or Pipeline
        Object of a class of this package, fitted or not, or a pipeline of such objects. skops saves other
        pipelines, see :data:`TRUSTED_TYPES`.
    path : str or path-like
        File to write.

    Raises
    ------
    TypeError
        If a parameter or attribute cannot be saved, such as a function. The message names it.
    ValueError
        If a parameter is invalid or names a file: ``embeddings``, ``model`` or ``memory``.
    OSError
        If the file cannot be written.
    ImportError
        If safetensors is not installed.

    Warns
    -----
    UserWarning
        If the estimator has ``callbacks``, which are not saved.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_tree import SequenceVectorizer, load, save
    >>> vectorizer = SequenceVectorizer(lowercase=False).fit(["a good film", "a bad film"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(vectorizer, f"{folder}/film.safetensors")
    ...     load(f"{folder}/film.safetensors")
    SequenceVectorizer(lowercase=False)
    """
    if isinstance(estimator, (str, os.PathLike)):
        raise TypeError(f"estimator must be an estimator, got {estimator!r}: the path comes second")
    _import_safetensors()
    encoder = Encoder()
    state = encoder.encode(estimator, type(estimator).__name__)
    with replacing(path) as temporary:
        write(temporary, state, encoder.arrays)


def load(path: str | os.PathLike, device: Any = "auto", cells: Sequence[type[TreeCell]] = ()) -> Any:
    """Load what :func:`save` has saved.

    Nothing in the file is executed: it may only hold classes of this package, and every size is checked
    against the size of the file before memory is allocated.

    Parameters
    ----------
    path : str or path-like
        File.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps", "xpu"} or torch.device, default="auto"
        Becomes the parameter ``device`` of all objects in the file.
    cells : sequence of TreeCell subclasses, default=()
        Cells of the user that the nets in the file may have; they are found by their names.

    Returns
    -------
    estimator
        Its predictions equal those of the saved one.

    Raises
    ------
    ValueError
        If the file is damaged, of another format or of a later version, or names a class or cell that is not
        allowed.
    OSError
        If the file cannot be read.
    ImportError
        If safetensors is not installed.

    Warns
    -----
    InconsistentVersionWarning
        If the file was saved with other versions of this package or of scikit-learn.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_tree import RNNClassifier, load, save
    >>> texts, y = ["a good film", "a bad film"] * 20, [1, 0] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "film.safetensors"
    ...     save(clf, path)
    ...     loaded = load(path, device="cpu")
    >>> bool((loaded.predict_proba(texts) == clf.predict_proba(texts)).all())
    True
    """
    if isinstance(cells, type):
        raise TypeError(f"cells must be a sequence of classes, got the class {cells.__name__}")
    state, arrays = read(path)
    try:
        return Decoder(arrays, device, cells).decode(state)
    except ImportError:
        raise
    except (Exception, RecursionError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be loaded: {error or type(error).__name__}") from error


def write(path: Path, state: Any, arrays: Sequence[np.ndarray]) -> None:
    """Write the values and arrays of an :class:`Encoder` with a digest to a file."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # JSON is an array too, since the header of a file has a limit; strings may hold single surrogates.
    text = json.dumps(state, ensure_ascii=False).encode("utf-8", "surrogatepass")
    content = {_STATE: np.frombuffer(text, np.uint8), **{str(i): x for i, x in enumerate(arrays)}}
    try:
        save_file(content, path, {"format": _FORMAT, "version": _VERSION, "sha256": _digest(content)})
    except SafetensorError as error:
        raise OSError(f"a file of {len(arrays)} arrays cannot be written: {error}") from error


def read(path: str | os.PathLike) -> tuple[Any, list[np.ndarray]]:
    """Return the values and arrays of a file.

    Raises
    ------
    ValueError
        If the file has another format or a wrong digest.
    """
    _import_safetensors()
    from safetensors import SafetensorError, safe_open

    name = os.fspath(path)
    if not os.path.isfile(name):
        raise FileNotFoundError(f"{name} is not a file")
    try:
        with safe_open(name, framework="numpy") as file:
            metadata = file.metadata() or {}
            content = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{name} is not a file of sklearn_tree.save, or it is damaged{_hint(name)}: {error}"
        ) from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{name} is not a file of sklearn_tree.save")
    if metadata.get("version") != _VERSION:
        raise ValueError(
            f"{name} has the format version {metadata.get('version')!r:.20}, which this version of "
            f"sklearn_tree does not know: it reads version {_VERSION}"
        )
    if metadata.get("sha256") != _digest(content):
        raise ValueError(f"{name} is damaged: its digest does not fit its content")
    try:
        text = content.pop(_STATE).tobytes().decode("utf-8", "surrogatepass")
        return json.loads(text), [content[str(i)] for i in range(len(content))]
    except (ValueError, KeyError, RecursionError) as error:
        raise ValueError(f"{name} is damaged: {error!r}") from error


def _hint(path: str) -> str:
    """Return what opens a file of another format."""
    with open(path, "rb") as file:
        content = file.read()
    if content.startswith(b"PK"):
        return "; skops.io.load opens files of skops"
    return "; OnnxClassifier and OnnxRegressor open files of to_onnx" if b"logits" in content else ""


def _digest(content: dict[str, np.ndarray]) -> str:
    """Return the SHA-256 digest of the names, dtypes, shapes and bytes of arrays."""
    digest = hashlib.sha256()
    for name in sorted(content):
        array = content[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _import_safetensors() -> None:
    try:
        import safetensors  # noqa: F401
    except ImportError as error:
        raise ImportError('save and load need safetensors: pip install "sklearn-tree[save]"') from error
