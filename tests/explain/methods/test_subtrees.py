"""Interactions and predictions for subtrees."""

import numpy as np
import pytest
from explain_helpers import fit_explainer

from sklearn_tree import RecursiveNetClassifier

PARSES = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 3


@pytest.fixture(scope="module")
def net():
    return RecursiveNetClassifier(hidden_size=4, max_epochs=4, lr=0.05, random_state=0).fit(
        PARSES, [0, 1] * 3
    )


def test_predictions_for_subtrees_have_no_completeness_error(net):
    explained = fit_explainer(net, PARSES, method="node_prediction").explain(PARSES)
    assert np.isnan(explained.completeness_error).all()
    assert ", error" not in explained.plot(show_values=True).html
    shared = fit_explainer(net, PARSES, method="interaction").explain(PARSES)
    assert ", error" in shared.plot(show_values=True).html  # the control


def test_interactions_are_complete(net):
    explained = fit_explainer(net, PARSES, method="interaction").explain(PARSES)
    assert np.abs(explained.completeness_error).max() < 1e-5
    occluded = fit_explainer(net, PARSES, method="occlusion").explain(PARSES)
    assert np.abs(occluded.completeness_error).max() > 1e-3  # the control


def test_the_prediction_for_a_root_equals_the_prediction_for_its_tree(net):
    explained = fit_explainer(net, PARSES, method="node_prediction").explain(PARSES)
    roots = [part[0] for part in explained.attributions]
    np.testing.assert_allclose(roots, explained.values, atol=1e-6)
    assert np.abs(explained.attributions[0][1] - explained.values[0]) > 1e-3  # the control
