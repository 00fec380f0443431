"""Pretrained vectors of a vocabulary."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
from vectors_helpers import FakeModel

from sklearn_tree.vectors import WordVectors

TABLE = {"ice": np.array([1.0, 2.0]), "cream": np.array([3.0, 4.0]), "milk": np.array([5.0, 6.0])}


def test_ids_follow_the_reserved_ids():
    vectors = WordVectors(TABLE, ["skate", "ice", "Cream"])
    ids, found = vectors.load()
    assert ids.tolist() == [3, 4]
    assert found.tolist() == [[1, 2], [3, 4]]
    assert found.dtype == np.float32
    assert vectors.size == 2


def test_other_words_are_found_later():
    vectors = WordVectors(TABLE, ["ice"])
    positions, found = vectors.find(["skate", "milk"])
    assert (positions.tolist(), found.tolist()) == ([1], [[5, 6]])
    assert vectors.find(["skate"])[1].shape == vectors.find([])[1].shape == (0, 2)


def test_pickles_and_copies_hold_the_vocabulary_but_not_its_vectors():
    words = [f"word{i}" for i in range(1000)]
    vectors = WordVectors((["word1"], np.ones((1, 300))), words)
    for copied in (pickle.loads(pickle.dumps(vectors)), copy.deepcopy(vectors)):
        assert "_initial" not in vars(copied)
        assert all(np.array_equal(a, b) for a, b in zip(copied.load(), vectors.load()))


def test_a_model_is_called_once_for_the_vocabulary():
    model = FakeModel(TABLE)
    WordVectors(model, ["ice", "skate"]).load()
    assert model.calls == [["ice", "skate"]]


def test_vectors_of_another_source_are_recognized():
    assert WordVectors(TABLE, ["ice"]).is_from(TABLE)
    assert not WordVectors(TABLE, ["ice"]).is_from(dict(TABLE))
    assert not WordVectors(TABLE, ["ice"]).is_from("ice")


def test_equal_paths_are_the_same_source(tmp_path):
    path, other = tmp_path / "vectors.txt", tmp_path / "others.txt"
    for file in (path, other):
        file.write_text("ice 1 2\n")
    for name in (path, str(path)):
        vectors = WordVectors(name, ["ice"])
        assert vectors.is_from(Path(str(path)))
        assert vectors.is_from(str(path))
        assert not vectors.is_from(other)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"ice": [1.0, 2.0], "milk": [1.0]},
            r"finite vectors of one length, got .* of shape \(1,\) for 'milk'",
        ),
        ({"ice": [1.0, np.nan]}, "finite vectors of one length, got .* for 'ice'"),
        ({"ice": 1.0}, "of one length, got .* for 'ice'"),
        ({"ice": "1 2"}, "finite vectors of one length, got '1 2' for 'ice'"),
        ((["ice", "milk"], [[1, 2], [3]]), r"one length, got array\(\[3.\].* of shape \(1,\) for 'milk'"),
        ({"ice": [[1], [1, 2]]}, r"one length, got \[\[1\], \[1, 2\]\] for 'ice'"),
        ({"cream": [1.0]}, r"must have vectors for words of X, got none for \['ice', 'milk'\]"),
    ],
)
def test_invalid_vectors_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        WordVectors(table, ["ice", "milk"])


def test_pieces_of_a_word_with_vectors_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"got shapes \[\(1,\), \(2,\)\] for the pieces of 'ice-milk'"):
        WordVectors({"ice": [1.0, 2.0], "milk": [1.0]}, ["ice-milk"])


def test_later_vectors_of_another_length_are_refused():
    with pytest.raises(ValueError, match="must have vectors of length 2, as in fit, got 1"):
        WordVectors({"ice": [1.0, 2.0], "milk": [1.0]}, ["ice"]).find(["milk"])
