"""Conditions under which the fast walk computes a cell correctly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from torch import nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.gated import GatedCell, TreeCell

_WALKED_METHODS = (
    "forward",
    "project",
    "gates",
    "compute_leaves",
    "pad_gates",
    "activate_gates",
    "_compute_places",
    "_compute_sums",
)
_FUNCTIONS = ("message", "update")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_DECLARATIONS = ("x_gates", "h_gates", "child_gates", "n_states", "n_messages", "n_kept", "is_placed")


def can_walk(cell: TreeCell, batch: TreeBatch) -> TypeGuard[GatedCell]:
    """Return whether the fast walk computes a cell on a batch correctly."""
    if not isinstance(cell, GatedCell) or not supports_fast_walk(cell):
        return False
    return not cell.is_placed or batch.max_rank < cell.max_arity


def supports_fast_walk(cell: GatedCell) -> bool:
    """Return whether the fast walk computes a cell correctly; for any other cell gradients would be wrong.

    The cell must be declared pure, its only parameters must be those of its linear maps, all methods except
    ``message`` and ``update`` must be those of :class:`GatedCell`, and it must have no hooks.
    """
    return is_declared_pure(cell) and _has_only_maps(cell) and not _overrides_methods(cell)


def is_declared_pure(cell: GatedCell) -> bool:
    """Return whether the class that defines the cell's functions, or a subclass of it, declares ``is_pure``.

    A class that overrides ``message`` or ``update`` below the class that declares ``is_pure = True`` must
    repeat the declaration.
    """
    if not cell.is_pure or any(name in vars(cell) for name in _FUNCTIONS):
        return False
    classes = type(cell)
    return all(_mro_depth(classes, "is_pure") <= _mro_depth(classes, name) for name in _FUNCTIONS)


def is_hooked(module: nn.Module) -> bool:
    """Return whether a module has forward or backward hooks."""
    return any(getattr(module, hooks) for hooks in _HOOKS)


def backward_of(cell: GatedCell, name: str) -> Callable | None:
    """Return the cell's hand-written derivative of a function, unless the function is overridden without it.

    Parameters
    ----------
    cell : GatedCell
        Cell.
    name : {"message", "update"}
        Name of the function.

    Returns
    -------
    callable or None
        ``cell.message_backward`` or ``cell.update_backward``. None if the cell has none, or if the function
        or the gates are overridden below the class that defines it.
    """
    own, cls = f"{name}_backward", type(cell)
    if not hasattr(cls, own) or name in vars(cell):
        return None
    belongs = all(_mro_depth(cls, own) <= _mro_depth(cls, other) for other in (name, *_DECLARATIONS))
    return getattr(cell, own) if belongs else None


def _mro_depth(cls: type, attribute: str) -> int:
    """Return the position in the method resolution order of the class that defines an attribute."""
    return next(i for i, base in enumerate(cls.__mro__) if attribute in vars(base))


def _has_only_maps(cell: GatedCell) -> bool:
    """Return whether the cell's modules are its linear maps, without hooks or further parameters."""
    maps = {name: module for name, module in cell._modules.items() if module is not None}
    names = {"W", "U"} if cell.U_k is None else {"W", "U", "U_k"}
    if maps.keys() != names or any(type(linear) is not nn.Linear for linear in maps.values()):
        return False
    if any(x is not None for x in cell._parameters.values()) or any(
        maps[name].bias is not None for name in names - {"W"}
    ):
        return False
    if cell.W.bias is None or any(len(linear._parameters) > 2 for linear in maps.values()):
        return False
    return not any(map(is_hooked, (cell, *maps.values())))


def _overrides_methods(cell: GatedCell) -> bool:
    return any(
        name in vars(cell) or getattr(type(cell), name) is not getattr(GatedCell, name)
        for name in _WALKED_METHODS
    )
