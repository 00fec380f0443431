"""States of output columns and views as plain values and arrays."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.explain.columns import SourceColumns
from sklearn_tree.explain.features import Features
from sklearn_tree.explain.views import VIEWS, View
from sklearn_tree.state import iterate_subclasses

_CLASS = "class"  # key of the class name in a state
_NESTED = ("items", "sources")  # fields that are output columns too


def features_to_state(features: Any) -> dict[str, Any]:
    """Return output columns as plain values, without functions of the view."""
    columns = {field.name: getattr(features, field.name) for field in fields(features)}
    plain = {
        name: features_to_state(value) if name in _NESTED else value
        for name, value in columns.items()
        if not callable(value)
    }
    return {_CLASS: type(features).__name__, **plain}


def features_from_state(state: dict[str, Any], view: View) -> Any:
    """Rebuild output columns from the return value of :func:`features_to_state`.

    Parameters
    ----------
    state : dict
        State.
    view : View
        View of the kind of the samples.
    """
    classes: dict[str, Any] = {cls.__name__: cls for cls in (SourceColumns, *iterate_subclasses(Features))}
    cls = classes[state[_CLASS]]
    items = getattr(view, "item_view", view)
    columns = {
        name: features_from_state(value, items) if name in _NESTED else value
        for name, value in state.items()
        if name != _CLASS
    }
    if "get_ids" in {field.name for field in fields(cls)}:
        columns["get_ids"] = view.ids  # type: ignore[attr-defined]
    return cls(**columns)


def view_to_state(view: View) -> list[str]:
    """Return the class name of a view, followed by that of the view of the samples of pairs."""
    item = getattr(view, "item_view", None)
    return [type(view).__name__, *([] if item is None else view_to_state(item))]


def view_from_state(names: list[str]) -> View:
    """Rebuild a view from the return value of :func:`view_to_state`."""
    name, *items = names
    cls: Any = next(view for view in VIEWS.values() if view.__name__ == name)
    return cls(view_from_state(items)) if items else cls()


def predictions_from_state(state: Any, targets: np.ndarray) -> Predictions:
    """Rebuild predictions from their attributes.

    Parameters
    ----------
    state : dict or None
        Attributes by name; None in the states of versions without predictions.
    targets : ndarray, shape (n,)
        Explained classes, which replace unknown predictions.

    Raises
    ------
    ValueError
        If an attribute is missing or has another length than the targets.
    """
    unknown = np.full(len(targets), np.nan)
    default = Predictions(
        outputs=None,
        values=targets,
        probabilities=unknown,
        explained=targets,
        explained_probabilities=unknown,
    )
    if state is None:
        return default
    optional = {"outputs", "averages"}
    if not isinstance(state, dict) or set(state) != set(vars(default)):
        raise ValueError("predictions must have the attributes of Predictions")
    for name, column in state.items():
        is_column = isinstance(column, np.ndarray) and column.shape == (len(targets),)
        if not is_column and not (column is None and name in optional):
            raise ValueError(f"predictions.{name} must be an array with one entry per sample")
    return Predictions(**state)
