"""One-cycle schedule of the learning rate."""

from __future__ import annotations

import math
from typing import Any

import skorch.callbacks

_RISING = 0.3  # share of the steps in which the learning rate rises


class OneCycle(skorch.callbacks.Callback):
    """Raise the learning rate linearly over the first 30 % of all batches, then decay it as a cosine.

    This is the schedule of Smith and Topin [1]_ with a constant momentum. It spans all epochs of a training;
    each group of parameters has its own maximum, its learning rate at the start of the training.

    References
    ----------
    .. [1] L. N. Smith, N. Topin (2018). Super-Convergence: Very Fast Training of Neural Networks Using Large
       Learning Rates. arXiv:1708.07120.
    """

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Start the schedule."""
        self.rates_ = [group["lr"] for group in net.optimizer_.param_groups]
        self.n_done_ = self.n_steps_ = 0

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Count the batches of all epochs."""
        self.n_steps_ = net.max_epochs * len(net.get_iterator(dataset_train, training=True))

    def on_batch_begin(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Set the learning rate of a training batch."""
        if training:
            self._scale(net, one_cycle(self.n_done_, self.n_steps_))
            self.n_done_ += 1

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record the learning rate of the last batch, as skorch's schedules do."""
        net.history.record("event_lr", net.optimizer_.param_groups[0]["lr"])

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Reset the learning rate."""
        self._scale(net, 1.0)

    def state_dict(self) -> dict[str, Any]:
        """Return the state within a training."""
        return {"rates": self.rates_, "n_done": self.n_done_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state within a training."""
        self.rates_, self.n_done_ = state["rates"], state["n_done"]

    def _scale(self, net: Any, factor: float) -> None:
        for group, rate in zip(net.optimizer_.param_groups, self.rates_, strict=True):
            group["lr"] = rate * factor


def one_cycle(step: int, n_steps: int) -> float:
    """Return the learning rate of a step relative to its maximum.

    Parameters
    ----------
    step : int
        Number of earlier steps.
    n_steps : int
        Number of steps of the training.

    Returns
    -------
    float
        A number in [0, 1]: 1 in the last rising step, and near 0 in the last step.
    """
    n_rising = max(1, round(_RISING * n_steps))
    if step < n_rising:
        return (step + 1) / n_rising
    share = min(1.0, (step + 1 - n_rising) / (n_steps + 1 - n_rising))
    return 0.5 + 0.5 * math.cos(math.pi * share)
