"""Values in checkpoints, which torch reads without running code."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import torch
from torch import Tensor

_TAG = "__type__"  # key of the dicts that describe values of other types
PLAIN_TYPES = (bool, int, float, complex, str, bytes, type(None))
_ABSENT = object()


def to_storable(value: Any, name: str = "") -> tuple[Any, list[str]]:
    """Replace the arrays, sets and deques in a value, and leave out what cannot be stored.

    Parameters
    ----------
    value : any
        Value; a dict may hold anything.
    name : str, default=""
        Name of the value.

    Returns
    -------
    stored : any
        Plain values, tensors, lists, tuples and dicts; None if the value itself cannot be stored.
    lost : list of str
        Names of the values that are left out.
    """
    lost: list[str] = []
    stored = _store(value, lost, name)
    return None if stored is _ABSENT else stored, lost


def from_storable(value: Any) -> Any:
    """Restore a value from the return value of :func:`to_storable`.

    Raises
    ------
    ValueError
        If the description of a value is invalid.
    """
    if isinstance(value, (list, tuple)):
        return type(value)(from_storable(item) for item in value)
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {key: from_storable(item) for key, item in value.items()}
    kind, content = value[_TAG], from_storable(value["content"])
    if kind == "array":
        return content.numpy()
    if kind == "objects":
        return np.array([*content, None], dtype=object)[:-1].reshape(value["shape"])
    if kind == "deque":
        return deque(content, value["maxlen"])
    if kind in ("set", "frozenset", "dict"):
        return {"set": set, "frozenset": frozenset, "dict": dict}[kind](content)
    raise ValueError(f"unknown type {kind!r:.60}")


def _store(value: Any, lost: list[str], name: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if type(value) in PLAIN_TYPES:
        return value
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, dict):
        return _store_dict(value, lost, name)
    if isinstance(value, np.ndarray):
        return _store_array(value, lost, name)
    if not isinstance(value, (list, tuple, deque, set, frozenset)):
        lost.append(name)
        return _ABSENT
    items = [_store(item, lost, f"{name}[{i}]") for i, item in enumerate(value)]
    if any(item is _ABSENT for item in items):
        return _ABSENT
    if isinstance(value, deque):
        return {_TAG: "deque", "content": items, "maxlen": value.maxlen}
    if isinstance(value, (set, frozenset)):
        return {_TAG: "set" if isinstance(value, set) else "frozenset", "content": items}
    return items if isinstance(value, list) else tuple(items)


def _store_array(array: np.ndarray, lost: list[str], name: str) -> Any:
    if array.dtype.kind in "biufc":
        return {_TAG: "array", "content": torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))}
    items = _store(array.ravel().tolist(), lost, name) if array.dtype.kind in "OUS" else _ABSENT
    return items if items is _ABSENT else {_TAG: "objects", "content": items, "shape": array.shape}


def _store_key(key: Any, lost: list[str], name: str) -> Any:
    key = key.item() if isinstance(key, np.generic) else key
    items = key if type(key) is tuple else (key,)
    if all(type(item) in PLAIN_TYPES for item in items):
        return key
    lost.append(name)
    return _ABSENT


def _store_dict(value: dict, lost: list[str], name: str) -> dict:
    stored = {}
    for key, item in value.items():
        item_name = f"{name}[{key!r:.60}]"
        new_key, new_item = _store_key(key, lost, item_name), _store(item, lost, item_name)
        if new_key is not _ABSENT and new_item is not _ABSENT:
            stored[new_key] = new_item
    if _TAG in stored:
        return {_TAG: "dict", "content": list(stored.items())}
    return stored
