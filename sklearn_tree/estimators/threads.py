"""Number of threads of a fit or a prediction: one for small nets, and never more than torch may use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from threadpoolctl import OpenBLASController, ThreadpoolController
from torch import nn

from sklearn_tree.nn.compilation import load_walks, uses_compiled_walks
from sklearn_tree.nn.compiled.loaded import are_loaded
from sklearn_tree.nn.parallel import walk_threads
from sklearn_tree.nn.recursive import RecursiveEncoder

_MIN_OPERATIONS_PER_WALK = 2.5e8  # of the step of a net with compiled walks, per thread
_MAX_WALKS = 8  # threads of a compiled walk; each has its own gradients
# Operations of a training step below which a second thread saves little. If another process needs the core,
# threads of torch wait for each other after every operation, and the step takes many times as long.
_MIN_OPERATIONS = 1.5e9
_MIN_OPERATIONS_OF_LEVELS = 4e9  # of walks by torch, whose operations are those of single levels
_MIN_OPERATIONS_COMPILED = 5e8  # of compiled walks, whose threads wait once per batch


def limit_for(
    module: nn.Module, n_positions: np.ndarray, batch_size: int, device: torch.device
) -> AbstractContextManager:
    """Return a context that limits the threads to the number that pays off for a net."""
    if device.type != "cpu":
        return limit_threads(None)
    n = threads_for(module, n_positions, batch_size)
    if not uses_compiled_walks(module):
        return limit_threads(n)
    load_walks(module)  # its BLAS is limited as well
    if n is None:
        n = int(_count_operations(module, n_positions, batch_size) // _MIN_OPERATIONS_PER_WALK)
    return _limit_walks(n)


def threads_for(module: nn.Module, n_positions: np.ndarray, batch_size: int) -> int | None:
    """Return the number of threads that pays off for a net, given its size and the size of its batches.

    Threads synchronise after every operation. If operations take microseconds, the threads mostly wait, and
    if another process occupies one of the cores, all threads wait for that one.

    Parameters
    ----------
    module : nn.Module
        The net.
    n_positions : ndarray of int, shape (n_samples,)
        Number of nodes, steps, pixels or columns of each sample.
    batch_size : int
        Samples in a batch.

    Returns
    -------
    int or None
        1, or None for no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        return 1  # a caller that runs several fits in threads already uses the other cores
    if uses_compiled_walks(module):
        minimum = _MIN_OPERATIONS_COMPILED
    elif any(isinstance(part, RecursiveEncoder) for part in module.modules()):
        minimum = _MIN_OPERATIONS_OF_LEVELS
    else:
        minimum = _MIN_OPERATIONS
    return 1 if _count_operations(module, n_positions, batch_size) < minimum else None


def _count_operations(module: nn.Module, n_positions: np.ndarray, batch_size: int) -> float:
    """Return the number of operations of a training step."""
    n_weights = sum(
        parameter.numel()
        for part in module.modules()
        if not isinstance(part, nn.Embedding)
        for parameter in part.parameters(recurse=False)
    )
    n_samples = len(n_positions)
    n_per_batch = n_positions.sum() / max(n_samples, 1) * min(batch_size, n_samples)
    return 6 * n_weights * n_per_batch  # three products of two operations per weight and position


class _BlasLimit:
    """Limit of the threads of all BLAS libraries, which belongs to the process.

    If several blocks are active, the first one sets the limit and the last one restores the libraries.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: set[object] = set()
        self._limit: Any = None
        self._owner: threading.Thread | None = None

    @contextmanager
    def __call__(self, n: int) -> Iterator[None]:
        block = object()
        try:  # Ctrl-C may interrupt every line
            with self._lock:
                is_first = not self._blocks
                self._blocks.add(block)
                if is_first:
                    self._owner = threading.current_thread()
                    self._limit = _find_libraries(are_loaded()).limit(limits=n)
                    self._limit.__enter__()
            yield
        finally:
            with self._lock:
                self._blocks.discard(block)
                if not self._blocks and self._limit is not None:
                    self._restore()

    def _restore(self) -> None:
        is_owner = threading.current_thread() is self._owner
        if not is_owner:
            _release_openblas()
        self._limit.__exit__(None, None, None)
        if not is_owner:
            _release_openblas()
        self._limit = self._owner = None


def _release_openblas() -> None:
    """Let another thread than the one that has set the limit of OpenBLAS change it, see threadpoolctl."""
    release = getattr(OpenBLASController, "clear_controlling_thread", None)  # since threadpoolctl 3.8
    if release is not None:
        release(force=True)


@cache
def _find_libraries(are_kernels_loaded: bool) -> ThreadpoolController:
    """Find the loaded BLAS libraries, again after compiled walks have loaded that of scipy."""
    return ThreadpoolController().select(user_api="blas")


_blas_limit = _BlasLimit()


class _ThreadState(threading.local):
    is_limited = False


_state = _ThreadState()
_lock = threading.Lock()
_previous_counts: dict[object, int] = {}  # torch's number of threads before each active limit


@contextmanager
def limit_threads(n: int | None) -> Iterator[None]:
    """Let torch and BLAS use at most ``n`` threads inside the block; None limits BLAS to torch's number.

    torch's number of threads belongs to the calling thread, but a new thread starts with the number that any
    thread has set last. A thread that starts while a limit is active therefore ends with the number from
    before the first active limit.

    Parameters
    ----------
    n : int or None
        Maximum number of threads.
    """
    if _state.is_limited:
        yield
        return
    with _blas_limit(torch.get_num_threads() if n is None else min(n, torch.get_num_threads())):
        if n is None:
            yield
            return
        with _torch_limit(n):
            yield


@contextmanager
def _limit_walks(n: int) -> Iterator[None]:
    """Let compiled walks use up to ``n`` threads inside the block, and torch and BLAS one each.

    The threads of torch and BLAS would wait for each other.
    """
    if _state.is_limited:
        yield
        return
    with walk_threads(max(min(n, torch.get_num_threads(), _MAX_WALKS), 1)), limit_threads(1):
        yield


@contextmanager
def _torch_limit(n: int) -> Iterator[None]:
    block = object()
    try:  # Ctrl-C may interrupt every line
        with _lock:
            current = torch.get_num_threads()
            first = next(iter(_previous_counts.values()), current)
            _previous_counts[block] = first if current <= n else current  # current may be inherited
        _state.is_limited = True
        torch.set_num_threads(min(n, _previous_counts[block]))
        yield
    finally:
        _state.is_limited = False
        if block in _previous_counts:
            torch.set_num_threads(_previous_counts[block])
        with _lock:
            _previous_counts.pop(block, None)
