"""Compiled passes of the walk for one cell, cached on disk."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import importlib.util
import inspect
import os
import platform
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tree.nn.compiled import passes
from sklearn_tree.nn.compiled.row_code import write_row_functions
from sklearn_tree.nn.compiled.trace import trace_cell
from sklearn_tree.nn.gated import GatedCell

_PASSES = (
    passes.add_rows,
    passes.add_pairs,
    passes.climb_leaves,
    passes.transpose_places,
    passes.multiply_leaves,
    passes.max_rows,
    passes.first_bags,
    passes.gather_children,
    passes.climb_level,
    passes.climb,
    passes.split_places,
    passes.add_product,
    passes.add_pair_grads,
    passes.descend_level,
    passes.scatter_grads,
    passes.descend_pairs,
    passes.descend_leaves,
    passes.descend,
)
_OWN_ATTRIBUTES = {*vars(nn.Module()), "layout"} - {"training"}
_PLAIN_TYPES = (bool, int, float, str, type(None))
_lock = threading.RLock()
_are_loaded = False


@dataclass(frozen=True)
class Kernels:
    """Compiled passes of a cell.

    Attributes
    ----------
    name : str
        Name of the module, which contains a checksum of its source and the versions of the compiler and the
        processor.
    source : str
        Source of the module.
    """

    name: str
    source: str

    @cached_property
    def module(self) -> ModuleType:
        """The module; its functions are compiled, or read from the cache, when they are first called."""
        global _are_loaded
        with _lock:
            module = _import_source(self.name, self.source)
            _are_loaded = True
            return module

    @property
    def is_ready(self) -> bool:
        """Whether the passes are loaded, or have been compiled on this machine so that they load quickly."""
        return "module" in vars(self) or self._mark("compiled").exists()

    @property
    def is_prepared(self) -> bool:
        """Whether :func:`~sklearn_tree.nn.compile_cells` has compiled the passes, in any process."""
        return self._mark("prepared").exists()

    def mark(self, kind: str) -> None:
        """Record in the cache that the passes have been ``compiled`` or ``prepared``."""
        with contextlib.suppress(OSError):  # a read-only home
            _write_file(self._mark(kind), "")

    def _mark(self, kind: str) -> Path:
        return cache_folder() / f"{self.name}.{kind}"


def find_kernels(cell: GatedCell, x: Tensor) -> Kernels | None:
    """Return the compiled passes that compute a cell; None if torch must compute it.

    Parameters
    ----------
    cell : GatedCell
        Cell for which the fast walk is correct.
    x : Tensor
        Inputs of the cell.

    Returns
    -------
    Kernels or None
        None without numba, if the tensors are not in single precision and main memory, if torch uses several
        threads, or if the cell cannot be traced or has not been compiled on this machine.
    """
    is_plain = type(x) is Tensor and x.dtype == torch.float32 and x.device.type == "cpu"
    if not is_plain or torch.get_num_threads() > 1:
        return None
    kernels = kernels_of(cell)
    return kernels if kernels is not None and kernels.is_ready else None


def kernels_of(cell: GatedCell) -> Kernels | None:
    """Return the compiled passes of a cell; None without numba or if the cell cannot be traced."""
    if not has_numba():
        return None
    attributes = {name: x for name, x in vars(cell).items() if name not in _OWN_ATTRIBUTES}
    if len(list(cell.buffers())) > 1 or not all(type(x) in _PLAIN_TYPES for x in attributes.values()):
        return None  # the functions may depend on something that changes in place
    key = type(cell), frozenset(attributes.items())
    with _lock:
        if key not in _kernels:
            _kernels[key] = _write_kernels(cell)
        return _kernels[key]


_kernels: dict[Any, Kernels | None] = {}


def are_loaded() -> bool:
    """Return whether this process has used compiled passes, so that other functions of numba pay off."""
    return _are_loaded


@cache
def has_numba() -> bool:
    """Return whether numba is installed and compiles."""
    if importlib.util.find_spec("numba") is None:
        return False
    try:
        import numba
    except ImportError:  # for example an unsupported version of numpy
        return False
    return not vars(numba.config).get("DISABLE_JIT")


def _write_kernels(cell: GatedCell) -> Kernels | None:
    import llvmlite.binding
    import numba

    traced = trace_cell(cell)
    if traced is None:
        return None
    functions = [f"@njit(cache=True, **OPTIONS)\n{inspect.getsource(function)}" for function in _PASSES]
    source = "\n\n".join([write_row_functions(cell, traced), *functions])
    versions = numba.__version__, np.__version__, platform.machine(), llvmlite.binding.get_host_cpu_name()
    checksum = hashlib.sha256("\n".join([source, *versions]).encode()).hexdigest()
    found = Kernels(f"sklearn_tree_walk_{checksum[:20]}", source)
    return next((kernels for kernels in _kernels.values() if kernels == found), found)


def cache_folder() -> Path:
    """Return the folder of compiled cells: $SKLEARN_TREE_CACHE, by default a folder of the user's cache."""
    given = os.environ.get("SKLEARN_TREE_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "sklearn_tree"


def _import_source(name: str, source: str) -> ModuleType:
    """Import a module from its source, which is written to the cache since numba caches files only."""
    path = _write_source(name, source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # numba's cache imports it
    spec.loader.exec_module(module)
    return module


def _write_source(name: str, source: str) -> Path:
    try:
        return _write_file(cache_folder() / f"{name}.py", source)
    except OSError:  # a read-only home
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return _write_file(Path(folder) / f"{name}.py", source)


def _write_file(path: Path, text: str) -> Path:
    """Write a file, unless it has this text; another process never sees a part of it."""
    if path.exists() and path.read_text() == text:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)
    return path
