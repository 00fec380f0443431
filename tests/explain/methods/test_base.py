"""Methods are registered by name and kind, and refuse nets with a reason."""

import re

import numpy as np
import pytest
import torch
from explain_helpers import KINDS, METHODS, each_kind, fit_example, fit_explainer

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods import Method, base, find_method, method_names, register_method
from sklearn_tree.kinds import Series, Tokens


@pytest.mark.parametrize(
    ("kind", "method", "reason"),
    [
        ("trees", "kernel_shap", "one row per sample"),
        ("trees", "lime", "one row per sample"),
        ("trees", "grad_cam", "feature maps"),
        ("trees", "feature_ablation", "use 'occlusion'"),
        ("trees", "noise_tunnel(lime)", "one row per sample"),
        ("trees", "noise_tunnel(gradient_shap)", "gradient_shap is not a gradient at one point"),
        ("texts", "grad_cam", "feature maps"),
        ("texts", "interaction", "it is for trees only"),
        ("a table as trees", "node_prediction", "it is for trees only"),
        ("a table as trees", "lime", "one row per sample"),
        ("images", "noise_tunnel(gradient_shap)", "gradient_shap is not a gradient at one point"),
        ("images", "saliencies", "no such method is registered"),
        ("images", "tunnel(saliency)", "no such method is registered"),
    ],
)
def test_methods_for_other_nets_are_refused_with_the_reason(kind, method, reason):
    net, X = fit_example(kind)
    message = rf"method must be one of \[.*'saliency'.*\] for .*, got '{re.escape(method)}': .*{reason}"
    with pytest.raises(ValueError, match=message):
        fit_explainer(net, X, method=method)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            "deeplift",
            r"did you mean 'deep_lift'\? It is refused too: it has rules for feed-forward layers only",
        ),
        ("DeepLift", r"did you mean 'deep_lift'\? It is refused too: .*use 'integrated_gradients' instead$"),
        ("LIME", r"did you mean 'lime'\? It is refused too: .*one row per sample.*use 'shapley' instead$"),
        ("integrated-gradients", r"did you mean 'integrated_gradients'\?$"),
        ("Saliency", r"did you mean 'saliency'\?$"),
        ("nonsense", "$"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_name_and_its_reason(method, message):
    net, X = fit_example("trees")
    with pytest.raises(ValueError, match=f"got '{method}': no such method is registered.*{message}"):
        fit_explainer(net, X, method=method)


@each_kind
def test_an_error_lists_exactly_the_accepted_names(kind):
    net = ExplainedNet(fit_example(kind)[0])
    names = method_names(net)
    assert {"occlusion", "integrated_gradients", "shapley", "noise_tunnel(saliency)"} <= set(names)
    for name in names:
        assert find_method(name, net).name == name
    for name in set(METHODS) - {f"noise_tunnel({inner})" for inner in METHODS} - set(names):
        with pytest.raises(ValueError, match="method must be one of"):
            find_method(name, net)


@pytest.fixture
def registry(monkeypatch):
    """Forget methods that a test registers."""
    monkeypatch.setattr(base, "_METHODS", {name: dict(kinds) for name, kinds in base._METHODS.items()})


def test_a_registered_method_is_explained_wrapped_and_listed(registry):
    def subtract(batch, x, x0):
        return x - x0

    def attribute(batch):
        return subtract(batch, batch.inputs.x, batch.inputs.x0) * batch.params.get("factor", 1)

    register_method(Method(name="difference", attribute=attribute, gradient=subtract, params=("factor",)))
    for kind in KINDS:
        net, X = fit_example(kind)
        found = fit_explainer(net, X, method="difference").explain(X[:2])
        doubled = fit_explainer(net, X, method="difference", method_params={"factor": 2}).explain(X[:2])
        for a, b in zip(found.own, doubled.own):
            np.testing.assert_allclose(2 * a, b)
            assert np.abs(a).max() > 0
        noisy = fit_explainer(net, X, method="noise_tunnel(difference)", method_params={"stdevs": 0})
        for a, b in zip(found.own, noisy.explain(X[:2]).own):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        assert "difference" in method_names(ExplainedNet(net))
    with pytest.raises(ValueError, match=r"method_params must hold only .*'factor'.*, got 'factors'"):
        fit_explainer(net, X, method="difference", method_params={"factors": 2})


def test_the_method_of_the_nearest_kind_is_chosen(registry):
    def fill(number):
        return lambda batch: torch.full_like(batch.inputs.x, number)

    register_method(Method(name="constant", attribute=fill(1.0)))
    register_method(Method(name="constant", attribute=fill(2.0), kinds=(Series,)))
    register_method(Method(name="series_only", attribute=fill(3.0), kinds=(Series, Tokens)))
    series, images = (fit_example(kind) for kind in ("series", "images"))
    assert (fit_explainer(*series, method="constant").explain(series[1][:1]).own[0] == 2).all()
    assert (fit_explainer(*images, method="constant").explain(images[1][:1]).own[0] == 1).all()
    assert (fit_explainer(*series, method="series_only").explain(series[1][:1]).own[0] == 3).all()
    with pytest.raises(ValueError, match="got 'series_only': it is for series and tokens only"):
        fit_explainer(*images, method="series_only")


def test_a_method_can_refuse_a_net(registry):
    def refuse(net):
        return None if net.has_feature_maps else "it needs convolutions"

    register_method(Method(name="picky", attribute=lambda batch: batch.inputs.x, refuse=refuse))
    net, X = fit_example("series of a CNN")
    assert fit_explainer(net, X, method="picky").method_ == "picky"
    net, X = fit_example("series")
    with pytest.raises(ValueError, match="for RNNClassifier on series, got 'picky': it needs convolutions"):
        fit_explainer(net, X, method="picky")


@pytest.mark.parametrize(("is_stochastic", "n_calls"), [(True, 4), (False, 1)])
def test_stochastic_methods_explain_samples_one_by_one(registry, is_stochastic, n_calls):
    sizes = []

    def attribute(batch):
        sizes.append(len(batch.inputs))
        return batch.inputs.x

    register_method(Method(name="counted", attribute=attribute, is_stochastic=is_stochastic))
    net, X = fit_example("series")
    explainer = fit_explainer(net, X[:2], method="counted")
    sizes.clear()
    explainer.explain(X[:4])
    assert len(sizes) == n_calls
    assert sum(sizes) == 4
