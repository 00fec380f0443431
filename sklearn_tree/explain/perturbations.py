"""Methods of Captum's that take inputs away, on texts, tables, series and images, and Grad-CAM."""

from __future__ import annotations

import math
from typing import Any

import torch
from captum.attr import FeatureAblation, KernelShap, LayerGradCam, Lime, Occlusion
from sklearn.utils import check_random_state
from torch import Tensor, nn

from sklearn_tree.explain.coalitions import shapley
from sklearn_tree.explain.gradients import VECTORS, Budget, forward_of
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.objective import Objective

_PIECES = 7  # windows along an axis of an image, unless the user says otherwise
_STEPS = 10  # windows along a series


def players_of(inputs: Inputs, params: dict[str, Any]) -> Tensor:
    """Number what is taken away together: a node, a token, a column, a window of a channel, or a patch.

    Parameters
    ----------
    inputs : Inputs
        Samples of one size.
    params : dict
        ``window``: length of the windows of series (a tenth of the steps), side of the patches of images (a
        seventh of the longer side).

    Returns
    -------
    Tensor of int64
        Shape (n_rows,) of trees, (n_steps,) of tokens and tables, (n_steps, n_channels) of series,
        (height, width, 1) of images; -1 for what cannot be taken away.
    """
    is_player, device = inputs.is_player, inputs.x.device
    if inputs.subject.kind == "images":
        height, width = is_player.shape[1:]
        side = int(params.get("window", math.ceil(max(height, width) / _PIECES)))
        per_row = math.ceil(width / side)
        rows, columns = torch.arange(height) // side, torch.arange(width) // side
        return (rows[:, None] * per_row + columns).unsqueeze(-1).to(device)
    if inputs.subject.kind == "series":
        n_steps, n_channels = inputs.x.shape[1:]
        length = int(params.get("window", math.ceil(n_steps / _STEPS)))
        windows = torch.arange(n_steps) // length
        return (windows[:, None] * n_channels + torch.arange(n_channels)).to(device)
    flags = is_player if is_player.ndim == 1 else is_player[0]
    return torch.where(flags, flags.cumsum(0) - 1, -1)


def spread(inputs: Inputs, players: Tensor, numbers: Tensor) -> Tensor:
    """Share out what a player gets among its positions.

    Parameters
    ----------
    inputs : Inputs
        One sample.
    players : Tensor of int64
        See :func:`players_of`.
    numbers : Tensor of float, shape (n_players,)
        What each gets.

    Returns
    -------
    Tensor of float
        Shape (n_rows,) of trees, (1, n_steps) of tokens and tables, otherwise the shape of ``inputs.x``;
        it sums to what the numbers sum to.
    """
    padded = torch.cat([numbers, numbers.new_zeros(1)])  # the last is nobody's
    if inputs.subject.kind not in ("series", "images"):
        found = padded[players]
        return found if inputs.subject.is_tree_net else found.unsqueeze(0)
    full = players.expand(inputs.x.shape[1:])
    counts = torch.bincount(full.flatten(), minlength=len(numbers))
    return (padded[:-1] / counts)[full].unsqueeze(0)


def ablation(inputs: Inputs, objective: Objective, budget: Budget, params: dict[str, Any]) -> Tensor:
    """Compute by how much the objective falls when each player alone is taken away.

    Samples of one batch are padded alike; a player that is padding changes nothing.

    Returns
    -------
    Tensor of float
        Shape (n, n_steps) of tokens and tables, otherwise the shape of ``inputs.x``: each position has a
        share of what its window or patch gets.
    """
    players = players_of(inputs, params)
    if inputs.subject.kind in ("tokens", "table"):
        players = torch.arange(inputs.x.shape[1], device=inputs.x.device).unsqueeze(-1)
    mask = players.expand(inputs.x.shape[1:]).unsqueeze(0)
    found = FeatureAblation(forward_of(inputs, objective)).attribute(
        inputs.x, inputs.x0, feature_mask=mask, perturbations_per_eval=budget.copies(inputs)
    )
    if inputs.subject.kind in ("tokens", "table"):
        return found[..., 0]
    return found / torch.bincount(mask.flatten())[mask]


def sliding_occlusion(inputs: Inputs, objective: Objective, budget: Budget, params: dict[str, Any]) -> Tensor:
    """Compute by how much the objective falls below a window that slides over series or images.

    Parameters
    ----------
    inputs, objective, budget
        As everywhere.
    params : dict
        ``window``: its length or side; ``stride``: by how much it moves, half of it by default.

    Returns
    -------
    Tensor of float, shape of ``inputs.x``
        The mean over the windows above a position, a share of it per position.
    """
    sizes, n_channels = inputs.x.shape[1:-1], inputs.x.shape[-1]
    is_image = inputs.subject.kind == "images"
    usual = max(math.ceil(max(sizes) / (_PIECES if is_image else _STEPS)), int(params.get("stride", 1)))
    window = min(int(params.get("window", usual)), *sizes)
    stride = min(int(params.get("stride", max(1, window // 2))), window)
    shape = (*(window for _ in sizes), n_channels if is_image else 1)
    found = Occlusion(forward_of(inputs, objective)).attribute(
        inputs.x,
        sliding_window_shapes=shape,
        strides=(*(stride for _ in sizes), shape[-1]),
        baselines=inputs.x0,
        perturbations_per_eval=budget.copies(inputs),
    )
    return found / math.prod(shape)


def surrogate(
    method: str, inputs: Inputs, objective: Objective, budget: Budget, params: dict[str, Any], seed: int
) -> Tensor:
    """Fit a linear model to the objective of random coalitions of one sample.

    Parameters
    ----------
    method : {"kernel_shap", "lime"}
        With the weights of Shapley's formula, or with those of LIME and a lasso.
    inputs, objective, budget
        As everywhere.
    params : dict
        ``n_samples``: number of coalitions, 256 by default; ``window``, see :func:`players_of`.
    seed : int
        Seed of the coalitions. torch's global generators must be forked by the caller.

    Returns
    -------
    Tensor of float
        See :func:`spread`.
    """
    torch.manual_seed(seed)
    players = players_of(inputs, params)
    if players.max() < 1:  # nobody but one: nothing to fit
        phi = shapley(inputs, objective, players, budget, 1, seed)
        return spread(inputs, players, torch.from_numpy(phi).to(players.device))
    mask = players.view(*players.shape, *(1,) * (inputs.x.ndim - 1 - players.ndim))
    mask = mask.expand(inputs.x.shape[1:]).unsqueeze(0)
    explainer = (KernelShap if method == "kernel_shap" else Lime)(forward_of(inputs, objective))
    generator = check_random_state(None)  # numpy's own, which the lasso draws from
    state = generator.get_state()
    try:
        found = explainer.attribute(
            inputs.x,
            inputs.x0,
            feature_mask=mask,
            n_samples=int(params.get("n_samples", 256)),
            perturbations_per_eval=budget.copies(inputs),
            return_input_shape=False,
        )
    finally:
        generator.set_state(state)
    return spread(inputs, players, found[0])


class _Stages(nn.Module):
    """A convolutional net in two stages, the filters' answers between them, channels first."""

    def __init__(self, inputs: Inputs, objective: Objective) -> None:
        super().__init__()
        self.inputs, self.objective = inputs, objective
        self.answers = _Answers(inputs)

    def forward(self, x: Tensor) -> Tensor:
        answers = self.answers(x).permute(0, 2, 3, 1)
        return self.objective(self.inputs.module.decide(answers, self.inputs.batch))


class _Answers(nn.Module):
    def __init__(self, inputs: Inputs) -> None:
        super().__init__()
        self.inputs = inputs

    def forward(self, x: Tensor) -> Tensor:
        return self.inputs.module.features(x, self.inputs.batch).permute(0, 3, 1, 2)


def grad_cam(inputs: Inputs, objective: Objective) -> Tensor:
    """Weigh the last block's answers by their mean gradient [1]_; of images, scaled up to their size.

    Parameters
    ----------
    inputs : Inputs
        Sequences or images of a convolutional net.
    objective : Objective
        What is explained.

    Returns
    -------
    Tensor of float
        Shape (n, n_steps) of tokens and tables, otherwise the shape of ``inputs.x``: channels have equal
        shares.

    References
    ----------
    .. [1] R. Selvaraju et al. (2017). Grad-CAM: Visual Explanations from Deep Networks. ICCV.
    """
    stages = _Stages(inputs, objective)
    x = inputs.x.detach().requires_grad_()
    heat = LayerGradCam(stages, stages.answers).attribute(x).detach()  # (n, 1, height, width)
    if inputs.subject.kind == "images":
        heat = nn.functional.interpolate(heat, inputs.x.shape[1:3], mode="bilinear", align_corners=False)
        heat = heat[:, 0]
    else:  # padding has no gradient, but counts in Captum's mean over the steps
        n_steps = inputs.is_player.sum(1, keepdim=True).clamp(min=1)
        heat = heat[:, 0, 0] * inputs.is_player * (heat.shape[-1] / n_steps)
    if inputs.subject.kind in VECTORS:
        return heat
    return (heat.unsqueeze(-1) / inputs.x.shape[-1]).expand(inputs.x.shape)
