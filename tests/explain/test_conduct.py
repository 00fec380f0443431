"""What explanations do not depend on, and what explainers leave as it was."""

import copy
import pickle
import random
import re

import numpy as np
import pytest
import torch
from explained import KINDS, example, methods_of
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_tree import CaptumExplainer, CNNClassifier
from sklearn_tree.explain import metrics
from sklearn_tree.explain.gradients import Budget, gradient, integrated_gradients
from sklearn_tree.explain.inputs import make_inputs
from sklearn_tree.explain.objective import make_objective
from sklearn_tree.explain.subject import Subject

FEW = {"n_samples": 6, "window": 3, "stdevs": 0.1}
each_kind = pytest.mark.parametrize("kind", list(KINDS))
each_method = pytest.mark.parametrize(
    ("kind", "method"), [(kind, method) for kind in KINDS for method in methods_of(kind)]
)


def explainer(kind, method, **params):
    net, X = example(kind)
    params = {"random_state": 0, "method_params": FEW, "n_steps": 4, "max_steps": 4, **params}
    return CaptumExplainer(net, method, **params).fit(X[:6])


def same(found, expected, atol=1e-4):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)


@each_method
def test_samples_have_one_explanation_whatever_is_beside_them(kind, method):
    why, X = explainer(kind, method), example(kind)[1][:4]
    expected = why.explain(X)
    alone = [why.explain(X[i : i + 1]) for i in range(len(X))]
    backwards, small = why.explain(X[::-1]), copy.copy(why).set_params(max_rows=40).explain(X)
    for name in ("attributions", "own"):
        wanted = getattr(expected, name)
        same([getattr(one, name)[0] for one in alone], wanted)
        same(getattr(backwards, name)[::-1], wanted)
        same(getattr(small, name), wanted)
        with pytest.raises(AssertionError):  # the control
            same([part * 1.01 + 1e-3 for part in getattr(backwards, name)[::-1]], wanted)
    same([one.values for one in alone], expected.values)
    same([one.baseline_values for one in alone], expected.baseline_values)
    assert max(np.abs(part).max() for part in expected.attributions) > 1e-3


DRAWN = [(kind, method) for kind in ("trees", "texts", "series", "images") for method in methods_of(kind)]
DRAWN = [pair for pair in DRAWN if re.match("gradient_shap|kernel|lime|noise", pair[1])]


@pytest.mark.parametrize(("kind", "method"), DRAWN)
def test_what_is_drawn_follows_the_seed(kind, method):
    X = example(kind)[1][-2:]
    one, two, other = (explainer(kind, method, random_state=seed).explain(X) for seed in (0, 0, 1))
    same(one.own, two.own, atol=0)
    assert any(not np.allclose(a, b) for a, b in zip(one.own, other.own))


def generators():
    name, keys, *rest = np.random.get_state()
    return [random.getstate(), (name, keys.tobytes(), *rest), torch.get_rng_state().numpy().tobytes()]


def everything_of(net):
    module = net.net_.module_
    return [
        (
            name,
            part.training,
            [(n, p.detach().clone(), p.grad, p.requires_grad) for n, p in part.named_parameters()],
        )
        for name, part in module.named_modules()
    ]


def assert_untouched(before, net):
    for (name, mode, weights), (now, mode_now, weights_now) in zip(before, everything_of(net), strict=True):
        assert (name, mode) == (now, mode_now)
        for a, b in zip(weights, weights_now, strict=True):
            assert torch.equal(a[1], b[1])
            assert (a[0], a[2], a[3]) == (b[0], b[2], b[3])


@each_method
def test_generators_and_nets_stay_as_they_are(kind, method):
    net, X = example(kind)
    before, drawn = everything_of(net), generators()
    threads, is_cudnn = torch.get_num_threads(), torch.backends.cudnn.enabled
    why = explainer(kind, method)
    why.explain(X[:3])
    why.transform(X[:3])
    assert generators() == drawn
    assert (torch.get_num_threads(), torch.backends.cudnn.enabled) == (threads, is_cudnn)
    assert torch.is_grad_enabled()
    assert_untouched(before, net)
    torch.rand(1)
    assert generators() != drawn  # the control
    net.net_.module_.train(not before[0][1])
    try:
        with pytest.raises(AssertionError):
            assert_untouched(before, net)
    finally:
        net.net_.module_.train(before[0][1])


@pytest.mark.parametrize(
    "measure",
    [
        metrics.deletion_curve,
        metrics.insertion_curve,
        metrics.infidelity,
        metrics.sensitivity,
        metrics.randomization_test,
    ],
)
def test_metrics_leave_generators_and_nets_as_they_are(measure):
    net, X = example("texts")
    X = [text for text in X if len(text.split()) > 3][:3]
    before, drawn = everything_of(net), generators()
    measure(explainer("texts", "kernel_shap"), X)
    assert generators() == drawn
    assert_untouched(before, net)


@each_kind
def test_metrics_measure_all_that_is_explained(kind):
    net, X = example(kind)
    why = CaptumExplainer(net, "integrated_gradients", n_steps=4, max_steps=4, random_state=0).fit(X[:6])
    X = X[-3:]
    for curve in (metrics.deletion_curve(why, X, n_points=4), metrics.insertion_curve(why, X, n_points=4)):
        assert curve.values.shape == (3, 4)
        assert ((curve.values > 0) & (curve.values < 1)).all()
    for found in (metrics.infidelity(why, X, n_samples=20), metrics.sensitivity(why, X, n_samples=2)):
        assert found.shape == (3,)
        assert ((found >= 0) & np.isfinite(found)).all()
    assert np.ptp(metrics.randomization_test(why, X, n_repeats=2)) > 0


@pytest.mark.parametrize("kind", ["texts", "texts of a CNN", "ragged series"])
def test_padding_changes_nothing_and_gets_nothing(kind):
    net, X = example(kind)
    order = np.argsort([len(x.split()) if isinstance(x, str) else len(x) for x in X])
    short, long = X[order[3]], X[order[-1]]
    for method in ("integrated_gradients", "saliency", "shapley", "feature_ablation"):
        why = explainer(kind, method, max_rows=1000)
        alone, beside = why.explain([short]), why.explain([short, long])
        same(alone.own, beside.own[:1], atol=1e-6)
        assert alone.values == pytest.approx(beside.values[:1], abs=1e-6)
    subject = Subject(net)
    encoded, _ = subject.encode([short, long])
    inputs = make_inputs(subject, encoded, torch.ones(64) if "text" in kind else "zero")
    objective = make_objective(net, inputs.outputs(inputs.x), "x", "margin")
    assert not inputs.is_player.all()
    for found in (
        integrated_gradients(inputs, objective, Budget(), 8),
        gradient("saliency", inputs, objective),
        gradient("input_x_gradient", inputs, objective),
    ):
        assert (found[~inputs.is_player] == 0).all()
        assert (found[inputs.is_player] != 0).any()  # the control


REFUSED = ["deconvolution", "deep_lift", "deep_lift_shap", "guided_backprop", "guided_grad_cam", "lrp"]


@each_kind
@pytest.mark.parametrize("method", [*REFUSED, "noise_tunnel(deep_lift)"])
def test_methods_whose_rules_do_not_hold_are_refused_with_the_reason(kind, method):
    net, X = example(kind)
    why = "no rule for layer normalisation" if isinstance(net, CNNClassifier) else "feed-forward layers only"
    name = re.escape(f"method={method!r} is not for {type(net).__name__}: it has ")
    with pytest.raises(ValueError, match=f"{name}.*{why}.*'integrated_gradients'"):
        CaptumExplainer(net, method).fit(X)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("trees", "kernel_shap"),
        ("trees", "grad_cam"),
        ("trees", "feature_ablation"),
        ("texts", "grad_cam"),
        ("texts", "interaction"),
        ("a table as trees", "node_prediction"),
        ("images", "noise_tunnel(gradient_shap)"),
        ("images", "saliencies"),
    ],
)
def test_methods_of_other_nets_are_refused(kind, method):
    net, X = example(kind)
    with pytest.raises(
        ValueError, match=rf"method must be one of \[.*'saliency'.*\] for .*, got '{re.escape(method)}'"
    ):
        CaptumExplainer(net, method).fit(X)


@each_kind
def test_explainers_survive_pickling_copying_and_cloning(kind):
    net, X = example(kind)
    why = explainer(kind, "auto")
    expected, columns = why.explain(X[:4]), why.transform(X[:4])
    for other in (
        pickle.loads(pickle.dumps(why)),
        copy.deepcopy(why),
        clone(
            CaptumExplainer(FrozenEstimator(net), random_state=0, method_params=FEW, n_steps=4, max_steps=4)
        ).fit(X[:6]),
    ):
        same(other.explain(X[:4]).own, expected.own, atol=0)
        assert np.array_equal(other.transform(X[:4]), columns)
        assert other.get_feature_names_out().tolist() == why.get_feature_names_out().tolist()
    again = pickle.loads(pickle.dumps(expected))
    same(again.own, expected.own, atol=0)
    assert again._repr_html_() == expected._repr_html_()
    unfitted = clone(why)
    assert not hasattr(unfitted, "estimator_")
    with pytest.raises(ValueError, match="the estimator is not fitted yet"):
        unfitted.fit(X)
    fitted = unfitted.fit(X, ["x", "y", "z"] * 8)
    assert fitted.estimator_ is not unfitted.estimator
    same(fitted.explain(X[:4]).own, clone(why).set_params(estimator=net).fit(X).explain(X[:4]).own, atol=1e-6)
