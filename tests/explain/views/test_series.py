"""View of series."""

import numpy as np
import pytest
from explain_helpers import (
    QUICK,
    N,
    Y,
    fit_explainer,
)

from sklearn_tree import (
    CNNClassifier,
    RNNClassifier,
)


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_series_of_one_channel_and_empty_series_are_explained(cls):
    series = [np.random.RandomState(0).rand(2 + i % 3) for i in range(N)]
    clf = cls(**QUICK).fit(series, Y)
    explainer = fit_explainer(clf, series, n_steps=4, max_steps=4)
    explanations = explainer.explain([np.array([]), np.array([0.5, 0.1])])
    assert [part.shape for part in explanations.attributions] == [(0, 1), (2, 1)]
    assert explainer.transform([np.array([]), np.array([0.5])])[0].tolist() == [0]
    assert len(explanations.to_frame()) == 2
    assert "<svg" in explanations._repr_html_()
    assert "<div" in explainer.explain([np.array([])])._repr_html_()
