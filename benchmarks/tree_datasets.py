"""Loaders of public data sets of trees that are not part of the package."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from datasets import FOLDER

from sklearn_tree import Tree, TreeArray, TreeNode

Pair = tuple[TreeArray, np.ndarray]


def load_ewt(part: str) -> Pair:
    """Return the dependency trees of UD English EWT and their genres; part is train, dev or test.

    Words are labels, relations are edges. Every word has two more leaves, its tag and its lemma.
    """
    trees, genres, words = [], [], []
    genre = ""
    for line in (*lines(f"ud_ewt/en_ewt-ud-{part}.stripped.conllu.gz"), "\n"):
        if line.startswith("# sent_id = "):
            genre = line.partition("= ")[2].partition("-")[0]
        elif line[0].isdigit():
            words.append(line.split("\t"))
        elif line == "\n" and words:
            trees.append(dependency_tree(words))
            genres.append(genre)
            words = []
    return TreeArray.from_trees(trees), np.array(genres)


def load_trec_trees(part: str = "train") -> Pair:
    """Return the dependency trees of TREC's questions and their coarse classes."""
    trees, labels, words = [], [], []
    for line in (*lines(f"trec/TREC.{part}.spacy.conllu.gz"), "\n"):
        if line.startswith("# label = "):
            labels.append(line.partition("= ")[2].partition(":")[0])
        elif line[0].isdigit():
            words.append(line.split("\t"))
        elif line == "\n" and words:
            trees.append(dependency_tree(words))
            words = []
    return TreeArray.from_trees(trees), np.array(labels)


def dependency_tree(words: list[list[str]]) -> Tree:
    """Build a tree from the rows of a CoNLL-U sentence."""
    heads = [int(word[6]) - 1 for word in words]
    edges = [word[7] if head >= 0 else None for word, head in zip(words, heads)]
    below = range(len(words))
    return Tree(
        [
            *(word[1] for word in words),
            *(word[4] for word in words),
            *(f"lemma:{word[2].lower()}" for word in words),
        ],
        [*heads, *below, *below],
        edges=[*edges, *["tag"] * len(words), *["lemma"] * len(words)],
    )


def load_mutagenesis() -> Pair:
    """Return 188 molecules as trees of JSON documents, and whether they are mutagenic."""
    documents = json.loads("".join(lines("mutagenesis/mutagenesis.json.gz")))
    y = np.array([document.pop("mutagenic") for document in documents])
    return TreeArray.from_trees(read_json("molecule", document) for document in documents), y


def read_json(key: str, value: Any) -> TreeNode:
    """Build a tree from a JSON value: keys are edges, floats are values, all other scalars are labels."""
    if isinstance(value, dict):
        return TreeNode(key, [read_json(k, v) for k, v in value.items()], edge=key)
    if isinstance(value, list):
        return TreeNode("[]", [read_json(key, v) for v in value], edge=key)
    if isinstance(value, float):
        return TreeNode(key, value=value, edge=key)
    return TreeNode(json.dumps(value), edge=key)


def load_logic(part: str, sizes: Iterable[int], *, as_pairs: bool = False) -> tuple[Any, np.ndarray]:
    """Return pairs of formulas with ``sizes`` operators, see :func:`_load_pairs`, and their relations."""
    return _load_pairs((f"prop_logic/longer2_{part}{size}.gz" for size in sizes), as_pairs)


def load_quantifiers(part: str, *, as_pairs: bool = False) -> tuple[Any, np.ndarray]:
    """Return pairs of quantified sentences, see :func:`_load_pairs`, and their relations."""
    return _load_pairs([f"quantifiers/f1_{part}.txt.gz"], as_pairs)


def _load_pairs(names: Iterable[str], as_pairs: bool) -> tuple[Any, np.ndarray]:
    """Read lines ``relation TAB ( a b ) TAB ( c d )`` as a frame of two columns, or as one tree per pair."""
    rows = [line.rstrip("\n").split("\t") for name in names for line in lines(name)]
    relations = np.array([relation for relation, _, _ in rows])
    if not as_pairs:
        return TreeArray.from_trees(join(left, right) for _, left, right in rows), relations
    pairs = [(read_binary(left), read_binary(right)) for _, left, right in rows]
    return pd.DataFrame(pairs, columns=["first", "second"]), relations


def read_binary(text: str) -> Tree:
    """Read a binary tree such as ``( ( not a ) ( and b ) )``; its inner nodes have the label ""."""
    labels: list[str] = []
    parents: list[int] = []
    _append(text, labels, parents, -1)
    return Tree(labels, parents)


def join(left: str, right: str) -> Tree:
    """Join two unlabelled binary trees under one root.

    The root has two empty leaves before them, so the trees are its third and fourth child. A cell with
    separate weights for each child thus compares the trees with other weights than it composes formulas with.
    """
    labels, parents = ["PAIR", "", ""], [-1, 0, 0]
    for text in (left, right):
        _append(text, labels, parents, 0)
    return Tree(labels, parents)


def _append(text: str, labels: list[str], parents: list[int], root: int) -> None:
    """Append the nodes of an unlabelled binary tree below a node."""
    path = [root]
    for token in text.split():
        if token == ")":
            path.pop()
            continue
        labels.append("" if token == "(" else token)
        parents.append(path[-1])
        if token == "(":
            path.append(len(labels) - 1)


def lines(name: str) -> Iterator[str]:
    """Yield the lines of a compressed file."""
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as file:
        yield from file
