"""Methods that are silently wrong for every net are refused."""

import re

import pytest
from explain_helpers import each_kind, fit_example, fit_explainer

from sklearn_tree import CNNClassifier

WRONG = ["deconvolution", "deep_lift", "deep_lift_shap", "guided_backprop", "guided_grad_cam", "lrp"]


@each_kind
@pytest.mark.parametrize("method", [*WRONG, "noise_tunnel(deep_lift)"])
def test_methods_that_are_silently_wrong_are_refused_with_the_reason(kind, method):
    net, X = fit_example(kind)
    reason = "no rule for normalisation" if isinstance(net, CNNClassifier) else "feed-forward layers only"
    name = re.escape(f"got {method!r}: it has ")
    message = f"for {type(net).__name__} on .*, {name}.*{reason}.*do not add up.*'integrated_gradients'"
    with pytest.raises(ValueError, match=message):
        fit_explainer(net, X, method=method)
    remedy = "integrated_gradients"
    assert fit_explainer(net, X, method=remedy, n_steps=4, max_steps=4).method_ == remedy  # the control
