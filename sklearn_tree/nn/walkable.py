"""Which cells the fast walk takes, and how it differentiates their functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

import torch
from torch import nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.gated import GatedCell, TreeCell

_OWN_METHODS = ("forward", "leaves", "project", "padded", "activated")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_LAYOUT = ("x_gates", "h_gates", "child_gates", "n_states", "n_messages", "n_kept", "is_placed")
_N_PROBES = 64


def can_walk(cell: TreeCell, batch: TreeBatch) -> TypeGuard[GatedCell]:
    """Whether the fast walk takes the cell and no node has more children than it has places."""
    if not isinstance(cell, GatedCell) or not takes_fast_walk(cell):
        return False
    return not cell.is_placed or batch.max_rank < cell.max_arity


def takes_fast_walk(cell: GatedCell) -> bool:
    """Whether a cell is what the walk takes it for; any other would get wrong gradients.

    Its only parameters are those of its linear maps, all but its two functions is its base's, no hook
    listens to it, and the functions have no weights and draw nothing at random.
    """
    maps = dict(cell.named_children())
    names = ["W", "U"] if cell.U_k is None else ["W", "U", "U_k"]
    if sorted(maps) != sorted(names) or any(type(linear) is not nn.Linear for linear in maps.values()):
        return False
    if len(list(cell.parameters())) != len(names) + 1 or cell.W.bias is None:
        return False
    if any(map(is_hooked, (cell, *maps.values()))):
        return False
    if any(getattr(type(cell), name) is not getattr(GatedCell, name) for name in _OWN_METHODS):
        return False
    if any(name in vars(cell) for name in _OWN_METHODS):
        return False
    if _is_ours(cell.update) and _is_ours(cell.message):
        return True
    return cell.U.weight.is_meta or _are_functions(cell)  # on meta there is nothing to probe


def is_hooked(module: nn.Module) -> bool:
    """Whether anybody listens to what goes into a module, or comes out."""
    return any(getattr(module, hooks) for hooks in _HOOKS)


def _is_ours(method: Any) -> bool:
    return str(getattr(method, "__module__", "")).startswith("sklearn_tree.nn.")


def _are_functions(cell: GatedCell) -> bool:
    """Whether update and message have no weights and draw nothing at random, as two calls show."""
    like, device = cell.U.weight.detach(), cell.U.weight.device
    places = (cell.max_arity,) if cell.is_placed else ()
    index = [] if device.type == "cpu" else [device.index or 0]
    on = "cuda" if device.type == "cpu" else device.type
    with torch.random.fork_rng(devices=index, device_type=on), torch.enable_grad():
        state = torch.get_rng_state()
        for function, n, n_inputs, shape in (
            (cell.update, len(cell.gates), cell.n_messages, ()),
            (cell.message, len(cell.child_gates), cell.n_states, places),
        ):
            x = like.new_full((n + n_inputs, _N_PROBES, *shape, cell.hidden_size), 0.5)
            once, twice = (function(tuple(x[:n].unbind()), tuple(x[n:].unbind())) for _ in range(2))
            if any(output.requires_grad for output in once):
                return False
            if not all(map(torch.equal, once, twice)):
                return False
        return torch.equal(state, torch.get_rng_state())


def backward_of(cell: GatedCell, name: str) -> Callable | None:
    """Return a cell's own backward of a function, if it has one and it is of this function.

    Parameters
    ----------
    cell : GatedCell
        The cell.
    name : {"message", "update"}
        The function.

    Returns
    -------
    callable or None
        ``cell.message_backward`` or ``cell.update_backward``, if no class below the one that it is from
        changes the function or the gates, nor the cell itself.
    """
    classes = type(cell).__mro__

    def depth(attribute: str) -> int:
        return next(i for i, cls in enumerate(classes) if attribute in vars(cls))

    own = f"{name}_backward"
    if not hasattr(type(cell), own):
        return None
    is_right = name not in vars(cell) and all(depth(own) <= depth(other) for other in (name, *_LAYOUT))
    return getattr(cell, own) if is_right else None
