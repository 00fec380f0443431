"""Attributions agree with exact Shapley values and with a grammar, and depend on what was learned."""

from functools import cache

import numpy as np
import pytest
import torch
from explain_helpers import fit_explainer, fit_sentiment
from scipy.stats import spearmanr

from sklearn_tree.explain.metrics import randomization_test


@cache
def explain(method, baseline):
    net, X, *_ = fit_sentiment()
    return fit_explainer(net, X[:6], method=method, baseline=baseline, target="positive").explain(X)


def shuffle(parts):
    rng = np.random.RandomState(0)
    return [rng.permutation(part) for part in parts]


def select_leaves(explanations):
    return [own[leaves] for own, leaves in zip(explanations.own, fit_sentiment().leaves)]


def mean_rank_correlation(found, expected):
    return np.mean([spearmanr(a, b).statistic for a, b in zip(found, expected)])


def sign_agreement(found):
    """Return the fraction of right signs among the phrases below the root that matter to the grammar."""
    right = []
    for numbers, effects in zip(found, fit_sentiment().contributions):
        is_relevant = np.abs(effects) > 0.2
        is_relevant[0] = False
        right += (np.sign(numbers) == np.sign(effects))[is_relevant].tolist()
    return np.mean(right)


@pytest.mark.parametrize(("method", "minimum"), [("integrated_gradients", 0.75), ("occlusion", 0.85)])
def test_leaves_are_ranked_as_by_exact_shapley_values(method, minimum):
    """Measured: 0.88 and 0.92."""
    exact = explain("shapley", "unknown")
    assert max(map(len, fit_sentiment().leaves)) == 10  # all coalitions
    assert np.abs(exact.completeness_error).max() < 1e-5
    found, expected = select_leaves(explain(method, "unknown")), select_leaves(exact)
    assert mean_rank_correlation(found, expected) > minimum
    assert abs(mean_rank_correlation(shuffle(found), expected)) < 0.2  # the controls
    assert mean_rank_correlation(select_leaves(explain("saliency", "unknown")), expected) < 0.3


@pytest.mark.parametrize(
    ("method", "baseline", "minimum"),
    [
        ("occlusion", "auto", 0.93),
        ("occlusion", "unknown", 0.92),
        ("integrated_gradients", "unknown", 0.92),
        ("shapley", "unknown", 0.92),
    ],
)
def test_phrases_have_the_signs_of_the_grammar(method, baseline, minimum):
    """Measured: 0.99, 0.98, 0.97 and 0.98."""
    found = explain(method, baseline).attributions
    assert sign_agreement(found) > minimum
    assert sign_agreement(shuffle(found)) < 0.85  # the controls
    assert sign_agreement(explain("saliency", "unknown").attributions) < 0.6


@pytest.mark.parametrize(("method", "baseline"), [("integrated_gradients", "unknown"), ("occlusion", "auto")])
def test_attributions_change_if_the_weights_are_permuted(method, baseline, monkeypatch):
    net, X, *_ = fit_sentiment()
    explainer = fit_explainer(net, X[:6], method=method, baseline=baseline, target="positive")
    correlations = randomization_test(explainer, X[:15], n_repeats=5)
    assert len(set(correlations)) == 5
    assert abs(correlations.mean()) < 0.25
    monkeypatch.setattr(torch, "randperm", lambda n, generator: torch.arange(n))
    assert randomization_test(explainer, X[:15], n_repeats=1) > 0.99  # the control
