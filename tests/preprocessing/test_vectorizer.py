"""The base class of vectorizers."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_tree import RaggedArray, TreeArray
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
