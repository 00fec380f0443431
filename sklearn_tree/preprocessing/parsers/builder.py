"""Builder of the columns of a tree from the events of a parser."""

from __future__ import annotations

from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.formats.leaves import make_text_leaf


class TreeBuilder:
    """Build a tree in preorder by opening and closing nodes.

    Attributes
    ----------
    labels, parents, depths : list
        Columns of the nodes so far.
    values, edges : dict
        Values and edge labels by node.
    path : list of int
        The open nodes, from the root down.
    """

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self.values: dict[int, float] = {}
        self.edges: dict[int, str] = {}
        self.path: list[int] = []
        self._text: list[str] = []

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
        leaf = make_text_leaf(text)
        i = len(self.labels)
        self._add(leaf.label)
        self.edges[i] = name
        if leaf.value is not None:
            self.values[i] = leaf.value

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
            leaf = make_text_leaf(text)
            if leaf.value is not None:
                self.values[len(self.labels)] = leaf.value
            self._add(leaf.label)

    def build(self) -> FlatTree:
        """Return the columns of the tree."""
        return FlatTree(
            self.labels, self.parents, self.depths, self._to_column(self.values), self._to_column(self.edges)
        )

    def _add(self, label: str) -> None:
        self.parents.append(self.path[-1] if self.path else -1)
        self.depths.append(len(self.path))
        self.labels.append(label)

    def _to_column(self, entries: dict) -> list | None:
        return [entries.get(i) for i in range(len(self.labels))] if entries else None
