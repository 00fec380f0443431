"""Requests for attributions, and their results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.batches import split_by_size
from sklearn_tree.estimators.objective import Objective
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.limits import Limits
from sklearn_tree.explain.views import View, find_view


@dataclass(frozen=True, kw_only=True)
class Request:
    """Samples to explain, and the settings.

    Attributes
    ----------
    net : ExplainedNet
        The net.
    view : View
        View of the net's kind of samples.
    encoded : encoded samples
        The samples.
    choose : callable
        Returns the :class:`Objective` for outputs of the net, shape (n, n_outputs).
    baseline : Tensor or str
        See :meth:`View.inputs`.
    zero_states : bool
        Whether a removed subtree gets states of zero, instead of the baseline at each of its nodes.
    limits : Limits
        Limits of memory and accuracy.
    params : mapping
        ``method_params`` of the explainer.
    seed : int
        Seed of stochastic methods.
    """

    net: ExplainedNet
    view: View
    encoded: Any
    choose: Callable[[Tensor], Objective]
    baseline: Tensor | str
    zero_states: bool
    limits: Limits
    params: Mapping[str, Any]
    seed: int

    def chunks(self, *, one_by_one: bool = False) -> list[np.ndarray]:
        """Return indices of samples that are computed together: similar in size, within the limits."""
        sizes = np.maximum(self.net.kind.n_positions(self.encoded), 1)
        order = np.argsort(sizes, kind="stable")
        sizes = np.full_like(sizes, self.limits.max_rows) if one_by_one else sizes[order]
        return split_by_size(order, sizes, self.limits.max_rows)

    def inputs(self, rows: np.ndarray) -> Inputs:
        """Build the inputs of the net for some samples."""
        return self.view.inputs(self.net, self.encoded, rows, self.baseline)

    def batch(self, rows: np.ndarray) -> ExplainedBatch:
        """Build the inputs for some samples, choose the objective and compute its values."""
        inputs = self.inputs(rows)
        with torch.no_grad():
            outputs = inputs.outputs(inputs.x)
            objective = self.choose(outputs)
            values, baseline_values = objective(outputs), objective(inputs.outputs(inputs.x0))
        return ExplainedBatch(
            request=self,
            rows=rows,
            inputs=inputs,
            objective=objective,
            values=values,
            baseline_values=baseline_values,
        )


def make_request(explainer: Any, net: ExplainedNet, encoded: Any, output: str) -> Request:
    """Return the request to explain an output of a net.

    Parameters
    ----------
    explainer : CaptumExplainer
        A fitted explainer.
    net : ExplainedNet
        Its net.
    encoded : encoded samples
        The samples.
    output : {"logit", "margin", "probability"}
        Function of the net's outputs.
    """
    baseline = explainer.baseline_
    return Request(
        net=net,
        view=find_view(net.kind),
        encoded=encoded,
        choose=lambda outputs: net.target.explained(outputs, explainer.target, output),
        baseline=baseline if isinstance(baseline, str) else torch.from_numpy(baseline.copy()),
        zero_states=explainer._zero_states,
        limits=Limits(
            n_steps=explainer.n_steps,
            max_steps=explainer.max_steps,
            tol=explainer.tol,
            max_rows=explainer.max_rows,
            max_total_rows=explainer.max_total_rows,
        ),
        params=explainer.method_params or {},
        seed=explainer._seed,
    )


@dataclass(frozen=True, kw_only=True)
class ExplainedBatch:
    """Batch of samples and the function of their inputs that is explained.

    Attributes
    ----------
    request : Request
        The request.
    rows : ndarray of int, shape (n,)
        Indices of the samples.
    inputs : Inputs
        Inputs of the net and their baselines.
    objective : Objective
        Function of the net's outputs.
    values, baseline_values : Tensor of float, shape (n,)
        The function at the inputs and at their baselines. Like all its values, they are divided by the
        objective's unit.
    """

    request: Request
    rows: np.ndarray
    inputs: Inputs
    objective: Objective
    values: Tensor
    baseline_values: Tensor

    @property
    def difference(self) -> Tensor:
        """Differences between the values and the baseline values, Tensor of float, shape (n,)."""
        return self.values - self.baseline_values

    @property
    def limits(self) -> Limits:
        """Limits of memory and accuracy."""
        return self.request.limits

    @property
    def params(self) -> Mapping[str, Any]:
        """``method_params`` of the explainer."""
        return self.request.params

    @property
    def seed(self) -> int:
        """Seed of stochastic methods."""
        return self.request.seed

    def evaluate(self, x: Tensor) -> Tensor:
        """Compute the explained function for k copies of all rows, shape (k * n,)."""
        return self.objective(self.inputs.outputs(x))

    def evaluate_sum(self, x: Tensor) -> Tensor:
        """Sum the explained function over all samples and copies, shape (1,).

        Samples are independent, so the gradient of the sum holds the gradient of each sample.
        """
        return self.evaluate(x).sum().unsqueeze(0)

    def groups(self) -> Tensor:
        """Assign the positions of a single sample to groups, see :meth:`View.groups`."""
        return self.request.view.groups(self.inputs, self.params)

    def take(self, rows: Tensor) -> ExplainedBatch:
        """Return the batch of some of the samples, with padding for these only."""
        chosen = self.rows[rows.cpu().numpy()]
        return ExplainedBatch(
            request=self.request,
            rows=chosen,
            inputs=self.request.inputs(chosen),
            objective=self.objective.take(rows),
            values=self.values[rows],
            baseline_values=self.baseline_values[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Attributions:
    """Attributions of some samples.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Indices of the samples.
    attributions, own : list of ndarray of float, length n
        See :class:`Explanations`.
    values, baseline_values : ndarray of float, shape (n,)
        Values of the explained function.
    targets : ndarray, shape (n,)
        Names of the explained classes or outputs.
    """

    rows: np.ndarray
    attributions: list[np.ndarray]
    own: list[np.ndarray]
    values: np.ndarray
    baseline_values: np.ndarray
    targets: np.ndarray

    @classmethod
    def allocate(cls, n: int) -> Attributions:
        """Return empty attributions of ``n`` samples, to be filled by :meth:`insert`."""
        return cls(
            rows=np.arange(n),
            attributions=[np.zeros(0)] * n,
            own=[np.zeros(0)] * n,
            values=np.empty(n),
            baseline_values=np.empty(n),
            targets=np.empty(n, dtype=object),
        )

    def times(self, unit: float) -> Attributions:
        """Return the attributions with all numbers multiplied by a unit, see :class:`Objective`."""
        if unit == 1:
            return self
        return replace(
            self,
            attributions=[part * unit for part in self.attributions],
            own=[part * unit for part in self.own],
            values=self.values * np.float64(unit),
            baseline_values=self.baseline_values * np.float64(unit),
        )

    def insert(self, part: Attributions) -> None:
        """Store the attributions of some of the samples."""
        for k, i in enumerate(part.rows):
            self.attributions[i], self.own[i] = part.attributions[k], part.own[k]
            self.targets[i] = part.targets[k]
        self.values[part.rows] = part.values
        self.baseline_values[part.rows] = part.baseline_values
