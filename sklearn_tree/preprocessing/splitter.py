"""Splitters of labels into words or parts of identifiers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, partial
from itertools import pairwise

from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.leaves import Splitter, keep_label
from sklearn_tree.validation import StrOptions

Split = str | Callable[[str], Iterable[str]] | None

SPLITS = {"words", "identifiers"}
SPLIT_CONSTRAINTS: dict = {"split": [StrOptions(SPLITS), callable, None]}

# Positions at which identifiers are split: after "camel" in camelCase, and after "HTTP" in HTTPServer.
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def build_splitter(split: Split) -> Splitter:
    """Return a function that splits a label.

    Parameters
    ----------
    split : {"words", "identifiers"}, callable or None
        The parameter ``split`` of :class:`TreeVectorizer`.

    Returns
    -------
    callable
        ``splitter(text)`` returns the label and the pieces of a leaf, ``(str, list of str)``: an empty label
        and the pieces if there are at least two. Otherwise the leaf has no pieces, and the label is the only
        piece or, without any piece, the text itself.
    """
    if split is None:
        return keep_label
    if callable(split):
        return partial(_split, partial(_call, split))
    return partial(_split, find_words if split == "words" else find_identifiers)


def find_words(text: str) -> list[str]:
    """Return the words of a text: runs of letters, marks, digits and underscores, in linear time.

    Apostrophes inside a word belong to it. All other characters separate words and are omitted.

    Examples
    --------
    >>> from sklearn_tree.preprocessing.splitter import find_words
    >>> find_words("https://a.b/top-ten?user_id=7 (don't)")
    ['https', 'a', 'b', 'top', 'ten', 'user_id', '7', "don't"]
    """
    return _words()(text)


def find_identifiers(text: str) -> list[str]:
    """Return the words of a text, split further at underscores and where the case changes.

    Digits belong to the letters before them.

    Examples
    --------
    >>> from sklearn_tree.preprocessing.splitter import find_identifiers
    >>> find_identifiers("get_utf8Name HTTPServer __init__")
    ['get', 'utf8', 'Name', 'HTTP', 'Server', 'init']
    """
    return [piece for word in find_words(text.replace("_", " ")) for piece in _split_humps(word)]


@cache
def _words() -> Callable[[str], list[str]]:
    r"""Return the search for words; compiled once, as ``re`` has no class of marks, which ``\w`` excludes."""
    marks = "".join(filter(_is_mark, map(chr, range(0x300, 0x10000))))
    letter = rf"[\w{marks}]"
    return re.compile(rf"{letter}+(?:['’]{letter}+)*").findall


def _split_humps(word: str) -> list[str]:
    if word.islower():
        return [word]
    if word.isascii():
        return _HUMPS.split(word)
    starts = [i for i, char in enumerate(word) if not _is_mark(char)]  # a mark stays with its letter
    shape = "".join(_to_ascii(word[i]) for i in starts)
    cuts = [0, *(starts[match.start()] for match in _HUMPS.finditer(shape)), len(word)]
    return [word[start:stop] for start, stop in pairwise(cuts)]


def _to_ascii(char: str) -> str:
    """Return an ASCII character of the same case; one without case becomes a digit, like digits."""
    if char.isupper():
        return "A"
    return "a" if char.islower() else "'" if char in "'’" else "0"


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _call(split: Callable[[str], Iterable[str]], text: str) -> list[str]:
    pieces = split(text)
    if isinstance(pieces, str) or not isinstance(pieces, Iterable):
        raise TypeError(f"split must return a list of str, got {excerpt(pieces)}")
    pieces = list(pieces)
    for piece in pieces:
        if not isinstance(piece, str):
            raise TypeError(f"split must return a list of str, got an item {excerpt(piece)}")
    return [str(piece) for piece in pieces if piece]


def _split(find: Callable[[str], list[str]], text: str) -> tuple[str, list[str]]:
    pieces = find(text)
    if len(pieces) > 1:
        return "", pieces
    return pieces[0] if pieces else text, []
