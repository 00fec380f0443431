"""Checkpoints: the state of a training in a file, from which the same fit continues."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from skorch.history import History
from torch import Tensor

from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.net_state import load_optimizer
from sklearn_tree.estimators.plain import to_plain
from sklearn_tree.files import remove_temporaries, replacing
from sklearn_tree.kinds import kind_to_state
from sklearn_tree.randomness import generator_states, restore_generators

_FILE = "checkpoint.pt"
_MAGIC = b"sklearn_tree checkpoint 1\n"
_DIGEST_SIZE = 64  # characters
# Parameters that may change before a fit continues.
_FREE_PARAMS = {"callbacks", "checkpoint_dir", "device", "random_state", "verbose"}
_ABSENT = object()


class Checkpoint:
    """State of a training in a folder.

    Parameters
    ----------
    directory : str or path-like
        Folder, which is created; "{digest}" is replaced by the digest of ``identity``.
    identity : dict of str to Part
        Parameters and samples of the fit by name.
    seed : int
        Seed of a new fit.

    Attributes
    ----------
    path : Path
        File.
    seed : int
        Seed of the fit, that of the file if there is one.

    Raises
    ------
    ValueError
        If the file is damaged, or holds an unfinished fit that differs in a parameter or in the samples.
    OSError
        If the file cannot be read or written.
    """

    def __init__(self, directory: str | os.PathLike, identity: dict[str, Part], seed: int) -> None:
        digests = {name: part.digest for name, part in identity.items()}
        folder = Path(os.fspath(directory).replace("{digest}", joblib.hash(digests))).expanduser().absolute()
        self.path = folder / _FILE
        self.seed = seed
        self._header = {"identity": {name: (part.digest, part.text) for name, part in identity.items()}}
        self._training: dict[str, Any] | None = None
        saved = _read(self.path)
        if saved is not None:
            difference = _find_difference(saved["identity"], self._header["identity"])
            self._is_finished = saved["is_finished"]
            if difference is None:
                self.seed, self._training = saved["seed"], saved["training"]
            elif not saved["is_finished"]:
                raise ValueError(
                    f"checkpoint_dir {str(folder)!r} holds an unfinished fit with {difference}: delete the "
                    "folder or use another one; the fits of a search need '{digest}' in the path"
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            remove_temporaries(folder)
        except OSError as error:
            raise OSError(f"checkpoint_dir {str(folder)!r} cannot be made: {error}") from error
        if self._training is None:
            self._write(None, is_finished=False)  # before the first epoch, so that errors come early

    def restore(self, net: Any, n_epochs: int) -> int:
        """Restore the training after its last epoch.

        Parameters
        ----------
        net : OwnedNetMixin
            Net at the beginning of the training.
        n_epochs : int
            Number of epochs of the fit.

        Returns
        -------
        int
            Number of epochs that are done; ``n_epochs`` if a callback has ended the training.

        Raises
        ------
        ValueError
            If an unfinished fit has more epochs.
        """
        training = self._training
        if training is None:
            return 0
        if training["n_done"] > n_epochs:
            if not self._is_finished:
                n_done = training["n_done"]
                raise ValueError(
                    f"max_epochs must be at least {n_done}, the number of epochs of the unfinished fit in "
                    f"{self.path}, got {n_epochs}"
                )
            return 0
        net.history_ = History(training["history"])
        net.module_.load_state_dict(training["module"])
        for name, parameter in net.module_.named_parameters():
            parameter.requires_grad_(name not in training["frozen"])
        net.criterion_.load_state_dict(training["criterion"])
        load_optimizer(net.optimizer_, training["optimizer"])
        for name, callback in net.callbacks_:
            if name in training["callbacks"]:
                _load_callback(callback, training["callbacks"][name])
        restore_generators(training["generators"])
        return n_epochs if training["is_stopped"] else training["n_done"]

    def save(self, net: Any, n_done: int, n_epochs: int, *, is_stopped: bool = False) -> None:
        """Save the training after an epoch.

        Parameters
        ----------
        net : OwnedNetMixin
            Net after the epoch.
        n_done : int
            Number of epochs of this fit that are done.
        n_epochs : int
            Number of epochs of the fit.
        is_stopped : bool, default=False
            Whether a callback has ended the training.
        """
        states = {name: _callback_state(callback) for name, callback in net.callbacks_}
        training = {
            "n_done": n_done,
            "is_stopped": is_stopped,
            "history": [dict(row) for row in net.history],
            "module": dict(net.module_.state_dict()),
            "criterion": dict(net.criterion_.state_dict()),
            "frozen": [name for name, x in net.module_.named_parameters() if not x.requires_grad],
            "optimizer": net.optimizer_.state_dict(),
            "callbacks": {name: state for name, state in states.items() if state is not None},
            "generators": generator_states(),
        }
        self._write(training, is_finished=is_stopped or n_done == n_epochs)

    def _write(self, training: dict[str, Any] | None, *, is_finished: bool) -> None:
        content = {**self._header, "seed": self.seed, "is_finished": is_finished, "training": training}
        buffer = io.BytesIO()
        torch.save(_as_storable(content), buffer)
        digest = hashlib.sha256(buffer.getbuffer()).hexdigest().encode()
        try:
            with replacing(self.path) as temporary, open(temporary, "wb") as file:
                file.write(_MAGIC + digest)
                file.write(buffer.getbuffer())
        except OSError as error:
            raise OSError(
                f"checkpoint_dir: {self.path} cannot be written, the fit continues from the last epoch in it "
                f"when it can: {error}"
            ) from error


def _read(path: Path) -> dict[str, Any] | None:
    """Return the content of a file; None if there is none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OSError(f"checkpoint_dir: {path} cannot be read: {error}") from error
    start = len(_MAGIC) + _DIGEST_SIZE
    data = memoryview(content)[start:]
    if content[:start] != _MAGIC + hashlib.sha256(data).hexdigest().encode():
        raise ValueError(f"checkpoint_dir: {path} is damaged, delete it to restart the fit")
    try:
        return torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(f"checkpoint_dir: {path} is not a checkpoint: {error}") from error


# Identity of a fit.


@dataclass(frozen=True)
class Part:
    """Parameter or column of samples that two fits may differ in.

    Attributes
    ----------
    digest : str
        Digest of the value.
    text : str
        The value in error messages; empty for samples.
    """

    digest: str
    text: str


def identify(
    estimator: Any, train: EncodedDataset, held_out: EncodedDataset | None, seed: int
) -> dict[str, Part]:
    """Return the parameters and samples that determine the result of a fit.

    ``max_epochs`` is left out if the first epochs do not depend on it, so more epochs can follow.

    Parameters
    ----------
    estimator : BaseNet
        Estimator in ``fit``, after it has read the samples.
    train : EncodedDataset
        All samples.
    held_out : EncodedDataset or None
        Validation samples of the user.
    seed : int
        Seed of the fit.
    """
    params = {
        name: value for name, value in estimator.get_params(deep=False).items() if name not in _FREE_PARAMS
    }
    if estimator._resolve("lr_schedule") is None and not estimator.early_stopping:
        del params["max_epochs"]
    if estimator.random_state is not None:
        params["random_state"] = seed
    if hasattr(params["embeddings"], "get_vector") or hasattr(params["embeddings"], "encode"):
        params["embeddings"] = type(params["embeddings"])  # a model, which may be large
    identity = {name: Part(_digest(value), reprlib.repr(value)) for name, value in params.items()}
    kind, target = kind_to_state(estimator.kind_, estimator.embeddings), estimator.target_.to_state()
    columns = {
        "X": (kind, *_columns(train, "X")),
        "y": (target, *_columns(train, "y", "targets")),
        "sample_weight": _columns(train, "sample_weight"),
    }
    if held_out is not None:
        columns["X_val"] = _columns(held_out, "X")
        columns["y_val"] = _columns(held_out, "y", "targets")
    if hasattr(estimator, "net_"):
        net = estimator.net_
        columns["net of the previous fit"] = (net.module_.state_dict(), net.optimizer_.state_dict())
    return identity | {name: Part(_digest(values), "") for name, values in columns.items()}


def _columns(dataset: EncodedDataset, *names: str) -> tuple:
    columns = {name: getattr(dataset, name, None) for name in names}
    if "X" in columns:
        columns["X"] = dataset.kind.to_host(columns["X"])
    return (*columns.values(),)


def _digest(value: Any) -> str:
    """Return a digest of a value; of its class, if the value cannot be pickled."""
    try:
        return joblib.hash(to_plain(_without_objects(value)), coerce_mmap=True)
    except Exception:  # of many classes
        return type(value).__qualname__


def _without_objects(value: Any) -> Any:
    """Return a value with the attributes of arrays of this package instead of the arrays.

    Texts and numbers of equal value become equal, whatever their type in numpy and Python.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) is int:
        return float(value)
    if isinstance(value, np.ndarray) and value.dtype.kind not in "biufc":
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_without_objects(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_objects(item) for key, item in value.items()}
    is_own = type(value).__module__.startswith("sklearn_tree.") and hasattr(value, "__dict__")
    return _without_objects(vars(value)) if is_own else value


def _find_difference(saved: dict[str, tuple], current: dict[str, tuple]) -> str | None:
    """Return the first name whose values differ, with both values; None if all are equal."""
    for name in {**saved, **current}:
        (old, old_text), (new, new_text) = (parts.get(name, ("", "nothing")) for parts in (saved, current))
        if old != new:
            return f"{name}={old_text}, not {new_text}" if old_text and new_text else f"another {name}"
    return None


# Callbacks.


def _callback_state(callback: Any) -> Any:
    """Return the state of a callback; None if it has none that can be restored.

    Callbacks of skorch keep their state in attributes with a trailing underscore. Others have a state if they
    have the methods ``state_dict`` and ``load_state_dict``, as schedules of torch do.
    """
    if _has_state(callback):
        return callback.state_dict()
    if not type(callback).__module__.startswith("skorch."):
        return None
    attributes = {name: value for name, value in vars(callback).items() if name.endswith("_")}
    return {name: value.state_dict() if _has_state(value) else value for name, value in attributes.items()}


def _load_callback(callback: Any, state: Any) -> None:
    if _has_state(callback):
        callback.load_state_dict(state)
        return
    for name, value in state.items():
        current: Any = getattr(callback, name, None)
        if _has_state(current):
            current.load_state_dict(value)
        else:
            setattr(callback, name, value)


def _has_state(value: Any) -> bool:
    return hasattr(value, "load_state_dict") and not isinstance(value, type)


def _as_storable(value: Any) -> Any:
    """Return a value without the parts that cannot be stored; ``_ABSENT`` if nothing is left."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return value
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, dict):
        stored = {key: _as_storable(item) for key, item in value.items()}
        return {key: item for key, item in stored.items() if item is not _ABSENT}
    if isinstance(value, (list, tuple)):
        items = [_as_storable(item) for item in value]
        return _ABSENT if any(item is _ABSENT for item in items) else type(value)(items)
    return _ABSENT
