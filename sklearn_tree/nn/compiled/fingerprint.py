"""Fingerprints of cells, which change when their equations change."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_tree.nn.gated import GatedCell

_PLAIN_TYPES = (bool, int, float, str, type(None))
_CONSTANT_TYPES = (type, ModuleType, BuiltinFunctionType, np.generic, torch.dtype, torch.device)
_LIBRARIES = ("torch", "sklearn_tree", "math", "numpy", "builtins")
_DECLARATIONS = (
    "x_gates", "h_gates", "child_gates", "tanh_gates", "linear_gates", "n_states", "n_messages", "is_placed",
)  # fmt: skip
_OWN_ATTRIBUTES = {*vars(nn.Module()), "layout"} - {"training"}


class _ChangeableError(Exception):
    """A value that may change in place."""


def take_fingerprint(cell: GatedCell) -> tuple | None:
    """Return the class of a cell, its attributes and declarations, and all values that its functions read.

    Parameters
    ----------
    cell : GatedCell
        Cell.

    Returns
    -------
    tuple or None
        Hashable; equal fingerprints mean equal functions. None if the functions may read a tensor, a list or
        another object that may change in place.
    """
    if len(list(cell.buffers())) > 1:  # one is the scale of the gates
        return None
    attributes = {name: x for name, x in vars(cell).items() if name not in _OWN_ATTRIBUTES}
    if any(type(x) not in _PLAIN_TYPES for x in attributes.values()):
        return None
    functions = [getattr(type(cell), name) for name in ("message", "update")]
    try:
        values = [_describe(x, cell, ()) for x in (*attributes.values(), *functions)]
    except _ChangeableError:
        return None
    declarations = (getattr(cell, name) for name in _DECLARATIONS)
    return type(cell), *attributes, *declarations, *values


def _describe(value: Any, cell: GatedCell, callers: tuple[FunctionType, ...]) -> Any:
    """Return a hashable object that equals that of another value only if both have the same effect."""
    if type(value) in _PLAIN_TYPES:
        return type(value), repr(value)
    if isinstance(value, tuple):
        return tuple(_describe(x, cell, callers) for x in value)
    if isinstance(value, property):
        return _describe(value.fget, cell, callers)
    if isinstance(value, (staticmethod, classmethod)):
        return _describe(value.__func__, cell, callers)
    if isinstance(value, FunctionType):
        if value in callers or _is_library(value.__module__):
            return value
        return value, *(_describe(x, cell, (*callers, value)) for x in _read_values(value, cell))
    is_foreign = isinstance(value, type) and not _is_library(value.__module__)
    if isinstance(value, _CONSTANT_TYPES) and not (is_foreign and value not in type(cell).__mro__):
        return value
    raise _ChangeableError


def _read_values(function: FunctionType, cell: GatedCell) -> Iterator[Any]:
    """Yield the values that a function may read, except its arguments and the cell's own attributes."""
    names, attributes = _list_names(function.__code__)
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    try:
        found = [content.cell_contents for content in function.__closure__ or ()]
    except ValueError:  # not assigned yet
        raise _ChangeableError from None
    found += [function.__globals__[name] for name in names if name in function.__globals__]
    yield from found
    own_modules = [x for x in found if isinstance(x, ModuleType) and not _is_library(x.__name__)]
    own_classes = [base for base in type(cell).__mro__[:-1] if not _is_library(base.__module__)]
    for owner in (*own_modules, *own_classes):
        values = [vars(owner)[name] for name in attributes if name in vars(owner)]
        if any(isinstance(x, ModuleType) and not _is_library(x.__name__) for x in values):
            raise _ChangeableError  # its attributes are not followed
        yield from values


@lru_cache
def _list_names(code: CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of globals and of attributes in a function and in the functions inside it."""
    names: dict[str, None] = {}
    attributes: dict[str, None] = {}
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names[instruction.argval] = None
        elif instruction.opname.startswith(("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR")):
            attributes[instruction.argval] = None
    for inner in (_list_names(x) for x in code.co_consts if isinstance(x, CodeType)):
        names.update(dict.fromkeys(inner[0]))
        attributes.update(dict.fromkeys(inner[1]))
    return tuple(names), tuple(attributes)


def _is_library(name: str | None) -> bool:
    return (name or "").partition(".")[0] in _LIBRARIES
