"""Single samples with their attributions, for metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from sklearn_tree.estimators.objective import Objective
from sklearn_tree.explain.cost import check_cost
from sklearn_tree.explain.explainer import CaptumExplainer
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.methods import Method, find_method
from sklearn_tree.explain.request import ExplainedBatch, Request
from sklearn_tree.explain.runtime import isolate

_FIRST = np.array([0])


@dataclass(frozen=True, kw_only=True)
class ExplainedSample:
    """A single sample, its groups of positions, and their attributions.

    Attributes
    ----------
    method : Method
        Method of the explainer.
    request : Request
        Request to explain the sample. Its objective stays fixed when inputs or weights are perturbed.
    batch : ExplainedBatch
        The sample and the function that evaluates coalitions.
    groups : Tensor of int64
        See :meth:`View.groups`.
    own : ndarray of float
        Attributions of the positions.
    """

    method: Method
    request: Request
    batch: ExplainedBatch
    groups: Tensor
    own: np.ndarray

    @property
    def attributions(self) -> np.ndarray:
        """Attributions of the groups, ndarray of float, shape (n_groups,)."""
        return self.sum_groups(self.own)

    def sum_groups(self, own: np.ndarray) -> np.ndarray:
        """Sum attributions of the positions over each group; ndarray of float, shape (n_groups,)."""
        return self.batch.inputs.sum_groups(self.groups, own)

    def evaluate(self, coalitions: np.ndarray) -> np.ndarray:
        """Evaluate coalitions of the groups, bool, shape (n, n_groups); return float, shape (n,).

        Absent groups are removed as the method removes them, see :class:`Method`.
        """
        return self.method.evaluate(self.batch, self.groups, coalitions) * self.batch.objective.unit

    def explain(self) -> np.ndarray:
        """Compute the attributions of the positions with the current weights of the net."""
        return _explain_first(self.method, self.request)

    def explain_perturbed(self, radius: float, seed: int) -> np.ndarray:
        """Compute the attributions of the positions for perturbed inputs.

        Parameters
        ----------
        radius : float
            Largest absolute value of the noise, which is uniform.
        seed : int
            Seed of the noise.
        """
        known = {field.name: getattr(self.request, field.name) for field in fields(Request)}
        request = _PerturbedRequest(**known, radius=radius, noise_seed=seed)
        return _explain_first(self.method, request)


def explain_each(explainer: CaptumExplainer, X: Any, output: str | None = None) -> Iterator[ExplainedSample]:
    """Explain samples one by one.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    X : samples
        Samples in any form that the explained estimator accepts.
    output : {"logit", "margin", "probability"}, default=None
        Function of the net's outputs that evaluates coalitions; None for the explained one.

    Yields
    ------
    ExplainedSample
    """
    check_is_fitted(explainer, "estimator_")
    net = explainer._explained_net()
    encoded, _ = net.encode(X)
    method = find_method(explainer.method_, net)
    with isolate(net, encoded, explainer._seed):
        check_cost(method, explainer._request(net, encoded, explainer.output))
        for i in range(len(encoded)):
            request = explainer._request(net, encoded[np.array([i])], explainer.output)
            batch = request.batch(_FIRST)
            request = replace(request, choose=_always(batch.objective))
            if output is not None:
                with torch.no_grad():
                    outputs = batch.inputs.outputs(batch.inputs.x)
                objective = explainer._request(net, request.encoded, output).choose(outputs)
                batch = replace(batch, objective=objective)
            own = _explain_first(method, request)
            yield ExplainedSample(method=method, request=request, batch=batch, groups=batch.groups(), own=own)


@dataclass(frozen=True, kw_only=True)
class _PerturbedRequest(Request):
    """Request to explain samples with noise added to their inputs."""

    radius: float
    noise_seed: int

    def inputs(self, rows: np.ndarray) -> Inputs:
        """Build the inputs of the net and add noise to the removable positions."""
        inputs = super().inputs(rows)
        generator = torch.Generator(inputs.x.device).manual_seed(self.noise_seed)
        noise = torch.rand(inputs.x.shape, generator=generator, device=inputs.x.device).to(inputs.x)
        inputs.x = inputs.x + self.radius * (2 * noise - 1) * inputs.removable.unsqueeze(-1)
        return inputs


def _explain_first(method: Method, request: Request) -> np.ndarray:
    return method.run(request, _FIRST).own[0]


def _always(objective: Objective) -> Callable[[Tensor], Objective]:
    return lambda outputs: objective
