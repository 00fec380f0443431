"""Rows in errors."""

import json

import pytest

from sklearn_tree.trees.rows import reraise_with_row


@pytest.mark.parametrize("error", [TypeError("wrong"), ValueError("wrong")])
def test_messages_of_plain_errors_get_the_row(error):
    with pytest.raises(type(error), match=r"^X\[1\]: wrong$") as info:
        reraise_with_row(error, 1, "reading")
    assert info.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a"),
        json.JSONDecodeError("wrong", "{", 0),  # its constructor needs three arguments
        UnicodeDecodeError("utf-8", b"", 0, 1, "wrong"),
    ],
)
def test_other_errors_get_a_note_with_the_row(error):
    with pytest.raises(type(error)) as info:
        reraise_with_row(error, 1, "reading")
    assert info.value is error
    assert error.__notes__ == ["while reading X[1]"]
