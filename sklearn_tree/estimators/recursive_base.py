"""Base class of the recursive nets: parameters, kinds of samples and module."""

from __future__ import annotations

from typing import Any

import torch

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.parameters import SHARED_CONSTRAINTS
from sklearn_tree.kinds import Pairs, StarTable, Trees
from sklearn_tree.nn import CELLS, POOLINGS, RecursiveNet, TreeCell
from sklearn_tree.validation import POSITIVE_INT, StrOptions, SubclassOf


class BaseRecursiveNet(BaseNet):
    """Base class of the recursive nets."""

    _kinds = (Pairs, Trees, StarTable)
    _module = RecursiveNet
    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        "cell": [StrOptions(set(CELLS)), SubclassOf(TreeCell)],
        "pooling": [StrOptions(set(POOLINGS))],
        "max_arity": [POSITIVE_INT, None],
        "input_kind": [StrOptions({"auto", "trees", "table", "pairs"})],
        "max_batch_nodes": [POSITIVE_INT, None],
    }

    def __init__(
        self,
        cell: str | type[TreeCell] = "child_sum_lstm",
        *,
        pooling: str = "root",
        max_arity: int | None = None,
        input_kind: str = "auto",
        hidden_size: int = 64,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 0.005,
        weight_decay: float = 0.01,
        lr_schedule: str | None = None,
        gradient_clip: float | None = None,
        max_epochs: int | None = None,
        batch_size: int = 64,
        max_batch_nodes: int | None = 50_000,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        warm_start: bool = False,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: Any = None,
        callbacks: list | None = None,
        net_params: dict | None = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.pooling = pooling
        self.max_arity = max_arity
        self.input_kind = input_kind
        self.hidden_size = hidden_size
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.gradient_clip = gradient_clip
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.max_batch_nodes = max_batch_nodes
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.callbacks = callbacks
        self.net_params = net_params
        self.verbose = verbose

    def _architecture(self) -> dict[str, Any]:
        arity = {} if self.max_arity is None else {"max_arity": self.max_arity}
        return {**super()._architecture(), "cell": self.cell, "pooling": self.pooling, **arity}

    def _run_params(self) -> dict[str, Any]:
        return {
            **super()._run_params(),
            "iterator_train__max_nodes": self.max_batch_nodes,
            "iterator_valid__max_nodes": self.max_batch_nodes,
            # Dropout makes equal subtrees unequal; in a single prediction, the search does not pay off.
            "iterator_train__share_subtrees": not self.dropout and not self.word_dropout,
        }
