"""What users put around an estimator: scikit-learn's searches, ensembles and inspectors, on all six."""

import numpy as np
import pandas as pd
import pytest
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
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
)

CLASSIFIERS = [RecursiveNetClassifier, RNNClassifier, CNNClassifier]
REGRESSORS = [RecursiveNetRegressor, RNNRegressor, CNNRegressor]
N = 120


@pytest.fixture(scope="module")
def table():
    """A table, classes that its first column decides, and a number that it nearly is."""
    rng = np.random.RandomState(0)
    X = rng.rand(N, 3)
    return X, np.where(X[:, 0] > 0.5, "high", "low"), X[:, 0] * 10 + X[:, 1]


def quick(cls, **params):
    return cls(**{"max_epochs": 30, "hidden_size": 8, "lr": 0.02, "random_state": 0, **params})


LR = {"lr": [1e-9, 0.02]}
# name -> a meta-estimator around a classifier, whether a wrong one would show in its score
AROUND_CLASSIFIERS = {
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
AROUND_REGRESSORS = {
    "GridSearchCV": lambda reg: GridSearchCV(reg, LR, cv=2),
    "BaggingRegressor": lambda reg: BaggingRegressor(reg, n_estimators=2, random_state=0),
    "AdaBoostRegressor": lambda reg: AdaBoostRegressor(reg, n_estimators=2, random_state=0),
    "StackingRegressor": lambda reg: StackingRegressor([("net", reg)], Ridge(), cv=2),
    "TransformedTargetRegressor": lambda reg: TransformedTargetRegressor(reg, transformer=StandardScaler()),
}


@pytest.mark.parametrize("name", list(AROUND_CLASSIFIERS))
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_classifier_learns_inside(table, cls, name):
    X, y, _ = table
    model = AROUND_CLASSIFIERS[name](quick(cls)).fit(X, y)
    assert model.score(X, y) > 0.85
    assert set(model.predict(X)) == {"high", "low"}


@pytest.mark.parametrize("name", list(AROUND_REGRESSORS))
@pytest.mark.parametrize("cls", REGRESSORS)
def test_a_regressor_learns_inside(table, cls, name):
    X, _, y = table
    assert AROUND_REGRESSORS[name](quick(cls)).fit(X, y).score(X, y) > 0.7


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_searches_find_the_rate_that_learns(table, cls):
    X, y, _ = table
    for name in ("GridSearchCV", "HalvingGridSearchCV", "RandomizedSearchCV"):
        assert AROUND_CLASSIFIERS[name](quick(cls)).fit(X, y).best_params_ == {"lr": 0.02}


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_several_outputs_are_fitted_one_by_one(table, cls):
    X, _, _ = table
    Y = np.stack([X[:, 0] > 0.5, X[:, 1] > 0.5], axis=1).astype(int)
    for model in (MultiOutputClassifier(quick(cls)), ClassifierChain(quick(cls))):
        assert (model.fit(X, Y).predict(X) == Y).mean() > 0.85


@pytest.mark.parametrize("cls", REGRESSORS)
def test_several_numbers_are_fitted_one_by_one(table, cls):
    X, _, y = table
    assert (
        MultiOutputRegressor(quick(cls)).fit(X, np.stack([y, -y], axis=1)).score(X, np.stack([y, -y], 1))
        > 0.7
    )


@pytest.mark.parametrize("cls", [*CLASSIFIERS, *REGRESSORS])
def test_permutation_importance_finds_the_column_that_matters(table, cls):
    X, classes, numbers = table
    y = classes if cls in CLASSIFIERS else numbers
    net = quick(cls).fit(X, y)
    importances = permutation_importance(net, X, y, n_repeats=2, random_state=0).importances_mean
    assert importances.argmax() == 0


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_self_training_uses_what_has_no_label(table, cls):
    X, y, _ = table
    codes = (y == "high").astype(int)
    codes[::2] = -1
    model = SelfTrainingClassifier(quick(cls), max_iter=1, threshold=0.9).fit(X, codes)
    assert (model.labeled_iter_ == 1).any()
    assert (model.predict(X) == (y == "high")).mean() > 0.85


@pytest.mark.parametrize("cls", [*CLASSIFIERS, *REGRESSORS])
def test_curves_are_drawn(table, cls):
    X, classes, numbers = table
    y = classes if cls in CLASSIFIERS else numbers
    _, _, scores = learning_curve(
        quick(cls), X, y, train_sizes=[0.5, 1.0], cv=2, shuffle=True, random_state=0
    )
    assert scores.mean(axis=1)[1] > 0.6
    _, scores = validation_curve(quick(cls), X, y, param_name="lr", param_range=[1e-9, 0.02], cv=2)
    assert scores.mean(axis=1)[0] < scores.mean(axis=1)[1]


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_cross_val_predict_and_frozen_nets(table, cls):
    X, y, _ = table
    proba = cross_val_predict(quick(cls), X, y, cv=2, method="predict_proba")
    assert ((proba[:, 0] > 0.5) == (y == "high")).mean() > 0.8
    net = quick(cls).fit(X, y)
    frozen = CalibratedClassifierCV(FrozenEstimator(net)).fit(X, y)
    assert frozen.score(X, y) > 0.85
    assert net.n_iter_ == 30


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_a_text_column_stands_beside_numeric_ones(cls):
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=N)
    texts = ["it was " + ("great" if label else "dull") for label in y]
    frame = pd.DataFrame({"text": texts, "a": rng.rand(N), "b": rng.rand(N)})
    columns = ColumnTransformer([("text", quick(cls), "text"), ("rest", StandardScaler(), ["a", "b"])])
    pipe = make_pipeline(columns, LogisticRegression()).fit(frame[:80], y[:80])
    assert pipe.score(frame[80:], y[80:]) == 1.0
    names = pipe[0].get_feature_names_out()
    assert names[0] == f"text__{cls.__name__.lower()}0"
    assert names[-1] == "rest__b"
    columns.set_output(transform="pandas")
    assert columns.fit_transform(frame, y).shape[1] == len(names)


@pytest.mark.parametrize("cls", [*CLASSIFIERS, *REGRESSORS])
def test_validation_samples_go_through_the_steps_before(table, cls):
    """``Pipeline(transform_input=["X_val"])`` scales them like X; unscaled they would be far off."""
    X, classes, numbers = table
    y = classes if cls in CLASSIFIERS else numbers
    X = X * 1000
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        net = quick(cls, early_stopping=True, patience=30).set_fit_request(X_val=True, y_val=True)
        pipe = make_pipeline(StandardScaler(), net, transform_input=["X_val"])
        pipe.fit(X, y, X_val=X, y_val=y)
        search = GridSearchCV(pipe, {f"{cls.__name__.lower()}__hidden_size": [4]}, cv=2)
        search.fit(X, y, X_val=X, y_val=y)
    assert pipe[-1].history_.valid_score.max() > 0.85
    assert pipe[-1].history_.valid_score.max() == pytest.approx(pipe.score(X, y), abs=0.02)
    assert search.best_estimator_[-1].history_.valid_loss.notna().all()
