"""Deep learning on trees, sequences and images with the scikit-learn API."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn_tree import datasets, explain, export, plot, serve
    from sklearn_tree.device import resolve_device
    from sklearn_tree.diagnosis import diagnose
    from sklearn_tree.estimators import (
        CNNClassifier,
        CNNRegressor,
        NetEncoder,
        RecursiveNetClassifier,
        RecursiveNetRegressor,
        RNNClassifier,
        RNNRegressor,
        ToDevice,
        predict_nodes,
    )
    from sklearn_tree.explain import CaptumExplainer, Explanations, nearest_change
    from sklearn_tree.io import TRUSTED_TYPES, load, save
    from sklearn_tree.preprocessing import SequenceVectorizer, TreeParser, TreeVectorizer
    from sklearn_tree.scorer import Scorer
    from sklearn_tree.trees import RaggedArray, Tree, TreeArray, TreeNode, register_tree_type

__version__ = "0.1.0.dev0"

# Public names are imported when they are first used (PEP 562), so `import sklearn_tree` is free.
_HOMES = {
    "CNNClassifier": "sklearn_tree.estimators",
    "CNNRegressor": "sklearn_tree.estimators",
    "CaptumExplainer": "sklearn_tree.explain",
    "Explanations": "sklearn_tree.explain",
    "NetEncoder": "sklearn_tree.estimators",
    "RNNClassifier": "sklearn_tree.estimators",
    "RNNRegressor": "sklearn_tree.estimators",
    "RaggedArray": "sklearn_tree.trees",
    "RecursiveNetClassifier": "sklearn_tree.estimators",
    "RecursiveNetRegressor": "sklearn_tree.estimators",
    "Scorer": "sklearn_tree.scorer",
    "SequenceVectorizer": "sklearn_tree.preprocessing",
    "TRUSTED_TYPES": "sklearn_tree.io.registry",
    "ToDevice": "sklearn_tree.estimators",
    "Tree": "sklearn_tree.trees",
    "TreeArray": "sklearn_tree.trees",
    "TreeNode": "sklearn_tree.trees",
    "TreeParser": "sklearn_tree.preprocessing",
    "TreeVectorizer": "sklearn_tree.preprocessing",
    "diagnose": "sklearn_tree.diagnosis",
    "load": "sklearn_tree.io",
    "nearest_change": "sklearn_tree.explain",
    "predict_nodes": "sklearn_tree.estimators",
    "register_tree_type": "sklearn_tree.trees",
    "resolve_device": "sklearn_tree.device",
    "save": "sklearn_tree.io",
}
# Names that people look for who want decision trees, and the module of scikit-learn that has them.
_ELSEWHERE = {
    "BaggingClassifier": "sklearn.ensemble",
    "DecisionTreeClassifier": "sklearn.tree",
    "DecisionTreeRegressor": "sklearn.tree",
    "ExtraTreeClassifier": "sklearn.tree",
    "ExtraTreeRegressor": "sklearn.tree",
    "ExtraTreesClassifier": "sklearn.ensemble",
    "ExtraTreesRegressor": "sklearn.ensemble",
    "GradientBoostingClassifier": "sklearn.ensemble",
    "GradientBoostingRegressor": "sklearn.ensemble",
    "HistGradientBoostingClassifier": "sklearn.ensemble",
    "HistGradientBoostingRegressor": "sklearn.ensemble",
    "IsolationForest": "sklearn.ensemble",
    "RandomForestClassifier": "sklearn.ensemble",
    "RandomForestRegressor": "sklearn.ensemble",
    "export_graphviz": "sklearn.tree",
    "export_text": "sklearn.tree",
}
_MODULES = ("datasets", "explain", "export", "plot", "serve")

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "CaptumExplainer",
    "Explanations",
    "NetEncoder",
    "RNNClassifier",
    "RNNRegressor",
    "RaggedArray",
    "RecursiveNetClassifier",
    "RecursiveNetRegressor",
    "Scorer",
    "SequenceVectorizer",
    "TRUSTED_TYPES",
    "ToDevice",
    "Tree",
    "TreeArray",
    "TreeNode",
    "TreeParser",
    "TreeVectorizer",
    "datasets",
    "diagnose",
    "explain",
    "export",
    "load",
    "nearest_change",
    "plot",
    "predict_nodes",
    "register_tree_type",
    "resolve_device",
    "save",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"sklearn_tree.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = _direct_elsewhere(name)
    if message and sys._getframe(1).f_code.co_name == "_handle_fromlist":  # `from sklearn_tree import ...`
        raise ImportError(f"cannot import name {name!r} from 'sklearn_tree'{message}")  # Python's has no hint
    raise AttributeError(f"module 'sklearn_tree' has no attribute {name!r}{message}")


def _direct_elsewhere(name: str) -> str:
    """Return a hint for a name that is about decision trees; an empty string for other names."""
    if name == "plot_tree":
        return ": use sklearn_tree.plot.plot_tree for samples, sklearn.tree.plot_tree for decision trees"
    if name not in _ELSEWHERE:
        return ""
    module = _ELSEWHERE[name]
    return f": sklearn_tree has no decision trees, its samples are trees; use `from {module} import {name}`"


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
