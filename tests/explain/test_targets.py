"""Every method explains any output and class of every kind of target."""

import numpy as np
import pytest
from explain_helpers import (
    FEW_PARAMS,
    METHODS,
    SERIES,
    TABLE,
    TEXTS,
    TREES,
    N,
    fit_explainer,
    is_complete,
)

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods import method_names

RNG = np.random.RandomState(0)
LABELS, NUMBERS = RNG.randint(0, 2, (N, 3)), RNG.randn(N, 2)
COLUMNS = np.array([[i % 2, "abc"[i % 3]] for i in range(N)], dtype=object)
SAMPLES = {
    "trees": (RecursiveNetClassifier, RecursiveNetRegressor, TREES),
    "texts": (RNNClassifier, RNNRegressor, TEXTS),
    "a table": (RNNClassifier, RNNRegressor, TABLE),
    "series": (CNNClassifier, CNNRegressor, SERIES),
}
SMALL = {"max_epochs": 2, "random_state": 0, "lr": 0.02}


def proba_of_label(net, X, label, is_present):
    proba = net.predict_proba(X)[:, label]
    return proba if is_present else 1 - proba


def proba_of_class(net, X, column, name):
    return net.predict_proba(X)[column][:, list(net.classes_[column]).index(name)]


# For each target: targets of the samples, and the explained number of a fitted net.
TARGETS = {
    "a label": (LABELS, 2, lambda net, X: proba_of_label(net, X, 2, True)),
    "an absent label": (LABELS, (2, 0), lambda net, X: proba_of_label(net, X, 2, False)),
    "a class": (COLUMNS, (1, "c"), lambda net, X: proba_of_class(net, X, 1, "c")),
    "a predicted class": (COLUMNS, (1, "predicted"), lambda net, X: net.predict_proba(X)[1].max(axis=1)),
    "a number": (NUMBERS, 1, lambda net, X: net.predict(X)[:, 1]),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_method_explains_every_output(name, target):
    classifier, regressor, X = SAMPLES[name]
    y, wanted, expect = TARGETS[target]
    net = (regressor if target == "a number" else classifier)(**SMALL).fit(X, y)
    expected, few = expect(net, X[:4]), X[:4]
    noisy = ["noise_tunnel(saliency)", "noise_tunnel(input_x_gradient)"]
    totals = {}
    for method in {*METHODS, *noisy} & {*method_names(ExplainedNet(net)), *noisy}:
        explainer = fit_explainer(
            net, X, method=method, target=wanted, output="probability", method_params=FEW_PARAMS
        )
        found = explainer.explain(few, y[:4])
        np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
        assert all(f"utput {wanted if np.ndim(wanted) == 0 else wanted[0]}: " in c for c in found.captions)
        if method in ("shapley", "integrated_gradients", "interaction"):
            assert is_complete(found)
        numbers = np.concatenate([part.ravel() for part in found.attributions])
        assert np.isfinite(numbers).all()
        totals[method] = np.abs(numbers).max()
    assert {"occlusion", "shapley", "saliency"} <= set(totals)
    assert totals["occlusion"] > 1e-6


@pytest.mark.parametrize(
    ("y", "target", "message"),
    [
        (LABELS, 3, r"target must be 'predicted', \(output, class\) or an int in \[0, 2\], got 3"),
        (LABELS, (0, 2), r"target\[1\] must be 'predicted' or one of the classes \[0, 1\], got 2"),
        (LABELS, "c", r"target must be 'predicted', \(output, class\) or an int in \[0, 2\], got 'c'"),
        (COLUMNS, "c", r"target must be 'predicted' or \(output, class\) for 2 outputs, got 'c'"),
        (COLUMNS, (2, "c"), r"target\[0\] must be an int in \[0, 1\], got 2"),
        (COLUMNS, (0, "c"), r"target\[1\] must be 'predicted' or one of the classes \[0, 1\], got 'c'"),
        (NUMBERS, 2, r"target must be 'predicted' or an int in \[0, 1\], got 2"),
        (NUMBERS, (0, 1), r"target must be 'predicted' or an int in \[0, 1\], got \(0, 1\)"),
    ],
)
def test_outputs_and_classes_that_do_not_exist_are_refused(y, target, message):
    net = (RNNRegressor if y is NUMBERS else RNNClassifier)(**SMALL).fit(TABLE, y)
    with pytest.raises(ValueError, match=message):
        fit_explainer(net, TABLE, target=target)
    with pytest.raises(ValueError, match=message):
        fit_explainer(net, TABLE).explain(TABLE[:2], target=target)
