"""Bracketed trees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import trees

from sklearn_tree import Tree
from sklearn_tree.trees.formats import brackets, read_brackets, write_brackets


@given(trees())
def test_written_trees_can_be_read_back(tree):
    assert Tree.from_flat(read_brackets(write_brackets(tree.labels, tree.depths.tolist()))) == tree


@given(st.text("() ab\n", max_size=12))
def test_the_fast_path_splits_as_the_pattern_does(text):
    assert brackets._split(text) == brackets._TOKEN.findall(text)


def test_the_fast_path_is_wrong_for_escapes():  # the control of the law above
    text = r"(a\ b)"
    assert brackets._split(text) == ["(", r"a\ b", ")"]
    assert text.replace("(", " ( ").replace(")", " ) ").split() != brackets._split(text)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (r"(a\ b \( \\ \-)", ["a b", "(", "\\", ""]),
        (r"(\n a)", [r"\n", "a"]),
        ("(S\n  (NP\tI) )", ["S", "NP", "I"]),
    ],
)
def test_escapes_and_whitespace_are_read(text, labels):
    assert read_brackets(text).labels == labels


def test_the_outer_brackets_of_the_penn_treebank_are_dropped():
    assert Tree.from_any("( (S (NP I)))") == Tree.from_any("(S (NP I))")
    assert Tree.from_any("((S a) (T b))").labels == ("", "S", "a", "T", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(S (NP I)", "unbalanced bracket: 1 not closed at the end, position 9"),
        ("(S a))", r"unbalanced bracket: '\)' at position 5 closes nothing"),
        ("(S a) (T b)", "expected one tree, found a second one at position 6"),
        (
            "S a",
            r"must start with '\(', found 'S' at position 0; plain text is for RNNClassifier, or for TreeParser\(.spacy.\)",
        ),
        (
            " <p>a</p>",
            r"found '<p>a</p>' at position \d+; this looks like HTML: put TreeParser\(.html.\) before it",
        ),
        ("<?xml version='1.0'?><a/>", r"this looks like XML: put TreeParser\(.xml.\) before it"),
        ('{"a": 1}', r"this looks like JSON: put TreeParser\(.json.\) before it"),
        ("(S a) b", "found 'b' at position 6$"),
        (" ", "must not be empty, got a text without brackets"),
    ],
)
def test_invalid_texts_are_refused_with_the_position(text, message):
    with pytest.raises(ValueError, match=message):
        read_brackets(text)
