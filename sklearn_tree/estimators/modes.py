"""Modes of torch in which nets are trained and run, whatever modes the caller has set."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

_AUTOCAST_DEVICES = ("cpu", "cuda", "mps", "xpu")

_lock = threading.Lock()
_previous_types: dict[object, torch.dtype] = {}  # torch's default type before each active block


@contextmanager
def default_modes() -> Iterator[None]:
    """Set torch's initial modes inside the block and restore the caller's modes afterwards.

    Gradients are recorded, autocast is off, and new tensors are of single precision on the CPU. It can also
    decorate functions.
    """
    with ExitStack() as stack:
        stack.enter_context(_no_dispatch_modes_left())
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_single_precision())
        for device in _AUTOCAST_DEVICES:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.empty(0).device.type != "cpu":  # the context slows down every call of torch
            stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def _no_dispatch_modes_left() -> Iterator[None]:
    """Exit the dispatch modes that were entered inside the block and whose exit Ctrl-C has prevented."""
    n = len(_get_current_dispatch_mode_stack())
    try:
        yield
    finally:
        for mode in reversed(_get_current_dispatch_mode_stack()[n:]):
            mode.__exit__(None, None, None)


@contextmanager
def _single_precision() -> Iterator[None]:
    """Make float32 the default type, which belongs to the process, until the last block has ended."""
    block = object()
    try:  # Ctrl-C may interrupt every line
        with _lock:
            _previous_types[block] = next(iter(_previous_types.values()), torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
        yield
    finally:
        with _lock:
            previous = _previous_types.pop(block, None)
            if previous is not None and not _previous_types:
                torch.set_default_dtype(previous)
