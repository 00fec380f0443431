"""Plain values that replace objects of torch in states."""

import json

import numpy as np
import pytest
import torch

from sklearn_tree.estimators.plain import from_plain, to_plain


def test_values_without_torch_stay_the_same_objects():
    value = {"a": [1, (2.5, None)], "b": np.ones(2), "c": {"d": "text"}}
    assert to_plain(value) is value
    assert from_plain(value) is value


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16", "int64", "bool"])
def test_tensors_keep_their_dtype_and_values(name):
    tensor = torch.tensor([1.5, 0.0, -2.0]).to(getattr(torch, name))
    plain = to_plain({"x": [tensor]})
    array = plain["x"][0].pop("array")
    assert isinstance(array, np.ndarray)
    json.dumps(plain)
    plain["x"][0]["array"] = array
    (restored,) = from_plain(plain)["x"]
    assert restored.dtype == tensor.dtype
    assert torch.equal(restored, tensor)


@pytest.mark.parametrize(
    "value", [torch.float64, torch.device("cuda:1"), torch.optim.SGD, torch.nn.L1Loss, (torch.float32,)]
)
def test_dtypes_devices_and_classes_are_restored(value):
    plain = json.loads(json.dumps(to_plain({"value": [value]})))
    restored = from_plain(plain)["value"][0]
    assert restored == (list(value) if isinstance(value, tuple) else value)


def test_dicts_of_the_user_may_have_the_key_of_descriptions():
    value = {"__torch__": 1.0, "b": {"__torch__": "dtype", "name": "float32"}, "c": [torch.float32]}
    assert from_plain(to_plain(value)) == value


def test_other_tensors_are_left():
    for tensor in (torch.eye(2).to_sparse(), torch.nn.Parameter(torch.ones(2))):
        assert to_plain(tensor) is tensor


@pytest.mark.parametrize("value", [torch.nn.Linear, torch.optim.Optimizer.step, int, torch.relu])
def test_other_classes_and_functions_are_left(value):
    assert to_plain(value) is value


@pytest.mark.parametrize(
    "plain",
    [
        {"__torch__": "class", "name": "Linear"},
        {"__torch__": "class", "name": "lr_scheduler"},
        {"__torch__": "dtype", "name": "load"},
        {"__torch__": "tensor", "name": "relu", "array": np.ones(1)},
        {"__torch__": "module", "name": "float32"},
    ],
)
def test_descriptions_of_other_objects_are_refused(plain):
    with pytest.raises(ValueError, match="unknown object of torch"):
        from_plain({"a": (plain,)})
