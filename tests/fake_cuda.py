"""Fake CUDA tensors, which have shapes and a device but no data, and a record of what is done with them."""

import ctypes
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.cpp_extension import include_paths, library_paths

_SOURCE = Path(__file__).with_suffix(".cpp")
_ALLOCATIONS = ("aten.empty", "aten.new_empty")
_NO_KERNEL = (*_ALLOCATIONS, "aten._unsafe_view", "aten.lift_fresh", "aten.is_pinned", "prim.")


def build_guard(folder):
    """Build the device guard of ``fake_cuda.cpp``; skip the test if that is not possible."""
    if torch.backends.cuda.is_built():
        pytest.skip("fake CUDA tensors need a CPU build of torch")
    compiler, library = shutil.which("g++"), folder / "fake_cuda.so"
    if compiler is None:
        pytest.skip("fake CUDA tensors need g++")
    paths = [f"-I{path}" for path in include_paths()] + [f"-L{path}" for path in library_paths()]
    abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"
    flags = ["-std=c++20", "-shared", "-fPIC", abi, *paths, "-lc10", "-ltorch_cpu", "-o", str(library)]
    done = subprocess.run([compiler, str(_SOURCE), *flags], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the guard of fake CUDA tensors does not compile: {done.stderr[-300:]}")
    return ctypes.CDLL(str(library))


@contextmanager
def install(guard):
    """Make fake tensors with device "cuda" usable, also in main memory (``pin_memory``) and in autograd."""
    guard.install()
    try:
        with FakeTensorMode(allow_non_fake_inputs=True), torch.autograd.set_multithreading_enabled(False):
            yield
    finally:
        guard.uninstall()


class Record(TorchDispatchMode):
    """Record of the operations on fake tensors.

    Operations that need data in main memory, such as ``item`` and ``nonzero``, raise an error of torch. A
    number in main memory is passed to an addition by value.

    Attributes
    ----------
    kernels : list of str
        Operations that compute something.
    uploads, downloads : list of str
        Operations that read main memory and write to the GPU, and the reverse.
    n_pinned : int
        Number of allocations of pinned memory.
    """

    def __init__(self):
        super().__init__()
        self.kernels, self.uploads, self.downloads, self.n_pinned = [], [], [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name, out = str(func), _FAKES.get(func, func)(*args, **(kwargs or {}))
        inputs = _devices((args, kwargs), is_by_value=name == "aten.add.Tensor")
        outputs = _devices(out)
        self.n_pinned += bool((kwargs or {}).get("pin_memory"))
        if "cpu" in inputs and "cuda" in outputs:
            self.uploads.append(name)
        if "cuda" in inputs and "cpu" in outputs:
            self.downloads.append(name)
        if not name.startswith(_NO_KERNEL) and not _is_view(func):
            self.kernels.append(name)
        return out


def _devices(tree, is_by_value=False):
    tensors = [x for x in tree_leaves(tree) if isinstance(x, torch.Tensor)]
    return {x.device.type for x in tensors if x.ndim or not is_by_value}


def _is_view(func):
    aliases = [result.alias_info for result in func._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def _fused_gru_cell(input_gates, hidden_gates, hx, *biases):
    return hx.new_empty(hx.shape), hx.new_empty(len(hx), 5 * hx.shape[1])


def _fused_gru_cell_backward(grad_hy, workspace, has_bias):
    gates = [grad_hy.new_empty(len(grad_hy), 3 * grad_hy.shape[1]) for _ in range(2)]
    return (*gates, torch.empty_like(grad_hy), *(grad_hy.new_empty(gate.shape[1]) for gate in gates))


# torch has no fake version of these operations.
_FAKES = {
    torch.ops.aten._thnn_fused_gru_cell.default: _fused_gru_cell,
    torch.ops.aten._thnn_fused_gru_cell_backward.default: _fused_gru_cell_backward,
}
