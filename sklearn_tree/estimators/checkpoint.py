"""Checkpoints: the state of a training in a file, from which the same fit continues."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import torch
from skorch.history import History
from torch import Tensor, nn

from sklearn_tree.estimators.identity import Part, find_differences
from sklearn_tree.estimators.net_state import load_optimizer
from sklearn_tree.estimators.storable import from_storable, to_storable
from sklearn_tree.files import remove_temporaries, replacing
from sklearn_tree.randomness import generator_states, restore_generators

_FILE = "checkpoint.pt"
_MAGIC = b"sklearn_tree checkpoint 1\n"
_DIGEST_SIZE = 64  # characters
_KEYS = {"identity", "seed", "is_finished", "training"}
_TRAINING_KEYS = {
    "buffers", "callbacks", "criterion", "frozen", "generators", "history", "is_stopped", "module", "n_done",
    "optimizer",
}  # fmt: skip


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
        folder = _resolve_folder(os.fspath(directory), joblib.hash(digests))
        self.path = folder / _FILE
        self.seed = seed
        self._header = {"identity": {name: (part.digest, part.text) for name, part in identity.items()}}
        self._training: dict[str, Any] | None = None
        self._has_warned = self._is_idle = False
        saved = _read(self.path)
        if saved is not None:
            differences = find_differences(saved["identity"], self._header["identity"])
            if not differences:
                self.seed, self._training = saved["seed"], saved["training"]
            elif not saved["is_finished"]:
                raise ValueError(
                    f"checkpoint_dir {str(folder)!r} holds an unfinished fit with {differences[0]}: delete "
                    "the folder or use another one; several fits, as in a search or with warm_start, need "
                    "'{digest}' in the path"
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
            Number of epochs that are done; ``n_epochs`` if a callback has ended the training. 0 if more than
            ``n_epochs`` are done: then the file keeps them, and the shorter fit is not saved.
        """
        training = self._training
        if training is None:
            return 0
        if training["n_done"] > n_epochs:
            self._is_idle = True
            return 0
        net.history_ = History(training["history"])
        net.module_.load_state_dict(training["module"])
        _load_buffers(net.module_, training["buffers"])
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
        if self._is_idle:
            return
        states = {name: _callback_state(callback) for name, callback in net.callbacks_}
        training = {
            "n_done": n_done,
            "is_stopped": is_stopped,
            "history": [dict(row) for row in net.history],
            "module": dict(net.module_.state_dict()),
            "buffers": _other_buffers(net.module_),
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
        stored, lost = to_storable(content)
        self._warn_of_losses(lost)
        torch.save(stored, buffer)
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

    def _warn_of_losses(self, names: list[str]) -> None:
        """Warn once of values that are not saved."""
        new = [name.removeprefix("['training']") for name in names]
        if new and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"checkpoint_dir: {', '.join(new)} cannot be saved, a fit that continues starts without: use "
                "numbers, strings, arrays, tensors, lists, dicts and sets",
                stacklevel=8,
            )


def _resolve_folder(name: str, digest: str) -> Path:
    """Return the folder with a name that may hold "{digest}"."""
    rest = name.replace("{digest}", "")
    if not name or "{" in rest or "}" in rest:
        raise ValueError(
            f"checkpoint_dir must be a path, with no braces but those of '{{digest}}', got {name!r}"
        )
    folder = Path(name.replace("{digest}", digest)).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"checkpoint_dir must be a folder, got the file {str(folder)!r}")
    return folder


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
        saved = from_storable(torch.load(io.BytesIO(data), weights_only=True, map_location="cpu"))
        is_known = not _KEYS - set(saved) and not _TRAINING_KEYS - set(saved["training"] or _TRAINING_KEYS)
    except (pickle.UnpicklingError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"checkpoint_dir: {path} is not a checkpoint: {error}") from error
    if not is_known:
        raise ValueError(
            f"checkpoint_dir: {path} is a checkpoint of another version, delete it to restart the fit"
        )
    return saved


def _other_buffers(module: nn.Module) -> dict[str, Tensor]:
    """Return the buffers of a module that are not part of its state."""
    state = module.state_dict()
    return {name: buffer for name, buffer in module.named_buffers() if name not in state}


def _load_buffers(module: nn.Module, buffers: dict[str, Tensor]) -> None:
    for name, buffer in buffers.items():
        owner, _, attribute = name.rpartition(".")
        current = module.get_buffer(name)
        setattr(module.get_submodule(owner), attribute, buffer.to(current.device))


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
    states = {name: value.state_dict() if _has_state(value) else value for name, value in attributes.items()}
    return {name: value for name, value in states.items() if not to_storable(value)[1]}


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
