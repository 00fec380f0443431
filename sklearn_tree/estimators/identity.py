"""Identity of a fit: the parameters and samples that determine its result."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any

from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.digests import digest, digest_callback
from sklearn_tree.kinds import kind_to_state

# Parameters that may change before a fit continues.
_FREE_PARAMS = {"callbacks", "checkpoint_dir", "device", "random_state", "verbose"}
_LOGGERS = "skorch.callbacks.logging"  # module of callbacks that do not change the training
_PREVIOUS_NET = "net of the previous fit"


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
    params["net_params"] = params["net_params"] or None
    embeddings, name = params.pop("embeddings"), type(estimator).__name__
    identity = {"estimator": Part(name, name)}
    identity |= {name: Part(digest(value), reprlib.repr(value)) for name, value in params.items()}
    if estimator.random_state is not None:
        identity["random_state"] = Part(digest(seed), reprlib.repr(estimator.random_state))
    vectors = estimator.kind_.word_vectors
    identity["embeddings"] = Part(digest(vectors and vectors.load()), reprlib.repr(embeddings))
    identity["callbacks"] = _identify_callbacks(estimator.callbacks or ())
    columns = {
        "X": (kind_to_state(estimator.kind_, embeddings), *_columns(train, "X")),
        "y": (estimator.target_.to_state(), *_columns(train, "y", "targets")),
        "sample_weight": _columns(train, "sample_weight"),
    }
    if held_out is not None:
        columns["X_val"] = _columns(held_out, "X")
        columns["y_val"] = _columns(held_out, "y", "targets")
    if hasattr(estimator, "net_"):
        net = estimator.net_
        columns[_PREVIOUS_NET] = (net.module_.state_dict(), net.optimizer_.state_dict())
    return identity | {name: Part(digest(values), "") for name, values in columns.items()}


def _identify_callbacks(callbacks: Any) -> Part:
    """Return the part of the callbacks that may change a training."""
    callbacks = [pair[1] if isinstance(pair, (list, tuple)) else pair for pair in callbacks]
    classes = [callback if isinstance(callback, type) else type(callback) for callback in callbacks]
    kept = [i for i, cls in enumerate(classes) if cls.__module__ != _LOGGERS]
    text = f"[{', '.join(classes[i].__name__ for i in kept)}]"
    return Part(digest([digest_callback(callbacks[i]) for i in kept]), text)


def _columns(dataset: EncodedDataset, *names: str) -> tuple:
    columns = {name: getattr(dataset, name, None) for name in names}
    if "X" in columns:
        columns["X"] = dataset.kind.to_host(columns["X"])
    return (*columns.values(),)


def find_differences(saved: dict[str, tuple[str, str]], current: dict[str, tuple[str, str]]) -> list[str]:
    """Describe the parts that differ.

    Parameters
    ----------
    saved, current : dict of str to (str, str)
        Digest and text of each part.
    """
    differences = []
    for name in {**saved, **current}:
        (old, old_text), (new, new_text) = (parts.get(name, ("", "nothing")) for parts in (saved, current))
        if old != new and old_text and new_text and old_text != new_text:
            differences.append(f"{name}={old_text}, not {new_text}")
        elif old != new:
            differences.append(f"other {name}" if name.endswith("s") else f"another {name}")
    return differences
