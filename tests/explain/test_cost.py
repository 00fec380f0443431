"""The cost of sampling methods is announced and bounded before the net is evaluated."""

import numpy as np
import pytest
from explain_helpers import QUICK, TEXTS, Y, each_kind, fit_example, fit_explainer, supported_methods

from sklearn_tree import RecursiveNetClassifier, RNNClassifier, Tree
from sklearn_tree.explain import coalitions, cost
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.methods import find_method
from sklearn_tree.explain.metrics import deletion_curve

SAMPLING = ["shapley", "kernel_shap", "lime"]
LONG = " ".join(["good bad"] * 10)


@pytest.fixture(scope="module")
def net():
    return RNNClassifier(**QUICK).fit(TEXTS, Y)


@pytest.fixture
def evaluated(monkeypatch):
    """Record the number of rows of each forward pass."""
    sizes, outputs = [], Inputs.outputs

    def record(self, x):
        sizes.append(len(x) // self.n_rows)
        return outputs(self, x)

    monkeypatch.setattr(Inputs, "outputs", record)
    return sizes


@each_kind
@pytest.mark.parametrize("n_samples", [1, 7])
def test_the_estimate_is_the_number_of_evaluations(kind, n_samples, evaluated, monkeypatch):
    monkeypatch.setattr(coalitions, "MAX_EXACT", 3)
    net, X = fit_example(kind)
    for name in set(SAMPLING) & set(supported_methods(kind)):
        explainer = fit_explainer(net, X, method=name, method_params={"n_samples": n_samples, "window": 3})
        request = explainer._request(explainer._explained_net(), explainer._samples[:1], "margin")
        n_groups = np.array([cost._count_groups(request, 0)])
        expected = find_method(name, request.net).n_evaluations(n_groups, request.params)[0]
        evaluated.clear()
        explainer.explain(X[:1])
        n_more = sum(evaluated) - expected  # the sample and its baseline; Captum evaluates them again
        assert n_more == 2 if name == "shapley" else 2 <= n_more <= 5


@pytest.mark.parametrize("method", SAMPLING)
def test_a_sample_above_the_limit_is_refused_before_the_net_is_evaluated(net, method, evaluated):
    texts = ["bad", LONG, "a good film"]
    explainer = fit_explainer(net, TEXTS, method=method, method_params={"n_samples": 100})
    explainer.set_params(max_total_rows=20 * 100 - 1)
    message = (
        rf"X\[1\]: max_total_rows must be >= [\d_]+ for method='{method}', because its 20 inputs need .*"
    )
    for explain in (explainer.explain, explainer.transform, lambda X: deletion_curve(explainer, X)):
        with pytest.raises(
            ValueError, match=message + "evaluations of the net, got 1_999; use fewer n_samples"
        ):
            explain(texts)
    assert not evaluated
    explainer.set_params(max_total_rows=10**9).explain(texts)  # the control
    assert evaluated


@pytest.mark.parametrize("method", SAMPLING)
def test_a_large_total_gives_a_warning(net, method):
    texts = ["bad", LONG, "a good film"]
    explainer = fit_explainer(net, TEXTS, method=method, max_total_rows=10_000)
    message = (
        rf"method='{method}' needs [\d_]+ evaluations .*% of them for X\[1\] with its 20 inputs.*'occlusion'"
    )
    with pytest.warns(UserWarning, match=message):
        explainer.explain(texts)
    explainer.set_params(method_params={"n_samples": 2}).explain(texts)  # the control: no warning
    fit_explainer(net, TEXTS, method="occlusion", max_total_rows=1).explain(texts)


def test_the_shapley_values_of_a_huge_star_are_refused():
    net = RecursiveNetClassifier(**QUICK).fit(["(S p q)", "(S q p)"] * 4, [0, 1] * 4)
    small, huge = (Tree(["S", *["p", "q"] * n], [-1] + [0] * 2 * n) for n in (10, 10_000))
    explainer = fit_explainer(net, ["(S p q)"], method="shapley")
    with pytest.raises(ValueError, match=r"^X\[1\]: .* its 20001 inputs need 500_002 evaluations"):
        explainer.explain([small, huge])
    assert np.abs(explainer.explain([small]).completeness_error) < 1e-4  # the control


def test_long_orders_are_evaluated_in_blocks(net, monkeypatch):
    explainer = fit_explainer(net, TEXTS, method="shapley", method_params={"n_samples": 3}, dtype="float64")
    expected, sizes = explainer.explain([LONG]).own[0], []
    evaluate = coalitions.coalition_values

    def record(batch, groups, flags):
        sizes.append(flags.size)
        return evaluate(batch, groups, flags)

    monkeypatch.setattr(coalitions, "coalition_values", record)
    for max_flags in (20, 100, 500):
        monkeypatch.setattr(coalitions, "_MAX_FLAGS", max_flags)
        sizes.clear()
        np.testing.assert_allclose(explainer.explain([LONG]).own[0], expected, atol=1e-9)
        assert max(sizes[1:]) <= max_flags + 20  # the first block holds the empty and the full coalition
    monkeypatch.setattr(coalitions, "_MAX_FLAGS", 10_000)
    sizes.clear()
    explainer.explain([LONG])
    assert max(sizes) == 3 * 19 * 20  # the control
