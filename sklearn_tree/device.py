"""Choosing the device on which nets are trained and run, and the precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_KINDS = ("cpu", "cuda", "mps", "xpu")


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Turn a device name into a device that is really there.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:N", "mps", "xpu"} or torch.device, default="auto"
        "auto" takes the first that is available of cuda, xpu, mps, cpu.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If the name is unknown or the device is not available on this machine.

    Examples
    --------
    >>> from sklearn_tree import resolve_device
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    import torch

    if isinstance(device, str) and device == "auto":
        return torch.device(next(kind for kind in ("cuda", "xpu", "mps", "cpu") if _count(kind)))
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device must be 'auto', one of {_KINDS} (with an index: 'cuda:1') or a torch.device, "
            f"got {device!r}"
        ) from error
    count = _count(resolved.type)
    if (resolved.index or 0) >= count:
        found = [kind for kind in _KINDS if _count(kind)]
        raise ValueError(
            f"device {str(device)!r} is not available: this machine has {count} of kind "
            f"{resolved.type!r} (found: {', '.join(found)})"
        )
    return resolved


def autocast(precision: str, device: torch.device) -> AbstractContextManager:
    """Return the context in which a net computes in a precision.

    Parameters
    ----------
    precision : {"float32", "bfloat16", "auto"}
        "float32" rounds nothing, "bfloat16" the factors of matrix products and convolutions, "auto"
        does so if the device computes such products itself.
    device : torch.device
        Where the net is.

    Returns
    -------
    context manager
    """
    import torch

    if precision == "float32" or (precision == "auto" and not _has_bfloat16(device)):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def _has_bfloat16(device: torch.device) -> bool:
    """Whether products of bfloat16 are faster there, as far as torch tells."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    tells = ("_is_avx512_bf16_supported", "_is_amx_tile_supported") if device.type == "cpu" else ()
    return any(getattr(torch.cpu, name, bool)() for name in tells)


def _count(kind: str) -> int:
    import torch

    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "xpu":
        return torch.xpu.device_count() if torch.xpu.is_available() else 0
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(kind in ("cpu", "meta"))
