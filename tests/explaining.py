"""Small samples, quick nets and a fitted explainer, for the tests of explainers."""

import numpy as np

from sklearn_tree import CaptumExplainer

QUICK = {"max_epochs": 2, "hidden_size": 4, "random_state": 0}
LEARNS = {"max_epochs": 20, "hidden_size": 8, "lr": 0.02, "random_state": 0}
N = 24
TEXTS = ["a good film", "a bad film", "good , really good", "bad"] * 6
_RNG = np.random.RandomState(0)
TABLE = _RNG.rand(N, 3)
SERIES = _RNG.rand(N, 6, 2)
IMAGES = _RNG.rand(N, 8, 6).astype(np.float32)
TREES = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))", "(S works)", "(VP fails not)"] * 6
Y = np.array([1, 0] * 12)
NAMES = np.array(["good", "bad"] * 12)
NUMBERS = np.arange(N) / 10


def explained(estimator, X, **params):
    """A fitted explainer of a fitted estimator."""
    return CaptumExplainer(estimator, **{"random_state": 0, **params}).fit(X)


def adds_up(explanations, tol=0.02):
    change = np.abs(explanations.values - explanations.baseline_values)
    return (np.abs(explanations.completeness_error) <= tol * np.maximum(1, change)).all()


def ragged_series():
    rng = np.random.RandomState(0)
    return [rng.rand(3 + i % 4, 2) for i in range(N)]
