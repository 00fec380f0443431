"""CaptumExplainer takes nets, and pipelines and searches around them, and goes into pipelines itself."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from explaining import LEARNS, NAMES, NUMBERS, QUICK, TABLE, TEXTS, TREES, Y, explained
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    TreeVectorizer,
)

# -- which estimators


def test_a_fitted_estimator_is_explained_as_it_is_and_not_changed():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    before = pickle.dumps(clf)
    explainer = explained(clf, TEXTS)
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


def searched():
    return GridSearchCV(
        make_pipeline(SequenceVectorizer(), RNNClassifier(**QUICK)), {"rnnclassifier__lr": [0.01]}, cv=2
    ).fit(TEXTS, NAMES)


def test_searches_pipelines_and_frozen_estimators_say_what_the_net_inside_says():
    search = searched()
    expected = explained(search.best_estimator_, TEXTS).explain(TEXTS).to_frame()
    assert set(expected.token) == {"a", "good", "bad", "film", ",", "really"}
    wrapped = [search, FrozenEstimator(search), FrozenEstimator(search.best_estimator_)]
    wrapped += [Pipeline([("all", search)]), Pipeline([("nothing", "passthrough"), ("all", search)])]
    for estimator in wrapped:
        pd.testing.assert_frame_equal(explained(estimator, TEXTS).explain(TEXTS).to_frame(), expected)


def test_a_regressor_of_transformed_targets_is_explained_in_the_units_of_the_net():
    model = TransformedTargetRegressor(RNNRegressor(**QUICK), transformer=StandardScaler())
    model.fit(TABLE, NUMBERS)
    explanations = explained(model, TABLE).explain(TABLE)
    np.testing.assert_allclose(explanations.values, model.regressor_.predict(TABLE), rtol=1e-4)


@pytest.mark.parametrize(
    ("estimator", "named"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "LogisticRegression"),
        (BaggingClassifier(RNNClassifier(**QUICK), n_estimators=2), "BaggingClassifier"),
        (CalibratedClassifierCV(RNNClassifier(**QUICK), cv=2), "CalibratedClassifierCV"),
        (GridSearchCV(RNNClassifier(**QUICK), {"lr": [0.01]}, cv=2, refit=False), "GridSearchCV"),
        (StandardScaler(), "StandardScaler"),
    ],
)
def test_estimators_without_one_net_at_their_end_are_refused(estimator, named):
    with pytest.raises(TypeError, match=f"estimator must be a net of sklearn_tree.*got {named}"):
        CaptumExplainer(estimator).fit(TABLE, Y)


@pytest.mark.parametrize("estimator", ["auto", None, torch.nn.Linear(1, 1)])
def test_what_is_no_estimator_is_refused(estimator):
    with pytest.raises(ValueError, match=r"'estimator' parameter of CaptumExplainer must be .*'fit'"):
        CaptumExplainer(estimator).fit(TABLE, Y)


def test_a_frozen_estimator_must_be_fitted():
    with pytest.raises(NotFittedError, match="This RNNClassifier instance is not fitted yet"):
        CaptumExplainer(FrozenEstimator(RNNClassifier(**QUICK))).fit(TABLE, Y)


def test_a_class_in_the_place_of_an_estimator_is_refused():
    with pytest.raises(TypeError, match="is a class, not an instance"):
        CaptumExplainer(RNNClassifier).fit(TABLE, Y)


# -- in a pipeline, with another classifier


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
def test_another_classifier_learns_from_attributions(estimator, X):
    features = CaptumExplainer(estimator, target="good", random_state=0)
    pipe = make_pipeline(features, StandardScaler(), LogisticRegression())
    assert cross_val_score(pipe, X, NAMES, cv=2).mean() > 0.9


def test_a_search_finds_parameters_of_the_explainer_and_of_the_net_inside():
    pipe = Pipeline(
        [("why", CaptumExplainer(RNNClassifier(**LEARNS), target="good")), ("clf", LogisticRegression())]
    )
    grid = {"why__method": ["occlusion", "saliency"], "why__estimator__hidden_size": [3]}
    search = GridSearchCV(pipe, grid, cv=2).fit(TEXTS, NAMES)
    assert search.best_params_["why__estimator__hidden_size"] == 3
    assert search.best_score_ > 0.9
    assert search.best_estimator_["why"].estimator_.hidden_size == 3


def test_columns_that_matter_are_selected():
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


def test_wrappers_that_may_predict_something_else_are_refused():
    net = RNNClassifier(hidden_size=4, max_epochs=1, random_state=0)
    wrapped = FixedThresholdClassifier(net, threshold=0.9).fit(["good", "bad"] * 6, [0, 1] * 6)
    with pytest.raises(TypeError, match=r"pipeline or refitted search .* got FixedThresholdClassifier"):
        CaptumExplainer(wrapped).fit(["good", "bad"])


def test_a_pipeline_in_a_pipeline_shows_words_as_they_were_written():
    inner = make_pipeline(SequenceVectorizer())
    pipe = make_pipeline(inner, RNNClassifier(hidden_size=4, max_epochs=1, random_state=0))
    pipe.fit(["good film", "bad film"] * 6, [0, 1] * 6)
    assert CaptumExplainer(pipe).fit(["good"]).explain(["Superb film"]).to_frame().token.tolist() == [
        "Superb",
        "film",
    ]
