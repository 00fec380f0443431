"""View of images."""

import numpy as np
import pytest
from explain_helpers import (
    IMAGES,
    NAMES,
    QUICK,
    Y,
    fit_explainer,
)
from samples import object_array

from sklearn_tree import CaptumExplainer, CNNClassifier


@pytest.mark.parametrize("method", ["integrated_gradients", "grad_cam", "shapley", "lime", "kernel_shap"])
def test_images_are_explained_by_every_method(method):
    clf = CNNClassifier(**QUICK, input_kind="image").fit(IMAGES, Y)
    params = {"n_samples": 8, "window": 4} if method in ("shapley", "lime", "kernel_shap") else None
    explainer = fit_explainer(clf, IMAGES[:4], method=method, n_steps=4, max_steps=4, method_params=params)
    assert np.isfinite(explainer.transform(IMAGES[:4])).all()


def test_images_of_another_size_are_refused():
    net = CNNClassifier(**QUICK).fit(IMAGES[..., None], NAMES)
    explainer = CaptumExplainer(net, "saliency").fit(IMAGES[..., None])
    other = np.zeros((2, 9, 7, 1), dtype=np.float32)
    for call in (explainer.explain, explainer.transform):
        with pytest.raises(
            ValueError, match=r"X must have samples of shape \(8, 6, 1\), as in fit, got \(9, 7, 1\)"
        ):
            call(other)
    pairs = np.stack([object_array(list(IMAGES[..., None]))] * 2, axis=1)
    net = CNNClassifier(**QUICK).fit(pairs, NAMES)
    explainer = CaptumExplainer(net, "saliency").fit(pairs)
    with pytest.raises(ValueError, match="X must have samples of shape"):
        explainer.explain(np.stack([object_array(list(other))] * 2, axis=1))
