"""Parameter changes between calls that continue training."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from sklearn_tree.containers import to_numpy
from sklearn_tree.estimators.net_state import load_optimizer


def check_unchanged(built: dict[str, Any], params: dict[str, Any]) -> None:
    """Raise ValueError if a parameter that cannot change has changed since the net was built.

    Parameters
    ----------
    built : dict of str to any
        Parameters of the net and of the kind of samples.
    params : dict of str to any
        Current values in the estimator of the parameters that shape the net, and of ``net_params``.
    """
    for name, value in params.items():
        if not are_equal(value, built.get(name)):
            rule = f"{name.removeprefix('module__')} must stay {built.get(name)!r}"
            raise ValueError(f"{rule} when warm_start or partial_fit continues training, got {value!r}")


def are_equal(a: Any, b: Any) -> bool:
    """Return whether two values of a parameter are equal; they may be or hold arrays and tensors."""
    if a is b:
        return True
    if getattr(a, "shape", ()) or getattr(b, "shape", ()):
        return type(a) is type(b) and np.array_equal(to_numpy(a), to_numpy(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(are_equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and type(a) is type(b):
        return len(a) == len(b) and all(map(are_equal, a, b))
    return bool(a == b)


def apply_changes(net: Any, params: dict[str, Any], device: torch.device, fixed: Iterable[str]) -> None:
    """Apply changed values of dropout, label smoothing, optimizer and device to a net.

    A changed optimizer starts with an empty state.

    Parameters
    ----------
    net : OwnedNetMixin
        Initialized net.
    params : dict of str to any
        Current values of the net's parameters in the estimator: ``module__dropout``,
        ``module__word_dropout``, ``criterion__*``, ``optimizer`` and ``optimizer__*``.
    device : torch.device
        Device of the net.
    fixed : iterable of str
        Parameters that ``net_params`` sets, which are not changed.
    """
    if str(device) != net.device:
        net.move_to(device)
    fixed = set(fixed)
    changed = {
        name: value
        for name, value in params.items()
        if name not in fixed and not are_equal(getattr(net, name, None), value)
    }
    for name, value in changed.items():
        setattr(net, name, value)
    if "optimizer" in changed:  # the previous one may have had other parameters
        stale = {name for name in vars(net) if name.startswith("optimizer__")} - fixed - set(params)
        for name in stale:
            delattr(net, name)
    if any(name.startswith("module__") for name in changed):
        net.module_.set_dropout(net.module__dropout, net.module__word_dropout)
    if any(name.startswith("criterion__") for name in changed):
        net.initialize_criterion().criterion_.to(device)
    if any(name.startswith("optimizer") for name in changed):
        net.initialize_optimizer()


@contextmanager
def restored_on_error(net: Any) -> Iterator[None]:
    """Restore the weights, the optimizer, the parameters and the history of a net if the block raises.

    Parameters
    ----------
    net : OwnedNetMixin
        Initialized net.
    """
    attributes, n_epochs = dict(vars(net)), len(net.history)
    states = copy.deepcopy((net.module_.state_dict(), net.optimizer_.state_dict()))
    try:
        yield
    except BaseException:
        net.move_to(torch.device(attributes["device"]))
        vars(net).clear()
        vars(net).update(attributes)
        net.module_.load_state_dict(states[0])
        load_optimizer(net.optimizer_, states[1])
        net.module_.set_dropout(net.module__dropout, net.module__word_dropout)
        del net.history[n_epochs:]
        raise
