"""Losses that torch does not provide."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class MultiOutputCrossEntropy(nn.Module):
    """Cross-entropy of samples with several class labels, from the concatenated logits of all outputs.

    Parameters
    ----------
    n_classes : sequence of int
        Number of classes of each output.
    reduction : {"none", "mean"}, default="mean"
        Reduction of the losses.
    """

    def __init__(self, n_classes: Sequence[int], reduction: str = "mean") -> None:
        super().__init__()
        self.n_classes = list(n_classes)
        self.reduction = reduction

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss.

        Parameters
        ----------
        logits : Tensor of float, shape (n, sum(n_classes))
            Logits of all outputs, concatenated.
        target : Tensor of int64, shape (n, n_outputs)
            Class indices.

        Returns
        -------
        Tensor of float, shape (n, n_outputs), or a scalar
        """
        heads = logits.split(self.n_classes, dim=1)
        columns = [F.cross_entropy(h, y, reduction="none") for h, y in zip(heads, target.T, strict=True)]
        losses = torch.stack(columns, dim=1)
        return losses if self.reduction == "none" else losses.mean()
