"""Tokenizers for texts."""

from __future__ import annotations

import re
from collections.abc import Callable

Tokenizer = str | Callable[[str], list[str]]

# A word (letters and digits, with apostrophes and hyphens inside) or one other character.
_WORDS = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def build_tokenizer(tokenizer: Tokenizer) -> Callable[[str], list[str]]:
    """Return a function that splits a text into tokens.

    Parameters
    ----------
    tokenizer : {"words", "chars"}, regular expression or callable
        The parameter ``tokenizer`` of :class:`SequenceVectorizer`.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If ``tokenizer`` is a str but not a valid regular expression.
    """
    if callable(tokenizer):
        return tokenizer
    if tokenizer == "chars":
        return list
    if tokenizer == "words":
        return _WORDS.findall
    try:
        return re.compile(tokenizer).findall
    except re.error as error:
        raise ValueError(
            "tokenizer must be 'words', 'chars', a regular expression or a callable, "
            f"got {tokenizer!r} ({error})"
        ) from error
