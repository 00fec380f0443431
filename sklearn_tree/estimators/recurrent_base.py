"""Base class of the recurrent nets: parameters, kinds of samples and module."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.parameters import SHARED_CONSTRAINTS
from sklearn_tree.kinds import Pairs, Series, Table, Tokens
from sklearn_tree.nn import RECURRENT_CELLS, SEQUENCE_POOLINGS, RecurrentNet
from sklearn_tree.validation import POSITIVE_INT, StrOptions


class BaseRNN(BaseNet):
    """Base class of the recurrent nets."""

    _kinds = (Pairs, Tokens, Series, Table)
    _module = RecurrentNet
    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        "cell": [StrOptions(set(RECURRENT_CELLS))],
        "n_layers": [POSITIVE_INT],
        "bidirectional": ["boolean"],
        "pooling": [StrOptions(set(SEQUENCE_POOLINGS))],
        "input_kind": [StrOptions({"auto", "text", "tokens", "series", "table", "pairs"})],
        "channels": [StrOptions({"first", "last"})],
    }

    def __init__(
        self,
        cell: str = "lstm",
        *,
        n_layers: int = 1,
        bidirectional: bool = True,
        pooling: str = "last",
        input_kind: str = "auto",
        channels: str = "last",
        hidden_size: int = 64,
        embedding_dim: int | None = None,
        embeddings: Any = None,
        freeze_embeddings: bool = False,
        embedding_lr: float | None = None,
        dropout: float | str = "auto",
        word_dropout: float = 0.0,
        linear_path: bool | str = "auto",
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float | str = "auto",
        weight_decay: float = 0.01,
        lr_schedule: str | None = "auto",
        weight_averaging: str | None = None,
        gradient_clip: float | None = None,
        max_epochs: int | None = None,
        batch_size: int = 64,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        warm_start: bool = False,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: Any = None,
        callbacks: list | None = None,
        checkpoint_dir: str | os.PathLike | None = None,
        net_params: dict | None = None,
        verbose: int = 0,
    ) -> None:
        self._store(locals())

    def _architecture(self) -> dict[str, Any]:
        names = ("cell", "n_layers", "bidirectional", "pooling")
        return {**super()._architecture(), **{name: getattr(self, name) for name in names}}

    def _module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        params = super()._module_params(encoded, sample_weight)
        if self.kind_.is_signal:  # relevant steps may be far from the end
            params["memory"] = 2 * self.kind_.mean_length(encoded, sample_weight)
        return params
