"""Classes that saved files may hold."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from sklearn_tree.vectors.packages import PACKAGES

_MODULES = {
    "CNNClassifier": "sklearn_tree.estimators.convolutional",
    "CNNRegressor": "sklearn_tree.estimators.convolutional",
    "CaptumExplainer": "sklearn_tree.explain.explainer",
    "Explanations": "sklearn_tree.explain.explanations",
    "NetEncoder": "sklearn_tree.estimators.net_encoder",
    "PairArray": "sklearn_tree.kinds.pairs",
    "Pipeline": "sklearn.pipeline",
    "RNNClassifier": "sklearn_tree.estimators.recurrent",
    "RNNRegressor": "sklearn_tree.estimators.recurrent",
    "RaggedArray": "sklearn_tree.trees.ragged",
    "RecursiveNetClassifier": "sklearn_tree.estimators.recursive",
    "RecursiveNetRegressor": "sklearn_tree.estimators.recursive",
    "SequenceVectorizer": "sklearn_tree.preprocessing.sequence_vectorizer",
    "ToDevice": "sklearn_tree.estimators.to_device",
    "Tree": "sklearn_tree.trees.tree",
    "TreeArray": "sklearn_tree.trees.array",
    "TreeParser": "sklearn_tree.preprocessing.tree_parser",
    "TreeVectorizer": "sklearn_tree.preprocessing.tree_vectorizer",
}
_UNSAFE = ("compile", "torch_load_kwargs")  # parameters of skorch that run programs
_SPACY_MODEL = re.compile(r"[a-z]{2,3}_(core|dep|ent|sent)_[a-z]+_[a-z]+")

TRUSTED_TYPES: list[str] = [
    *(f"{module}.{name}" for name, module in _MODULES.items() if module.startswith("sklearn_tree.")),
    "sklearn_tree.trees.formats.node.TreeNode",
]
"""Names of the public classes, for ``skops.io.load(file, trusted=TRUSTED_TYPES)`` and for MLflow."""


def find_class(name: Any) -> Any:
    """Return the class with a name in a saved file.

    Raises
    ------
    ValueError
        If saved files may not hold the class.
    """
    if name not in _MODULES:
        raise ValueError(f"the file names the class {name!r:.60}, which saved files do not hold")
    return getattr(import_module(_MODULES[name]), name)


def class_name(value: Any) -> str | None:
    """Return the name of an object's class in saved files; None for other classes, also for subclasses."""
    cls = type(value)
    return cls.__name__ if _MODULES.get(cls.__name__) == cls.__module__ else None


def check_sources(state: dict[str, Any]) -> None:
    """Raise ValueError if the state of an object names files or programs.

    The names of packages of vectors and of models of spaCy are allowed.
    """
    vectors = (state.get("kind_") or {}).get("vectors") or {}
    for embeddings in (state.get("embeddings"), vectors.get("embeddings")):
        if isinstance(embeddings, str) and embeddings not in PACKAGES:
            raise ValueError(
                f"embeddings must not be the path of a file, got {embeddings!r}: saved files name packages "
                "only, pass the words and vectors as a pair"
            )
    model, memory = state.get("model"), state.get("memory")
    if isinstance(model, str) and not _SPACY_MODEL.fullmatch(model):
        raise ValueError(
            f"model must be the name of a model of spaCy, such as 'en_core_web_sm', got {model!r}"
        )
    if memory is not None:
        raise ValueError(f"memory must be None in a saved pipeline, got {memory!r}")
    if state.get("checkpoint_dir") is not None:
        raise ValueError(
            f"checkpoint_dir must be None in a saved estimator, got {state['checkpoint_dir']!r:.60}"
        )
    for name in state.get("net_params") or ():
        if name.startswith(_UNSAFE):
            raise ValueError(f"net_params must not contain {name!r} in a saved estimator: set it after load")
