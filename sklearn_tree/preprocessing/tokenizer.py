"""How a text is split into tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

Tokenizer = str | Callable[[str], list[str]]

# Runs of letters and digits (with inner apostrophes and hyphens), or one other sign.
_WORDS = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def splitter(tokenizer: Tokenizer) -> Callable[[str], list[str]]:
    """Return the function that splits a text.

    Parameters
    ----------
    tokenizer : {"words", "chars"}, regular expression or callable
        As ``SequenceVectorizer`` takes it.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If it is a str and no regular expression.
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
