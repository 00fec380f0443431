"""Text files of vectors."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from sklearn_tree.vectors.text_file import TextFile, open_text_file

LINES = "ice 1 0.5\ncream -2 3e-1\n"
DATA = Path(os.environ.get("SKLEARN_TREE_DATA", Path(__file__).parents[3] / "shared/data"))
GLOVE = DATA / "glove/glove.6B.50d.filtered.txt.gz"


def read_slowly(text):
    """Return the vectors of a text, the obvious version."""
    rows = [line.split() for line in text.splitlines()]
    return {word: np.array(fields, dtype=np.float32) for word, *fields in rows}


def write(tmp_path, text, name="vectors.txt"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "text",
    [LINES, "2 2\n" + LINES, LINES.replace("\n", " \r\n"), LINES[:-1], LINES.replace(" ", "  "),
     LINES.replace("cream ", "cream  ")],
)  # fmt: skip
def test_headers_marks_and_spaces_do_not_change_the_vectors(tmp_path, text, mark, name):
    file, expected = TextFile(write(tmp_path, mark + text, name)), read_slowly(LINES)
    assert all(np.array_equal(file.get(word), vector) for word, vector in expected.items())
    assert file.get("2") is None
    assert file.get("skate") is None
    assert file.get("ice").dtype == np.float32


def test_words_may_contain_spaces_and_the_first_of_equal_words_counts(tmp_path):
    file = TextFile(write(tmp_path, LINES + ". . . 5 6\nice 7 7\nmünchen 8 9\n"))
    assert file.get(". . .").tolist() == [5, 6]
    assert file.get("ice").tolist() == [1, 0.5]
    assert file.get("münchen").tolist() == [8, 9]


def test_a_short_line_is_refused_with_its_number(tmp_path):
    with pytest.raises(
        ValueError, match=r"line 2 of .*vectors.txt' must hold a word and 2 numbers .* got 'cream 1'"
    ):
        TextFile(write(tmp_path, "ice 1 2\ncream 1\n"))
    with pytest.raises(ValueError, match=r"line 1 of .* must hold a word and some numbers"):
        TextFile(write(tmp_path, "ice\n"))


def test_a_file_without_vectors_is_refused(tmp_path):
    for text in ("", "0 50\n"):
        with pytest.raises(ValueError, match=r"must be a file of vectors, got .* which has none"):
            TextFile(write(tmp_path, text))


def test_numbers_that_cannot_be_parsed_are_refused_with_their_word(tmp_path):
    with pytest.raises(ValueError, match=r"the vector of 'ice' in .* must hold numbers"):
        TextFile(write(tmp_path, "ice 1 two\n")).get("ice")


def test_a_file_is_read_once_until_it_changes(tmp_path):
    path = write(tmp_path, LINES)
    file = open_text_file(path)
    assert open_text_file(path) is file
    write(tmp_path, LINES + "milk 1 2\n")
    assert open_text_file(path).get("milk").tolist() == [1, 2]  # the control


@pytest.mark.skipif(not GLOVE.exists(), reason="needs a part of GloVe in $SKLEARN_TREE_DATA")
def test_a_part_of_glove_is_read():
    text = gzip.decompress(GLOVE.read_bytes()).decode()
    file, expected = TextFile(GLOVE), read_slowly(text)
    for word in list(expected)[::100]:
        assert np.array_equal(file.get(word), expected[word])
