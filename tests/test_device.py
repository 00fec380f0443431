"""Selection of the device."""

import pytest
import torch

from sklearn_tree import device as device_module
from sklearn_tree import resolve_device


def test_auto_resolves_to_an_available_device():
    assert resolve_device("auto") in (torch.device("cpu"), torch.device("cuda"), torch.device("mps"))
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        ({"cpu": 1}, "cpu"),
        ({"cpu": 1, "mps": 1}, "mps"),
        ({"cpu": 1, "mps": 1, "xpu": 1}, "xpu"),
        ({"cpu": 1, "mps": 1, "xpu": 1, "cuda": 2}, "cuda"),
    ],
)
def test_auto_prefers_cuda_to_xpu_to_mps_to_the_cpu(available, expected, monkeypatch):
    monkeypatch.setattr(device_module, "_count", lambda kind: available.get(kind, 0))
    assert resolve_device("auto") == torch.device(expected)


def test_an_index_must_be_below_the_number_of_devices(monkeypatch):
    monkeypatch.setattr(device_module, "_count", lambda kind: {"cpu": 1, "cuda": 2}.get(kind, 0))
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    message = r"device 'cuda:2' is not available: this machine has 2 device\(s\) of type 'cuda' "
    with pytest.raises(ValueError, match=message + r"\(available types: cpu, cuda\)"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["cpu", "meta"])
def test_names_and_torch_devices_resolve_to_the_same_device(name):
    assert resolve_device(name) == resolve_device(torch.device(name)) == torch.device(name)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", r"device must be 'auto', one of \('cpu', 'cuda', 'mps', 'xpu'\) .*, got 'gpu'"),
        ("cuda:99", "is not available"),
        (3.5, "got 3.5"),
        ("cpu:1", "not available"),
    ],
)
def test_unknown_and_unavailable_devices_are_rejected(device, message):
    with pytest.raises(ValueError, match=message):
        resolve_device(device)
