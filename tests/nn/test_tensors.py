"""Tensor helpers."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from sklearn_tree.nn.tensors import as_tensor, move_tensors, move_to, pack, select_rows, unpack


@dataclass(frozen=True)
class Part:
    rows: torch.Tensor


@dataclass(frozen=True)
class Record:
    values: torch.Tensor
    part: Part | None = None
    name: str = "record"


def test_contiguous_arrays_and_tensors_are_not_copied():
    array, tensor = np.arange(6), torch.arange(6)
    assert np.shares_memory(as_tensor(array).numpy(), array)
    assert as_tensor(tensor) is tensor
    assert as_tensor(array[::-1]).tolist() == [5, 4, 3, 2, 1, 0]  # torch has no negative strides


@pytest.mark.parametrize("array", [np.arange(12).reshape(4, 3), torch.arange(12).view(4, 3)])
def test_rows_keep_their_container(array):
    rows = select_rows(array, np.array([2, 0]))
    assert type(rows) is type(array)
    assert rows.tolist() == [[6, 7, 8], [0, 1, 2]]


def test_nested_records_move_together():
    record = Record(torch.zeros(2), Part(torch.zeros(3)))
    on_meta = move_to(record, "meta")
    assert on_meta.values.device.type == on_meta.part.rows.device.type == "meta"
    assert on_meta.name == "record"
    assert record.values.device.type == "cpu"


def test_a_record_on_the_device_is_returned_unchanged():
    record = Record(torch.zeros(2))
    assert move_to(record, torch.device("cpu")) is record
    assert move_to(record, "meta") is not record  # the control


TENSORS = [
    torch.tensor([[1.5, -0.0], [torch.nan, torch.inf]], dtype=torch.float64),
    torch.tensor([True, False, True]),
    torch.arange(3).expand(2, 3),
    torch.zeros(0, 4),
    torch.tensor(7, dtype=torch.uint8),
    torch.arange(6, dtype=torch.float32).view(2, 3).t(),
]


def test_packed_tensors_keep_their_bits():
    views = unpack(pack(TENSORS), TENSORS)
    for view, tensor in zip(views, TENSORS, strict=True):
        assert (view.dtype, view.shape) == (tensor.dtype, tensor.shape)
        assert view.numpy().tobytes() == tensor.numpy().tobytes()
        assert view.is_contiguous()


def test_packed_tensors_are_aligned_and_share_one_buffer():
    buffer = pack(TENSORS)
    views = unpack(buffer, TENSORS)
    starts = [view.data_ptr() - buffer.data_ptr() for view in views if view.numel()]
    assert all(start % 128 == 0 for start in starts)
    assert len(set(starts)) == len(starts)
    views[0].fill_(0)
    assert unpack(buffer, TENSORS)[0].eq(0).all()
    assert unpack(buffer, TENSORS)[1].tolist() == [True, False, True]


def test_moved_tensors_keep_their_dtype():
    (moved,) = move_tensors([torch.zeros(2, dtype=torch.float64)], torch.device("meta"))
    assert moved.dtype == torch.float64
    assert move_tensors(TENSORS, torch.device("cpu"))[0] is TENSORS[0]
