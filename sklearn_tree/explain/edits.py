"""Edits of texts, token lists and trees."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sklearn_tree.drawing import cut
from sklearn_tree.trees import Tree
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.preorder import find_parents, find_subtree_ends

# A word (letters and digits, with apostrophes and hyphens inside) or one other character.
WORDS = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]")
_LONGEST = 60


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Replacement or deletion of a word, a label or a subtree.

    Attributes
    ----------
    position : int
        Index of the word, or of the node in preorder.
    n_removed : int
        Number of words or nodes that are replaced or deleted.
    before : str
        The word, the label, or the leaves of the subtree.
    inserted : str, Tree or None
        The new word, label or subtree; None for a deletion.
    """

    position: int
    n_removed: int
    before: str
    inserted: Any

    @property
    def n_inserted(self) -> int:
        """Number of new words or nodes."""
        if self.inserted is None:
            return 0
        return self.inserted.n_nodes if isinstance(self.inserted, Tree) else 1

    @property
    def size(self) -> int:
        """Number of words or nodes that change."""
        return max(self.n_removed, self.n_inserted)

    @property
    def after(self) -> str | None:
        """The new word, the new label, or the leaves of the new subtree; None for a deletion."""
        return (
            _write_leaves(self.inserted, 0, self.n_inserted) if self.n_inserted > 1 else _text(self.inserted)
        )

    def overlaps(self, other: Edit) -> bool:
        """Return whether both edits change a common word or node."""
        first, second = sorted((self, other), key=lambda edit: edit.position)
        return second.position < first.position + first.n_removed

    def __str__(self) -> str:
        return f"delete {self.before}" if self.after is None else f"{self.before} -> {self.after}"


class Editor(ABC):
    """Sample with the edits that it allows."""

    sample: Any
    n_positions: int

    @abstractmethod
    def list_edits(self, words: Sequence[str]) -> list[Edit]:
        """Return all single edits, given the words that may be inserted."""

    @abstractmethod
    def apply(self, edits: Sequence[Edit]) -> Any:
        """Return the sample after edits that do not overlap."""

    @abstractmethod
    def wrap(self, word: str) -> Any:
        """Return a sample that consists of one word."""

    def select_words(self, words: Sequence[str]) -> list[str]:
        """Return the words of a vocabulary that may be inserted."""
        return list(words)

    def allows(self, edits: Sequence[Edit]) -> bool:
        """Return whether the edits do not overlap and leave a part of the sample."""
        order = sorted(edits, key=lambda edit: edit.position)
        n_left = self.n_positions + sum(edit.n_inserted - edit.n_removed for edit in order)
        return n_left > 0 and not any(a.overlaps(b) for a, b in pairwise(order))


class TokenEditor(Editor):
    """List of tokens, whose tokens are replaced or deleted.

    Parameters
    ----------
    tokens : sequence of str
        The sample.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.sample: Any = list(tokens)
        self.words = list(tokens)
        self.n_positions = len(self.words)

    def list_edits(self, words: Sequence[str]) -> list[Edit]:
        """Return all replacements of a word by another one, and all deletions of one of several words."""
        inserted = [*([None] if self.n_positions > 1 else []), *words]
        return [
            Edit(position=i, n_removed=1, before=before, inserted=after)
            for i, before in enumerate(self.words)
            for after in inserted
            if after is None or after.casefold() != before.casefold()
        ]

    def apply(self, edits: Sequence[Edit]) -> Any:
        """Return the tokens after the edits."""
        words: list[str | None] = list(self.words)
        for edit in edits:
            words[edit.position] = edit.inserted
        return [word for word in words if word is not None]

    def wrap(self, word: str) -> Any:
        """Return a list of one token."""
        return [word]


class TextEditor(TokenEditor):
    """Text, whose words and punctuation marks are replaced or deleted.

    Parameters
    ----------
    text : str
        The sample.
    """

    def __init__(self, text: str) -> None:
        super().__init__(WORDS.findall(text))
        self.sample = text
        self.gaps = WORDS.split(text)

    def apply(self, edits: Sequence[Edit]) -> Any:
        """Return the text after the edits; the blank before a deleted word is deleted too."""
        inserted: dict[int, Any] = {edit.position: edit.inserted for edit in edits}
        parts = [self.gaps[0]]
        for i, word in enumerate(self.words):
            new = inserted.get(i, word)
            if new is None:
                parts[-1] = parts[-1].rstrip()
            parts += [new or "", self.gaps[i + 1]]
        text = "".join(parts)
        return text if self.sample[:1].isspace() else text.lstrip()

    def wrap(self, word: str) -> Any:
        """Return the word."""
        return word


class TreeEditor(Editor):
    """Tree, whose labels are replaced and whose subtrees are replaced or deleted.

    Parameters
    ----------
    tree : Tree
        The sample.
    sources : sequence of Tree
        Trees whose subtrees, and whose labels of inner nodes, may be inserted.
    """

    def __init__(self, tree: Tree, sources: Sequence[Tree] = ()) -> None:
        self.sample = tree
        self.n_positions = tree.n_nodes
        self._ends = find_subtree_ends(tree.depths).tolist()
        is_leaf = [self._is_leaf(node) for node in range(self.n_positions)]
        self._n_leaves = [0, *np.cumsum(is_leaf).tolist()]  # before each node
        self._labels = list(dict.fromkeys(label for source in sources for label in _inner_labels(source)))
        self._subtrees = list(dict.fromkeys(part for source in sources for part in _list_subtrees(source)))

    def select_words(self, words: Sequence[str]) -> list[str]:
        """Return the labels that are not those of inner nodes of the tree or of the candidates."""
        inner = {*_inner_labels(self.sample), *self._labels}
        return [word for word in words if word not in inner]

    def allows(self, edits: Sequence[Edit]) -> bool:
        """Return whether the edits do not overlap and do not delete all of several leaves."""
        deleted = [edit for edit in edits if edit.inserted is None]
        n_deleted = sum(
            self._n_leaves[e.position + e.n_removed] - self._n_leaves[e.position] for e in deleted
        )
        n_leaves = self._n_leaves[-1]
        return (n_leaves == 1 or n_deleted < n_leaves) and super().allows(edits)

    def list_edits(self, words: Sequence[str]) -> list[Edit]:
        """Return the deletions of subtrees, the replacements of labels, and those of subtrees."""
        tree, nodes = self.sample, range(1, self.n_positions)
        edits = [self._replace_subtree(node, None) for node in nodes]
        edits += [
            Edit(position=node, n_removed=1, before=str(label), inserted=new)
            for node, label in enumerate(tree.labels)
            for new in (words if self._is_leaf(node) else self._labels)
            if label and new != label
        ]
        return edits + [
            self._replace_subtree(node, part)
            for node, old in ((node, tree.subtree(node)) for node in nodes if not self._is_leaf(node))
            for part in self._subtrees
            if part.labels[0] == old.labels[0] and part != old
        ]

    def apply(self, edits: Sequence[Edit]) -> Any:
        """Return the tree after the edits. An inserted subtree keeps the edge label above it."""
        tree = self.sample
        labels, depths = list(tree.labels), tree.depths.tolist()
        values = list(tree.values or [None] * len(labels))
        edges = list(tree.edges or [None] * len(labels))
        for edit in sorted(edits, key=lambda edit: -edit.position):
            rows, node, new = (
                slice(edit.position, edit.position + edit.n_removed),
                edit.position,
                edit.inserted,
            )
            if isinstance(new, Tree):
                values[rows] = new.values or [None] * new.n_nodes
                edges[rows] = [edges[node], *(new.edges or [None] * new.n_nodes)[1:]]
                labels[rows], depths[rows] = new.labels, (new.depths + depths[node]).tolist()
            elif new is None:
                labels[rows], depths[rows], values[rows], edges[rows] = [], [], [], []
            else:
                labels[node] = new
        levels = np.array(depths, dtype=np.int32)
        return Tree.from_flat(FlatTree(labels, find_parents(levels), levels, values, edges))

    def wrap(self, word: str) -> Any:
        """Return a tree of one node."""
        return Tree([word], [-1])

    def _is_leaf(self, node: int) -> bool:
        return self._ends[node] == node + 1

    def _replace_subtree(self, node: int, new: Tree | None) -> Edit:
        end = self._ends[node]
        text = _write_leaves(self.sample, node, end) or f"[{end - node} nodes]"
        return Edit(position=node, n_removed=end - node, before=text, inserted=new)


def _text(inserted: Any) -> str | None:
    return str(inserted.labels[0]) if isinstance(inserted, Tree) else inserted


def _inner_labels(tree: Tree) -> list[str]:
    """Return the distinct labels of inner nodes, without the empty label."""
    inner = np.unique(tree.parents[1:]).tolist()
    return list(dict.fromkeys(tree.labels[node] for node in inner if tree.labels[node]))


def _list_subtrees(tree: Tree) -> list[Tree]:
    """Return the subtrees of the inner nodes except the root."""
    return [tree.subtree(node) for node in np.unique(tree.parents[1:]).tolist() if node > 0]


def _write_leaves(tree: Tree, start: int, stop: int) -> str:
    """Return the labels of the leaves in a range of nodes."""
    depths = tree.depths.tolist()
    leaves = [
        str(tree.labels[i]) for i in range(start, stop) if i + 1 == len(depths) or depths[i + 1] <= depths[i]
    ]
    return cut(" ".join(leaves), _LONGEST)
