"""Tables and models of pretrained vectors."""

import numpy as np
import pytest

from sklearn_tree.vectors.tables import VectorModel, VectorTable

TABLE = {
    "ice": [1.0, 0.0],
    "cream": [0.0, 1.0],
    "do": [2.0, 0.0],
    "n't": [0.0, 2.0],
    "Paris": [3.0, 3.0],
    "it": [4.0, 0.0],
    "'s": [0.0, 4.0],
    "ICE": [9.0, 9.0],
}


def find(*words):
    positions, vectors = VectorTable(TABLE.get).find(words)
    return {words[i]: list(vector) for i, vector in zip(positions, vectors)}


def test_a_word_is_found_exactly_in_lower_case_or_capitalised():
    assert find("ice", "Ice", "ICE") == {"ice": [1, 0], "Ice": [1, 0], "ICE": [9, 9]}
    assert find("paris", "PARIS") == {"paris": [3, 3], "PARIS": [3, 3]}


@pytest.mark.parametrize("word", ["ice cream", "ice-cream", "Ice_Cream", "ice/cream!", "cream ice"])
def test_the_vector_of_a_word_of_several_pieces_is_their_mean(word):
    assert find(word) == {word: [0.5, 0.5]}


def test_contractions_are_split_as_in_the_penn_treebank():
    assert find("don't", "DON’T", "it's") == {"don't": [1, 1], "DON’T": [1, 1], "it's": [2, 2]}


def test_pieces_without_a_vector_are_ignored():
    assert find("ice-skate") == {"ice-skate": [1, 0]}


def test_words_without_a_vector_are_not_found():
    assert find("skate", "", "-", "...", "<unk>", "icecream") == {}


def test_a_model_is_called_once_with_all_words():
    calls = []

    def encode(words):
        calls.append(words)
        return np.array([[len(word), 0.0] for word in words])

    positions, vectors = VectorModel(encode).find(["a", "", "abc"])
    assert calls == [["a", "", "abc"]]
    assert positions.tolist() == [0, 2]  # a zero vector is missing
    assert [list(vector) for vector in vectors] == [[1, 0], [3, 0]]


def test_a_model_is_not_called_without_words():
    assert VectorModel(None).find([])[1] == []


def test_outputs_of_a_model_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"of shape \(n_words, size\), got shape \(2,\) for 1 words"):
        VectorModel(lambda words: np.zeros(2)).find(["a"])
