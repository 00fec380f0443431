"""The parser of Python code."""

import ast
import sys

import pytest

from sklearn_tree import Tree, TreeParser

N = 100_000
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def parse(text):
    return TreeParser("python", split=None).transform([text])[0]


def test_code_is_read_as_its_syntax_tree():
    text = "def f(x):\n    return x + 1\n"
    assert parse(text) == Tree.from_any(ast.parse(text).body[0])
    assert parse(text * 2) == Tree.from_any(ast.parse(text * 2))
    assert parse("").labels == ("Module",)
    assert parse(r"'\d'").labels == ("Expr", "Constant", r"\d")  # without a SyntaxWarning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = = 1", rf"not valid Python {VERSION}: .*\(line 1\)"),
        ("x\0", "null bytes"),
        ("1+" * N + "1", "nested too deeply for Python's parser"),
        ("-" * N + "1", "nested too deeply for Python's parser"),
        ("(" * N, rf"not valid Python {VERSION}: too many nested"),
    ],
)
def test_invalid_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)
