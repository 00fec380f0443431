"""Compiled passes of the walk for one cell, cached on disk."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import platform
import threading
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.compiled import cache as disk
from sklearn_tree.nn.compiled import passes
from sklearn_tree.nn.compiled.fingerprint import take_fingerprint
from sklearn_tree.nn.compiled.loaded import record_loading
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
_lock = threading.RLock()  # of compilations, which take seconds
_trace_lock = threading.RLock()


@dataclass
class Kernels:
    """Compiled passes of a cell.

    Attributes
    ----------
    name : str
        Name of the module, which contains a checksum of its source and the versions of the compiler and the
        processor.
    source : str
        Source of the module.
    module : module or None
        The module, once it is loaded.
    has_failed : bool
        Whether the passes cannot be compiled.
    """

    name: str
    source: str
    module: ModuleType | None = field(default=None, compare=False)
    has_failed: bool = field(default=False, compare=False)

    def load(self, cell: GatedCell, *, may_compile: bool) -> bool:
        """Read the passes from the cache, or compile them and compare them with the cell.

        Parameters
        ----------
        cell : GatedCell
            The cell, in single precision and main memory or without data.
        may_compile : bool
            Whether to compile passes that are not in the cache, and to wait for another thread that compiles.

        Returns
        -------
        bool
            Whether the passes can be used.
        """
        if self.module is not None:
            return True
        if self.has_failed or not (may_compile or disk.is_compiled(self.name)):
            return False
        is_held = False
        try:  # Ctrl-C may interrupt every line
            is_held = _lock.acquire(blocking=may_compile)
            if is_held and self.module is None:
                self._load(cell, may_compile=may_compile)
        finally:
            if is_held:
                _lock.release()
        return self.module is not None

    def _load(self, cell: GatedCell, *, may_compile: bool) -> None:
        from sklearn_tree.nn.compiled.first_walk import MismatchError

        try:
            is_new, module = not disk.is_compiled(self.name), disk.import_source(self.name, self.source)
            self._use(cell, module, is_new=is_new)
        except MismatchError:
            self.has_failed = True
        except Exception:  # of the compiler, or because of damaged files or a full disk
            disk.remove(self.name)
            if may_compile:
                self._compile_in_memory(cell)
        else:
            disk.write_mark(self.name, "compiled", module.climb.stats.cache_path)

    def _compile_in_memory(self, cell: GatedCell) -> None:
        module = ModuleType(self.name)
        try:
            exec(self.source.replace("cache=True, ", ""), vars(module))  # noqa: S102
            self._use(cell, module, is_new=True)
        except Exception:
            self.has_failed = True

    def _use(self, cell: GatedCell, module: ModuleType, *, is_new: bool) -> None:
        """Use a module after a first walk with it."""
        from sklearn_tree.nn.compiled.first_walk import walk_once

        walk_once(cell, module, is_new=is_new)
        self.module = module
        record_loading()

    @property
    def is_prepared(self) -> bool:
        """Whether :func:`~sklearn_tree.nn.compile_cells` has compiled the passes, in any process."""
        return disk.has_mark(self.name, "prepared") and (
            self.module is not None or disk.is_compiled(self.name)
        )

    def mark_prepared(self) -> None:
        """Record that short fits use the passes as well."""
        disk.write_mark(self.name, "prepared")


def find_kernels(cell: GatedCell, x: Tensor) -> ModuleType | None:
    """Return the compiled passes that compute a cell; None if torch must compute it.

    Parameters
    ----------
    cell : GatedCell
        Cell for which the fast walk is correct.
    x : Tensor
        Inputs of the cell.

    Returns
    -------
    module or None
        None without numba, if the tensors are not in single precision and main memory, if torch uses several
        threads, or if the cell cannot be traced or has not been compiled on this machine.
    """
    is_plain = type(x) is Tensor and x.dtype == torch.float32 and x.device.type == "cpu"
    if not is_plain or torch.get_num_threads() > 1:
        return None
    kernels = kernels_of(cell)
    return kernels.module if kernels is not None and kernels.load(cell, may_compile=False) else None


def kernels_of(cell: GatedCell) -> Kernels | None:
    """Return the compiled passes of a cell; None without numba or if the cell cannot be traced."""
    fingerprint = take_fingerprint(cell) if has_numba() else None
    if fingerprint is None:  # the functions may depend on something that changes in place
        return None
    if fingerprint not in _kernels:
        with _trace_lock:
            if fingerprint not in _kernels:
                _kernels[fingerprint] = _write_kernels(cell)
    return _kernels[fingerprint]


_kernels: dict[Any, Kernels | None] = {}


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


def _reset_locks() -> None:
    """Forget a thread of the parent process that held a lock while it forked."""
    global _lock, _trace_lock
    _lock, _trace_lock = threading.RLock(), threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_locks)
