"""Dropout with the generators of the enclosing fit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sklearn_tree.randomness import generator_for


class Dropout(nn.Dropout):
    """``torch.nn.Dropout`` that draws from the generators of the enclosing fit.

    Outside of a fit, it draws from torch's global generator. The values are the same for the same seed.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training mode.

        Parameters
        ----------
        x : Tensor of float, any shape
            Input.

        Returns
        -------
        Tensor of float, same shape
        """
        generator = generator_for(x.device) if self.training and 0 < self.p < 1 else None
        if generator is None:
            return super().forward(x)
        keep = 1 - self.p
        return x * torch.empty_like(x).bernoulli_(keep, generator=generator).div_(keep)
