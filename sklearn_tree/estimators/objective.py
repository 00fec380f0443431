"""The number that an explainer explains for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

OUTPUTS = ("logit", "margin", "probability")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Function of the net's outputs with one value per sample: a weighted sum or a probability.

    Attributes
    ----------
    names : ndarray, shape (n,)
        Explained class of each sample, or the index of the explained output.
    weights : Tensor of float, shape (n, n_outputs)
        Weights of the outputs; for a probability, 1 at its output.
    head : Tensor of bool, shape (n, n_outputs), or None
        Outputs that a probability is normalised over. None for weighted sums; all False for labels that are
        independent of each other.
    divisors : Tensor of float, shape (n_outputs,), or None
        Numbers by which the outputs are divided first; None for 1.
    unit : float, default=1.0
        Power of two that the explained numbers are multiplied by in double precision. Without it, numbers of
        extreme size become 0 or infinite in single precision.
    """

    names: np.ndarray
    weights: Tensor
    head: Tensor | None = None
    divisors: Tensor | None = None
    unit: float = 1.0

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return the values of k copies of the samples, divided by the unit.

        Parameters
        ----------
        outputs : Tensor of float, shape (k * n, n_outputs)
            Outputs of the net, one copy of all samples after the other.

        Returns
        -------
        Tensor of float, shape (k * n,)
        """
        outputs = outputs if self.divisors is None else outputs / self.divisors
        k = len(outputs) // len(self.weights)
        chosen = (outputs * self.weights.repeat(k, 1)).sum(1)
        if self.head is None:
            return chosen
        if not self.head.any():
            return chosen.sigmoid()
        competing = outputs.masked_fill(~self.head.repeat(k, 1), -torch.inf)
        return (chosen - competing.logsumexp(1)).exp()

    def take(self, rows: Any) -> Objective:
        """Return the objective of some of the samples."""
        positions = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        return Objective(
            names=self.names[positions],
            weights=self.weights[rows],
            head=None if self.head is None else self.head[rows],
            divisors=self.divisors,
            unit=self.unit,
        )


@dataclass(frozen=True)
class Rank:
    """Target to explain: the class whose probability has a rank, 0 for the most probable one."""

    rank: int


def is_predicted(target: Any) -> bool:
    """Return whether the target to explain is the predicted one."""
    return isinstance(target, str) and target == "predicted"


def is_all(target: Any) -> bool:
    """Return whether the most probable classes are to be explained."""
    return isinstance(target, str) and target == "all"


def one_hot(index: Tensor | int, like: Tensor) -> Tensor:
    """Return a tensor of the shape of ``like`` with 1 at one column of each row."""
    columns = torch.as_tensor(index, device=like.device).expand(len(like))
    return torch.zeros_like(like).scatter_(1, columns.unsqueeze(1), 1.0)


def check_index(rule: str, index: Any, n: int) -> int:
    """Return an index below ``n``, or raise ValueError; ``rule`` opens its message: "target must be"."""
    if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not 0 <= index < n:
        raise ValueError(f"{rule} an int in [0, {n - 1}], got {index!r}")
    return int(index)


def find_class(wanted: Any, classes: np.ndarray, name: str = "target") -> int:
    """Return the position of a class, or raise ValueError; ``name`` opens its message."""
    is_array = bool(getattr(wanted, "shape", ()))
    positions = [i for i, known in enumerate(classes.tolist()) if not is_array and known == wanted]
    if not positions:
        raise ValueError(
            f"{name} must be 'predicted' or one of the classes {classes.tolist()}, got {wanted!r}"
        )
    return positions[0]
