"""Compiler of the functions that do not depend on a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called, or read it from numba's cache if that is writable."""
    try:
        return njit(function, cache=True, nogil=True)
    except RuntimeError:  # no folder can be written
        return njit(function, nogil=True)
