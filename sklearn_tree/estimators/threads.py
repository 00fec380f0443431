"""How many threads a fit or a prediction takes: never more than torch may, one for small nets."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from sklearn_tree.trees import RaggedArray, TreeArray

_SMALL_STEP = 5e8  # operations of a training step; below, a second thread costs what it saves


def threads_for(module: nn.Module, X: Any, batch_size: int) -> int | None:
    """Return how many threads a net is worth, by its size and that of its batches alone.

    Threads wait for each other after each operation. Where an operation takes microseconds that is all
    they do, and if another process has one of the cores, all wait for it.

    Parameters
    ----------
    module : nn.Module
        The net.
    X : TreeArray, RaggedArray, ndarray or Tensor
        Encoded samples.
    batch_size : int
        Samples in a batch.

    Returns
    -------
    int or None
        1, or None for as many as there are.
    """
    if threading.current_thread() is not threading.main_thread():
        return 1  # whoever runs fits side by side in threads, has the others busy
    weights = sum(
        parameter.numel()
        for part in module.modules()
        if not isinstance(part, nn.Embedding)
        for parameter in part.parameters(recurse=False)
    )
    n_positions = _n_positions(X) / max(len(X), 1) * min(batch_size, len(X))
    return 1 if 6 * weights * n_positions < _SMALL_STEP else None  # two for each product, of three


def _n_positions(X: Any) -> int:
    """Return the number of nodes, steps, pixels or columns of all samples."""
    if isinstance(X, TreeArray):
        return X.n_nodes
    if isinstance(X, RaggedArray):
        return len(X.values)
    return math.prod(X.shape if X.ndim == 2 else X.shape[:-1])


class _Inside(threading.local):
    yes = False


_inside = _Inside()
_lock = threading.Lock()
_blocks: list[int] = []  # the number before, for each thread that is inside


@contextmanager
def at_most(n: int | None) -> Iterator[None]:
    """Let this thread's torch use at most ``n`` threads inside the block, None for as many as it may.

    torch's number belongs to a thread, but new threads take over the last one that any has set. So a
    thread that needs no limit while others have theirs ends with the number from before the first of these.
    """
    if n is None or _inside.yes:
        yield
        return
    with _lock:
        own = torch.get_num_threads()
        before = _blocks[0] if _blocks and own <= n else own  # taken over, maybe
        _blocks.append(before)
    _inside.yes = True
    torch.set_num_threads(min(n, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
        _inside.yes = False
        with _lock:
            _blocks.pop()
