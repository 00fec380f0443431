"""Builder of the columns of a tree from the events of a parser."""

from __future__ import annotations

from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.leaves import Splitter, keep_label, make_text_leaf


class TreeBuilder:
    """Build a tree in preorder by opening and closing nodes.

    Parameters
    ----------
    split : callable, default=keep_label
        Returns the label and the pieces of a leaf with a given text.

    Attributes
    ----------
    labels, parents, depths : list
        Columns of the nodes so far.
    values, edges : dict
        Values and edge labels by node.
    path : list of int
        The open nodes, from the root down.
    """

    def __init__(self, split: Splitter = keep_label) -> None:
        self.labels: list[str] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self.values: dict[int, float] = {}
        self.edges: dict[int, str] = {}
        self.path: list[int] = []
        self._text: list[str] = []
        self._split = split

    def open(self, label: str) -> None:
        """Add a node to the innermost open node, and open it."""
        self.flush()
        self._add(label)
        self.path.append(len(self.labels) - 1)

    def close(self) -> None:
        """Close the innermost open node."""
        self.flush()
        self.path.pop()

    def add_attribute(self, name: str, text: str) -> None:
        """Add a leaf with an edge label; a number becomes a value."""
        self.edges[len(self.labels)] = name
        self._add_content(text)

    def add_text(self, text: str) -> None:
        """Append a piece of text; all pieces up to the next node become one leaf."""
        self._text.append(text)

    def flush(self) -> None:
        """Add the pieces of text as a leaf, with runs of whitespace collapsed, unless they are blank."""
        if not self._text:
            return
        text = " ".join("".join(self._text).split())
        self._text.clear()
        if text:
            self._add_content(text)

    def build(self) -> FlatTree:
        """Return the columns of the tree."""
        return FlatTree(
            self.labels, self.parents, self.depths, self._to_column(self.values), self._to_column(self.edges)
        )

    def _add_content(self, text: str) -> None:
        i, leaf = len(self.labels), make_text_leaf(text)
        if leaf.value is not None:
            self.values[i] = leaf.value
            self._add(leaf.label)
            return
        label, pieces = self._split(text)
        self._add(label)
        self.labels.extend(pieces)
        self.parents.extend([i] * len(pieces))
        self.depths.extend([len(self.path) + 1] * len(pieces))

    def _add(self, label: str) -> None:
        self.parents.append(self.path[-1] if self.path else -1)
        self.depths.append(len(self.path))
        self.labels.append(label)

    def _to_column(self, entries: dict) -> list | None:
        return [entries.get(i) for i in range(len(self.labels))] if entries else None
