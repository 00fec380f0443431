"""Views of tables."""

import numpy as np
import pytest
from explain_helpers import (
    QUICK,
    TABLE,
    Y,
    fit_explainer,
)

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
)


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier, RecursiveNetClassifier])
@pytest.mark.parametrize("method", ["occlusion", "feature_ablation", "shapley", "saliency", "gradient_shap"])
def test_tables_are_explained_by_every_method(cls, method):
    clf = cls(**QUICK).fit(TABLE, Y)
    X = fit_explainer(clf, TABLE, method=method).transform(TABLE)
    assert X.shape == TABLE.shape
    assert np.isfinite(X).all()
    assert X.any()
