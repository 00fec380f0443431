"""scikit-learn's searches, ensembles and inspection tools with all six estimators."""

import numpy as np
import pandas as pd
import pytest
from combinations import each_once
from samples import CLASSIFIERS, REGRESSORS, tree_classifier
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_tree import CNNClassifier, RNNClassifier, TreeArray, TreeVectorizer

N = 120


@pytest.fixture(scope="module")
def table():
    """Return a table, classes and numbers; both depend mostly on the first column."""
    rng = np.random.RandomState(0)
    X = rng.rand(N, 3)
    return X, np.where(X[:, 0] > 0.5, "high", "low"), X[:, 0] * 10 + X[:, 1]


def learner(cls, **params):
    return cls(**{"max_epochs": 30, "hidden_size": 8, "lr": 0.02, "random_state": 0, **params})


LR = {"lr": [1e-9, 0.02]}
# name -> function from an estimator to a meta-estimator
META_CLASSIFIERS = {
    "GridSearchCV": lambda clf: GridSearchCV(clf, LR, cv=2),
    "HalvingGridSearchCV": lambda clf: HalvingGridSearchCV(clf, LR, cv=2, min_resources=60, random_state=0),
    "halving over epochs": lambda clf: HalvingGridSearchCV(
        clf, LR, cv=2, resource="max_epochs", min_resources=10, max_resources=30
    ),
    "RandomizedSearchCV": lambda clf: RandomizedSearchCV(clf, LR, n_iter=2, cv=2, random_state=0),
    "CalibratedClassifierCV": lambda clf: CalibratedClassifierCV(clf, cv=2),
    "BaggingClassifier": lambda clf: BaggingClassifier(clf, n_estimators=2, random_state=0),
    "AdaBoostClassifier": lambda clf: AdaBoostClassifier(clf, n_estimators=2, random_state=0),
    "OneVsRestClassifier": lambda clf: OneVsRestClassifier(clf),
    "TunedThresholdClassifierCV": lambda clf: TunedThresholdClassifierCV(clf, cv=2),
    "StackingClassifier": lambda clf: StackingClassifier([("net", clf)], LogisticRegression(), cv=2),
    "VotingClassifier": lambda clf: VotingClassifier([("a", clf), ("b", LogisticRegression())]),
}
META_REGRESSORS = {
    "GridSearchCV": lambda reg: GridSearchCV(reg, LR, cv=2),
    "BaggingRegressor": lambda reg: BaggingRegressor(reg, n_estimators=2, random_state=0),
    "AdaBoostRegressor": lambda reg: AdaBoostRegressor(reg, n_estimators=2, random_state=0),
    "StackingRegressor": lambda reg: StackingRegressor([("net", reg)], Ridge(), cv=2),
    "TransformedTargetRegressor": lambda reg: TransformedTargetRegressor(reg, transformer=StandardScaler()),
}


@pytest.mark.parametrize(("cls", "name"), each_once(CLASSIFIERS, list(META_CLASSIFIERS)))
def test_a_classifier_learns_inside_a_meta_estimator(table, cls, name):
    X, y, _ = table
    model = META_CLASSIFIERS[name](learner(cls)).fit(X, y)
    assert model.score(X, y) > 0.85
    assert set(model.predict(X)) == {"high", "low"}


@pytest.mark.parametrize(("cls", "name"), each_once(REGRESSORS, list(META_REGRESSORS)))
def test_a_regressor_learns_inside_a_meta_estimator(table, cls, name):
    X, _, y = table
    assert META_REGRESSORS[name](learner(cls)).fit(X, y).score(X, y) > 0.7


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_searches_find_the_learning_rate_that_works(table, cls):
    X, y, _ = table
    for name in ("GridSearchCV", "HalvingGridSearchCV", "RandomizedSearchCV"):
        assert META_CLASSIFIERS[name](learner(cls)).fit(X, y).best_params_ == {"lr": 0.02}


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_several_outputs_are_fitted_by_one_classifier_each(table, cls):
    X, _, _ = table
    Y = np.stack([X[:, 0] > 0.5, X[:, 1] > 0.5], axis=1).astype(int)
    for model in (MultiOutputClassifier(learner(cls)), ClassifierChain(learner(cls))):
        assert (model.fit(X, Y).predict(X) == Y).mean() > 0.85


@pytest.mark.parametrize("cls", REGRESSORS)
def test_several_targets_are_fitted_by_one_regressor_each(table, cls):
    X, _, y = table
    assert (
        MultiOutputRegressor(learner(cls)).fit(X, np.stack([y, -y], axis=1)).score(X, np.stack([y, -y], 1))
        > 0.7
    )


@pytest.mark.parametrize("cls", [*CLASSIFIERS, *REGRESSORS])
def test_permutation_importance_finds_the_column_that_matters(table, cls):
    X, classes, numbers = table
    y = classes if cls in CLASSIFIERS else numbers
    net = learner(cls).fit(X, y)
    importances = permutation_importance(net, X, y, n_repeats=2, random_state=0).importances_mean
    assert importances.argmax() == 0


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_self_training_labels_unlabelled_samples(table, cls):
    X, y, _ = table
    codes = (y == "high").astype(int)
    codes[::2] = -1
    model = SelfTrainingClassifier(learner(cls), max_iter=1, threshold=0.9).fit(X, codes)
    assert (model.labeled_iter_ == 1).any()
    assert (model.predict(X) == (y == "high")).mean() > 0.85


@pytest.mark.parametrize("cls", [*CLASSIFIERS, *REGRESSORS])
def test_learning_and_validation_curves_find_the_better_setting(table, cls):
    X, classes, numbers = table
    y = classes if cls in CLASSIFIERS else numbers
    _, _, scores = learning_curve(
        learner(cls), X, y, train_sizes=[0.5, 1.0], cv=2, shuffle=True, random_state=0
    )
    assert scores.mean(axis=1)[1] > 0.6
    _, scores = validation_curve(learner(cls), X, y, param_name="lr", param_range=[1e-9, 0.02], cv=2)
    assert scores.mean(axis=1)[0] < scores.mean(axis=1)[1]


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_cross_val_predict_and_frozen_estimators_work(table, cls):
    X, y, _ = table
    proba = cross_val_predict(learner(cls), X, y, cv=2, method="predict_proba")
    assert ((proba[:, 0] > 0.5) == (y == "high")).mean() > 0.8
    net = learner(cls).fit(X, y)
    frozen = CalibratedClassifierCV(FrozenEstimator(net)).fit(X, y)
    assert frozen.score(X, y) > 0.85
    assert net.n_iter_ == 30


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_a_text_column_is_combined_with_numeric_columns(cls):
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=N)
    texts = ["it was " + ("great" if label else "dull") for label in y]
    frame = pd.DataFrame({"text": texts, "a": rng.rand(N), "b": rng.rand(N)})
    columns = ColumnTransformer([("text", learner(cls), "text"), ("rest", StandardScaler(), ["a", "b"])])
    pipe = make_pipeline(columns, LogisticRegression()).fit(frame[:80], y[:80])
    assert pipe.score(frame[80:], y[80:]) == 1.0
    names = pipe[0].get_feature_names_out()
    assert names[0] == f"text__{cls.__name__.lower()}0"
    assert names[-1] == "rest__b"
    columns.set_output(transform="pandas")
    assert columns.fit_transform(frame, y).shape[1] == len(names)


@pytest.mark.parametrize("cls", [*CLASSIFIERS, *REGRESSORS])
def test_validation_samples_pass_through_the_preceding_steps(table, cls):
    """Check ``Pipeline(transform_input=["X_val"])``, which scales the validation samples like X."""
    X, classes, numbers = table
    y = classes if cls in CLASSIFIERS else numbers
    X = X * 1000
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        net = learner(cls, early_stopping=True, patience=30).set_fit_request(X_val=True, y_val=True)
        pipe = make_pipeline(StandardScaler(), net, transform_input=["X_val"])
        pipe.fit(X, y, X_val=X, y_val=y)
        search = GridSearchCV(pipe, {f"{cls.__name__.lower()}__hidden_size": [4]}, cv=2)
        search.fit(X, y, X_val=X, y_val=y)
    assert pipe[-1].history_.valid_score.max() > 0.85
    assert pipe[-1].history_.valid_score.max() == pytest.approx(pipe.score(X, y), abs=0.02)
    assert search.best_estimator_[-1].history_.valid_loss.notna().all()


def test_meta_estimators_accept_trees(small_trees):
    trees, y = small_trees
    pipe = make_pipeline(TreeVectorizer(), tree_classifier(cell="nary_lstm", max_epochs=8))
    assert cross_val_score(pipe, trees, y, cv=3).mean() > 0.9
    search = GridSearchCV(
        pipe,
        {"treevectorizer__min_df": [1, 2], "recursivenetclassifier__hidden_size": [8, 16]},
        n_jobs=2,
        cv=2,
    )
    assert search.fit(trees, y).best_score_ > 0.9
    frozen = FrozenEstimator(search.best_estimator_)
    np.testing.assert_array_equal(clone(frozen).predict(trees), search.predict(trees))
    calibrated = CalibratedClassifierCV(tree_classifier(cell="nary_lstm"), cv=2)
    assert calibrated.fit(TreeArray.from_trees(trees), y).score(TreeArray.from_trees(trees), y) > 0.9
    cal_frozen = CalibratedClassifierCV(frozen).fit(TreeArray.from_trees(trees), y)
    assert cal_frozen.score(TreeArray.from_trees(trees), y) > 0.9
    stack = StackingClassifier(
        [("a", tree_classifier(cell="nary_lstm")), ("b", pipe)], LogisticRegression(), cv=2
    )
    assert stack.fit(trees, y).score(trees, y) > 0.9
    copied = clone(search.best_estimator_)
    with pytest.raises(NotFittedError):
        copied.predict(trees)


def test_n_jobs_does_not_change_the_result(encoded):
    X, y = encoded
    grid = {"hidden_size": [4, 8], "lr": [0.01, 0.001]}
    searches = [
        GridSearchCV(tree_classifier(max_epochs=2), grid, cv=3, n_jobs=n, scoring="neg_log_loss").fit(X, y)
        for n in (1, 2)
    ]
    one, two = (search.cv_results_ for search in searches)
    for key in one:
        if key.startswith(("split", "mean_test")):
            np.testing.assert_array_equal(one[key], two[key])
    np.testing.assert_array_equal(*(s.predict_proba(X) for s in searches))


def test_a_pipeline_can_return_pandas_output(small_trees):
    trees, y = small_trees
    pipe = make_pipeline(TreeVectorizer(), tree_classifier(max_epochs=1)).set_output(transform="pandas")
    assert pipe.fit(trees, y).transform(trees).columns[0] == "recursivenetclassifier0"
