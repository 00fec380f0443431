"""What a fit needs around the net: named optimizers, seeds, validation splits."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch.optim import lr_scheduler

from sklearn_tree.estimators.rowwise import RowwiseAdagrad

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "adam": torch.optim.Adam,
    "adamax": torch.optim.Adamax,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
# name -> skorch's LRScheduler parameters for a training of so many epochs
LR_SCHEDULES: dict[str, Callable[[int], dict[str, Any]]] = {
    "cosine": lambda epochs: {"policy": lr_scheduler.CosineAnnealingLR, "T_max": epochs},
    "exponential": lambda epochs: {"policy": lr_scheduler.ExponentialLR, "gamma": 0.01 ** (1 / epochs)},
    "linear": lambda epochs: {
        "policy": lr_scheduler.LinearLR,
        "start_factor": 1.0,
        "end_factor": 1e-3,
        "total_iters": epochs,
    },
}
_LARGEST_BLOCK = 32 * 2**20 - 2**13  # bytes; what glibc counts in, less room for its own fields
# Where torch 2.6 has fused implementations.
_FUSED: dict[str, tuple] = {
    "cpu": (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad),
    "cuda": (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD),
}


def optimizer_params(
    optimizer: str | type[torch.optim.Optimizer], weight_decay: float, device: torch.device
) -> dict[str, Any]:
    """Return skorch's parameters for an optimizer given by name or class.

    The fused implementation is chosen where torch has one for the device.
    """
    cls = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    if cls is torch.optim.Adagrad and not weight_decay:
        cls = RowwiseAdagrad
    known = inspect.signature(cls).parameters
    params: dict[str, Any] = {"optimizer": cls}
    if "weight_decay" in known:
        params["optimizer__weight_decay"] = weight_decay
    if issubclass(cls, _FUSED.get(device.type, ())):
        params["optimizer__fused"] = True
    return params


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block and give its generators their states back afterwards."""
    on_accelerator = device.type not in ("cpu", "meta")
    index = 0 if device.index is None else device.index
    with torch.random.fork_rng(
        devices=[index] if on_accelerator else [], device_type=device.type if on_accelerator else "cuda"
    ):
        torch.random.default_generator.manual_seed(seed)
        if on_accelerator:
            module = getattr(torch, device.type)
            # Only this device's generator: the others are not forked.
            with module.device(index) if hasattr(module, "device") else _nothing():
                module.manual_seed(seed)
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def keep_freed_memory() -> None:
    """Let the C library keep what a training frees, up to 64 MB, for its next batch.

    By default glibc hands freed memory back to the system at once, and every batch pays for fresh
    pages, up to a third of its time. It keeps twice the largest block that was ever freed, of those up
    to 32 MB; so we free one, which costs microseconds: its pages are never touched. No effect elsewhere.
    """
    torch.empty(_LARGEST_BLOCK, dtype=torch.uint8)


def split_off_validation(
    n: int, y: np.ndarray | None, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split row numbers into training and validation rows.

    Parameters
    ----------
    n : int
        Number of rows.
    y : array of int, shape (n,), or None
        Classes to keep in proportion. The rows of a class too small for that stay in training;
        where all are, those of single members do.
    fraction : float
        Share of the validation rows.
    seed : int
        Seed of the split.

    Returns
    -------
    train, valid : ndarray of int
        Row numbers; ``valid`` has at least one row.

    Raises
    ------
    ValueError
        If there are fewer than two rows.
    """
    if n < 2:
        raise ValueError(f"early_stopping=True needs at least 2 samples to split, got {n}")
    rows = np.arange(n)
    counts = np.bincount(y)[y] if y is not None else np.full(n, n)
    splittable = counts * fraction >= 1  # a class sends at least one row on average
    candidates = rows[splittable] if splittable.sum() >= 2 else rows[counts > 1]
    candidates = candidates if len(candidates) >= 2 else rows
    n_valid = min(max(1, round(fraction * n)), len(candidates) - 1)
    strata = None if y is None or not splittable.any() else y[candidates]
    if strata is not None and len(np.unique(strata)) > min(n_valid, len(candidates) - n_valid):
        strata = None
    train, valid = train_test_split(candidates, test_size=n_valid, stratify=strata, random_state=seed)
    return np.sort(np.r_[train, np.setdiff1d(rows, candidates)]), np.sort(valid)


def warn_of_divergence(losses: list[float], stacklevel: int = 4) -> None:
    """Warn when a training loss is not a number."""
    bad = next((i for i, loss in enumerate(losses) if not np.isfinite(loss)), None)
    if bad is not None:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(
            f"the training loss became {losses[bad]} in epoch {bad + 1}; a smaller lr or "
            "gradient_clip=1.0 usually helps",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )
