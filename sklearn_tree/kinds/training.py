"""Default parameters that depend on the samples."""

from __future__ import annotations

from dataclasses import dataclass

_MIN_EPOCHS = 3


@dataclass(frozen=True, kw_only=True)
class TrainingDefaults:
    """Values of the parameters that are "auto" or None, as the study of the defaults found them.

    Attributes
    ----------
    dropout, lr, lr_schedule, linear_path, cell
        Parameters of the estimators.
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
    n_epochs: int = 10
    n_batches: int = 100
    max_batches: int | None = None

    def count_epochs(self, n_batches: int) -> int:
        """Return the number of epochs for the number of batches in an epoch."""
        n_epochs = self.n_epochs
        if self.max_batches is not None:
            n_epochs = min(n_epochs, max(_MIN_EPOCHS, -(-self.max_batches // n_batches)))
        return max(n_epochs, -(-self.n_batches // n_batches))
