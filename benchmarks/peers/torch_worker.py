"""Base classes of the peers on torch: weights as a module, loss and optimizer."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor, nn
from worker import Net, Task


class TorchNet(Net):
    """Net on torch; subclasses build the module and compute logits with it."""

    def __init__(self, task: Task, n_threads: int) -> None:
        super().__init__(task, n_threads)
        torch.set_num_threads(n_threads)
        self.y = torch.from_numpy(task.y)
        self.module: nn.Module

    @abstractmethod
    def build(self) -> nn.Module:
        """Build the module with the initial weights."""

    @abstractmethod
    def forward(self, start: int, stop: int) -> Tensor:
        """Compute the logits of a range of trees."""

    def reset(self) -> None:
        self.module = self.build()
        self.optimizer = torch.optim.Adagrad(self.module.parameters(), lr=self.task.lr)

    def step(self, start: int, stop: int) -> None:
        self.optimizer.zero_grad()
        nn.functional.cross_entropy(self.forward(start, stop), self.y[start:stop]).backward()
        self.optimizer.step()

    def logits(self, start: int, stop: int) -> np.ndarray:
        with torch.no_grad():
            return self.forward(start, stop).numpy()


class Layers(nn.Module):
    """Weights of the Tree-LSTMs, named as in the file."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.size = weights["head_w"].shape[1]
        table = torch.tensor(weights["embedding"])
        self.embedding = nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0)
        self.W = linear(weights["W"], weights["b"])
        self.U = linear(weights["U"])
        self.U_k = linear(weights["U_k"]) if "U_k" in weights else None
        self.head = linear(weights["head_w"], weights["head_b"])


def linear(weight: np.ndarray, bias: np.ndarray | None = None) -> nn.Linear:
    """Return a linear layer with the given weights."""
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=bias is not None)
    fill(layer, weight, bias)
    return layer


def fill(layer: nn.Linear, weight: np.ndarray, bias: np.ndarray | None = None) -> None:
    """Copy weights into a layer."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
