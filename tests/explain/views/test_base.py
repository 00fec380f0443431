"""Baselines of numbers, and the defaults of views."""

import numpy as np
import pytest
import torch
from explain_helpers import (
    IMAGES,
    QUICK,
    SERIES,
    TABLE,
    Y,
    fit_explainer,
)

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RNNClassifier,
)


@pytest.mark.parametrize("X", [SERIES, TABLE], ids=["series", "table"])
def test_the_baseline_of_unknown_words_is_refused_for_numbers(X):
    kind = "series" if X.ndim == 3 else "table"
    with pytest.raises(ValueError, match=f"baseline='unknown' is for words and labels, not for {kind}"):
        CaptumExplainer(RNNClassifier(**QUICK), baseline="unknown").fit(X, Y)


@pytest.mark.parametrize("X", [SERIES, TABLE, IMAGES], ids=["series", "table", "images"])
@pytest.mark.parametrize("baseline", ["mean", "zero"])
def test_inputs_equal_to_the_baseline_get_no_attribution(X, baseline):
    params = {"input_kind": "image"} if X is IMAGES else {}
    clf = CNNClassifier(**QUICK, **params).fit(X, Y)
    explainer = fit_explainer(clf, X, method="feature_ablation", baseline=baseline)
    assert explainer.baseline_ == baseline
    if baseline == "zero":
        sample = np.zeros_like(X[:1])
    else:  # statistics are per channel
        axes = 0 if X is TABLE else (0, 1) if X is SERIES else (0, 1, 2)
        sample = np.broadcast_to(X.mean(axis=axes), X[:1].shape).copy()
    assert np.abs(explainer.transform(sample)).max() < 1e-5
    assert np.abs(explainer.transform(X[:1])).max() > 1e-5


@pytest.mark.parametrize("X", [TABLE, SERIES, IMAGES[..., None]], ids=["table", "series", "images"])
def test_tensors_are_explained_like_arrays(X):
    X = X.astype(np.float32)
    clf = CNNClassifier(**QUICK).fit(X, Y)
    explainer = fit_explainer(clf, X, method="input_x_gradient")
    tensor = torch.from_numpy(X)
    np.testing.assert_array_equal(explainer.transform(tensor), explainer.transform(X))
    of_tensors = fit_explainer(clf, tensor, method="input_x_gradient")
    np.testing.assert_array_equal(of_tensors.feature_importances_, explainer.feature_importances_)
    assert of_tensors.get_feature_names_out().tolist() == explainer.get_feature_names_out().tolist()
    frame = of_tensors.explain(tensor[:2]).to_frame()
    np.testing.assert_allclose(frame.value, X[:2].ravel(), rtol=1e-6)
    assert tensor.grad is None
    requires_grad = tensor.clone().requires_grad_()
    np.testing.assert_array_equal(explainer.transform(requires_grad), explainer.transform(X))
    assert requires_grad.grad is None
