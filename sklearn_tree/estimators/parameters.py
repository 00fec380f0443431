"""Parameters shared by all estimators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import torch
from skorch.callbacks import EarlyStopping, GradientNormClipping

from sklearn_tree.estimators.averaging import WeightAverage
from sklearn_tree.estimators.one_cycle import OneCycle
from sklearn_tree.estimators.training import LR_SCHEDULES, OPTIMIZERS, EpochSchedule
from sklearn_tree.kinds import Kind, TrainingDefaults
from sklearn_tree.validation import (
    NON_NEGATIVE,
    POSITIVE,
    POSITIVE_INT,
    RANDOM_STATE,
    SHARE,
    HasMethods,
    Hidden,
    Interval,
    Real,
    StrOptions,
    SubclassOf,
)

DEFAULT_EMBEDDING_DIM = 64

SHARED_CONSTRAINTS: dict = {
    "hidden_size": [POSITIVE_INT],
    "dropout": [SHARE, StrOptions({"auto"})],
    "embedding_dim": [POSITIVE_INT, None],
    "embeddings": [str, PathLike, Mapping, tuple, list, HasMethods("encode"), HasMethods("get_vector"), None],
    "freeze_embeddings": ["boolean"],
    "embedding_lr": [POSITIVE, None],
    "word_dropout": [SHARE],
    "linear_path": ["boolean", StrOptions({"auto"})],
    "optimizer": [StrOptions(set(OPTIMIZERS)), SubclassOf(torch.optim.Optimizer)],
    "lr": [POSITIVE, StrOptions({"auto"})],
    "weight_decay": [NON_NEGATIVE],
    "lr_schedule": [StrOptions({"auto", "one_cycle", *LR_SCHEDULES}), None],
    "weight_averaging": [StrOptions({"ema"}), None],
    "gradient_clip": [POSITIVE, None],
    "max_epochs": [POSITIVE_INT, None],
    "batch_size": [POSITIVE_INT],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0.0, 1.0, closed="neither")],
    "patience": [POSITIVE_INT, None],
    "warm_start": ["boolean"],
    "device": [str, Hidden(torch.device)],
    "precision": [StrOptions({"auto", "bfloat16", "float32"})],
    "random_state": RANDOM_STATE,
    "callbacks": [list, tuple, None],
    "checkpoint_dir": [str, PathLike, None],
    "net_params": [dict, None],
    "verbose": ["verbose"],
}


class NetParametersMixin:
    """Training parameters, and the epochs and callbacks derived from them."""

    hidden_size: int
    dropout: float | str
    embedding_dim: int | None
    embeddings: Any
    freeze_embeddings: bool
    embedding_lr: float | None
    word_dropout: float
    linear_path: bool | str
    optimizer: str | type[torch.optim.Optimizer]
    lr: float | str
    weight_decay: float
    lr_schedule: str | None
    weight_averaging: str | None
    gradient_clip: float | None
    max_epochs: int | None
    batch_size: int
    early_stopping: bool
    validation_fraction: float
    patience: int | None
    warm_start: bool
    device: str | torch.device
    precision: str
    random_state: Any
    callbacks: list | None
    checkpoint_dir: str | PathLike | None
    net_params: dict | None
    verbose: int
    input_kind: str = "auto"
    channels: str = "last"
    kind_: Kind

    def _store(self, arguments: dict[str, Any]) -> None:
        """Store the arguments of ``__init__``, given as its local variables."""
        vars(self).update({name: value for name, value in arguments.items() if name != "self"})

    def _run_params(self) -> dict[str, Any]:
        """Return the parameters of the net that may change between fits and predictions."""
        return {"batch_size": self.batch_size, "precision": self.precision}

    def _apply_params(self, net: Any, params: dict[str, Any]) -> None:
        for name, value in params.items():
            if name not in (self.net_params or {}):
                setattr(net, name, value)

    def _n_epochs(self, n_samples: int) -> int:
        if self.max_epochs is not None:
            return self.max_epochs
        return self._defaults.count_epochs(-(-n_samples // self.batch_size))

    @property
    def _defaults(self) -> TrainingDefaults:
        """Default parameters for the samples."""
        return self.kind_.training_defaults

    def _resolve(self, name: str, automatic: str | None = "auto") -> Any:
        """Return the value of a parameter, or the default for the samples if it is ``automatic``."""
        value = getattr(self, name)
        return getattr(self._defaults, name) if value == automatic else value

    @property
    def _split_reason(self) -> str | None:
        """Parameter that requires held-out samples; None if no parameter does."""
        return "early_stopping=True" if self.early_stopping else None

    def _make_callbacks(self, n_epochs: int, is_whole: bool = True) -> list:
        """Return skorch callbacks, for a whole ``fit`` or for one epoch of ``partial_fit``."""
        callbacks: list = []
        if self.weight_averaging is not None:  # first: the others see the average
            callbacks.append(("weight_average", WeightAverage()))
        if self.gradient_clip is not None:
            callbacks.append(("gradient_clip", GradientNormClipping(self.gradient_clip)))
        schedule_name = self._resolve("lr_schedule") if is_whole else None
        if schedule_name == "one_cycle":
            callbacks.append(("lr_schedule", OneCycle()))
        elif schedule_name is not None:
            # last_epoch=-1: every fit restarts the schedule, even with warm_start
            schedule = EpochSchedule(**LR_SCHEDULES[schedule_name](n_epochs), last_epoch=-1)
            callbacks.append(("lr_schedule", schedule))
        if self.early_stopping and is_whole:
            patience = max(5, n_epochs // 5) if self.patience is None else self.patience
            stop = EarlyStopping(monitor="valid_loss", patience=patience, load_best=True)
            callbacks.append(("early_stopping", stop))
        return [*callbacks, *_check_callbacks(self.callbacks or ())]


def _check_callbacks(callbacks: Sequence) -> Sequence:
    for i, item in enumerate(callbacks):
        callback = item[1] if isinstance(item, (tuple, list)) and len(item) == 2 else item
        if not callable(getattr(callback, "on_epoch_end", None)):
            raise TypeError(
                f"callbacks[{i}] must be a skorch callback or a pair (name, callback), got {item!r}"
            )
    return callbacks
