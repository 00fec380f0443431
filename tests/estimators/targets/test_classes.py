"""Targets of classifiers."""

from functools import partial

import numpy as np
import pytest
from samples import tree_classifier
from sklearn.base import clone

classifier = partial(tree_classifier, max_epochs=25)


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


def test_a_column_of_noise_does_not_disturb_the_other_column(words_counted):
    """A column that is pure noise leaves the other column's prediction right."""
    X, counts = words_counted
    noise = np.random.RandomState(0).randint(3, size=120)
    y = np.stack([np.minimum(counts[:, 0], 2), noise], axis=1)
    predicted = classifier(max_epochs=40).fit(X, y).predict(X)
    assert (predicted[:, 0] == y[:, 0]).mean() > 0.95
