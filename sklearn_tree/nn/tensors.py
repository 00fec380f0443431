"""Tensor helpers shared by the batches."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar, overload

import numpy as np
import torch
from torch import Tensor


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


BatchT = TypeVar("BatchT", bound=_Dataclass)


def as_tensor(array: np.ndarray | Tensor) -> Tensor:
    """Convert an array to a tensor, without a copy if it is contiguous; return a tensor unchanged."""
    return array if isinstance(array, Tensor) else torch.from_numpy(np.ascontiguousarray(array))


@overload
def select_rows(array: np.ndarray, rows: np.ndarray) -> np.ndarray: ...
@overload
def select_rows(array: Tensor, rows: np.ndarray) -> Tensor: ...


def select_rows(array: np.ndarray | Tensor, rows: np.ndarray) -> np.ndarray | Tensor:
    """Select rows of an array or tensor by their indices; a tensor stays on its device."""
    if isinstance(array, Tensor):
        return array.index_select(0, torch.from_numpy(rows).to(array.device, non_blocking=True))
    return array.take(rows, axis=0)


def move_to(batch: BatchT, device: torch.device | str) -> BatchT:
    """Move all tensors of a batch, nested dataclasses included, to a device.

    Parameters
    ----------
    batch : dataclass
        Record of tensors.
    device : torch.device or str
        Device to move to.

    Returns
    -------
    dataclass
        ``batch`` itself if all its tensors are on the device already.
    """
    device = torch.device(device)
    columns = {field.name: getattr(batch, field.name) for field in fields(batch)}
    tensors = {name: column for name, column in columns.items() if isinstance(column, Tensor)}
    if all(tensor.device == device for tensor in tensors.values()):
        return batch
    changed = {name: _move(tensor, device) for name, tensor in tensors.items()}
    parts = {
        name: move_to(part, device)
        for name, part in columns.items()
        if is_dataclass(part) and not isinstance(part, type)
    }
    return replace(batch, **changed, **parts)


def _move(tensor: Tensor, device: torch.device) -> Tensor:
    if device.type == "mps" and tensor.dtype == torch.float64:
        tensor = tensor.float()  # mps does not support float64
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()  # only copies from pinned memory are asynchronous
    return tensor.to(device, non_blocking=True)
