"""Selection of the device on which nets are trained and run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_KINDS = ("cpu", "cuda", "mps", "xpu")


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Return the device with the given name, if it is available.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:N", "mps", "xpu"} or torch.device, default="auto"
        "auto" selects the first available of cuda, xpu, mps, cpu.

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
            f"device {str(device)!r} is not available: this machine has {count} device(s) of type "
            f"{resolved.type!r} (available types: {', '.join(found)})"
        )
    return resolved


def _count(kind: str) -> int:
    import torch

    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "xpu":
        return torch.xpu.device_count() if torch.xpu.is_available() else 0
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(kind in ("cpu", "meta"))
