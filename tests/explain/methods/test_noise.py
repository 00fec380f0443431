"""Stochastic methods follow the seed."""

import re

import numpy as np
import pytest
from explain_helpers import assert_all_close, fit_example, fit_example_explainer, supported_methods

STOCHASTIC = [
    (kind, method)
    for kind in ("trees", "texts", "series", "images")
    for method in supported_methods(kind)
    if re.match("gradient_shap|kernel|lime|noise", method)
]


@pytest.mark.parametrize(("kind", "method"), STOCHASTIC)
def test_draws_follow_the_seed(kind, method):
    X = fit_example(kind)[1][-2:]
    one, two, other = (
        fit_example_explainer(kind, method, random_state=seed).explain(X) for seed in (0, 0, 1)
    )
    assert_all_close(one.own, two.own, atol=0)
    assert any(not np.allclose(a, b) for a, b in zip(one.own, other.own))
