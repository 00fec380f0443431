"""Losses of classifiers, whose label smoothing applies in training mode only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class SmoothedCrossEntropy(nn.CrossEntropyLoss):
    """``torch.nn.CrossEntropyLoss`` that smooths labels in training mode only.

    In evaluation mode it is the log loss of the predicted probabilities.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import SmoothedCrossEntropy
    >>> loss = SmoothedCrossEntropy(label_smoothing=0.1)
    >>> logits, target = torch.tensor([[4.0, 0.0]]), torch.tensor([0])
    >>> round(loss.train()(logits, target).item(), 3), round(loss.eval()(logits, target).item(), 3)
    (0.218, 0.018)
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss.

        Parameters
        ----------
        logits : Tensor of float, shape (n, n_classes)
            Logits.
        target : Tensor of int64, shape (n,)
            Class indices.

        Returns
        -------
        Tensor of float, shape (n,), or a scalar
        """
        return F.cross_entropy(
            logits,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing if self.training else 0.0,
        )


class SmoothedBinaryCrossEntropy(nn.BCEWithLogitsLoss):
    """``torch.nn.BCEWithLogitsLoss`` with label smoothing in training mode.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        In training mode, targets of 0 become ``label_smoothing / 2`` and targets of 1 become
        ``1 - label_smoothing / 2``.
    **params : dict
        Parameters of ``torch.nn.BCEWithLogitsLoss``.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import SmoothedBinaryCrossEntropy
    >>> loss = SmoothedBinaryCrossEntropy(label_smoothing=0.1)
    >>> logits, target = torch.tensor([[4.0, -4.0]]), torch.tensor([[1.0, 0.0]])
    >>> round(loss.train()(logits, target).item(), 3), round(loss.eval()(logits, target).item(), 3)
    (0.218, 0.018)
    """

    def __init__(self, label_smoothing: float = 0.0, **params: Any) -> None:
        super().__init__(**params)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compute the loss.

        Parameters
        ----------
        logits : Tensor of float, shape (n, n_labels)
            Logits.
        target : Tensor of float, shape (n, n_labels)
            1 for each label that a sample has, otherwise 0.

        Returns
        -------
        Tensor of float, shape (n, n_labels), or a scalar
        """
        if self.training and self.label_smoothing:
            target = target * (1 - self.label_smoothing) + self.label_smoothing / 2
        return super().forward(logits, target)


class MultiOutputCrossEntropy(nn.Module):
    """Cross-entropy of samples with several class labels, from the concatenated logits of all outputs.

    Parameters
    ----------
    n_classes : sequence of int
        Number of classes of each output.
    reduction : {"none", "mean"}, default="mean"
        Reduction of the losses.
    label_smoothing : float, default=0.0
        Label smoothing of each output in training mode, see ``torch.nn.CrossEntropyLoss``.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree.nn import MultiOutputCrossEntropy
    >>> loss = MultiOutputCrossEntropy(n_classes=[3, 2])
    >>> logits = torch.tensor([[9.0, 0.0, 0.0, 0.0, 9.0]])  # three of the first output, two of the second
    >>> [round(loss(logits, torch.tensor([target])).item(), 2) for target in ([0, 1], [2, 0])]
    [0.0, 9.0]
    """

    def __init__(
        self, n_classes: Sequence[int], reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__()
        self.n_classes = list(n_classes)
        self.reduction = reduction
        self.label_smoothing = label_smoothing

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
        smoothing = self.label_smoothing if self.training else 0.0
        columns = [
            F.cross_entropy(head, y, reduction="none", label_smoothing=smoothing)
            for head, y in zip(heads, target.T, strict=True)
        ]
        losses = torch.stack(columns, dim=1)
        return losses if self.reduction == "none" else losses.mean()
