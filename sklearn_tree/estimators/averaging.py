"""Exponential moving average of the weights of a net in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import skorch.callbacks
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from sklearn_tree.nn.linear_path import LinearPath

MAX_DECAY = 0.999


def ema_decay(n_steps: int) -> float:
    """Return the weight of the previous average in the ``n_steps``-th step.

    The decay grows with the number of steps, so the average spans about the last tenth of a training, and at
    most about the last thousand steps. The initial weights vanish after a few steps.
    """
    return min(MAX_DECAY, n_steps / (n_steps + 9))


@dataclass(frozen=True, kw_only=True)
class AverageState:
    """State of an average between two trainings of a net.

    Attributes
    ----------
    n_epochs : int
        Number of epochs in the history of the net.
    n_steps : int
        Number of steps in the average.
    gaps : dict of str to Tensor
        Weights of the last step minus their average, by name, in main memory.
    """

    n_epochs: int
    n_steps: int
    gaps: dict[str, Tensor]


class WeightAverage(skorch.callbacks.Callback):
    """Validate, stop and predict with an exponential moving average of the weights.

    The module holds the average except between the first and the last training batch of an epoch, in which
    it holds the weights of the last step. It must be the first callback of a net, so that all others see the
    average at the end of an epoch. Buffers of floats, such as the running statistics of a normalisation, are
    averaged too.

    A net whose training goes on keeps the state, so the next training starts from the weights of the last
    step. If the weights have changed since then, for example to those of the best epoch, it starts at the
    same distance from them.
    """

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Start with the current weights, or continue with the state of the net."""
        self.tensors_ = _find_tensors(net.module_)
        # The weights that the module does not hold: the average, or those of the last step.
        self.others_ = {name: tensor.detach().clone() for name, tensor in self.tensors_.items()}
        self.n_steps_, self.is_shown_ = 0, True
        state = net.average_state_
        if state is not None and state.n_epochs == len(net.history):
            self.n_steps_ = state.n_steps
            for name in self.others_.keys() & state.gaps.keys():
                self.others_[name] += state.gaps[name].to(self.others_[name].device)

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Continue the training with the weights of the last step."""
        self._show(False)

    def on_batch_begin(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Show the average to the validation."""
        if not training:
            self._show(True)

    def on_batch_end(self, net: Any, training: bool = False, **kwargs: Any) -> None:
        """Update the average after a step."""
        if training:
            self.n_steps_ += 1
            update = get_ema_multi_avg_fn(ema_decay(self.n_steps_))
            update([*self.others_.values()], [*self.tensors_.values()], self.n_steps_)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Show the average to the other callbacks."""
        self._show(True)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Show the average, also after an interrupted epoch, and leave the state to the net."""
        self._show(True)
        gaps = {name: (last - self.tensors_[name].detach()).cpu() for name, last in self.others_.items()}
        net.average_state_ = AverageState(n_epochs=len(net.history), n_steps=self.n_steps_, gaps=gaps)
        del self.others_, self.tensors_

    def state_dict(self) -> dict[str, Any]:
        """Return the state between two epochs of a training."""
        return {"others": self.others_, "n_steps": self.n_steps_}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state between two epochs of a training."""
        self.n_steps_ = state["n_steps"]
        for name, other in self.others_.items():
            other.copy_(state["others"][name])

    @torch.no_grad()
    def _show(self, is_average: bool) -> None:
        """Let the module hold the average or the weights of the last step."""
        if is_average == self.is_shown_:
            return
        for name, tensor in self.tensors_.items():
            held = tensor.clone()
            tensor.copy_(self.others_[name])
            self.others_[name].copy_(held)
        self.is_shown_ = is_average


def _find_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return the trained weights and the buffers of floats of a module by name.

    The weights of a linear path are left out: training does not change them, and they may be many.
    """
    tensors: dict[str, Tensor] = {}
    tensors |= {name: weight for name, weight in module.named_parameters() if weight.requires_grad}
    for prefix, part in module.named_modules():
        if not isinstance(part, LinearPath):
            buffers = part.named_buffers(prefix, recurse=False)
            tensors |= {name: buffer for name, buffer in buffers if buffer.is_floating_point()}
    return tensors
