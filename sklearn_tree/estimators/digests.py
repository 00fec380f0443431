"""Digests of values, which are equal in different processes if the values have the same effect."""

from __future__ import annotations

import hashlib
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from inspect import signature
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import joblib
import numpy as np
import torch
from torch import nn

from sklearn_tree.estimators.plain import to_plain
from sklearn_tree.estimators.storable import PLAIN_TYPES

_LIBRARIES = {*sys.stdlib_module_names, "numpy", "scipy", "sklearn", "sklearn_tree", "skorch", "torch"} - {
    "__main__"
}
_SKIPPED = {"__doc__", "__module__", "__firstlineno__", "__slotnames__"}  # attributes of classes


def digest(value: Any) -> str:
    """Return a digest of a value.

    Numbers of equal value have equal digests, whatever their type, as have lists and tuples, and arrays of
    any memory layout. Functions and classes of the user are compared by their code, those of libraries by
    name. Other objects are compared by class and attributes.

    Parameters
    ----------
    value : any
        Value.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return _Digester().digest(value).hex()


def digest_callback(callback: Any) -> str:
    """Return a digest of the class of a callback and its parameters.

    Parameters
    ----------
    callback : any
        Callback of skorch, or a class of callbacks.

    Returns
    -------
    str
        64 hexadecimal digits. Objects in the parameters count by their class, because they may change in a
        training; plain values, arrays, functions and classes count by value.
    """
    cls = callback if isinstance(callback, type) else type(callback)
    attributes = {} if callback is cls else vars(callback)
    params = {name: attributes[name] for name in signature(cls).parameters if name in attributes}
    return _Digester(is_shallow=True).digest([cls, params]).hex()


class _Digester:
    def __init__(self, *, is_shallow: bool = False) -> None:
        self.is_shallow = is_shallow
        self.path: list[int] = []  # the objects that hold the current one

    def digest(self, value: Any) -> bytes:
        if id(value) in self.path:
            return _hash("cycle", [])
        self.path.append(id(value))
        try:
            return self._digest(value)
        finally:
            self.path.pop()

    def _digest(self, value: Any) -> bytes:
        if isinstance(value, np.generic):
            value = value.item()
        if type(value) in PLAIN_TYPES:
            return _hash("plain", [_encode(value)])
        if isinstance(value, np.ndarray):
            return self._digest_array(value)
        if isinstance(value, torch.Tensor) and value.layout == torch.strided:
            return self.digest(to_plain(value.detach()))
        if isinstance(value, (list, tuple, deque)):
            value = [item.item() if isinstance(item, np.generic) else item for item in value]
            if all(type(item) in PLAIN_TYPES for item in value):
                return _hash("plain items", [_encode(item) for item in value])
            return _hash("items", map(self.digest, value))
        if isinstance(value, (set, frozenset)):
            return _hash("set", sorted(map(self.digest, value)))
        if isinstance(value, Mapping):
            items = sorted((self.digest(key), self.digest(item)) for key, item in value.items())
            return _hash("mapping", [part for item in items for part in item])
        return self._digest_object(value)

    def _digest_array(self, array: np.ndarray) -> bytes:
        if array.dtype.kind not in "biufc":
            return self.digest(array.tolist())
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return _hash("array", [str((array.dtype.str, array.shape)).encode(), content])

    def _digest_object(self, value: Any) -> bytes:
        if isinstance(value, partial):
            return self.digest([value.func, value.args, value.keywords])
        if isinstance(value, MethodType):
            return self.digest([value.__func__, value.__self__])
        if isinstance(value, FunctionType):
            return self._digest_function(value)
        if isinstance(value, (type, BuiltinFunctionType)):
            return self._digest_class(value) if isinstance(value, type) else _hash_name(value)
        cls = type(value)
        if self.is_shallow:
            return self.digest(cls)
        is_default = cls.__reduce_ex__ is object.__reduce_ex__ and cls.__getstate__ is object.__getstate__
        is_default = is_default or isinstance(value, nn.Module) or cls.__module__.startswith("sklearn_tree.")
        has_attributes = hasattr(value, "__dict__")
        if not (has_attributes and is_default):
            with suppress(Exception):  # of many classes
                return _hash("pickle", [self.digest(cls), joblib.hash(value, coerce_mmap=True).encode()])
        return _hash("object", [self.digest(cls), self.digest(vars(value) if has_attributes else None)])

    def _digest_function(self, function: Any) -> bytes:
        if _is_library(function.__module__):
            return _hash_name(function)
        values = (function.__defaults__, function.__kwdefaults__, _closure(function))
        return _hash("function", [self._digest_code(function.__code__), *map(self.digest, values)])

    def _digest_code(self, code: CodeType) -> bytes:
        constants = [
            self._digest_code(x) if isinstance(x, CodeType) else self.digest(x) for x in code.co_consts
        ]
        return _hash("code", [code.co_code, self.digest(code.co_names), *constants])

    def _digest_class(self, cls: type) -> bytes:
        if _is_library(cls.__module__):
            return _hash_name(cls)
        parts = [cls.__qualname__.encode(), *map(self.digest, cls.__bases__)]
        for name, item in sorted(vars(cls).items()):
            item = _unwrap(item)
            inherited = next((vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)), None)
            is_compared = isinstance(item, (FunctionType, *PLAIN_TYPES, tuple, list, dict))
            if is_compared and name not in _SKIPPED and item is not _unwrap(inherited):
                parts += [name.encode(), self.digest(item)]
        return _hash("class", parts)


def _unwrap(item: Any) -> Any:
    """Return the function of a property or method, without the wrappers that torch adds to classes in use."""
    item = getattr(item, "fget", getattr(item, "__func__", item))
    while (
        isinstance(item, FunctionType)
        and hasattr(item, "__wrapped__")
        and _is_library(item.__globals__["__name__"])
    ):
        item = item.__wrapped__
    return item


def _hash(name: str, parts: Iterable[Any]) -> bytes:
    """Return a digest of a sequence of bytes."""
    hasher = hashlib.sha256(name.encode())
    for part in parts:
        hasher.update(b"%d:" % len(part))
        hasher.update(part)
    return hasher.digest()


def _encode(value: Any) -> bytes:
    """Return the text of a plain value; an int has that of an equal float."""
    if type(value) is int and abs(value) < 2**53:
        value = float(value)
    return repr(value).encode(errors="surrogatepass")


def _closure(function: FunctionType) -> list:
    """Return the values of outer functions that a function reads."""
    values = []
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # not assigned yet
            values.append(cell.cell_contents)
    return values


def _hash_name(value: Any) -> bytes:
    return _hash("name", [f"{getattr(value, '__module__', '')}.{value.__qualname__}".encode()])


def _is_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES
