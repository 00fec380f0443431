"""Default parameters that depend on the samples."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TrainingDefaults:
    """Values of the parameters that are "auto" or None, as the study of the defaults found them.

    Attributes
    ----------
    lr, lr_schedule, n_filters, pooling
        Parameters of the estimators.
    kernel_sizes : tuple of int or None
        Widths of the filters of convolutional nets; None for ``Kind.kernel_sizes``.
    n_epochs : int
        Smallest number of epochs.
    n_batches : int
        Smallest number of batches in all epochs.
    """

    lr: float = 0.005
    lr_schedule: str | None = None
    n_filters: int = 64
    pooling: str = "max"
    kernel_sizes: tuple[int, ...] | None = None
    n_epochs: int = 10
    n_batches: int = 100
