"""Metrics of attributions obey their laws on nets that are linear, additive or constant by construction."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from explain_helpers import (
    QUICK,
    SERIES,
    Y,
    assert_all_close,
    each_kind,
    fit_example,
    fit_example_explainer,
    fit_explainer,
    make_ragged_series,
)

from sklearn_tree import RNNClassifier
from sklearn_tree.explain import metrics
from sklearn_tree.explain.coalitions import coalition_values
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.explained_sample import explain_each
from sklearn_tree.explain.methods import Method, base, find_method, register_method

LONG = ["a b c d e f g h i j k l m n", "n m l k j i h g f e d c b a"] * 6
SHORT = ["a b c d e f", "f e d c b a", "a a b f", "d e f f"] * 3


@pytest.fixture
def net():
    return RNNClassifier(**QUICK).fit(SHORT, Y[:12])


@pytest.fixture
def linear_net(net):
    """A net whose outputs are a linear function of the sum of the word vectors."""
    weight = torch.randn(64, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net.net_.module_.forward_embedded = lambda x, batch: x.sum(1) @ weight.to(x)
    return net


@pytest.fixture
def registry(monkeypatch):
    """Forget methods that a test registers."""
    monkeypatch.setattr(base, "_METHODS", {name: dict(kinds) for name, kinds in base._METHODS.items()})


def fit(net, method, **params):
    return fit_explainer(net, SHORT, method=method, dtype="float64", **params)


# Completeness.


def test_completeness_is_zero_for_methods_that_distribute_the_difference(net):
    for method in ("shapley", "integrated_gradients"):
        explained = fit(net, method, tol=1e-6).explain(SHORT[:4])
        assert metrics.completeness(explained).max() < 1e-4
    explained = fit(net, "saliency").explain(SHORT[:4])
    assert metrics.completeness(explained).min() > 1e-2  # the control


def test_completeness_is_relative_to_the_largest_difference(linear_net):
    explained = fit(linear_net, "saliency").explain(SHORT[:4])
    errors, found = np.abs(explained.completeness_error), metrics.completeness(explained)
    np.testing.assert_allclose(found / found[0], errors / errors[0])
    differences = np.abs(explained.values - explained.baseline_values)
    np.testing.assert_allclose(found[0], errors[0] / differences.max())


# Curves.


@pytest.mark.parametrize("order", ["attribution", "random"])
def test_curves_go_from_the_prediction_to_the_baseline_and_back(net, order):
    explainer, X = fit(net, "shapley"), SHORT[:4]
    explained = fit(net, "shapley", output="probability").explain(X)
    predicted = net.predict_proba(X).max(axis=1)
    np.testing.assert_allclose(explained.values, predicted, atol=1e-6)
    deletion = metrics.deletion_curve(explainer, X, n_points=7, order=order).values
    insertion = metrics.insertion_curve(explainer, X, n_points=7, order=order).values
    np.testing.assert_allclose(deletion[:, 0], explained.values, atol=1e-9)
    np.testing.assert_allclose(deletion[:, -1], explained.baseline_values, atol=1e-9)
    np.testing.assert_allclose(insertion[:, 0], explained.baseline_values, atol=1e-9)
    np.testing.assert_allclose(insertion[:, -1], explained.values, atol=1e-9)
    assert np.abs(explained.values - explained.baseline_values).min() > 1e-4  # the control: the ends differ


def test_the_exact_order_gives_the_best_curves_of_an_additive_function(linear_net, registry):
    shapley = find_method("shapley", ExplainedNet(linear_net))
    register_method(replace(shapley, name="negated", attribute=lambda batch: -shapley.attribute(batch)))
    best, worst = fit(linear_net, "shapley"), fit(linear_net, "negated")
    X, points = SHORT[:4], {"n_points": 7}
    for seed in range(5):
        random = metrics.insertion_curve(best, X, order="random", random_state=seed, **points).values
        assert (metrics.insertion_curve(best, X, **points).values >= random - 1e-9).all()
        assert (metrics.insertion_curve(worst, X, **points).values <= random + 1e-9).all()
        assert np.ptp(random, axis=0).max() > 1e-3  # the control: the curves are not flat
        random = metrics.deletion_curve(best, X, order="random", random_state=seed, **points).values
        assert (metrics.deletion_curve(best, X, **points).values <= random + 1e-9).all()


EXACT_REMOVALS = [
    ("trees", "occlusion"),
    ("trees, both walks", "occlusion"),
    ("trees, linear path", "occlusion"),
    ("texts", "occlusion"),
    ("texts of a CNN", "feature_ablation"),
    ("a table", "occlusion"),
    ("a table as trees", "occlusion"),
    ("series", "feature_ablation"),
    ("series", "occlusion"),
    ("images", "feature_ablation"),
    ("images", "occlusion"),
]


@pytest.mark.parametrize(("kind", "method"), EXACT_REMOVALS)
def test_the_first_step_of_a_curve_is_the_largest_occlusion(kind, method):
    explainer = fit_example_explainer(
        kind, method, output="probability", method_params={"window": 2, "stride": 2}, dtype="float64"
    )
    X = fit_example(kind)[1][3:6]
    explained, gaps = explainer.explain(X), []
    for i, sample in enumerate(explain_each(explainer, X)):
        n = len(sample.attributions)
        curve = metrics.deletion_curve(explainer, X[i : i + 1], n_points=n + 1).values[0]
        assert curve[0] == pytest.approx(explained.values[i], abs=1e-7)
        assert curve[-1] == pytest.approx(explained.baseline_values[i], abs=1e-7)
        if kind != "images" or method != "occlusion":  # a window does not reach the last row of pixels
            assert curve[0] - curve[1] == pytest.approx(sample.attributions.max(), abs=1e-7)
        back = metrics.insertion_curve(explainer, X[i : i + 1], n_points=n + 1).values[0]
        assert back[[0, -1]] == pytest.approx(curve[[-1, 0]], abs=1e-7)
        flags = ~np.eye(n, dtype=bool)
        replaced = coalition_values(sample.batch, sample.groups, flags) * sample.batch.objective.unit
        gaps.append(np.abs(replaced - sample.evaluate(flags)).max())
    assert (max(gaps) > 1e-5) == kind.startswith("trees")  # the control: a zero state is not a baseline


def test_infidelity_measures_the_removal_of_the_method():
    net, X = fit_example("trees")
    zero, replaced = (
        fit_explainer(net, X[:6], baseline=baseline, dtype="float64") for baseline in ("auto", "mean")
    )
    assert np.abs(metrics.infidelity(zero, X[:3]) - metrics.infidelity(replaced, X[:3])).max() > 1e-4
    assert len(zero.explain(X[:1]).own[0]) == 1  # a tree of one node
    assert metrics.infidelity(zero, X[:1])[0] == pytest.approx(0, abs=1e-9)


def test_the_area_under_a_curve_is_the_sum_of_its_trapezoids():
    curve = metrics.Curve(fractions=np.array([0, 0.5, 1]), values=np.array([[1.0, 0.0, 0.0], [1, 1, 1]]))
    assert curve.auc.tolist() == [0.25, 1.0]


# Infidelity.


def test_the_infidelity_of_shapley_values_of_an_additive_function_is_zero(linear_net):
    assert metrics.infidelity(fit(linear_net, "shapley"), SHORT[:4]).max() < 1e-20
    assert metrics.infidelity(fit(linear_net, "saliency"), SHORT[:4]).min() > 0.1  # the control


def test_the_infidelity_of_a_function_with_interactions_is_not_zero(net):
    assert metrics.infidelity(fit(net, "shapley"), SHORT[:4]).min() > 1e-4


def test_the_infidelity_of_zero_attributions_is_one(net, registry):
    register_method(Method(name="zero", attribute=lambda batch: torch.zeros_like(batch.inputs.x)))
    np.testing.assert_allclose(metrics.infidelity(fit(net, "zero"), SHORT[:4]), 1)


# Sensitivity.


def test_the_sensitivity_of_the_gradient_of_a_linear_function_is_zero(linear_net):
    assert metrics.sensitivity(fit(linear_net, "saliency"), SHORT[:4]).max() < 1e-12
    assert metrics.sensitivity(fit(linear_net, "input_x_gradient"), SHORT[:4]).min() > 1e-4  # the control


def test_the_gradient_of_a_recurrent_net_is_sensitive_in_proportion_to_the_radius(net):
    explainer = fit(net, "saliency")
    small, large = (metrics.sensitivity(explainer, SHORT[:4], radius=radius) for radius in (1e-4, 1e-3))
    assert (small > 1e-8).all()
    np.testing.assert_allclose(large / small, 10, rtol=0.1)


@pytest.mark.parametrize("method", ["lime", "shapley", "gradient_shap", "noise_tunnel(saliency)"])
def test_perturbed_inputs_do_not_change_the_draws(method):
    explainer = fit_explainer(RNNClassifier(**QUICK).fit(LONG, Y[:12]), LONG[:2], method=method)
    assert metrics.sensitivity(explainer, LONG[:2], radius=1e-7, n_samples=2).max() < 1e-3
    assert metrics.sensitivity(explainer, LONG[:2], radius=0.1, n_samples=2).min() > 1e-3  # the control


# Randomization.


def test_permuted_weights_that_do_not_matter_change_nothing():
    net = RNNClassifier(**QUICK).fit(SERIES, Y)
    weight = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    learned = fit_explainer(net, SERIES, method="input_x_gradient")
    assert np.abs(metrics.randomization_test(learned, SERIES[:6], n_repeats=3)).max() < 0.9  # the control
    net.net_.module_.forward_embedded = lambda x, batch: x.flatten(1) @ weight.to(x)
    fixed = fit_explainer(net, SERIES, method="input_x_gradient")
    np.testing.assert_allclose(metrics.randomization_test(fixed, SERIES[:6], n_repeats=3), 1)


def test_the_randomization_test_does_not_change_the_explainer(net):
    explainer = fit(net, "saliency")
    before = explainer.explain(SHORT[:2]).own
    metrics.randomization_test(explainer, SHORT[:2], n_repeats=2)
    assert_all_close(explainer.explain(SHORT[:2]).own, before, atol=0)


def test_samples_without_a_ranking_are_refused(net):
    with pytest.raises(ValueError, match="X must hold a sample that has at least 3 inputs"):
        metrics.randomization_test(fit(net, "saliency"), ["a", "b c"])


# All kinds, and edge cases.


@each_kind
def test_metrics_accept_every_kind(kind):
    net, X = fit_example(kind)
    explainer = fit_explainer(net, X[:6], method="integrated_gradients", n_steps=4, max_steps=4)
    X = X[-3:]
    for curve in (
        metrics.deletion_curve(explainer, X, n_points=4),
        metrics.insertion_curve(explainer, X, n_points=4),
    ):
        assert curve.values.shape == (3, 4)
        assert ((curve.values > 0) & (curve.values < 1)).all()
    for found in (
        metrics.infidelity(explainer, X, n_samples=20),
        metrics.sensitivity(explainer, X, n_samples=2),
    ):
        assert found.shape == (3,)
        assert ((found >= 0) & np.isfinite(found)).all()
    assert np.ptp(metrics.randomization_test(explainer, X, n_repeats=2)) > 0


@pytest.mark.parametrize("X", [["", *LONG[:5]], [np.zeros((0, 2)), *make_ragged_series()[:5]]])
def test_samples_without_inputs_are_accepted(X):
    explainer = fit_explainer(RNNClassifier(**QUICK).fit(X, Y[:6]), X)
    curve = metrics.deletion_curve(explainer, X, n_points=3)
    assert (curve.values[0] == curve.values[0, 0]).all()
    assert np.ptp(curve.values[1]) > 0  # the control
    assert metrics.infidelity(explainer, X, n_samples=5)[0] == 0
    assert metrics.sensitivity(explainer, X, n_samples=2)[0] == 0
    without, with_empty = (metrics.randomization_test(explainer, part, n_repeats=2) for part in (X[1:], X))
    np.testing.assert_allclose(with_empty, without, atol=1e-6)


@pytest.mark.parametrize(
    ("metric", "params", "message"),
    [
        (metrics.deletion_curve, {"n_points": 1}, "n_points must be an int >= 2, got 1"),
        (metrics.insertion_curve, {"n_points": 2.5}, "n_points must be an int >= 2, got 2.5"),
        (metrics.insertion_curve, {"order": "best"}, "order must be .*, got 'best'"),
        (metrics.infidelity, {"n_samples": 0}, "n_samples must be an int >= 1, got 0"),
        (metrics.sensitivity, {"n_samples": 0}, "n_samples must be an int >= 1, got 0"),
        (metrics.randomization_test, {"n_repeats": 0}, "n_repeats must be an int >= 1, got 0"),
    ],
)
def test_invalid_parameters_are_named_with_their_rule_and_value(metric, params, message):
    explainer = fit_explainer(RNNClassifier(**QUICK).fit(LONG, Y[:12]), LONG[:2])
    with pytest.raises(ValueError, match=message):
        metric(explainer, LONG[:2], **params)
