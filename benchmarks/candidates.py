"""Candidates for default parameters, as callbacks of the study until they prove worth a parameter."""

from __future__ import annotations

import math
from typing import Any

import skorch.callbacks
import torch
from torch.optim.lr_scheduler import LambdaLR


class OneCycle(skorch.callbacks.Callback):
    """Raise the learning rate linearly over the first 30 % of all batches, then decay it to 0 as a cosine.

    This is the schedule of Smith and Topin [1]_ with a constant momentum.

    References
    ----------
    .. [1] L. Smith, N. Topin (2018). Super-Convergence: Very Fast Training of Neural Networks Using Large
       Learning Rates. arXiv:1708.07120.
    """

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Start the schedule."""
        n_steps = net.max_epochs * -(-len(X) // net.batch_size)
        n_rising = max(1, round(0.3 * n_steps))

        def factor(step: int) -> float:
            if step < n_rising:
                return (step + 1) / n_rising
            return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (step - n_rising + 1) / (n_steps - n_rising + 1)))

        self.schedule = LambdaLR(net.optimizer_, factor)

    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Change the learning rate after each training batch."""
        if training:
            self.schedule.step()


class WeightAverage(skorch.callbacks.Callback):
    """Validate, stop and predict with an exponential moving average of the weights.

    After step t, the average is ``d * average + (1 - d) * weights`` with ``d = min(decay, t / (t + 9))``. The
    module holds the average between the training batches of two epochs, and after the training.

    Parameters
    ----------
    decay : float, default=0.99
        Largest weight of the previous average.
    """

    def __init__(self, decay: float = 0.99) -> None:
        self.decay = decay

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Start with the current weights."""
        self.n_steps, self.is_shown = 0, False
        self.weights = list(net.module_.parameters())
        self.average = [weight.detach().clone() for weight in self.weights]

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Continue the training with the weights of the last step."""
        if self.is_shown:
            self._swap()

    def on_batch_begin(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Show the average to the validation."""
        if not training and not self.is_shown:
            self._swap()

    @torch.no_grad()
    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Update the average."""
        if training:
            self.n_steps += 1
            share = max(1 - self.decay, 9 / (self.n_steps + 9))
            torch._foreach_lerp_(self.average, self.weights, share)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Show the average to the other callbacks."""
        if not self.is_shown:
            self._swap()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Forget the weights of the last step."""
        del self.average, self.weights

    @torch.no_grad()
    def _swap(self) -> None:
        last = [weight.clone() for weight in self.weights]
        torch._foreach_copy_(self.weights, self.average)
        self.average = last
        self.is_shown = not self.is_shown
