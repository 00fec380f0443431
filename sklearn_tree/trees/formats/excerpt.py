"""Short excerpts of values for error messages."""

from __future__ import annotations

import reprlib
from typing import Any

_LONGEST = 60


class _Excerpt(reprlib.Repr):
    """A ``repr`` that visits only the first items of a container and none of nested ones."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = self.maxother = 2 * _LONGEST

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 4 * _LONGEST else f"an int of {x.bit_length()} bits"

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, (tuple, list, dict, set, frozenset)):  # instances of subclasses
            return f"{type(x).__name__}(...)"
        return super().repr_instance(x, level)


_EXCERPT = _Excerpt()


def excerpt(value: Any) -> str:
    """Return the first characters of the ``repr`` of a value, however large or deep it is."""
    return _EXCERPT.repr(value)[:_LONGEST]
