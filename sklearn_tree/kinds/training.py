"""Default parameters that depend on the samples."""

from __future__ import annotations

from dataclasses import dataclass

_MIN_EPOCHS = 3


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
        Number of epochs, unless the numbers of batches require more or fewer.
    n_batches : int
        Smallest number of batches in all epochs.
    max_batches : int or None
        Number of batches after which no further epoch begins, except for the first three; None for no limit.
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
    max_batches: int | None = None

    def count_epochs(self, n_batches: int) -> int:
        """Return the number of epochs for the number of batches in an epoch."""
        n_epochs = self.n_epochs
        if self.max_batches is not None:
            n_epochs = min(n_epochs, max(_MIN_EPOCHS, -(-self.max_batches // n_batches)))
        return max(n_epochs, -(-self.n_batches // n_batches))
