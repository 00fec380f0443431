"""Explainers in pipelines and searches, as features of another model."""

import numpy as np
import pandas as pd
import pytest
from explain_helpers import (
    LEARNS,
    NAMES,
    TEXTS,
    TREES,
    Y,
)
from sklearn.base import clone
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    TreeVectorizer,
)


@pytest.mark.parametrize(
    ("estimator", "X"),
    [
        (RNNClassifier(**LEARNS), TEXTS),
        (CNNClassifier(**LEARNS), TEXTS),
        (RecursiveNetClassifier(**LEARNS), TREES),
        (make_pipeline(TreeVectorizer(), RecursiveNetClassifier(**LEARNS)), TREES),
        (RNNClassifier(**LEARNS), np.stack([Y, 1 - Y], axis=1).astype(float)),
    ],
)
def test_a_classifier_learns_from_attributions(estimator, X):
    features = CaptumExplainer(estimator, target="good", random_state=0)
    pipe = make_pipeline(features, StandardScaler(), LogisticRegression())
    assert cross_val_score(pipe, X, NAMES, cv=2).mean() > 0.9


def test_a_search_covers_parameters_of_the_explainer_and_of_its_net():
    pipe = Pipeline(
        [
            ("explainer", CaptumExplainer(RNNClassifier(**LEARNS), target="good")),
            ("clf", LogisticRegression()),
        ]
    )
    grid = {"explainer__method": ["occlusion", "saliency"], "explainer__estimator__hidden_size": [3]}
    search = GridSearchCV(pipe, grid, cv=2).fit(TEXTS, NAMES)
    assert search.best_params_["explainer__estimator__hidden_size"] == 3
    assert search.best_score_ > 0.9
    assert search.best_estimator_["explainer"].estimator_.hidden_size == 3


def test_relevant_columns_are_selected():
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.rand(60), np.tile([0.0, 1.0], 30), rng.rand(60)])
    y = np.tile([0, 1], 30)
    net = RNNClassifier(**LEARNS)
    pipe = make_pipeline(SelectFromModel(CaptumExplainer(net), max_features=1), LogisticRegression())
    assert pipe.fit(X, y).score(X, y) == 1.0
    assert pipe[0].get_support().tolist() == [False, True, False]
    prefit = SelectFromModel(CaptumExplainer(net.fit(X, y)).fit(X), prefit=True, threshold="mean").fit(X)
    assert prefit.transform(X).tolist() == X[:, [1]].tolist()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    selector = SelectFromModel(CaptumExplainer(RNNClassifier(**LEARNS)), threshold="mean").fit(frame, y)
    assert selector.get_feature_names_out().tolist() == ["b"]


@pytest.mark.parametrize(
    ("net", "X"), [(RNNClassifier(**LEARNS), TEXTS), (RecursiveNetClassifier(**LEARNS), TREES)]
)
def test_columns_of_attributions_are_selected(net, X):
    explainer = CaptumExplainer(net, random_state=0).set_output(transform="pandas").fit(X, NAMES)
    columns = explainer.transform(X)
    selector = SelectFromModel(explainer, prefit=True, max_features=2, threshold=-np.inf).fit(columns)
    largest = columns.abs().mean().nlargest(2).index
    assert set(selector.get_feature_names_out(columns.columns)) == set(largest)
    assert selector.transform(columns).shape == (len(X), 2)
    with pytest.raises(ValueError, match="Expected 2D array"):  # texts and trees have no columns
        SelectFromModel(clone(explainer)).fit(X, NAMES).transform(X)
