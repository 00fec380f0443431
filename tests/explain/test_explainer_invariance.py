"""Explanations do not depend on the other samples, and explaining has no side effects."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from explain_helpers import (
    FEW_PARAMS,
    KINDS,
    NUMBERS,
    SERIES,
    TABLE,
    TREES,
    assert_all_close,
    each_kind,
    fit_example,
    fit_example_explainer,
    fit_explainer,
    supported_methods,
)
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sklearn_tree import (
    CaptumExplainer,
    CNNRegressor,
    RecursiveNetRegressor,
    RNNRegressor,
)
from sklearn_tree.explain import metrics

each_method = pytest.mark.parametrize(
    ("kind", "method"), [(kind, method) for kind in KINDS for method in supported_methods(kind)]
)


@each_method
def test_attributions_do_not_depend_on_the_other_samples(kind, method):
    explainer, X = fit_example_explainer(kind, method), fit_example(kind)[1][:4]
    expected = explainer.explain(X)
    single = [explainer.explain(X[i : i + 1]) for i in range(len(X))]
    reversed_ = explainer.explain(X[::-1])
    chunked = copy.copy(explainer).set_params(max_rows=40).explain(X)
    for name in ("attributions", "own"):
        parts = getattr(expected, name)
        assert_all_close([getattr(one, name)[0] for one in single], parts)
        assert_all_close(getattr(reversed_, name)[::-1], parts)
        assert_all_close(getattr(chunked, name), parts)
        with pytest.raises(AssertionError):  # the control
            assert_all_close([part * 1.01 + 1e-3 for part in getattr(reversed_, name)[::-1]], parts)
    assert_all_close([one.values for one in single], expected.values)
    assert_all_close([one.baseline_values for one in single], expected.baseline_values)
    assert max(np.abs(part).max() for part in expected.attributions) > 1e-3


def generator_states():
    name, keys, *rest = np.random.get_state()
    return [random.getstate(), (name, keys.tobytes(), *rest), torch.get_rng_state().numpy().tobytes()]


def module_state(net):
    module = net.net_.module_
    return [
        (
            name,
            part.training,
            [(n, p.detach().clone(), p.grad, p.requires_grad) for n, p in part.named_parameters()],
        )
        for name, part in module.named_modules()
    ]


def assert_unchanged(before, net):
    for (name, mode, weights), (now, mode_now, weights_now) in zip(before, module_state(net), strict=True):
        assert (name, mode) == (now, mode_now)
        for a, b in zip(weights, weights_now, strict=True):
            assert torch.equal(a[1], b[1])
            assert (a[0], a[2], a[3]) == (b[0], b[2], b[3])


@each_method
def test_explaining_does_not_change_generators_and_nets(kind, method):
    net, X = fit_example(kind)
    before, states = module_state(net), generator_states()
    threads, is_cudnn = torch.get_num_threads(), torch.backends.cudnn.enabled
    explainer = fit_example_explainer(kind, method)
    explainer.explain(X[:3])
    explainer.transform(X[:3])
    assert generator_states() == states
    assert (torch.get_num_threads(), torch.backends.cudnn.enabled) == (threads, is_cudnn)
    assert torch.is_grad_enabled()
    assert_unchanged(before, net)
    torch.rand(1)
    assert generator_states() != states  # the control
    net.net_.module_.train(not before[0][1])
    try:
        with pytest.raises(AssertionError):
            assert_unchanged(before, net)
    finally:
        net.net_.module_.train(before[0][1])


@pytest.mark.parametrize(
    "metric",
    [
        metrics.deletion_curve,
        metrics.insertion_curve,
        metrics.infidelity,
        metrics.sensitivity,
        metrics.randomization_test,
    ],
)
def test_metrics_do_not_change_generators_and_nets(metric):
    net, X = fit_example("texts")
    X = [text for text in X if len(text.split()) > 3][:3]
    before, states = module_state(net), generator_states()
    metric(fit_example_explainer("texts", "kernel_shap"), X)
    assert generator_states() == states
    assert_unchanged(before, net)


@each_kind
def test_explainers_can_be_pickled_copied_and_cloned(kind):
    net, X = fit_example(kind)
    explainer = fit_example_explainer(kind, "auto")
    expected, columns = explainer.explain(X[:4]), explainer.transform(X[:4])
    params = {"random_state": 0, "method_params": FEW_PARAMS, "n_steps": 4, "max_steps": 4}
    for other in (
        pickle.loads(pickle.dumps(explainer)),
        copy.deepcopy(explainer),
        clone(CaptumExplainer(FrozenEstimator(net), **params)).fit(X[:6]),
    ):
        assert_all_close(other.explain(X[:4]).own, expected.own, atol=0)
        assert np.array_equal(other.transform(X[:4]), columns)
        assert other.get_feature_names_out().tolist() == explainer.get_feature_names_out().tolist()
    unpickled = pickle.loads(pickle.dumps(expected))
    assert_all_close(unpickled.own, expected.own, atol=0)
    assert unpickled._repr_html_() == expected._repr_html_()
    unfitted = clone(explainer)
    assert not hasattr(unfitted, "estimator_")
    with pytest.raises(ValueError, match="the estimator is not fitted yet"):
        unfitted.fit(X)
    fitted = unfitted.fit(X, ["x", "y", "z"] * 8)
    assert fitted.estimator_ is not unfitted.estimator
    refitted = clone(explainer).set_params(estimator=net).fit(X)
    assert_all_close(fitted.explain(X[:4]).own, refitted.explain(X[:4]).own, atol=1e-6)


REGRESSORS = {
    RNNRegressor: (
        TABLE,
        ["integrated_gradients", "shapley", "kernel_shap", "lime", "noise_tunnel(saliency)"],
    ),
    CNNRegressor: (SERIES, ["grad_cam", "occlusion", "feature_ablation", "gradient_shap"]),
    RecursiveNetRegressor: (TREES, ["occlusion", "interaction", "node_prediction", "input_x_gradient"]),
}


def explain_regressor(cls, method, unit):
    """Return the explainer of a regressor fitted to numbers times the unit, and its results by name."""
    X = REGRESSORS[cls][0]
    net = cls(max_epochs=2, random_state=0).fit(X, NUMBERS * unit)
    explainer = fit_explainer(net, X, method=method, method_params=FEW_PARAMS, n_steps=4, max_steps=8)
    found = explainer.explain(X)
    assert found._repr_html_()
    return explainer, {
        "values": found.values,
        "baseline values": found.baseline_values,
        "attributions": np.concatenate(found.attributions),
        "columns": explainer.transform(X),
        "importances": explainer.feature_importances_,
        "curve": metrics.deletion_curve(explainer, X[:2]).values,
    }


@pytest.mark.parametrize("exponent", [-166, -40, 40, 166])
@pytest.mark.parametrize(
    ("cls", "method"), [(cls, method) for cls, (_, methods) in REGRESSORS.items() for method in methods]
)
def test_explanations_are_in_the_units_of_y_of_any_size(cls, method, exponent):
    unit = 2.0**exponent
    explainer, scaled = explain_regressor(cls, method, unit)
    expected = explain_regressor(cls, method, 1.0)[1]
    assert np.abs(expected["attributions"]).max() > 1e-4
    same = ["values", "baseline values"] if method == "lime" else list(expected)  # lime's penalty is absolute
    for name in same:
        assert scaled[name].dtype == np.float64
        np.testing.assert_allclose(scaled[name] / unit, expected[name], rtol=1e-4, atol=1e-7)
    X = REGRESSORS[cls][0]
    np.testing.assert_allclose(scaled["values"] / unit, explainer.estimator_.predict(X) / unit, atol=1e-5)


def test_columns_of_a_regressor_are_single_unless_they_need_double_precision():
    dtypes = [
        explain_regressor(RecursiveNetRegressor, "occlusion", unit)[1]["columns"].dtype
        for unit in (1, 2.0**40)
    ]
    assert dtypes == [np.float32, np.float64]
