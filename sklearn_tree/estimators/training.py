"""Optimizers, learning-rate schedules and validation splits of a fit."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from skorch.callbacks import LRScheduler
from torch.nn.utils import get_total_norm
from torch.optim import lr_scheduler

from sklearn_tree.estimators.rowwise import RowwiseAdagrad

if TYPE_CHECKING:
    from sklearn_tree.estimators.batches import EncodedDataset
    from sklearn_tree.estimators.checkpoint import Checkpoint

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
# name -> parameters of EpochSchedule, given the number of epochs
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
_MAX_BLOCK_SIZE = 32 * 2**20 - 2**13  # bytes; glibc's limit minus room for its own fields
# Optimizers with a fused implementation in torch 2.6, by device.
_FUSED: dict[str, tuple] = {
    "cpu": (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.Adagrad),
    "cuda": (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD),
}


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Samples and epochs of a call of ``fit`` or ``partial_fit``.

    Attributes
    ----------
    train : EncodedDataset
        Training samples.
    valid : EncodedDataset or None
        Validation samples.
    n_epochs : int
        Number of epochs.
    seed : int
        Seed of the initial weights, the split and the training.
    checkpoint : Checkpoint or None
        Where each epoch is saved.
    """

    train: EncodedDataset
    valid: EncodedDataset | None
    n_epochs: int
    seed: int
    checkpoint: Checkpoint | None


class EpochSchedule(LRScheduler):
    """Learning-rate schedule by epochs that does not keep the optimizer after the training."""

    lr_scheduler_: Any

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Forget the schedule of torch, which refers to the optimizer; the next training makes a new one."""
        self.lr_scheduler_ = None

    def state_dict(self) -> dict[str, Any]:
        """Return the state within a training."""
        return self.lr_scheduler_.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state within a training."""
        self.lr_scheduler_.load_state_dict(state)


def optimizer_params(
    optimizer: str | type[torch.optim.Optimizer], weight_decay: float, device: torch.device
) -> dict[str, Any]:
    """Return skorch's parameters for an optimizer given by name or class.

    The fused implementation is used if torch has one for the device.
    """
    cls = OPTIMIZERS[optimizer] if isinstance(optimizer, str) else optimizer
    if cls is torch.optim.Adagrad and not weight_decay:
        cls = RowwiseAdagrad
    known = inspect.signature(cls).parameters
    params: dict[str, Any] = {"optimizer": cls}
    if "weight_decay" in known:
        params["optimizer__weight_decay"] = weight_decay
    if "fused" in known and issubclass(cls, _FUSED.get(device.type, ())):
        params["optimizer__fused"] = True
    return params


@cache
def keep_freed_memory() -> None:
    """Let the C library keep up to 64 MB of freed memory for the next batch, once per process.

    By default, glibc returns freed memory to the system immediately, so allocating new pages takes up to a
    third of the time of every batch. glibc keeps twice the size of the largest block that was ever freed, up
    to 32 MB. Therefore one such block is allocated and freed here; its pages are never touched, so this takes
    microseconds. Other C libraries are not affected.
    """
    torch.empty(_MAX_BLOCK_SIZE, dtype=torch.uint8)


def split_validation(
    n: int,
    y: np.ndarray | None,
    fraction: float,
    seed: int,
    weight: np.ndarray | None = None,
    reason: str = "early_stopping=True",
) -> tuple[np.ndarray, np.ndarray]:
    """Split row indices into training and validation rows.

    Parameters
    ----------
    n : int
        Number of rows.
    y : array of int, shape (n,), or None
        Classes to stratify by. Classes that are too small to be split stay in the training part; if all
        classes are too small, only classes with a single member stay there.
    fraction : float
        Fraction of the rows that become validation rows.
    seed : int
        Seed of the split.
    weight : ndarray of float, shape (n,), default=None
        Weights of the rows. Rows of weight 0 stay in the training part and do not affect the split.
    reason : str, default="early_stopping=True"
        Parameter that requires the split, for the error.

    Returns
    -------
    train, valid : ndarray of int
        Row indices; ``valid`` has at least one row.

    Raises
    ------
    ValueError
        If there are fewer than two rows of weight > 0.
    """
    if weight is not None and not weight.all():
        kept = np.flatnonzero(weight)
        y = None if y is None else y[kept]
        _, valid = split_validation(len(kept), y, fraction, seed, reason=reason)
        return np.setdiff1d(np.arange(n), kept[valid]), kept[valid]
    if n < 2:
        raise ValueError(f"{reason} needs at least 2 samples of weight > 0, got {n}")
    rows = np.arange(n)
    counts = np.bincount(y)[y] if y is not None else np.full(n, n)
    splittable = counts * fraction >= 1  # on average, at least one row of the class is held out
    candidates = rows[splittable] if splittable.sum() >= 2 else rows[counts > 1]
    candidates = candidates if len(candidates) >= 2 else rows
    n_valid = min(max(1, round(fraction * n)), len(candidates) - 1)
    strata = None if y is None or not splittable.any() else y[candidates]
    if strata is not None and len(np.unique(strata)) > min(n_valid, len(candidates) - n_valid):
        strata = None
    train, valid = train_test_split(candidates, test_size=n_valid, stratify=strata, random_state=seed)
    return np.sort(np.r_[train, np.setdiff1d(rows, candidates)]), np.sort(valid)


def warn_of_interrupt(n_epochs: int, interrupt: BaseException) -> None:
    """Warn that an interrupted fit keeps its complete epochs.

    Parameters
    ----------
    n_epochs : int
        Number of epochs.
    interrupt : KeyboardInterrupt
        Raised instead of the warning if warnings are errors.
    """
    try:
        message = f"the fit was interrupted: the estimator keeps the {n_epochs} epochs that are complete"
        warnings.warn(message, stacklevel=7)
    except UserWarning:
        raise interrupt from None


def check_convergence(net: Any, n_done: int, stacklevel: int = 4) -> None:
    """Raise ValueError if a training has diverged; warn if only some of its epochs have.

    Parameters
    ----------
    net : OwnedNetMixin
        Trained net.
    n_done : int
        Number of epochs before this training.
    stacklevel : int, default=4
        Stack level of the warning.
    """
    epochs = net.history[n_done:]
    bad = next((row for row in epochs if not np.isfinite(row["train_loss"])), None)
    weights = [parameter for parameter in net.module_.parameters() if parameter.numel()]
    is_finite = bool(get_total_norm(weights, torch.inf).isfinite())
    if is_finite and bad is None:
        return
    what = "the weights became infinite or NaN" if bad is None else f"the loss became {bad['train_loss']}"
    message = (
        f"the training diverged, {what} in epoch {(bad or net.history[-1])['epoch']}: try a smaller lr than "
        f"{net.lr}, gradient_clip=1.0 or scaled X"
    )
    has_best = any(getattr(callback, "load_best", False) for _, callback in net.callbacks_)
    if not is_finite or not (has_best or np.isfinite(epochs[-1]["train_loss"])):
        raise ValueError(message)
    warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel)
