"""Data sets on an accelerator, and data that are encoded once for a whole search."""

import numpy as np
import pytest
import torch
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
from sklearn_tree.estimators import batches
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset
from sklearn_tree.kinds import Images, Series, Table, Tokens, Trees

KINDS = {"tokens": Tokens(), "series": Series(), "table": Table(), "images": Images()}
META = torch.device("meta")
TOKENS = RaggedArray(np.arange(12) + 2, [0, 3, 4, 9, 12])
TREES = TreeArray(np.arange(4) + 2, np.array([0, 1, 0, 1]), [0, 2, 4])
SAMPLES = {
    "tokens": TOKENS,
    "series": RaggedArray(np.ones((12, 2)), TOKENS.offsets),
    "table": np.ones((4, 3)),
    "images": np.ones((4, 5, 5, 1), dtype=np.uint8),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_fits_is_put_on_an_accelerator_once(kind, monkeypatch):
    monkeypatch.setattr(batches, "free_memory", lambda device: 10_000)
    dataset = EncodedDataset(SAMPLES[kind], np.arange(4), np.ones(4), kind=KINDS[kind]).on(META)
    for X, y in BatchIterator(dataset, 2, shuffle=True):
        assert {y.device, X.sample_weight.device} == {META}
        assert (X.values if kind != "tokens" else X.labels).device == META


def test_what_does_not_fit_stays_where_it_is(monkeypatch):
    n_bytes = TOKENS.values.nbytes
    dataset = EncodedDataset(TOKENS, kind=Tokens())
    monkeypatch.setattr(batches, "free_memory", lambda device: 2 * n_bytes - 1)
    assert dataset.on(META) is dataset
    monkeypatch.setattr(batches, "free_memory", lambda device: 2 * n_bytes)
    assert dataset.on(META) is not dataset  # the control
    assert EncodedDataset(TREES, kind=Trees()).on(META).X is TREES


def test_in_main_memory_nothing_is_moved():
    dataset = EncodedDataset(TOKENS, kind=Tokens())
    assert dataset.on(torch.device("cpu")) is dataset


TREE_STRINGS = ["(S a b)", "(S (T a) b)", "(S b (T b))", "(S c)"] * 9 + ["(S (T c) c)"] * 4
TEXTS = ["a great film", "dull", "so dull a film", "great"] * 9 + ["a great dull film"] * 4
Y = np.array([0, 1, 1, 0] * 10)
small = {"hidden_size": 4, "embedding_dim": 4, "max_epochs": 2, "random_state": 0}


@pytest.mark.parametrize("mmap_mode", [None, "r"])
@pytest.mark.parametrize(
    ("vectorizer", "clf", "X"),
    [
        (TreeVectorizer(), RecursiveNetClassifier(**small), TREE_STRINGS),
        (SequenceVectorizer(), RNNClassifier(**small), TEXTS),
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


@pytest.mark.parametrize("array", [TOKENS, TREES, SAMPLES["series"]], ids=["tokens", "trees", "series"])
def test_arrays_are_mapped_from_disk(array, tmp_path):
    memory = Memory(tmp_path, mmap_mode="r", verbose=0)
    cached = memory.cache(lambda: array, ignore=[])
    cached()
    found = cached()
    assert found == array
    assert isinstance(found.offsets, np.memmap)
    assert found[1:] == array[1:]
