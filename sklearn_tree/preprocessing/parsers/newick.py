"""Newick: trees of species, ``((A:0.1,B:0.2)AB:0.3,C);``."""

from __future__ import annotations

import re

from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.registry import as_value

_TOKEN = re.compile(r"'(?:[^']|'')*+'|\[[^\]]*\]|[(),:;]|[^\s()\[\],:;']+|\S")


def parse_newick(text: str) -> FlatTree:
    """Read one tree; names are labels, branch lengths values.

    A node without a name has the empty label. Names may be quoted, comments in square brackets are
    left out, the semicolon at the end may be missing.
    """
    labels, parents, depths = [""], [-1], [0]
    values: dict[int, float] = {}
    path: list[int] = []  # the open nodes
    node = 0
    last = ""
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign[0] == "[" and len(sign) > 1:
            continue
        if last == ";":
            raise ValueError(f"the tree must end at its ';', found {sign!r:.40} at position {match.start()}")
        if (
            (sign == "(" and last not in ("", "(", ","))
            or sign in ("[", "]", "'")
            or (sign == ":" and last in (":", "length"))
        ):
            raise ValueError(f"{sign!r} cannot stand at position {match.start()}")
        if sign in ("(", ","):
            if sign == "(":
                path.append(node)
            elif not path:
                raise ValueError(f"the ',' at position {match.start()} stands outside all brackets")
            node = len(labels)
            labels.append("")
            parents.append(path[-1])
            depths.append(len(path))
        elif sign == ")":
            if not path:
                raise ValueError(f"nothing is open for the ')' at position {match.start()}")
            node = path.pop()
        elif sign not in (":", ";"):
            _name(sign, last, node, labels, values, match.start())
            sign = "name"
        last = "length" if last == ":" else sign
    if path:
        raise ValueError(f"{len(path)} brackets are still open at the end, position {len(text)}")
    if last in ("", ":"):
        raise ValueError("a Newick tree must end with a node or a ';', got " + (last or "an empty text"))
    column = [values.get(i) for i in range(len(labels))] if values else None
    return FlatTree(labels, parents, depths, column)


def _name(word, last, node, labels, values, at):  # type: ignore[no-untyped-def]
    if last == ":":
        try:
            values[node] = as_value(float(word), node)
        except ValueError as error:
            raise ValueError(f"a branch length must be a finite number, got {word!r:.40} at {at}") from error
    elif last in ("", "(", ",", ")"):
        labels[node] = word[1:-1].replace("''", "'") if word[0] == "'" else word
    else:
        raise ValueError(f"a node has one name and one length, found {word!r:.40} at position {at}")
