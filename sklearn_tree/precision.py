"""Precision of matrix products and convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """Return the context in which a net computes with a given precision.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}
        "float32" computes in full precision. "bfloat16" rounds the operands of matrix products and
        convolutions to bfloat16. "auto" does so only if the device computes such products in hardware.
    device : torch.device
        Device of the net.

    Returns
    -------
    context manager
    """
    if precision == "float32" or (precision == "auto" and not _has_bfloat16(device)):
        return nullcontext()
    return _bfloat16(device.type)


@contextmanager
def _bfloat16(device_type: str) -> Iterator[None]:
    import torch

    with torch.autocast(device_type, torch.bfloat16):
        yield
    # Inside an autocast block of the caller, torch would reuse the rounded weights after a step.
    torch.clear_autocast_cache()


def _has_bfloat16(device: torch.device) -> bool:
    """Return whether torch reports hardware support for bfloat16 products."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if device.type == "cpu" else ()
    return any(getattr(torch.cpu, name, bool)() for name in checks)
