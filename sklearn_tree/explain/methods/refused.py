"""Methods of Captum that are wrong for every net of this package, without an error or a warning."""

from __future__ import annotations

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods.base import refused_method, register_method

_NAMES = ("deconvolution", "deep_lift", "deep_lift_shap", "guided_backprop", "guided_grad_cam", "lrp")
_RECURRENT = (
    "it has rules for feed-forward layers only, so its attributions do not add up through the products of "
    "states and gates in recurrent and recursive cells"
)
_CONVOLUTIONAL = (
    "it has no rule for normalisation and for pooling outside modules, so its attributions do not add up"
)


def explain_refusal(net: ExplainedNet) -> str:
    """Return why the rules of these methods do not hold for a net."""
    reason = _CONVOLUTIONAL if net.has_feature_maps else _RECURRENT
    return f"{reason}; use 'integrated_gradients' instead"


for _name in _NAMES:
    register_method(refused_method(_name, explain_refusal))
