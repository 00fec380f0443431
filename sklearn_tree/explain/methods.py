"""Which methods there are, which are right for which net, and how each is computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.estimators.batches import split_by_size
from sklearn_tree.explain.ancestors import NodeStates
from sklearn_tree.explain.coalitions import shapley
from sklearn_tree.explain.gradients import (
    Budget,
    adaptive_integral,
    gradient,
    noisy,
    per_position,
)
from sklearn_tree.explain.inputs import make_inputs
from sklearn_tree.explain.objective import Objective
from sklearn_tree.explain.occlusion import occlusion, phrase_values
from sklearn_tree.explain.perturbations import (
    ablation,
    grad_cam,
    players_of,
    sliding_occlusion,
    spread,
    surrogate,
)
from sklearn_tree.explain.subject import Subject, n_positions_of
from sklearn_tree.trees import RaggedArray, TreeArray
from sklearn_tree.trees.array import nodes_by_depth

_GRADIENTS = {"gradient_shap", "input_x_gradient", "integrated_gradients", "saliency"}
_TREES_ALONE = {"interaction", "node_prediction"}
_PARAMS = {"n_samples", "stdevs", "stride", "window"}
_OF_NODES = ("interaction", "node_prediction", "occlusion")
_DRAW = ("gradient_shap", "kernel_shap", "lime", "noise_tunnel", "shapley")
# Captum has them; on these nets their results would be wrong without a word.
_REFUSED = {"deconvolution", "deep_lift", "deep_lift_shap", "guided_backprop", "guided_grad_cam", "lrp"}
_WHY_RECURRENT = (
    "it has rules for feed-forward layers only: through the products of states and gates in recurrent and "
    "recursive cells its numbers do not add up, and no warning says so"
)
_WHY_CONVOLUTIONAL = (
    "it has no rule for layer normalisation and pooling without modules, which these nets have: its "
    "numbers do not add up"
)


def default_method(subject: Subject) -> str:
    """Return the method that "auto" stands for."""
    return "integrated_gradients" if subject.kind in ("series", "table") else "occlusion"


def check_method(method: str, subject: Subject) -> None:
    """Refuse methods that do not exist or are wrong for a net.

    Raises
    ------
    ValueError
        With the reason.
    """
    name, inner = split_method(method)
    net = type(subject.net).__name__
    is_tree = subject.kind == "trees"
    if name in _REFUSED or inner in _REFUSED:
        why = _WHY_RECURRENT if subject.is_recurrent else _WHY_CONVOLUTIONAL
        raise ValueError(f"method={method!r} is not for {net}: {why}; take 'integrated_gradients'")
    known = {*_GRADIENTS, "occlusion", "shapley", *(_TREES_ALONE if is_tree else {"feature_ablation"})}
    known |= set() if subject.is_tree_net else {"kernel_shap", "lime"}
    known |= set() if subject.is_recurrent else {"grad_cam"}
    is_noise = name == "noise_tunnel" and inner in _GRADIENTS - {"gradient_shap"}
    if not is_noise and (inner or name not in known):
        shown = sorted([*known, "noise_tunnel(saliency)"])
        raise ValueError(f"method must be one of {shown} for {net} on {subject.kind}, got {method!r}")


def check_params(params: dict[str, Any]) -> None:
    """Refuse further parameters that no method has, or values that none can have.

    Raises
    ------
    ValueError
        With the name, the rule and the value.
    """
    for name, value in params.items():
        if name not in _PARAMS:
            raise ValueError(f"method_params must hold {sorted(_PARAMS)} only, got {name!r}")
        if name == "stdevs" and not (isinstance(value, (int, float)) and value >= 0):
            raise ValueError(f"method_params['stdevs'] must be a number from 0, got {value!r}")
        if name != "stdevs" and not (isinstance(value, (int, np.integer)) and value > 0):
            raise ValueError(f"method_params[{name!r}] must be a positive int, got {value!r}")
    window, stride = params.get("window"), params.get("stride", 1)
    if window and stride > window:
        raise ValueError(f"method_params['stride'] must be at most the window, {window}, got {stride!r}")


def split_method(method: str) -> tuple[str, str]:
    """Split ``"noise_tunnel(saliency)"`` into both names; the second is "" for other methods."""
    match = re.fullmatch(r"noise_tunnel\((\w+)\)", method.replace(" ", ""))
    return ("noise_tunnel", match[1]) if match else (method, "")


class Task(NamedTuple):
    """What is to be explained of which samples, and how.

    Attributes
    ----------
    subject : Subject
        The net.
    encoded : TreeArray, RaggedArray, ndarray or Tensor
        The samples.
    choose : callable
        Makes the :class:`Objective` of samples of what the module says of them, shape (n, n_outputs).
    method : str
        The method.
    baseline : Tensor or str
        What stands for an absent input, see :class:`Inputs`.
    by_state : bool
        Whether a subtree is taken away by states of zero.
    budget : Budget
        Limits.
    params : dict
        Further parameters of the method.
    seed : int
        Seed of the methods that draw.
    jitter : float
        Noise that is added to the inputs, uniform between minus and plus this.
    jitter_seed : int
        Seed of that noise: what the methods draw stays as it is.
    """

    subject: Subject
    encoded: Any
    choose: Callable[[Tensor], Objective]
    method: str
    baseline: Tensor | str
    by_state: bool
    budget: Budget
    params: dict[str, Any]
    seed: int
    jitter: float = 0.0
    jitter_seed: int = 0

    def inputs(self, rows: np.ndarray) -> Any:
        """Return the inputs of some samples."""
        inputs = make_inputs(self.subject, self.encoded[rows], self.baseline)
        if self.jitter:
            generator = torch.Generator(inputs.x.device).manual_seed(self.jitter_seed)
            noise = torch.rand(inputs.x.shape, generator=generator, device=inputs.x.device).to(inputs.x)
            inputs.x = inputs.x + self.jitter * (2 * noise - 1) * inputs.is_player.unsqueeze(-1)
        return inputs


class Found(NamedTuple):
    """What was found for some samples.

    Attributes
    ----------
    rows : ndarray of int
        The samples.
    attributions, own : list of ndarray
        See :class:`Explanations`.
    values, baseline_values : ndarray of float
        The explained numbers.
    targets : ndarray
        What they are the numbers of, see :class:`Objective`.
    """

    rows: np.ndarray
    attributions: list[np.ndarray]
    own: list[np.ndarray]
    values: np.ndarray
    baseline_values: np.ndarray
    targets: np.ndarray


def attribute(task: Task) -> Iterator[Found]:
    """Compute the attributions of all samples, chunk by chunk.

    Parameters
    ----------
    task : Task
        What is to be done.

    Yields
    ------
    Found
        Chunks of samples of similar size, until all are done.
    """
    sizes = n_positions_of(task.encoded)
    order = np.argsort(sizes, kind="stable")
    name, inner = split_method(task.method)
    # What is drawn, and windows that depend on a length, are those of one sample, whatever the others.
    sizes = np.full_like(sizes, task.budget.max_rows) if _goes_by_itself(task, name) else sizes[order]
    for rows in split_by_size(order, sizes, task.budget.max_rows):
        yield _chunk(task, name, inner, rows)


def _goes_by_itself(task: Task, name: str) -> bool:
    has_windows = name in ("feature_ablation", "occlusion") and task.subject.kind == "series"
    return name in _DRAW or (has_windows and isinstance(task.encoded, RaggedArray))


def _chunk(task: Task, name: str, inner: str, rows: np.ndarray) -> Found:
    inputs = task.inputs(rows)
    if task.subject.kind == "trees" and name in _OF_NODES:
        objective, values, without, attributions, parts = _of_nodes(task, name, inputs)
    else:
        with torch.no_grad():
            outputs = inputs.outputs(inputs.x)
            objective = task.choose(outputs)
            values, without = objective(outputs), objective(inputs.outputs(inputs.x0))
        parts = _of_inputs(task, name, inner, rows, inputs, objective, values - without)
        is_tree = task.subject.kind == "trees"
        attributions = summed_up(inputs.array, parts) if is_tree else parts
    return Found(rows, attributions, parts, values.cpu().numpy(), without.cpu().numpy(), objective.names)


def _of_nodes(task: Task, name: str, inputs: Any) -> tuple[Objective, Tensor, Tensor, list, list]:
    """Return the objective, its values, those of the baseline, and the numbers of subtrees and of inputs."""
    with torch.no_grad():
        forest = NodeStates(inputs)
        outputs = forest.outputs()
        objective = task.choose(outputs)
        values = objective(outputs)
        if name == "node_prediction":
            numbers = phrase_values(forest, objective)
            without = objective(inputs.outputs(inputs.x0))
            return objective, values, without, inputs.split(numbers), inputs.split(numbers * inputs.is_leaf)
        subtrees, own = occlusion(forest, objective, task.budget, by_state=task.by_state)
        without = values - subtrees[torch.from_numpy(inputs.array.offsets[:-1]).to(values.device)]
        if name == "interaction":
            subtrees = subtrees - children_summed(inputs.array, subtrees)
        return objective, values, without, inputs.split(subtrees), inputs.split(own)


def _of_inputs(
    task: Task, name: str, inner: str, rows: np.ndarray, inputs: Any, objective: Objective, change: Tensor
) -> list[np.ndarray]:
    """Return the numbers of each node's own input, token, column, step or pixel."""
    budget, params, seed = task.budget, task.params, task.seed
    if not inputs.n_rows:  # trees without labels
        return inputs.split(inputs.x.sum(-1))
    if name == "integrated_gradients":
        return adaptive_integral(inputs, objective, change, budget, lambda part: task.inputs(rows[part]))
    if name == "shapley":
        players = players_of(inputs, params)
        phi = shapley(inputs, objective, players, budget, int(params.get("n_samples", 25)), seed)
        return per_position(inputs, spread(inputs, players, torch.from_numpy(phi).to(players.device)))
    if name in ("gradient_shap", "noise_tunnel"):
        return per_position(inputs, noisy(inner or name, inputs, objective, budget, params, seed))
    if name in ("kernel_shap", "lime"):
        return per_position(inputs, surrogate(name, inputs, objective, budget, params, seed))
    if name == "grad_cam":
        return per_position(inputs, grad_cam(inputs, objective))
    if name not in ("feature_ablation", "occlusion"):
        return per_position(inputs, gradient(name, inputs, objective))
    if task.subject.is_tree_net:  # the star of a table's row
        return inputs.split(occlusion(NodeStates(inputs), objective, budget, by_state=False)[1])
    is_sliding = name == "occlusion" and task.subject.kind in ("series", "images")
    return per_position(
        inputs, (sliding_occlusion if is_sliding else ablation)(inputs, objective, budget, params)
    )


def summed_up(array: TreeArray, own: list[np.ndarray]) -> list[np.ndarray]:
    """Sum the numbers in each subtree, a list of arrays as ``own`` is."""
    total, parents = np.concatenate(own), array.absolute_parents
    for nodes in nodes_by_depth(array.depths)[:0:-1]:
        np.add.at(total, parents[nodes], total[nodes])
    return np.split(total, array.offsets[1:-1])


def children_summed(array: TreeArray, numbers: Tensor) -> Tensor:
    """Sum the numbers of each node's children, Tensor of float, shape (n_nodes,)."""
    parents = torch.from_numpy(array.absolute_parents).to(numbers.device)
    below = parents >= 0
    return torch.zeros_like(numbers).index_add(0, parents[below], numbers[below])
