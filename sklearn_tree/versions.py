"""Versions in pickles: loading a pickle of another version warns, as scikit-learn's own estimators do."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

_UNKNOWN = "unknown"  # version of pickles that hold none


class VersionWarning(InconsistentVersionWarning):
    """Warning that an estimator was pickled with another version of this package."""

    def __str__(self) -> str:
        return (
            f"{self.estimator_name} was pickled with sklearn_tree {self.original_sklearn_version} and is "
            f"loaded with version {self.current_sklearn_version}: results may differ; fit it again"
        )


class VersionMixin:
    """Store the versions of this package and of scikit-learn in pickles, and warn if others load them."""

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return {**state, **{name: version for name, version, _ in _versions()}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        for name, current, category in _versions():
            original = state.pop(name, _UNKNOWN)
            if original != current:
                warning = category(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=current,
                    original_sklearn_version=original,
                )
                warnings.warn(warning, stacklevel=2)
        super().__setstate__(state)  # type: ignore[misc]


def _versions() -> list[tuple[str, str, type[InconsistentVersionWarning]]]:
    """Return the key, the current version and the warning of each package whose version is stored."""
    package = import_module(__package__)
    return [
        ("_sklearn_version", sklearn.__version__, InconsistentVersionWarning),
        ("_sklearn_tree_version", package.__version__, VersionWarning),
    ]
