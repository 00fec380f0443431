"""The base class of vectorizers."""

import pickle
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_tree import (
    RaggedArray,
    RecursiveNetClassifier,
    SequenceVectorizer,
    TreeArray,
    TreeNode,
    TreeVectorizer,
)
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer, check_ids, describe


class WordVectorizer(BaseVectorizer):
    """Vectorizer of single words that counts how often it reads X."""

    _parameter_constraints: ClassVar = {}
    n_reads = 0

    def read(self, X):
        self.n_reads += 1
        return [word.lower() for word in X]

    def _learn(self, array):
        self.vocabulary_ = {word: i for i, word in enumerate(["<pad>", "<unk>", *sorted(set(array))])}

    def _encode(self, array):
        return [self.vocabulary_.get(word, 1) for word in array]


def test_fit_transform_equals_fit_and_transform_but_reads_once():
    once, twice = WordVectorizer(), WordVectorizer()
    assert once.fit_transform(["B", "a", "b"]) == twice.fit(["B", "a", "b"]).transform(["B", "a", "b"])
    assert once.transform(["B", "a", "c"]) == [3, 2, 1]
    assert (once.n_reads, twice.n_reads) == (2, 2)


def test_ids_depend_on_the_samples_of_fit():  # the control of the law above
    assert WordVectorizer().fit(["a", "b"]).transform(["b"]) != WordVectorizer().fit(["b"]).transform(["b"])
    with pytest.raises(NotFittedError, match="not fitted"):
        WordVectorizer().transform(["b"])


@pytest.mark.parametrize("n_ids", [0, 1, 3])
def test_only_ids_below_the_size_of_the_vocabulary_are_valid(n_ids):
    vocabulary = {"<pad>": 0, "<unk>": 1, "a": 2}
    check_ids(np.arange(n_ids), vocabulary)
    with pytest.raises(ValueError, match=r"^X must hold ids in \[0, 3\), got 3$"):
        check_ids(np.append(np.arange(n_ids), 3), vocabulary)


def test_descriptions_give_the_type_and_the_content():
    assert describe(["a"]) == "a list"
    assert describe(TreeArray.from_trees(["(S a)"])) == "a TreeArray of texts"
    assert describe(RaggedArray([0], [0, 1])) == "a RaggedArray of numbers"


SENTENCES = ["the big film", "a film <unk>", "the play"]
TREES = [
    TreeNode("S", [TreeNode(word, (), None, f"{word[0]}-") for word in text.split()]) for text in SENTENCES
]
VECTORIZERS = [(SequenceVectorizer, SENTENCES), (TreeVectorizer, TREES)]


@pytest.mark.parametrize(("cls", "X"), VECTORIZERS)
def test_partial_fit_extends_the_vocabulary_and_keeps_the_ids(cls, X):
    whole, parts = cls().fit(X), cls()
    for i in range(len(X)):
        known = dict(vars(parts).get("vocabulary_", {}))
        assert parts.partial_fit(X[i : i + 1]) is parts
        assert known.items() <= parts.vocabulary_.items()
    assert parts.vocabulary_.keys() == whole.vocabulary_.keys()
    assert getattr(parts, "edge_vocabulary_", {}).keys() == getattr(whole, "edge_vocabulary_", {}).keys()
    assert cls().partial_fit(X).transform(X) == whole.transform(X)
    assert list(parts.inverse_transform(parts.transform(X))) == list(
        whole.inverse_transform(whole.transform(X))
    )
    assert parts.fit(X[:1]).vocabulary_ == cls().fit(X[:1]).vocabulary_  # the control: fit forgets


@pytest.mark.parametrize(("cls", "X"), VECTORIZERS)
def test_partial_fit_counts_the_samples_of_all_calls(cls, X):
    parts = cls(min_df=2)
    for i in range(len(X)):
        parts = pickle.loads(pickle.dumps(parts.partial_fit(X[i : i + 1])))
    assert parts.vocabulary_.keys() == cls(min_df=2).fit(X).vocabulary_.keys()
    assert "film" in parts.vocabulary_
    assert "film" not in cls(min_df=2).partial_fit(X[:1]).fit(X[1:]).vocabulary_  # the control
    assert len(cls(max_features=2).partial_fit(X).partial_fit([X[0]]).vocabulary_) == 4


def test_partial_fit_continues_fit_and_checks_the_column():
    vectorizer = SequenceVectorizer().fit(pd.DataFrame({"text": SENTENCES[:1]}))
    ids = vectorizer.transform(pd.DataFrame({"text": SENTENCES[:1]}))
    with pytest.raises(ValueError, match="feature names should match"):
        vectorizer.partial_fit(pd.DataFrame({"other": SENTENCES}))
    vectorizer.partial_fit(pd.DataFrame({"text": SENTENCES[1:]}))
    assert vectorizer.transform(pd.DataFrame({"text": SENTENCES[:1]})) == ids
    assert "play" in vectorizer.vocabulary_


def test_chunks_train_an_estimator_on_the_vocabulary_of_all():
    vectorizer = TreeVectorizer()
    for tree in TREES:
        vectorizer.partial_fit([tree])
    net = RecursiveNetClassifier(hidden_size=4, random_state=0)
    for tree, label in zip(TREES, [0, 1, 0], strict=True):
        net.partial_fit(vectorizer.transform([tree]), [label], classes=[0, 1])
    assert np.isfinite(net.predict_proba(vectorizer.transform(TREES))).all()


TABLE = {"fine": [1.0, 2.0], "dull": [3.0, 4.0]}


def find(words):
    positions = [i for i, word in enumerate(words) if word in TABLE]
    return np.array(positions, dtype=np.int64), np.array([TABLE[words[i]] for i in positions])


@pytest.mark.parametrize(
    ("vectorizer", "X", "new", "expected"),
    [
        (SequenceVectorizer(), ["a film"], ["a fine Dull play"], [2, "fine", "dull", 1]),
        (SequenceVectorizer(), ["a film"], [["<unk>", "dull", "dull"]], [1, "dull", "dull"]),
        (TreeVectorizer(), [("a", "film")], [("a", "fine", "play", "dull")], [2, "fine", 1, "dull"]),
        (TreeVectorizer(inner_labels=False), [("a", "film")], [("fine", "fine", "film")], [0, "fine", 2]),
    ],
)
def test_unknown_words_with_a_vector_get_further_ids(vectorizer, X, new, expected):
    encoded = vectorizer.fit(X).transform_with(new, find)
    n_labels = len(vectorizer.vocabulary_)
    found = [
        id_ if id_ < n_labels else encoded.vectors[id_ - n_labels].tolist() for id_ in encoded.codes.tolist()
    ]
    assert found == [TABLE.get(entry, entry) for entry in expected]
    assert len(encoded.vectors) == len(set(expected) & set(TABLE))
    assert encoded.n_labels == n_labels
    plain = vectorizer.transform(new)  # the control
    assert plain.vectors is None
    assert plain.codes.max() < n_labels


def test_the_vectors_are_not_searched_without_unknown_words():
    encoded = SequenceVectorizer().fit(["a film"]).transform_with([["film", "<unk>"]], None)
    assert encoded.vectors is None
