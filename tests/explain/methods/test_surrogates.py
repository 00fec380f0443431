"""Linear models fitted to coalitions recover additive functions."""

import numpy as np
import pytest
import torch
from explain_helpers import QUICK, Y, fit_explainer

from sklearn_tree import RNNClassifier

TEXTS = ["a b c d e f", "f e d c b a", "a a b f", "d e f f"] * 3


@pytest.fixture
def net():
    return RNNClassifier(**QUICK, linear_path=False).fit(TEXTS, Y[:12])


@pytest.fixture
def linear_net(net):
    """A net whose outputs are a linear function of the sum of the word vectors."""
    weight = torch.randn(64, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    net.net_.module_.forward_embedded = lambda x, batch: x.sum(1) @ weight.to(x)
    return net


def explain(net, method, **params):
    params = {"dtype": "float64", "target": 1, **params}
    return fit_explainer(net, TEXTS, method=method, **params).explain(TEXTS[:4])


def test_kernel_shap_gives_the_shapley_values_of_an_additive_function(linear_net):
    found = explain(linear_net, "kernel_shap", method_params={"n_samples": 400}).own
    for a, b in zip(found, explain(linear_net, "shapley").own):
        np.testing.assert_allclose(a, b, atol=1e-4)
    for a, b in zip(found, explain(linear_net, "saliency").own):
        assert np.abs(a - b).max() > 1e-2  # the control


def test_kernel_shap_is_nearly_complete(net):
    explained = explain(net, "kernel_shap", method_params={"n_samples": 400})
    assert np.abs(explained.completeness_error).max() < 1e-3
    assert np.abs(explain(net, "saliency").completeness_error).max() > 1e-2  # the control


def test_lime_ranks_the_effects_of_an_additive_function(linear_net):
    found = explain(linear_net, "lime", method_params={"n_samples": 400}).own
    for a, b in zip(found, explain(linear_net, "shapley").own):
        assert np.corrcoef(a, b)[0, 1] > 0.95
        assert abs(np.corrcoef(a, np.roll(b, 1))[0, 1]) < 0.95  # the control
