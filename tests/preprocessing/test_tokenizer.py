"""Tokenizers for texts."""

import pytest

from sklearn_tree.preprocessing.tokenizer import build_tokenizer


@pytest.mark.parametrize(
    ("tokenizer", "tokens"),
    [
        ("words", ["It's", "a", "well-known", "film", ",", "ok", "?"]),
        ("chars", list("It's a well-known film, ok?")),
        (r"[a-z]+", ["t", "s", "a", "well", "known", "film", "ok"]),
        (str.split, ["It's", "a", "well-known", "film,", "ok?"]),
    ],
)
def test_texts_are_split_by_words_characters_patterns_or_functions(tokenizer, tokens):
    assert build_tokenizer(tokenizer)("It's a well-known film, ok?") == tokens


def test_invalid_patterns_are_refused():
    with pytest.raises(ValueError, match=r"a regular expression or a callable, got '\(' \(missing \)"):
        build_tokenizer("(")
