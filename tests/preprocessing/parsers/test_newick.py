"""The parser of Newick."""

import pytest

from sklearn_tree import Tree, TreeParser

N = 100_000


def parse(text):
    return TreeParser("newick").transform([text])[0]


def test_names_are_labels_and_branch_lengths_are_values():
    tree = parse("((A:0.1,'B ''b':2e-1)AB:.5[c],,C)root;")
    assert tree.labels == ("root", "AB", "A", "B 'b", "", "C")
    assert tree.parents.tolist() == [-1, 0, 1, 1, 0, 0]
    assert tree.values == (None, 0.5, 0.1, 0.2, None, None)
    ete4 = pytest.importorskip("ete4")
    text = "((A:0.1,B:2)AB:0.5,C)root;"
    assert parse(text) == Tree.from_any(ete4.Tree(text, parser=1))


def test_texts_nested_100_000_deep_are_read():
    assert parse("(" * N + ")" * N).height == N


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(A,B;", "unbalanced bracket: 1 not closed at the end, position 5"),
        ("(A,B));", r"unbalanced bracket: '\)' at position 5 closes nothing"),
        ("A,B;", "unexpected ',' outside of brackets at position 1"),
        ("A B;", "at most one name and one length, got 'B' at position 2"),
        ("(A:x);", "branch length must be a finite number, got 'x' at position 3"),
        ("(A:inf);", "branch length must be a finite number, got 'inf'"),
        ("A;B", "must end at its ';', got 'B'"),
        ("'A", 'unexpected "\'" at position 0'),
        ("A:1:2", "unexpected ':' at position 3"),
        ("A(B)", r"unexpected '\(' at position 1"),
        ("", "must end with a node or ';', got an empty text"),
        ("A:", "must end with a node or ';', got :"),
    ],
)
def test_invalid_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)
