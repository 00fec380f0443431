"""Linear models fitted to random coalitions: KernelSHAP and LIME."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnLasso
from captum.attr import KernelShap, Lime
from torch import Tensor

from sklearn_tree.explain.coalitions import shapley_values
from sklearn_tree.explain.methods.base import Method, refused_method, register_method
from sklearn_tree.explain.request import ExplainedBatch
from sklearn_tree.kinds import StarTable, Trees
from sklearn_tree.randomness import InjectedGenerators, own_generators

_REASON = (
    "Captum removes features of one row per sample, and the rows of recursive nets are nodes; "
    "use 'shapley' instead"
)


def fit_surrogate(explainer: type[KernelShap | Lime], batch: ExplainedBatch) -> Tensor:
    """Fit a linear model to the values of random coalitions of a single sample.

    Parameters
    ----------
    explainer : {KernelShap, Lime}
        Class that weights the coalitions and fits the model: by Shapley's formula, or by similarity with a
        lasso.
    batch : ExplainedBatch
        A single sample. ``params`` may hold ``n_samples``, the number of coalitions, 256 by default.

    Returns
    -------
    Tensor of float
        See :meth:`Inputs.spread`.
    """
    inputs, groups = batch.inputs, batch.groups()
    if groups.max() < 1:  # at most one group: nothing to fit
        phi = shapley_values(batch, groups, 1)
        return inputs.spread(groups, torch.from_numpy(phi).to(groups.device))
    # Captum passes no generators, and a lasso without a seed advances numpy's global generator.
    model = {"interpretable_model": SkLearnLasso(alpha=0.01, random_state=0)} if explainer is Lime else {}
    with own_generators(batch.seed), InjectedGenerators():
        coefficients = explainer(batch.evaluate, **model).attribute(
            inputs.x,
            inputs.x0,
            feature_mask=inputs.expand(groups).clamp(min=0).unsqueeze(0),  # padding equals its baseline
            n_samples=_count_samples(batch.params),
            perturbations_per_eval=batch.limits.n_copies(inputs),
            return_input_shape=False,
        )
    return inputs.spread(groups, coefficients[0].to(groups.device))  # sklearn fits on the CPU


def _count_samples(params: Mapping[str, Any]) -> int:
    return int(params.get("n_samples", 256))


for _name, _explainer in (("kernel_shap", KernelShap), ("lime", Lime)):
    register_method(
        Method(
            name=_name,
            attribute=partial(fit_surrogate, _explainer),
            is_stochastic=True,
            params=("n_samples", "window"),
            n_evaluations=lambda n_groups, params: np.full_like(n_groups, _count_samples(params)),
        )
    )
    register_method(refused_method(_name, lambda net: _REASON, kinds=(Trees, StarTable)))
