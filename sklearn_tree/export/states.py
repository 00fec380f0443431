"""States of an estimator and the steps before it as values of JSON."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from sklearn_tree.decoding import NumbersDecoder
from sklearn_tree.estimators import ToDevice
from sklearn_tree.export.errors import NotExportableError
from sklearn_tree.preprocessing import TreeParser
from sklearn_tree.serve.states import KIND_CLASSES, encode_classes
from sklearn_tree.serve.steps import COLUMNS, DEFAULT_PARAMS, STEPS, VOCABULARIES


def estimator_state(net: Any, steps: list[Any]) -> dict[str, Any]:
    """Return everything that scoring needs besides the graph.

    Parameters
    ----------
    net : BaseNet
        Fitted estimator.
    steps : list of fitted transformers
        Steps before it.

    Raises
    ------
    NotExportableError
        If the kind, a class or a step cannot be stored.
    """
    return {
        "version": import_module("sklearn_tree").__version__,
        "estimator": type(net).__name__,
        "kind": kind_state(net.kind_),
        "target": target_state(net.target_),
        "steps": [step_state(step) for step in steps if not _is_move(step)],
    }


def kind_state(kind: Any) -> dict[str, Any]:
    """Return the state of a fitted kind; warn if it has pretrained vectors of words that are not stored."""
    name = type(kind).__name__
    if KIND_CLASSES.get(name) is not type(kind):
        raise NotExportableError(f"the kind of the samples must be one of {sorted(KIND_CLASSES)}, got {name}")
    if kind.word_vectors is not None:
        warnings.warn(
            "words outside the vocabulary are unknown to the exported net: the file has the vectors of the "
            "vocabulary, not those of other words in embeddings",
            stacklevel=5,
        )
    return {"name": name, "state": kind.to_state()}


def target_state(target: Any) -> dict[str, Any]:
    """Return the state of a fitted target."""
    if isinstance(target, NumbersDecoder):
        statistics = {"mean": target.mean.tolist(), "scale": target.scale.tolist()}
        return {"name": target.name, **statistics, "n_columns": target.n_columns}
    columns = target.classes if isinstance(target.classes, list) else [target.classes]
    temperatures = target.temperatures
    return {
        "name": target.name,
        "classes": [encode_classes(column) for column in columns],
        "temperatures": None if temperatures is None else temperatures.tolist(),
    }


def step_state(step: Any) -> dict[str, Any]:
    """Return the state of a fitted transformer."""
    name = type(step).__name__
    if STEPS.get(name) is not type(step):
        raise NotExportableError(
            f"the steps before the net must be of {sorted(STEPS)}, got {name}: export the net, and transform "
            "its samples before scoring"
        )
    params = {key: value for key, value in step.get_params().items() if key not in DEFAULT_PARAMS}
    for key, value in params.items():
        if callable(value):
            raise NotExportableError(f"{key} of {name} must not be a function, which the file cannot hold")
    if isinstance(step, TreeParser) and step.format == "spacy":
        raise NotExportableError("format of TreeParser must not be 'spacy', whose model the file cannot hold")
    vocabularies = {key: list(vars(step)[key]) for key in VOCABULARIES if key in vars(step)}
    n_columns, names = (vars(step).get(key) for key in COLUMNS)
    return {
        "name": name,
        "params": {key: getattr(value, "item", lambda value=value: value)() for key, value in params.items()},
        "vocabularies": vocabularies,
        "columns": {"n_columns": n_columns, "names": None if names is None else names.tolist()},
    }


def _is_move(step: Any) -> bool:
    """Return whether a step moves samples to a device without changing them."""
    return isinstance(step, ToDevice) and step.dtype is None
