"""States of objects in pickles."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Self

from sklearn_tree.versions import VersionMixin


class StateMixin(VersionMixin):
    """Pickle an object as values that JSON can express, arrays, and objects of the user.

    A subclass replaces other attributes in ``_pack``, and restores them in ``_unpack``.
    """

    def __getstate__(self) -> dict[str, Any]:
        return self._pack(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        attributes = self._unpack({**_default_params(type(self)), **vars(self)})
        vars(self).clear()
        vars(self).update(attributes)

    def __copy__(self) -> Self:
        duplicate = object.__new__(type(self))
        vars(duplicate).update(vars(self))
        return duplicate

    def _pack(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of the attributes in which plain values replace objects of this package."""
        return attributes

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes from the return value of ``_pack``."""
        return state


def _default_params(cls: Any) -> dict[str, Any]:
    """Return the defaults of an estimator's parameters, some of which earlier versions did not have."""
    if not hasattr(cls, "get_params"):
        return {}
    params = inspect.signature(cls).parameters.values()
    return {param.name: param.default for param in params if param.default is not param.empty}


def iterate_subclasses(cls: Any) -> Iterator[Any]:
    """Yield all subclasses of a class, which states name, each before its own subclasses."""
    for subclass in cls.__subclasses__():
        yield subclass
        yield from iterate_subclasses(subclass)
