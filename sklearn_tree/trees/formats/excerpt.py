"""How an error shows a value: shortly, however large, deep or shared it is."""

from __future__ import annotations

import reprlib
from typing import Any

_LONGEST = 60


class _Excerpt(reprlib.Repr):
    """The ``repr`` of a value, without a walk through what it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = self.maxother = 2 * _LONGEST

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 4 * _LONGEST else f"an int of {x.bit_length()} bits"

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, (tuple, list, dict, set, frozenset)):  # a subclass, with all that is inside
            return f"{type(x).__name__}(...)"
        return super().repr_instance(x, level)


_EXCERPT = _Excerpt()


def excerpt(value: Any) -> str:
    """Return the beginning of a value's ``repr``; at once also for a list that contains itself."""
    return _EXCERPT.repr(value)[:_LONGEST]
