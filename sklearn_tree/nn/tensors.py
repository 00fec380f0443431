"""Tensor helpers shared by the batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar, overload

import numpy as np
import torch
from torch import Tensor


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


BatchT = TypeVar("BatchT", bound=_Dataclass)
_ALIGNMENT = 128  # bytes, a cache line of a GPU


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
        return array.index_select(0, *move_tensors([torch.from_numpy(rows)], array.device))
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
    device, tensors = torch.device(device), list(iterate_tensors(batch))
    if all(tensor.device == device for tensor in tensors):
        return batch
    return _replace_tensors(batch, iter(move_tensors(tensors, device)))


def move_tensors(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Move tensors to a device, those from main memory to a GPU in one asynchronous copy."""
    if device.type == "cuda":
        on_host = [tensor for tensor in tensors if tensor.device.type == "cpu"]
        on_gpu = iter(_copy_to_gpu(on_host, device) if on_host else [])
        tensors = [next(on_gpu) if tensor.device.type == "cpu" else tensor for tensor in tensors]
    if device.type == "mps":  # does not support doubles
        tensors = [tensor.float() if tensor.dtype == torch.float64 else tensor for tensor in tensors]
    return [tensor.to(device, non_blocking=True) for tensor in tensors]


def _copy_to_gpu(tensors: list[Tensor], device: torch.device) -> list[Tensor]:
    buffer = pack(tensors, pin_memory=True)  # only copies from pinned memory are asynchronous
    return unpack(buffer.to(device, non_blocking=True), tensors)


def pack(tensors: list[Tensor], *, pin_memory: bool = False) -> Tensor:
    """Copy tensors into one aligned buffer in main memory, Tensor of uint8, see :func:`unpack`."""
    n_bytes = sum(map(_aligned_size, tensors))
    buffer = torch.empty(n_bytes, dtype=torch.uint8, pin_memory=pin_memory)
    for view, tensor in zip(unpack(buffer, tensors), tensors, strict=True):
        view.copy_(tensor)
    return buffer


def unpack(buffer: Tensor, like: list[Tensor]) -> list[Tensor]:
    """Return the tensors in a buffer as views.

    Parameters
    ----------
    buffer : Tensor of uint8
        Return value of :func:`pack`, or a copy of it on a device.
    like : list of Tensor
        Tensors with the shapes and dtypes of the packed ones.

    Returns
    -------
    list of Tensor
        Contiguous views.
    """
    parts = buffer.split([_aligned_size(tensor) for tensor in like])
    return [
        part[: tensor.nbytes].view(tensor.dtype).view(tensor.shape)
        for part, tensor in zip(parts, like, strict=True)
    ]


def _aligned_size(tensor: Tensor) -> int:
    """Return the number of bytes of a tensor, rounded up to a multiple of the alignment."""
    return -(-tensor.nbytes // _ALIGNMENT) * _ALIGNMENT


def _columns(batch: _Dataclass) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of the fields that are tensors or nested dataclasses."""
    for name in _field_names(type(batch)):
        column = getattr(batch, name)
        if isinstance(column, Tensor) or hasattr(type(column), "__dataclass_fields__"):
            yield name, column


@cache
def _field_names(cls: type[_Dataclass]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def iterate_tensors(batch: _Dataclass) -> Iterator[Tensor]:
    """Yield all tensors of a batch, those of nested dataclasses included."""
    for _, column in _columns(batch):
        if isinstance(column, Tensor):
            yield column
        else:
            yield from iterate_tensors(column)


def _replace_tensors(batch: BatchT, tensors: Iterator[Tensor]) -> BatchT:
    """Replace all tensors of a batch, in the order of :func:`iterate_tensors`."""
    changed = {
        name: next(tensors) if isinstance(column, Tensor) else _replace_tensors(column, tensors)
        for name, column in _columns(batch)
    }
    return replace(batch, **changed)
