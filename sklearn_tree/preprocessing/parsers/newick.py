"""Parser of Newick: phylogenetic trees, ``((A:0.1,B:0.2)AB:0.3,C);``."""

from __future__ import annotations

import re

from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.fields import as_value

_TOKEN = re.compile(r"'(?:[^']|'')*+'|\[[^\]]*\]|[(),:;]|[^\s()\[\],:;']+|\S")


def parse_newick(text: str) -> FlatTree:
    """Parse one tree; names become labels and branch lengths become values.

    Nodes without a name have the empty label. Names may be quoted. Comments in square brackets are omitted.
    The final semicolon is optional.
    """
    labels, parents, depths = [""], [-1], [0]
    values: dict[int, float] = {}
    path: list[int] = []  # the open nodes
    node = 0
    last = ""
    for match in _TOKEN.finditer(text):
        symbol, at = match[0], match.start()
        if symbol[0] == "[" and len(symbol) > 1:
            continue
        _check_symbol(symbol, last, at, is_inside=bool(path))
        if symbol in ("(", ","):
            if symbol == "(":
                path.append(node)
            node = len(labels)
            labels.append("")
            parents.append(path[-1])
            depths.append(len(path))
        elif symbol == ")":
            node = path.pop()
        elif symbol not in (":", ";"):
            _read_word(symbol, last, node, labels, values, at)
            symbol = "name"
        last = "length" if last == ":" else symbol
    if path:
        raise ValueError(f"unbalanced bracket: {len(path)} not closed at the end, position {len(text)}")
    if last in ("", ":"):
        raise ValueError("a Newick tree must end with a node or ';', got " + (last or "an empty text"))
    column = [values.get(i) for i in range(len(labels))] if values else None
    return FlatTree(labels, parents, depths, column)


def _check_symbol(symbol: str, last: str, at: int, *, is_inside: bool) -> None:
    """Check that a symbol may follow the last one."""
    if last == ";":
        raise ValueError(f"the tree must end at its ';', got {symbol!r:.40} at position {at}")
    if (
        (symbol == "(" and last not in ("", "(", ","))
        or symbol in ("[", "]", "'")
        or (symbol == ":" and last in (":", "length"))
    ):
        raise ValueError(f"unexpected {symbol!r} at position {at}")
    if symbol == "," and not is_inside:
        raise ValueError(f"unexpected ',' outside of brackets at position {at}")
    if symbol == ")" and not is_inside:
        raise ValueError(f"unbalanced bracket: ')' at position {at} closes nothing")


def _read_word(word: str, last: str, node: int, labels: list[str], values: dict[int, float], at: int) -> None:
    """Store a word as the name or the branch length of a node."""
    if last == ":":
        try:
            value = as_value(float(word), node)
        except ValueError as error:
            raise ValueError(
                f"a branch length must be a finite number, got {word!r:.40} at position {at}"
            ) from error
        assert value is not None
        values[node] = value
    elif last in ("", "(", ",", ")"):
        labels[node] = word[1:-1].replace("''", "'") if word[0] == "'" else word
    else:
        raise ValueError(
            f"a node must have at most one name and one length, got {word!r:.40} at position {at}"
        )
