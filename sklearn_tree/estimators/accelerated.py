"""Training of one net in several processes, with accelerate."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate.utils import broadcast_object_list, synchronize_rng_states
from skorch.dataset import ValidSplit
from skorch.hf import AccelerateMixin
from torch import Tensor

from sklearn_tree.estimators.net import mean_loss

if TYPE_CHECKING:
    from accelerate import Accelerator


class _AcceleratedMixin(AccelerateMixin):
    """Overrides for nets whose batches are shared by several processes.

    Each process trains on its share of the samples of a batch. ``DistributedDataParallel`` averages the
    gradients, and the history records the losses of whole batches.
    """

    _criteria: list[str]

    def _initialize_accelerator(self) -> Any:
        # DistributedDataParallel refuses losses without parameters.
        self.criterion_.to(self.accelerator.device)
        criteria = self._criteria
        self._criteria = [
            name for name in criteria if any(map(_is_trained, getattr(self, f"{name}_").parameters()))
        ]
        try:
            return super()._initialize_accelerator()
        finally:
            self._criteria = criteria

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Let all processes draw the same order of the samples."""
        synchronize_rng_states(["torch"])
        super().on_epoch_begin(net, **kwargs)

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, Tensor]:
        return super(AccelerateMixin, self).train_step_single(batch, **fit_params)

    def backpropagate(self, *args: Any, is_last: bool = True) -> dict[str, Tensor]:
        # The processes exchange the sum of the gradients of all parts, not those of each part.
        with (
            nullcontext() if is_last else self.accelerator.no_sync(self.module_),
            self.accelerator.autocast(),
        ):
            return super().backpropagate(*args)

    def backward(self, loss: Tensor) -> None:
        self.accelerator.backward(loss)

    def evaluation_step(self, batch: Any, training: bool = False) -> Any:
        # Every process predicts all samples, so there is nothing to gather.
        return super(AccelerateMixin, self).evaluation_step(batch, training)

    def mean_loss(self, losses: list[Tensor], sizes: list[int]) -> float:
        if not losses:
            return 0.0
        shares = torch.tensor(sizes, device=self.accelerator.device)
        losses = self.accelerator.reduce(torch.stack(losses), reduction="mean")
        return mean_loss(list(losses), self.accelerator.reduce(shares, reduction="sum").tolist())

    @property
    def compute_device(self) -> torch.device:
        return self.accelerator.device


def _is_trained(parameter: Tensor) -> bool:
    return parameter.requires_grad


def accelerate(net: Any, accelerator: Accelerator) -> Any:
    """Return an unfitted net that trains in the processes of an accelerator.

    Parameters
    ----------
    net : OwnedNetMixin
        Unfitted net.
    accelerator : accelerate.Accelerator
        The processes and their devices.

    Returns
    -------
    skorch.NeuralNet
        Net with the parameters of ``net``.

    Raises
    ------
    ValueError
        If batches have fewer samples than there are processes.
    """
    _check(net, accelerator.num_processes)
    params = {name: x for name, x in net.get_params(deep=False).items() if name != "device"}
    params["train_split"] = _share_split(net.train_split)
    cls = type(f"Accelerated{type(net).__name__}", (_AcceleratedMixin, type(net)), {})
    share = (accelerator.process_index, accelerator.num_processes)
    return cls(accelerator=accelerator, **params, iterator_train__share=share)


def _share_split(split: Any) -> Any:
    """Return a split into training and validation samples that is the same in all processes."""
    if not isinstance(split, ValidSplit) or split.random_state is not None:
        return split
    (seed,) = broadcast_object_list([np.random.randint(2**31)])  # noqa: NPY002, which skorch draws from
    return ValidSplit(split.cv, split.stratified, random_state=seed if isinstance(split.cv, float) else None)


def _check(net: Any, n_processes: int) -> None:
    if net.batch_size < n_processes:
        raise ValueError(
            f"batch_size must be >= {n_processes}, the number of processes that share a batch, got "
            f"{net.batch_size}"
        )
