"""Stand-ins for the objects of gensim, spaCy and model2vec that hold vectors."""

import numpy as np


class FakeKeyedVectors:
    """gensim's ``KeyedVectors``, as far as vectors are looked up."""

    def __init__(self, table):
        self.key_to_index = {word: i for i, word in enumerate(table)}
        self.vectors = np.array(list(table.values()), dtype=np.float32)

    def get_vector(self, key):
        return self.vectors[self.key_to_index[key]]


class FakeVocab:
    """spaCy's ``Vocab``, as far as vectors are looked up; words without a vector get zeros."""

    def __init__(self, table):
        self.table = table

    def has_vector(self, word):
        return word in self.table

    def get_vector(self, word):
        return self.table.get(word, np.zeros(2))


class FakeModel:
    """Model with ``encode``, as those of model2vec and sentence-transformers; counts its calls."""

    def __init__(self, table):
        self.table = table
        self.calls = []

    def encode(self, sentences):
        self.calls.append(sentences)
        size = len(next(iter(self.table.values())))
        return np.array([self.table.get(sentence, np.zeros(size)) for sentence in sentences])
