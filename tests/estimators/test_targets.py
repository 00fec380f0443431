"""Targets of every kind: numbers, several columns of numbers or classes, indicator matrices."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, RNNClassifier, TreeVectorizer


def classifier(**params):
    return RecursiveNetClassifier(**{"random_state": 0, "max_epochs": 25, "hidden_size": 16, **params})


def regressor(**params):
    return RecursiveNetRegressor(**{"random_state": 0, "max_epochs": 40, "hidden_size": 16, **params})


@pytest.fixture
def words_counted(small_trees):
    """Encoded trees, and for each how many p, q, r it has, shape (120, 3)."""
    trees, _ = small_trees
    counts = np.array([[tree.count(word) for word in "pqr"] for tree in trees])
    return TreeVectorizer().fit_transform(trees), counts


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (1e6, -5e8), (1e-6, 0)])
def test_a_regressor_learns_targets_of_any_scale(words_counted, scale, shift):
    X, counts = words_counted
    y = (counts[:, 0] - 0.5 * counts[:, 1]) * scale + shift
    reg = regressor().fit(X, y)
    assert reg.score(X, y) > 0.95
    assert reg.predict(X).shape == (120,)
    control = regressor().fit(X, np.random.RandomState(0).permutation(y))
    assert control.score(X, y) < 0.5


def test_a_regressor_learns_several_columns(words_counted):
    X, counts = words_counted
    y = counts * [1.0, 100.0, 0.01]
    reg = regressor().fit(X, y)
    assert reg.predict(X).shape == (120, 3)
    assert r2_score(y, reg.predict(X), multioutput="raw_values").min() > 0.9
    assert regressor(max_epochs=1).fit(X, y[:, :1]).predict(X).shape == (120, 1)
    with pytest.raises(ValueError, match="y must have 3 columns, as in fit, got one dimension"):
        reg.partial_fit(X, y[:, 0])


def test_a_constant_target_is_predicted(words_counted):
    X, _ = words_counted
    np.testing.assert_allclose(regressor().fit(X, np.full(120, 7.0)).predict(X), 7.0, atol=0.1)


def test_regression_weights_of_zero_are_like_missing_samples(words_counted):
    X, counts = words_counted
    y = counts[:, 0].astype(float)
    wrong = y.copy()
    wrong[:60] = 1e6
    weight = np.r_[np.zeros(60), np.ones(60)]
    assert regressor().fit(X, wrong, sample_weight=weight).score(X, y) > 0.8
    assert regressor().fit(X, wrong).score(X, y) < 0  # the control


def test_a_regressor_is_tuned_stopped_early_and_followed(words_counted):
    X, counts = words_counted
    y = counts[:, 0] * 10.0
    search = GridSearchCV(regressor(max_epochs=3), {"hidden_size": [4, 8]}, cv=2, n_jobs=2)
    assert np.isfinite(search.fit(X, y).best_score_)
    reg = regressor(early_stopping=True).fit(X, y)
    assert reg.history_.valid_score.iloc[-1] > 0.5
    given = regressor(max_epochs=30).fit(X, y, X_val=X, y_val=y)
    assert given.history_.valid_score.iloc[-1] == pytest.approx(given.score(X, y), abs=1e-4)
    net = regressor().make_net(X, y)
    assert net.fit(X, y[:, None].astype(np.float32) / 10).score(X, y[:, None] / 10) > 0.5


@pytest.mark.parametrize(
    ("y", "message"),
    [(["a", "b"] * 60, "could not convert string to float"), ([np.nan] * 120, "Input y contains NaN")],
)
def test_targets_that_are_no_numbers_are_refused(words_counted, y, message):
    with pytest.raises(ValueError, match=message):
        regressor().fit(words_counted[0], y)


def test_multi_label_targets_have_a_probability_per_label(words_counted):
    X, counts = words_counted
    y = (counts > 0).astype(int)
    clf = classifier().fit(X, y)
    assert clf.score(X, y) > 0.95
    assert clf.predict_proba(X).shape == clf.decision_function(X).shape == (120, 3)
    np.testing.assert_array_equal(clf.predict(X), clf.predict_proba(X) > 0.5)
    assert clf.classes_.tolist() == [0, 1, 2]
    two = classifier(max_epochs=1).fit(X, y[:, :2])
    assert two.decision_function(X).shape == (120, 2)
    with pytest.raises(ValueError, match="y must have 3 columns, got 2"):
        clf.partial_fit(X, y[:, :2])
    with pytest.raises(ValueError, match="y must hold labels per sample, as in the first fit, got one class"):
        clf.partial_fit(X, y[:, 0])


def test_multi_output_targets_have_a_head_per_column_of_any_type(words_counted, small_trees):
    X, counts = words_counted
    y = np.empty((120, 3), dtype=object)
    y[:, 0] = small_trees[1]
    y[:, 1] = np.minimum(counts[:, 0], 2)
    y[:, 2] = counts[:, 1] > 0
    clf = classifier(max_epochs=40).fit(X, y)
    assert clf.n_classes_ == [2, 3, 2]
    assert [c.tolist() for c in clf.classes_] == [["one", "two"], [0, 1, 2], [False, True]]
    assert clf.score(X, y) > 0.9
    assert [p.shape for p in clf.predict_proba(X)] == [(120, 2), (120, 3), (120, 2)]
    assert [d.shape for d in clf.decision_function(X)] == [(120,), (120, 3), (120,)]
    assert clf.predict(X)[0].tolist() == y[0].tolist()
    assert clone(clf).set_params(class_weight="balanced", max_epochs=1).fit(X, y).n_iter_ == 1
    checked = classifier(max_epochs=2).fit(X, y, X_val=X, y_val=y)
    assert 0 < checked.history_.valid_score.iloc[-1] <= 1
    with pytest.raises(ValueError, match="got 'three' in row 0"):
        clf.partial_fit(X[:1], np.array([["three", 0, False]], dtype=object))


def test_heads_are_trained_apart_from_each_other(words_counted):
    """A column that is pure noise leaves the other column's prediction right."""
    X, counts = words_counted
    noise = np.random.RandomState(0).randint(3, size=120)
    y = np.stack([np.minimum(counts[:, 0], 2), noise], axis=1)
    predicted = classifier(max_epochs=40).fit(X, y).predict(X)
    assert (predicted[:, 0] == y[:, 0]).mean() > 0.95


def test_predict_nodes_needs_one_class_per_sample(words_counted):
    X, counts = words_counted
    clf = classifier(max_epochs=1).fit(X, (counts > 0).astype(int))
    with pytest.raises(ValueError, match="predict_nodes requires one class per sample, got labels"):
        clf.predict_nodes(X)


@pytest.mark.parametrize("y", [[0, 1] * 10, [["a", 1], ["b", 0]] * 10, [[0, 1], [1, 0]] * 10])
def test_a_score_takes_one_prediction(y, monkeypatch):
    y = np.array(y, dtype=object) if isinstance(y[0], list) and "a" in y[0] else np.array(y)
    X = ["a great film", "dull"] * 10
    clf = RNNClassifier(max_epochs=1, random_state=0).fit(X, y)
    calls, run = [], clf._run
    monkeypatch.setattr(clf, "_run", lambda *args: calls.append(args) or run(*args))
    clf.score(X, y)
    assert len(calls) == 1
