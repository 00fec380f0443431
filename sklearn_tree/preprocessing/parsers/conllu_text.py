"""Parser of CoNLL-U: dependency trees with one word per line in ten columns."""

from __future__ import annotations

import re

from sklearn_tree.trees.formats import FlatTree, flatten
from sklearn_tree.trees.formats.leaves import TEXT
from sklearn_tree.trees.formats.parents import build_dependency_tree

_ID, _HEAD, _RELATION, _N_COLUMNS = 0, 6, 7, 10
_WORD = re.compile("[1-9][0-9]*")
_OMITTED = re.compile("[0-9]+[-.][0-9]+")
_LINE_END = re.compile(r"\r?\n")  # words may contain the other line ends of str.splitlines
COLUMNS = {"text": 1, "lemma": 2, "pos": 3}


def parse_conllu(text: str, label: str = "text") -> FlatTree:
    """Parse one sentence, or several sentences as children of a root "<text>".

    Comments, multiword rows (``1-2``) and empty nodes (``8.1``) are omitted.
    """
    sentences: list[list[list[str]]] = [[]]
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip():
            sentences.append([])
        elif not line.startswith("#"):
            row = line.split("\t")
            if len(row) != _N_COLUMNS:
                raise ValueError(f"line {number} must have 10 columns separated by tabs, got {len(row)}")
            if _WORD.fullmatch(row[_ID]):
                sentences[-1].append(row)
            elif not _OMITTED.fullmatch(row[_ID]):
                raise ValueError(
                    f"line {number} must start with an id such as 1, 1-2 or 8.1, got {row[_ID]!r:.20}"
                )
    trees = [_parse_sentence(rows, i, COLUMNS[label]) for i, rows in enumerate(filter(None, sentences))]
    if not trees:
        raise ValueError("a CoNLL-U text must have at least one sentence, got none")
    return trees[0] if len(trees) == 1 else flatten((TEXT, trees))


def _parse_sentence(rows: list[list[str]], number: int, column: int) -> FlatTree:
    positions = {"0": -1}
    for i, row in enumerate(rows):
        if row[_ID] in positions:
            raise ValueError(f"sentence {number}: word ids must be unique, got {row[_ID]!r:.20} twice")
        positions[row[_ID]] = i
    for row in rows:
        if row[_HEAD] not in positions:
            word, head = f"{row[_ID]:.20}", f"{row[_HEAD]!r:.20}"
            raise ValueError(f"sentence {number}: the head of word {word} must be a word or 0, got {head}")
    heads = [positions[row[_HEAD]] for row in rows]
    try:
        return build_dependency_tree([row[column] for row in rows], heads, [row[_RELATION] for row in rows])
    except ValueError as error:
        raise ValueError(f"sentence {number}: {error}") from error
