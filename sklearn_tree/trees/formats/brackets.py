r"""Bracketed trees, ``(S (NP I) (VP run))``, as the Penn and Stanford treebanks write them.

Inside a word, ``\(``, ``\)``, ``\\`` and a backslash before a blank stand for the character
itself, and the word ``\-`` for an empty label; any other backslash is a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sklearn_tree.trees.formats.registry import FlatTree

_TOKEN = re.compile(r"[()]|(?:\\[\s()\\]|[^\s()])++")
_ESCAPED = re.compile(r"\\([\s()\\])")
_TO_ESCAPE = re.compile(r"([\s()\\])")
EMPTY = r"\-"


def read_brackets(text: str) -> FlatTree:
    r"""Parse one bracketed tree without recursion.

    A word right after ``(`` labels that node, any other word is a leaf. A bracket without a
    word gets the empty label; such a bracket around one whole tree, as in ``((S ...))``, is
    dropped, as the Penn Treebank means it.

    Parameters
    ----------
    text : str
        The tree, on one line or several.

    Returns
    -------
    FlatTree
        Its preorder columns.

    Raises
    ------
    ValueError
        If the brackets are not balanced or the text is not one tree; the message gives the
        position, counted from 0.
    """
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    path: list[int] = []  # the parents of the open nodes
    parent = -1  # the newest open node
    opening = False  # the last token was "("
    bare_root = False  # the first bracket had no word
    words = _split(text)
    for k, word in enumerate(words):
        if word == ")" and not opening:
            if not path:
                raise ValueError(f"unbalanced bracket: nothing is open for the ')' at {_where(text, k)}")
            parent = path.pop()
            continue
        label = word
        if word == "(" or word == ")":
            if not opening:
                if labels and not path:
                    raise ValueError(f"a second tree begins at {_where(text, k)}")
                opening = True
                continue
            label = ""  # the bracket before had no word
            bare_root = bare_root or not labels
        elif not opening and not path:
            raise ValueError(f"a bracketed tree begins with '(', found {word!r:.40} at {_where(text, k)}")
        elif "\\" in word:
            label = _unescape(word)
        parents.append(parent)
        depths.append(len(path))
        if opening and word != ")":
            path.append(parent)
            parent = len(labels)
            opening = word == "("
        else:
            opening = False
        labels.append(label)
    if path or opening:
        depth = len(path) + opening
        raise ValueError(f"unbalanced bracket: {depth} still open at the end, position {len(text)}")
    if not labels:
        raise ValueError("a bracketed tree must not be empty, got a text without a bracket")
    if bare_root and parents.count(0) == 1:
        return FlatTree(labels[1:], [p - 1 for p in parents[1:]], [d - 1 for d in depths[1:]])
    return FlatTree(labels, parents, depths)


def _split(text: str) -> list[str]:
    # Both ways give the same tokens; the first is three times as fast and knows no escapes.
    if "\\" not in text:
        return text.replace("(", " ( ").replace(")", " ) ").split()
    return _TOKEN.findall(text)


def _unescape(word: str) -> str:
    return "" if word == EMPTY else _ESCAPED.sub(r"\1", word)


def _escape(label: str) -> str:
    return _TO_ESCAPE.sub(r"\\\1", label) or EMPTY


def _where(text: str, k: int) -> str:
    match = next(m for i, m in enumerate(_TOKEN.finditer(text)) if i == k)
    return f"position {match.start()}"


def write_brackets(labels: Sequence, depths: Sequence[int]) -> str:
    """Write preorder columns as one line of brackets; a leaf is a bare word.

    Parameters
    ----------
    labels : sequence
        Node labels in preorder.
    depths : sequence of int
        Node depths in preorder.

    Returns
    -------
    str
        ``read_brackets`` of it gives the same tree back.
    """
    n = len(labels)
    words = [_escape(str(label)) for label in labels]
    if n == 1:
        return f"({words[0]})"
    parts: list[str] = []
    for i in range(n):
        after = depths[i + 1] if i + 1 < n else 0
        inner = after > depths[i]
        parts.append((" (" if inner else " ") + words[i] + ")" * (depths[i] - after))
    return "".join(parts).lstrip()
