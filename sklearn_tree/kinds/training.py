"""Default parameters that depend on the samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingDefaults:
    """Values of the parameters that are "auto" or None, as the study of the defaults found them.

    Attributes
    ----------
    dropout, lr, lr_schedule, linear_path, cell, kernel_sizes, n_filters, pooling
        Parameters of the estimators; ``pooling`` is that of convolutional nets.
    n_blocks : int or None
        Number of blocks of convolutional nets; None builds a :class:`~sklearn_tree.nn.ResidualEncoder`.
    n_epochs : int
        Smallest number of epochs.
    n_batches : int
        Smallest number of batches in all epochs.
    """

    dropout: float = 0.0
    lr: float = 0.005
    lr_schedule: str | None = None
    linear_path: bool = False
    cell: str = "child_sum_lstm"
    kernel_sizes: tuple[int, ...] = (3, 4, 5)
    n_filters: int = 64
    n_blocks: int | None = 1
    pooling: str = "max"
    n_epochs: int = 10
    n_batches: int = 100
