"""Line charts of the training history."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sklearn_tree import RecursiveNetClassifier
from sklearn_tree.plot import plot_history

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("early_stopping", [False, True])
def test_lines_show_the_columns_of_the_history(small_trees, early_stopping):
    clf = RecursiveNetClassifier(max_epochs=4, early_stopping=early_stopping, random_state=0)
    clf.fit(*small_trees)
    ax = plot_history(clf)
    shown = {line.get_label(): line.get_ydata() for axes in ax.figure.axes for line in axes.get_lines()}
    names = {"train_loss", "valid_loss", "valid_score"} if early_stopping else {"train_loss"}
    assert set(shown) == names
    for name in names:
        np.testing.assert_array_equal(shown[name], clf.history_[name])


def test_given_axes_are_used(small_trees):
    clf = RecursiveNetClassifier(max_epochs=1).fit(*small_trees)
    ax = pyplot.figure().subplots()
    assert plot_history(clf, ax) is ax


def test_an_estimator_without_a_history_is_refused():
    with pytest.raises(TypeError, match="estimator must have the attribute history_, got LogisticRegression"):
        plot_history(LogisticRegression())
