r"""Bracketed trees, ``(S (NP I) (VP run))``, the format of the Penn and Stanford treebanks.

A backslash escapes a bracket, a backslash or whitespace in a word; other backslashes are literal. The word
``\-`` is an empty label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sklearn_tree.trees.formats.node import FlatTree

_TOKEN = re.compile(r"[()]|(?:\\[\s()\\]|[^\s()])++")
_ESCAPED = re.compile(r"\\([\s()\\])")
_TO_ESCAPE = re.compile(r"([\s()\\])")
EMPTY = r"\-"


def read_brackets(text: str) -> FlatTree:
    r"""Parse one bracketed tree without recursion.

    A word that follows ``(`` directly is the label of that node; any other word is a leaf. A bracket without
    a word is a node with the empty label, unless it encloses one whole tree, as in ``((S ...))`` in the Penn
    Treebank: then it is dropped.

    Parameters
    ----------
    text : str
        The tree, on one line or several.

    Returns
    -------
    FlatTree
        The preorder columns of the tree.

    Raises
    ------
    ValueError
        If the brackets are not balanced or the text is not one tree. The message gives the position, counted
        from 0.
    """
    # One loop over local variables: the time to read a treebank is spent here.
    labels: list[str] = []
    parents: list[int] = []
    depths: list[int] = []
    path: list[int] = []  # parents of the open nodes
    parent = -1  # innermost open node
    opening = False  # whether the last token was "("
    bare_root = False  # whether the first bracket has no word
    words = _split(text)
    for k, word in enumerate(words):
        if word == ")" and not opening:
            if not path:
                raise ValueError(f"unbalanced bracket: ')' at {_find_position(text, k)} closes nothing")
            parent = path.pop()
            continue
        label = word
        if word == "(" or word == ")":
            if not opening:
                if labels and not path:
                    raise ValueError(f"expected one tree, found a second one at {_find_position(text, k)}")
                opening = True
                continue
            label = ""  # of the bracket before, which has no word
            bare_root = bare_root or not labels
        elif not opening and not path:
            raise ValueError(
                f"a bracketed tree must start with '(', found {word!r:.40} at {_find_position(text, k)}"
                f"{'' if k else _suggest_parser(word)}"
            )
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
        raise ValueError(f"unbalanced bracket: {depth} not closed at the end, position {len(text)}")
    if not labels:
        raise ValueError("a bracketed tree must not be empty, got a text without brackets")
    if bare_root and parents.count(0) == 1:
        return FlatTree(labels[1:], [p - 1 for p in parents[1:]], [d - 1 for d in depths[1:]])
    return FlatTree(labels, parents, depths)


def _split(text: str) -> list[str]:
    # Both branches give the same tokens. The first is three times as fast but cannot handle escapes.
    if "\\" not in text:
        return text.replace("(", " ( ").replace(")", " ) ").split()
    return _TOKEN.findall(text)


def _unescape(word: str) -> str:
    return "" if word == EMPTY else _ESCAPED.sub(r"\1", word)


def _escape(label: str) -> str:
    return _TO_ESCAPE.sub(r"\\\1", label) or EMPTY


def _find_position(text: str, k: int) -> str:
    match = next(m for i, m in enumerate(_TOKEN.finditer(text)) if i == k)
    return f"position {match.start()}"


def _suggest_parser(word: str) -> str:
    """Return how to read a text that starts with a word instead of a bracket."""
    looks = {"<": ("HTML", "html"), "{": ("JSON", "json"), "[": ("JSON", "json")}
    if word.startswith("<?xml"):
        looks["<"] = ("XML", "xml")
    if (look := looks.get(word[0])) is not None:
        return f'; this looks like {look[0]}: put TreeParser("{look[1]}") before it'
    return '; plain text is for RNNClassifier, or for TreeParser("spacy") before the estimator'


def write_brackets(labels: Sequence, depths: Sequence[int]) -> str:
    """Write preorder columns as one line of brackets, in which leaves are bare words.

    Parameters
    ----------
    labels : sequence
        Node labels in preorder.
    depths : sequence of int
        Node depths in preorder.

    Returns
    -------
    str
        ``read_brackets`` reads it back as an equal tree.
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
