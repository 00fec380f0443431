"""Record of whether this process has loaded compiled passes, so that other functions of numba pay off."""

from __future__ import annotations

_are_loaded = False


def are_loaded() -> bool:
    """Return whether this process has loaded compiled passes."""
    return _are_loaded


def record_loading() -> None:
    """Record that this process has loaded compiled passes."""
    global _are_loaded
    _are_loaded = True
