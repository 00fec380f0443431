"""Shapley values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sklearn_tree.explain.coalitions import count_coalitions, shapley_values
from sklearn_tree.explain.methods.base import Method, register_method
from sklearn_tree.explain.request import ExplainedBatch


def shapley(batch: ExplainedBatch) -> Tensor:
    """Compute the Shapley values of the groups of a single sample and spread them over the positions.

    Parameters
    ----------
    batch : ExplainedBatch
        A single sample. ``params`` may hold ``n_samples``, the number of random orders, 25 by default.

    Returns
    -------
    Tensor of float
        See :meth:`Inputs.spread`.
    """
    groups = batch.groups()
    phi = shapley_values(batch, groups, _count_orders(batch.params))
    return batch.inputs.spread(groups, torch.from_numpy(phi).to(groups.device))


def _count_orders(params: Mapping[str, Any]) -> int:
    return int(params.get("n_samples", 25))


register_method(
    Method(
        name="shapley",
        attribute=shapley,
        is_stochastic=True,
        params=("n_samples", "window"),
        n_evaluations=lambda n_groups, params: count_coalitions(n_groups, _count_orders(params)),
    )
)
