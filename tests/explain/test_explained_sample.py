"""Single samples have the attributions of the explainer, and keep their objective when they are perturbed."""

import numpy as np
import pytest
from explain_helpers import each_kind, fit_example, fit_example_explainer

from sklearn_tree.explain.explained_sample import explain_each


@each_kind
def test_single_samples_have_the_attributions_and_values_of_the_explainer(kind):
    explainer, X = fit_example_explainer(kind, "integrated_gradients"), fit_example(kind)[1][:3]
    explained = explainer.explain(X)
    for i, sample in enumerate(explain_each(explainer, X)):
        np.testing.assert_allclose(sample.own, explained.own[i], rtol=0, atol=1e-5)
        assert sample.attributions.sum() == pytest.approx(sample.own.sum(), abs=1e-4)
        n = len(sample.attributions)
        found = sample.evaluate(np.array([[True] * n, [False] * n]))
        assert found == pytest.approx([explained.values[i], explained.baseline_values[i]], abs=1e-5)
        assert abs(found[0] - found[1]) > 1e-6  # the control
    assert i == 2


@each_kind
def test_the_noise_of_perturbed_inputs_has_a_radius_and_a_seed(kind):
    explainer, X = fit_example_explainer(kind, "saliency"), fit_example(kind)[1][:1]
    for sample in explain_each(explainer, X):
        np.testing.assert_array_equal(sample.explain(), sample.own)
        np.testing.assert_array_equal(sample.explain_perturbed(0.0, 0), sample.own)
        noisy = sample.explain_perturbed(0.3, 0)
        np.testing.assert_array_equal(sample.explain_perturbed(0.3, 0), noisy)
        assert np.abs(noisy - sample.own).max() > 1e-6  # the controls
        assert np.abs(noisy - sample.explain_perturbed(0.3, 2)).max() > 1e-6


def test_another_output_changes_the_coalitions_and_not_the_attributions():
    explainer, X = fit_example_explainer("texts", "saliency"), fit_example("texts")[1][:3]
    default, probability = (list(explain_each(explainer, X, output)) for output in (None, "probability"))
    expected = fit_example("texts")[0].predict_proba(X).max(axis=1)
    for a, b, p in zip(default, probability, expected, strict=True):
        np.testing.assert_array_equal(a.own, b.own)
        full = np.ones((1, len(a.attributions)), dtype=bool)
        assert b.evaluate(full) == pytest.approx(p, abs=1e-6)
        assert a.evaluate(full) != pytest.approx(p, abs=1e-3)  # the control
