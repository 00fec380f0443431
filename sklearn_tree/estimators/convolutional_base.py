"""Base class of the convolutional nets: parameters, kinds of samples and module."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.parameters import SHARED_CONSTRAINTS
from sklearn_tree.kinds import Images, Pairs, Series, Table, Tokens, TrainingDefaults
from sklearn_tree.nn import CONVOLUTION_POOLINGS, ConvolutionalNet
from sklearn_tree.validation import POSITIVE_INT, StrOptions


class BaseCNN(BaseNet):
    """Base class of the convolutional nets."""

    _kinds = (Pairs, Tokens, Series, Table, Images)
    _module = ConvolutionalNet
    kernel_sizes: Sequence[int] | None
    n_filters: int | None
    n_blocks: int | None
    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        "kernel_sizes": ["array-like", None],
        "n_filters": [POSITIVE_INT, None],
        "n_blocks": [POSITIVE_INT, None],
        "pooling": [StrOptions({"auto", *CONVOLUTION_POOLINGS})],
        "input_kind": [StrOptions({"auto", "text", "tokens", "series", "table", "image", "images", "pairs"})],
        "channels": [StrOptions({"first", "last"})],
    }

    def __init__(
        self,
        kernel_sizes: Sequence[int] | None = None,
        *,
        n_filters: int | None = None,
        n_blocks: int | None = None,
        pooling: str = "auto",
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

    @property
    def _defaults(self) -> TrainingDefaults:
        residual = self.kind_.residual_defaults if self.n_blocks is None else None
        return super()._defaults if residual is None else residual

    def _architecture(self) -> dict[str, Any]:
        return {
            **super()._architecture(),
            "n_blocks": self._resolve("n_blocks", None),
            "kernel_sizes": self._widths(),
            "n_filters": self._resolve("n_filters", None),
            "pooling": self._resolve("pooling"),
        }

    def _module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        params = super()._module_params(encoded, sample_weight)
        if params["n_blocks"] is None:
            params["pool_size"] = self.kind_.pool_size(encoded, sample_weight)
        return params

    def _widths(self) -> tuple[int, ...]:
        if self.kernel_sizes is None:
            return self._defaults.kernel_sizes
        try:
            sizes = np.asarray(self.kernel_sizes)
        except ValueError:  # lists of unequal length
            sizes = np.zeros(())
        is_list = sizes.ndim == 1 and sizes.size and sizes.dtype.kind in "iu"
        if not is_list or any(isinstance(x, bool) for x in self.kernel_sizes) or np.any(sizes < 1):
            raise ValueError(f"kernel_sizes must hold at least one int >= 1, got {self.kernel_sizes!r}")
        return tuple(sizes.tolist())
