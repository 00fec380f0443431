"""``Objective``: the one number of a sample that is explained."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.opened import class_heads, target_scale

OUTPUTS = ("logit", "margin", "probability")


class Objective(NamedTuple):
    """What is explained of each sample: a weighted sum of the net's outputs, or a probability.

    Attributes
    ----------
    names : ndarray, shape (n,)
        The class or output explained, as users call it.
    weights : Tensor of float, shape (n, n_outputs)
        Weights of the outputs; of a probability, 1 at its output.
    head : Tensor of bool, shape (n, n_outputs), or None
        Outputs that a probability competes with; None without probabilities, all False where outputs
        are independent.
    """

    names: np.ndarray
    weights: Tensor
    head: Tensor | None = None

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return the numbers of k copies, shape (k * n,), from their outputs, shape (k * n, n_outputs)."""
        k = len(outputs) // len(self.weights)
        chosen = (outputs * self.weights.repeat(k, 1)).sum(1)
        if self.head is None:
            return chosen
        if not self.head.any():
            return chosen.sigmoid()
        rivals = outputs.masked_fill(~self.head.repeat(k, 1), -torch.inf)
        return (chosen - rivals.logsumexp(1)).exp()

    def take(self, rows: Any) -> Objective:
        """Return the objective of some of the samples."""
        head = None if self.head is None else self.head[rows]
        numbers = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        return Objective(self.names[numbers], self.weights[rows], head)


def make_objective(net: BaseNet, outputs: Tensor, target: Any, output: str) -> Objective:
    """Choose what is explained of each sample.

    Parameters
    ----------
    net : BaseNet
        The fitted net.
    outputs : Tensor of float, shape (n, n_outputs)
        What its module says of the samples.
    target : "predicted", class, int or tuple
        A class of a classifier, the number of a label or of a regressor's column; for several outputs
        ``(output, class)``.
    output : {"margin", "logit", "probability"}
        What of it.

    Returns
    -------
    Objective

    Raises
    ------
    ValueError
        If there is no such target.
    """
    scale = target_scale(net)
    if scale is not None:
        column = (
            0 if _is_predicted(target) else _number("target must be 'predicted' or", target, outputs.shape[1])
        )
        weights = _one_hot(column, outputs) * torch.as_tensor(scale[1]).to(outputs)
        return Objective(np.full(len(outputs), column), weights)
    heads = class_heads(net)
    n = outputs.shape[1]
    if heads is None:  # labels that hold or not, each by itself
        chosen = (
            outputs.argmax(1)
            if _is_predicted(target)
            else _number("target must be 'predicted' or", target, n)
        )
        weights = _one_hot(chosen, outputs)
        no_rivals = torch.zeros_like(weights, dtype=torch.bool) if output == "probability" else None
        return Objective(weights.argmax(1).cpu().numpy(), weights, no_rivals)
    column, wanted = 0, target
    if len(heads) > 1 and isinstance(target, tuple) and len(target) == 2:
        column, wanted = target
        column = _number("target[0] must be", column, len(heads))
    elif len(heads) > 1 and not _is_predicted(target):
        raise ValueError(f"target must be (output, class) for {len(heads)} outputs, got {target!r}")
    first = sum(len(head) for head in heads[:column])
    classes = np.asarray(heads[column])
    logits = outputs[:, first : first + len(classes)]
    chosen = logits.argmax(1) if _is_predicted(wanted) else _position(wanted, classes)
    weights = _one_hot(chosen, logits)
    names = classes[weights.argmax(1).cpu().numpy()]
    pad = (first, n - first - len(classes))
    head = None
    if output == "probability":
        head = torch.nn.functional.pad(torch.ones_like(weights, dtype=torch.bool), pad)
    elif output == "margin" and len(classes) > 1:
        weights = weights - (1 - weights) / (len(classes) - 1)
    return Objective(names, torch.nn.functional.pad(weights, pad), head)


def offset_of(net: BaseNet, targets: np.ndarray) -> np.ndarray:
    """Return what a regressor adds to its outputs' numbers, ndarray of float, shape (n,); else zeros."""
    scale = target_scale(net)
    return np.zeros(len(targets)) if scale is None else np.asarray(scale[0])[targets]


def _is_predicted(target: Any) -> bool:
    return isinstance(target, str) and target == "predicted"


def _one_hot(chosen: Tensor | int, like: Tensor) -> Tensor:
    weights = torch.zeros_like(like)
    index = torch.as_tensor(chosen, device=like.device).expand(len(like))
    return weights.scatter_(1, index.unsqueeze(1), 1.0)


def _number(rule: str, number: Any, n: int) -> int:
    if not isinstance(number, (int, np.integer)) or not 0 <= number < n:
        raise ValueError(f"{rule} an int from 0 to {n - 1}, got {number!r}")
    return int(number)


def _position(wanted: Any, classes: np.ndarray) -> int:
    is_array = bool(getattr(wanted, "shape", ()))
    found = [i for i, known in enumerate(classes.tolist()) if not is_array and known == wanted]
    if not found:
        raise ValueError(
            f"target must be 'predicted' or one of the classes {classes.tolist()}, got {wanted!r}"
        )
    return found[0]
