"""Explained nets are found in pipelines, searches and wrappers."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from explain_helpers import (
    NAMES,
    NUMBERS,
    QUICK,
    TABLE,
    TEXTS,
    TREES,
    Y,
    fit_explainer,
)
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_tree import (
    CaptumExplainer,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    ToDevice,
    TreeVectorizer,
)


def test_a_fitted_estimator_is_not_refitted_or_changed():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    before = pickle.dumps(clf)
    explainer = fit_explainer(clf, TEXTS)
    assert explainer.estimator_ is clf
    explainer.explain(TEXTS)
    explainer.transform(TEXTS)
    assert pickle.dumps(clf) == before


def test_an_unfitted_estimator_is_cloned_and_fitted():
    clf = RNNClassifier(**QUICK)
    explainer = CaptumExplainer(clf).fit(TEXTS, NAMES)
    assert explainer.estimator_ is not clf
    with pytest.raises(NotFittedError):
        check_is_fitted(clf)
    expected = RNNClassifier(**QUICK).fit(TEXTS, NAMES).predict_proba(TEXTS)
    np.testing.assert_array_equal(explainer.estimator_.predict_proba(TEXTS), expected)


def test_an_unfitted_pipeline_is_cloned_and_fitted():
    pipe = make_pipeline(StandardScaler(), RNNClassifier(**QUICK))
    explainer = CaptumExplainer(pipe).fit(TABLE, Y)
    with pytest.raises(NotFittedError):
        check_is_fitted(pipe[0])
    assert explainer.transform(TABLE).shape == TABLE.shape
    with pytest.raises(ValueError, match="the target y is None: the estimator is not fitted yet"):
        CaptumExplainer(pipe).fit(TABLE)


def fit_search():
    return GridSearchCV(
        make_pipeline(SequenceVectorizer(), RNNClassifier(**QUICK)), {"rnnclassifier__lr": [0.01]}, cv=2
    ).fit(TEXTS, NAMES)


def test_searches_pipelines_and_frozen_estimators_are_explained_like_their_net():
    search = fit_search()
    expected = fit_explainer(search.best_estimator_, TEXTS).explain(TEXTS).to_frame()
    assert set(expected.token) == {"a", "good", "bad", "film", ",", "really"}
    wrapped = [search, FrozenEstimator(search), FrozenEstimator(search.best_estimator_)]
    wrapped += [Pipeline([("net", search)]), Pipeline([("step", "passthrough"), ("net", search)])]
    for estimator in wrapped:
        pd.testing.assert_frame_equal(fit_explainer(estimator, TEXTS).explain(TEXTS).to_frame(), expected)


def test_a_regressor_of_transformed_targets_is_explained_in_the_units_of_the_net():
    model = TransformedTargetRegressor(RNNRegressor(**QUICK), transformer=StandardScaler())
    model.fit(TABLE, NUMBERS)
    explanations = fit_explainer(model, TABLE).explain(TABLE)
    np.testing.assert_allclose(explanations.values, model.regressor_.predict(TABLE), rtol=1e-4)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "Pipeline"),
        (GridSearchCV(RNNClassifier(**QUICK), {"lr": [0.01]}, cv=2, refit=False), "GridSearchCV"),
        (StandardScaler(), "StandardScaler"),
    ],
)
def test_estimators_without_nets_are_refused(estimator, name):
    with pytest.raises(TypeError, match=f"estimator must be a net of sklearn_tree.*got {name}"):
        CaptumExplainer(estimator).fit(TABLE, Y)


@pytest.mark.parametrize("estimator", ["auto", None, torch.nn.Linear(1, 1)])
def test_objects_that_are_not_estimators_are_refused(estimator):
    with pytest.raises(ValueError, match=r"'estimator' parameter of CaptumExplainer must be .*'fit'"):
        CaptumExplainer(estimator).fit(TABLE, Y)


def test_a_frozen_estimator_must_be_fitted():
    with pytest.raises(NotFittedError, match="This RNNClassifier instance is not fitted yet"):
        CaptumExplainer(FrozenEstimator(RNNClassifier(**QUICK))).fit(TABLE, Y)


def test_a_class_is_refused():
    with pytest.raises(TypeError, match="is a class, not an instance"):
        CaptumExplainer(RNNClassifier).fit(TABLE, Y)


def test_wrappers_that_may_predict_something_else_are_refused():
    net = RNNClassifier(hidden_size=4, max_epochs=1, random_state=0)
    wrapped = FixedThresholdClassifier(net, threshold=0.9).fit(["good", "bad"] * 6, [0, 1] * 6)
    with pytest.raises(ValueError, match=r"largest probability .* got FixedThresholdClassifier"):
        CaptumExplainer(wrapped).fit(["good", "bad"])


def test_columns_and_words_are_known_after_moving_to_a_device():
    pipe = make_pipeline(StandardScaler(), ToDevice("cpu"), RNNClassifier(**QUICK)).fit(TABLE, Y)
    explainer = fit_explainer(pipe, TABLE)
    assert explainer.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    trees = make_pipeline(TreeVectorizer(), ToDevice("cpu"), RecursiveNetClassifier(**QUICK)).fit(TREES, Y)
    assert "works" in fit_explainer(trees, TREES).vocabulary_
