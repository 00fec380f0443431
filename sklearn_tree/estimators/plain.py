"""Plain values that replace objects of torch in states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.estimators.rowwise import RowwiseAdagrad
from sklearn_tree.state import StateMixin

_TAG = "__torch__"  # key of the dicts that describe objects of torch


class TorchStateMixin(StateMixin):
    """Pickle an object without objects of torch and skorch, except those of the user.

    Pickles are therefore small and do not depend on the internals of these packages, and skops needs to
    trust the class only.
    """

    def __getstate__(self) -> dict[str, Any]:
        return to_plain(super().__getstate__())

    @default_modes()
    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(from_plain(state))


def to_plain(value: Any) -> Any:
    """Replace the tensors, dtypes, devices, optimizers and losses of torch in a value.

    Parameters
    ----------
    value : any
        Value, or dict, list or tuple of values.

    Returns
    -------
    any
        The value itself if nothing in it has been replaced.
    """
    return _map(value, _describe)


def from_plain(value: Any) -> Any:
    """Restore a value from the return value of :func:`to_plain`.

    Raises
    ------
    ValueError
        If the description of an object of torch is invalid.
    """
    return _map(value, _restore)


def _map(value: Any, function: Callable[[Any], Any]) -> Any:
    """Apply a function to a value and everything in it, inner values first."""
    if type(value) is dict:
        items = {key: _map(item, function) for key, item in value.items()}
        if any(items[key] is not value[key] for key in value):
            value = items
    elif type(value) in (list, tuple):
        mapped = type(value)(_map(item, function) for item in value)
        if any(new is not old for new, old in zip(mapped, value, strict=True)):
            value = mapped
    return function(value)


def _describe(value: Any) -> Any:
    if type(value) is dict and _TAG in value:  # a dict of the user with this key
        return {_TAG: "dict", "name": "", "items": [*value.items()]}
    if type(value) is torch.Tensor and value.layout == torch.strided:
        is_short = value.dtype in (torch.bfloat16, torch.float16)
        array = (value.float() if is_short else value).detach().cpu().numpy()
        return {_TAG: "tensor", "array": array, "name": str(value.dtype).removeprefix("torch.")}
    if isinstance(value, torch.dtype):
        return {_TAG: "dtype", "name": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {_TAG: "device", "name": str(value)}
    if isinstance(value, type) and _find_class(value.__name__) is value:
        return {_TAG: "class", "name": value.__name__}
    return value


def _restore(value: Any) -> Any:
    if type(value) is not dict or _TAG not in value:
        return value
    kind, name = value[_TAG], str(value["name"])
    restored: Any = None
    if kind == "dict":
        restored = dict(value["items"])
    elif kind == "class":
        restored = _find_class(name)
    elif kind == "device":
        restored = torch.device(name)
    elif kind in ("dtype", "tensor") and isinstance(getattr(torch, name, None), torch.dtype):
        dtype = getattr(torch, name)
        restored = dtype if kind == "dtype" else torch.tensor(np.asarray(value["array"]), dtype=dtype)
    if restored is None:
        raise ValueError(f"unknown object of torch: {kind} {name!r:.60}")
    return restored


def _find_class(name: str) -> type | None:
    """Return the optimizer with a name, or the loss of torch without weights; None for any other name."""
    if name == RowwiseAdagrad.__name__:
        return RowwiseAdagrad
    cls = getattr(torch.optim, name, None)
    if cls is None and name.endswith("Loss") and name != "AdaptiveLogSoftmaxWithLoss":
        cls = getattr(torch.nn, name, None)
    is_known = isinstance(cls, type) and issubclass(cls, (torch.optim.Optimizer, torch.nn.Module))
    return cls if is_known else None
