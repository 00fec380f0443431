"""View of images."""

import numpy as np
import pytest
from explain_helpers import (
    IMAGES,
    QUICK,
    Y,
    fit_explainer,
)

from sklearn_tree import (
    CNNClassifier,
)


@pytest.mark.parametrize("method", ["integrated_gradients", "grad_cam", "shapley", "lime", "kernel_shap"])
def test_images_are_explained_by_every_method(method):
    clf = CNNClassifier(**QUICK, input_kind="image").fit(IMAGES, Y)
    params = {"n_samples": 8, "window": 4} if method in ("shapley", "lime", "kernel_shap") else None
    explainer = fit_explainer(clf, IMAGES[:4], method=method, n_steps=4, max_steps=4, method_params=params)
    assert np.isfinite(explainer.transform(IMAGES[:4])).all()
