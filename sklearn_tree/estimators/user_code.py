"""Random numbers that are drawn by code of users in a fit."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sklearn_tree.nn.gated import GatedCell
from sklearn_tree.nn.walkable import supports_fast_walk
from sklearn_tree.randomness import InjectedGenerators


def training_draws(net: Any) -> AbstractContextManager:
    """Return the context in which all random numbers of a training are drawn from the fit's generators.

    Modules and optimizers of this package and of torch need none. Those of users may draw random numbers
    without a generator.

    Parameters
    ----------
    net : OwnedNetMixin
        Initialized net.

    Returns
    -------
    context manager
    """
    modules = (*net.module_.modules(), *net.criterion_.modules())
    draws = any(map(_may_draw, modules)) or _is_foreign(net.optimizer_, "torch")
    return InjectedGenerators() if draws or _is_foreign(net.iterator_train) else nullcontext()


def callback_draws(callbacks: list[tuple[str, Any]]) -> AbstractContextManager:
    """Return the context in which callbacks draw random numbers from the fit's generators.

    Parameters
    ----------
    callbacks : list of (name, callback)
        Callbacks that are called in the context.

    Returns
    -------
    context manager
    """
    draws = any(_is_foreign(callback, "skorch") for _, callback in callbacks)
    return InjectedGenerators() if draws else nullcontext()


def _may_draw(module: Any) -> bool:
    """Return whether a module may draw random numbers: the linear maps of a walked cell draw none."""
    return _is_foreign(module, "torch") and not (isinstance(module, GatedCell) and supports_fast_walk(module))


def _is_foreign(thing: Any, *libraries: str) -> bool:
    """Return whether a class, or the class of an object, is defined outside of this package and libraries."""
    cls = thing if isinstance(thing, type) else type(thing)
    return cls.__module__.partition(".")[0] not in ("sklearn_tree", *libraries)
