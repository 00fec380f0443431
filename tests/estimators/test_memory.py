"""Pipelines and arrays in a joblib cache."""

import numpy as np
import pytest
from joblib import Memory
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    RaggedArray,
    RecursiveNetClassifier,
    RNNClassifier,
    SequenceVectorizer,
    TreeArray,
    TreeVectorizer,
)

TREE_STRINGS = ["(S a b)", "(S (T a) b)", "(S b (T b))", "(S c)"] * 9 + ["(S (T c) c)"] * 4
TEXTS = ["a great film", "dull", "so dull a film", "great"] * 9 + ["a great dull film"] * 4
Y = np.array([0, 1, 1, 0] * 10)
TOKENS = RaggedArray(np.arange(12) + 2, [0, 3, 4, 9, 12])
ARRAYS = {
    "tokens": TOKENS,
    "trees": TreeArray(np.arange(4) + 2, np.array([0, 1, 0, 1]), [0, 2, 4]),
    "series": RaggedArray(np.ones((12, 2)), TOKENS.offsets),
}
SMALL = {"hidden_size": 4, "embedding_dim": 4, "max_epochs": 2, "random_state": 0}


@pytest.mark.parametrize("mmap_mode", [None, "r"])
@pytest.mark.parametrize(
    ("vectorizer", "clf", "X"),
    [
        (TreeVectorizer(), RecursiveNetClassifier(**SMALL), TREE_STRINGS),
        (SequenceVectorizer(), RNNClassifier(**SMALL), TEXTS),
    ],
    ids=["trees", "texts"],
)
def test_a_search_with_memory_encodes_each_fold_once(vectorizer, clf, X, mmap_mode, tmp_path):
    name = type(clf).__name__.lower()
    grid = {f"{name}__hidden_size": [2, 3, 4], f"{name}__lr": [0.01, 0.1]}
    memory = Memory(tmp_path, mmap_mode=mmap_mode, verbose=0)
    plain = GridSearchCV(make_pipeline(vectorizer, clf), grid, cv=2).fit(X, Y)
    search = GridSearchCV(make_pipeline(vectorizer, clf, memory=memory), grid, cv=2).fit(X, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(search.predict_proba(X), plain.predict_proba(X))
    encoded = list(tmp_path.rglob("output.pkl"))
    assert len(encoded) == 3  # both folds and all of X, of 13 fits


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_cached_arrays_are_memory_mapped(array, tmp_path):
    memory = Memory(tmp_path, mmap_mode="r", verbose=0)
    cached = memory.cache(lambda: array, ignore=[])
    cached()
    found = cached()
    assert found == array
    assert isinstance(found.offsets, np.memmap)
    assert found[1:] == array[1:]
