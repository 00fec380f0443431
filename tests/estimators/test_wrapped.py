"""Errors about estimators that do not end in a net name a net inside them."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree import RNNClassifier, SequenceVectorizer
from sklearn_tree.estimators.wrapped import split_estimator

FRAME = pd.DataFrame({"text": ["a good film", "a bad film"] * 6, "number": np.arange(12.0)})
Y = [1, 0] * 6


def make_net():
    return RNNClassifier(max_epochs=1, hidden_size=4, random_state=0)


def make_columns(net):
    return ColumnTransformer([("scaled", StandardScaler(), ["number"]), ("net", net, "text")])


FREE = {
    "a column": (make_pipeline(make_columns(make_net()), LogisticRegression()), FRAME),
    "a pipeline as a column": (
        make_pipeline(make_columns(make_pipeline(SequenceVectorizer(), make_net())), LogisticRegression()),
        FRAME,
    ),
    "a union": (
        make_pipeline(
            StandardScaler(),
            FeatureUnion([("net", make_net()), ("all", "passthrough")]),
            LogisticRegression(),
        ),
        FRAME[["number"]].to_numpy(),
    ),
    "a stack": (
        StackingClassifier([("linear", LogisticRegression()), ("net", make_net())], cv=2),
        FRAME[["number"]].to_numpy(),
    ),
}


@pytest.mark.parametrize("name", list(FREE))
def test_the_expression_in_the_error_is_a_fitted_net(name):
    estimator, X = FREE[name]
    estimator.fit(X, Y)
    for wrapped in (estimator, FrozenEstimator(estimator)):
        with pytest.raises(TypeError, match=r"estimator must be a net of .*pass the net") as error:
            split_estimator(wrapped)
        path = re.search("the net inside, (.+), and the samples", str(error.value))[1]
        inner = eval(path, {"pipe": wrapped, "estimator": wrapped})
        assert isinstance(split_estimator(inner)[1], RNNClassifier)
        inner.predict(FRAME["text"] if "column" in name else X)


def test_no_net_is_named_if_there_is_none():
    with pytest.raises(TypeError, match=r"ends in one, got LogisticRegression$"):
        split_estimator(make_pipeline(StandardScaler(), LogisticRegression()))
