"""States of output columns and views."""

import pickle

import numpy as np
import pandas as pd
import pytest
from samples import BRACKETS, CONTAINERS, TABLE, TEXTS, Y, quick

from sklearn_tree import CaptumExplainer, CNNClassifier, RecursiveNetClassifier, RNNClassifier
from sklearn_tree.explain.state import features_from_state, features_to_state, view_from_state, view_to_state
from sklearn_tree.explain.views import find_view

CASES = {
    "trees": (RecursiveNetClassifier, BRACKETS),
    "tokens": (RNNClassifier, TEXTS),
    "series": (RNNClassifier, CONTAINERS["series: list of arrays"].X),
    "images": (CNNClassifier, CONTAINERS["images: with channels"].X),
    "table": (RNNClassifier, TABLE),
    "table of trees": (RecursiveNetClassifier, TABLE),
    "words of a state": (RNNClassifier, [text.replace("really", "class") for text in TEXTS]),
    "pairs": (RNNClassifier, pd.DataFrame({"a": TEXTS, "b": TEXTS[::-1]})),
}


@pytest.mark.parametrize("name", CASES)
def test_columns_and_views_are_restored(name):
    cls, X = CASES[name]
    explainer = CaptumExplainer(quick(cls).fit(X, Y), random_state=0).fit(X)
    view = find_view(explainer.estimator_.kind_)
    restored = view_from_state(view_to_state(view))
    assert type(restored) is type(view)
    state = features_to_state(explainer._features)
    features = features_from_state(state, restored)
    assert type(features) is type(explainer._features)
    np.testing.assert_array_equal(features.names, explainer._features.names)
    copied = pickle.loads(pickle.dumps(explainer))
    np.testing.assert_array_equal(copied.transform(X), explainer.transform(X))


def test_a_copy_knows_that_its_net_was_fitted_again():
    net = quick(RNNClassifier).fit(TEXTS, Y)
    explainer = CaptumExplainer(net, random_state=0).fit(TEXTS)
    net.fit(TEXTS[::-1], Y)
    for copied in (explainer, pickle.loads(pickle.dumps(explainer))):
        with pytest.raises(ValueError, match="was fitted again after this CaptumExplainer"):
            copied.transform(TEXTS)
