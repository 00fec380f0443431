"""Methods shared by all classifiers."""

import numpy as np
import pandas as pd
import pytest
from samples import tree_classifier

from sklearn_tree import RNNClassifier


@pytest.mark.parametrize(
    "labels",
    [["no", "yes"], [False, True], [10, 20], [-1, 1], [1.0, 2.0], np.array(["b", "a"], dtype=object)],
)
def test_predictions_have_the_type_of_the_labels(small_trees, labels):
    trees, y = small_trees
    target = np.array([labels[int(k == "one")] for k in y])
    clf = tree_classifier(cell="nary_lstm").fit(trees, target)
    assert clf.classes_.tolist() == sorted(labels)
    assert clf.score(trees, target) == 1.0
    assert clf.predict(trees).dtype == np.unique(target).dtype


def test_categorical_labels_are_learned(small_trees):
    trees, y = small_trees
    clf = tree_classifier(cell="nary_lstm").fit(trees, pd.Series(y, dtype="category"))
    assert clf.score(trees, y) == 1.0


def test_class_weights_equal_sample_weights(encoded):
    X, y = encoded
    by_class = tree_classifier(class_weight={"one": 3.0, "two": 1.0}).fit(X, y)
    by_sample = tree_classifier().fit(X, y, sample_weight=np.where(y == "one", 3.0, 1.0))
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    assert not np.array_equal(by_class.predict_proba(X), tree_classifier().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("y", [[0, 1] * 10, [["a", 1], ["b", 0]] * 10, [[0, 1], [1, 0]] * 10])
def test_score_runs_the_net_once(y, monkeypatch):
    y = np.array(y, dtype=object) if isinstance(y[0], list) and "a" in y[0] else np.array(y)
    X = ["a great film", "dull"] * 10
    clf = RNNClassifier(max_epochs=1, random_state=0).fit(X, y)
    calls, run = [], clf._run
    monkeypatch.setattr(clf, "_run", lambda *args: calls.append(args) or run(*args))
    clf.score(X, y)
    assert len(calls) == 1
