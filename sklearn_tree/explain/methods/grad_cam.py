"""Grad-CAM."""

from __future__ import annotations

from typing import Any

from captum.attr import LayerGradCam
from torch import Tensor, nn

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods.base import Method, register_method
from sklearn_tree.explain.request import ExplainedBatch


def grad_cam(batch: ExplainedBatch) -> Tensor:
    """Weight the last feature maps by their mean gradients [1]_, and scale them up to the samples.

    Parameters
    ----------
    batch : ExplainedBatch
        Sequences or images that a convolutional net reads.

    Returns
    -------
    Tensor of float
        Shape (n, n_positions) for embedded positions, otherwise the shape of ``batch.inputs.x``, with equal
        attributions for all channels of a position.

    References
    ----------
    .. [1] R. Selvaraju et al. (2017). Grad-CAM: Visual Explanations from Deep Networks. ICCV.
    """
    inputs, net = batch.inputs, _TwoStages(batch)
    x = inputs.x.detach().requires_grad_()
    heat = LayerGradCam(net, net.feature_maps).attribute(x).detach()  # (n, 1, height, width)
    items, removable = inputs.to_items(x), inputs.to_items(inputs.removable)
    if items.ndim == 4:  # images
        heat = nn.functional.interpolate(heat, items.shape[1:3], mode="bilinear", align_corners=False)[:, 0]
    else:  # padding has no gradient, but Captum averages over it
        stride = inputs.module.encoder.stride
        n_maps = removable[:, ::stride].sum(1, keepdim=True).clamp(min=1)
        heat = heat[:, 0, 0].repeat_interleave(stride, 1)[:, : items.shape[1]]
        heat = heat * removable * (-(-items.shape[1] // stride) / n_maps)
    heat = inputs.from_items(heat)
    if inputs.is_embedded:
        return heat
    return (heat.unsqueeze(-1) / x.shape[-1]).expand(x.shape)


class _FeatureMaps(nn.Module):
    """First stage of a convolutional net; channels first."""

    def __init__(self, batch: ExplainedBatch) -> None:
        super().__init__()
        self.inputs = batch.inputs

    def forward(self, x: Tensor) -> Tensor:
        module: Any = self.inputs.module
        x, _ = module.split_embedded(self.inputs.to_items(x))
        return module.features(x, self.inputs.batch).permute(0, 3, 1, 2)


class _TwoStages(nn.Module):
    """Convolutional net whose feature maps are the output of a module."""

    def __init__(self, batch: ExplainedBatch) -> None:
        super().__init__()
        self.batch = batch
        self.feature_maps = _FeatureMaps(batch)

    def forward(self, x: Tensor) -> Tensor:
        inputs = self.batch.inputs
        maps = self.feature_maps(x).permute(0, 2, 3, 1)
        return self.batch.objective(inputs.module.decide(maps, inputs.batch))


def _refuse(net: ExplainedNet) -> str | None:
    return None if net.has_feature_maps else "it needs the feature maps of a convolutional net"


register_method(Method(name="grad_cam", attribute=grad_cam, refuse=_refuse))
