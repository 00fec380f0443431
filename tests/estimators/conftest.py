"""Encoded samples shared by the tests of estimators."""

import numpy as np
import pytest

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer
from sklearn_tree.datasets import make_listops


@pytest.fixture
def encoded(small_trees):
    """Return the small trees as ids, and their classes."""
    trees, y = small_trees
    return TreeVectorizer().fit_transform(trees), np.array(y)


@pytest.fixture(scope="module")
def listops():
    """Return 300 encoded list operations of unequal size, and their results."""
    X, y = make_listops(300, max_depth=6, max_args=4, random_state=0)
    return RecursiveNetClassifier(max_epochs=1, random_state=0).fit(X, y).vectorizer_.transform(X), y


@pytest.fixture
def words_counted(small_trees):
    """Return the small trees as ids, and the numbers of p, q and r in each, shape (120, 3)."""
    trees, _ = small_trees
    counts = np.array([[tree.count(word) for word in "pqr"] for tree in trees])
    return TreeVectorizer().fit_transform(trees), counts
