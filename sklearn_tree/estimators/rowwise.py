"""Adagrad that touches no row of an embedding table but those a batch has used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class RowwiseAdagrad(torch.optim.Adagrad):
    """``torch.optim.Adagrad`` that updates only the rows with a gradient; the result is the same.

    Without weight decay, Adagrad leaves a row without a gradient unchanged. Parameters with dense gradients are
    updated by torch's fused step, which does not support sparse gradients.
    """

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Perform one optimization step.

        Parameters
        ----------
        closure : callable, default=None
            Computes the loss and the gradients.

        Returns
        -------
        Any
            Return value of the closure.
        """
        with torch.enable_grad():
            loss = None if closure is None else closure()
        sparse = [
            (group, p, p.grad)
            for group in self.param_groups
            for p in group["params"]
            if p.grad is not None and p.grad.is_sparse
        ]
        for group, p, grad in sparse:
            if group["weight_decay"]:
                raise ValueError(f"weight_decay must be 0 for sparse gradients, got {group['weight_decay']}")
            self._step_rows(group, p, grad.coalesce())
            p.grad = None
        super().step()
        for _, p, grad in sparse:
            p.grad = grad
        return loss

    @torch.no_grad()
    def _step_rows(self, group: dict[str, Any], p: torch.Tensor, grad: torch.Tensor) -> None:
        state, rows, values = self.state[p], grad.indices()[0], grad.values()
        state["step"] += 1
        lr = group["lr"]
        if group["lr_decay"]:  # reading the step waits for the device
            lr = lr / (1 + (float(state["step"]) - 1) * group["lr_decay"])
        sums = state["sum"].index_select(0, rows).addcmul_(values, values)
        state["sum"].index_copy_(0, rows, sums)
        values = values / sums.sqrt_().add_(group["eps"])
        p.index_add_(0, rows, values, alpha=lr if group["maximize"] else -lr)


@contextmanager
def sparse_gradients(tables: list[nn.Embedding]) -> Iterator[None]:
    """Compute sparse gradients of embedding tables inside the block."""
    for table in tables:
        table.sparse = True
    try:
        yield
    finally:
        for table in tables:
            table.sparse = False
            table.weight.grad = None
