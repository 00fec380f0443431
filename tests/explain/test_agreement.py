"""Attributions agree with exact Shapley values, with the grammar, and not with nets that know nothing."""

from functools import cache

import numpy as np
import pytest
import torch
from explained import sentiment
from scipy.stats import spearmanr

from sklearn_tree import CaptumExplainer
from sklearn_tree.explain.metrics import randomization_test


@cache
def explained(method, baseline):
    net, X, *_ = sentiment()
    why = CaptumExplainer(net, method, baseline=baseline, target="positive", random_state=0)
    return why.fit(X[:6]).explain(X)


def shuffled(parts):
    rng = np.random.RandomState(0)
    return [rng.permutation(part) for part in parts]


def on_leaves(explanations):
    return [own[leaves] for own, leaves in zip(explanations.own, sentiment().leaves)]


def mean_rank_correlation(found, expected):
    return np.mean([spearmanr(a, b).statistic for a, b in zip(found, expected)])


def share_of_right_signs(found):
    """Of the phrases below the root that matter to the grammar."""
    right = []
    for numbers, effects in zip(found, sentiment().contributions):
        matters = np.abs(effects) > 0.2
        matters[0] = False
        right += (np.sign(numbers) == np.sign(effects))[matters].tolist()
    return np.mean(right)


@pytest.mark.parametrize(("method", "least"), [("integrated_gradients", 0.75), ("occlusion", 0.85)])
def test_leaves_are_ranked_as_by_exact_shapley_values(method, least):
    """Measured: 0.88 and 0.92."""
    exact = explained("shapley", "unknown")
    assert max(map(len, sentiment().leaves)) == 10  # all coalitions
    assert np.abs(exact.completeness_error).max() < 1e-5
    found, expected = on_leaves(explained(method, "unknown")), on_leaves(exact)
    assert mean_rank_correlation(found, expected) > least
    assert abs(mean_rank_correlation(shuffled(found), expected)) < 0.2  # the controls
    assert mean_rank_correlation(on_leaves(explained("saliency", "unknown")), expected) < 0.3


@pytest.mark.parametrize(
    ("method", "baseline", "least"),
    [
        ("occlusion", "auto", 0.93),
        ("occlusion", "unknown", 0.92),
        ("integrated_gradients", "unknown", 0.92),
        ("shapley", "unknown", 0.92),
    ],
)
def test_phrases_have_the_signs_that_the_grammar_gives_them(method, baseline, least):
    """Measured: 0.99, 0.98, 0.97 and 0.98."""
    found = explained(method, baseline).attributions
    assert share_of_right_signs(found) > least
    assert share_of_right_signs(shuffled(found)) < 0.85  # the controls
    assert share_of_right_signs(explained("saliency", "unknown").attributions) < 0.6


@pytest.mark.parametrize(("method", "baseline"), [("integrated_gradients", "unknown"), ("occlusion", "auto")])
def test_a_net_with_shuffled_weights_has_other_explanations(method, baseline, monkeypatch):
    net, X, *_ = sentiment()
    why = CaptumExplainer(net, method, baseline=baseline, target="positive", random_state=0).fit(X[:6])
    correlations = randomization_test(why, X[:15], n_repeats=5)
    assert len(set(correlations)) == 5
    assert abs(correlations.mean()) < 0.25
    monkeypatch.setattr(torch, "randperm", lambda n, generator: torch.arange(n))
    assert randomization_test(why, X[:15], n_repeats=1) > 0.99  # the control
