"""Parts of rows that are removed piece by piece: the words of a text, the nodes of a tree, and cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from sklearn_tree.explain.edits import Edit, TextEditor, TokenEditor
from sklearn_tree.explain.views.tokens import Text
from sklearn_tree.trees import RaggedArray, Tree, TreeArray
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.preorder import find_parents, find_subtree_ends


@dataclass(frozen=True, kw_only=True, eq=False)
class Part(ABC):
    """One or more columns of some rows; a position is a word, a node or a cell.

    Attributes
    ----------
    name : str
        Name of the column; of several columns "".
    columns : tuple of int or None
        Positions of the columns; ``(None,)`` if the rows have no columns.
    shown : RaggedArray, TreeArray or ndarray
        Words, trees or cells that pictures show.
    """

    name: str
    columns: tuple[int | None, ...]
    shown: Any

    @property
    def sizes(self) -> np.ndarray:
        """Number of positions of each row, ndarray of int, shape (n_rows,)."""
        return self.shown.sizes

    @property
    def is_removable(self) -> np.ndarray:
        """Whether each position of all rows can be removed, ndarray of bool, shape (n_positions,)."""
        return np.ones(self.sizes.sum(), dtype=bool)

    @property
    @abstractmethod
    def labels(self) -> np.ndarray:
        """Word, label or column of each position of all rows, ndarray of objects, shape (n_positions,)."""

    @property
    def contents(self) -> np.ndarray:
        """Value of each position in a frame, ndarray of objects, shape (n_positions,)."""
        return self.labels

    @property
    def item_names(self) -> np.ndarray:
        """Names of the cells of a row, ndarray of str objects; empty for words and trees."""
        return np.zeros(0, dtype=object)

    def take(self, rows: Any) -> Self:
        """Return the part of some of the rows."""
        return replace(self, shown=self.shown[rows])

    def item(self, i: int) -> Any:
        """Return the words, the tree or the cells of a row, for its picture."""
        return self.shown[i]

    def list_subtrees(self, i: int) -> list[tuple[int, int]]:
        """Return each inner node of the tree of a row, and the end of its subtree; () for other parts."""
        return []

    @abstractmethod
    def restore(self, i: int, is_present: np.ndarray, replacements: dict[int, Any]) -> list[Any]:
        """Return the values of a row in which some positions are removed, one per column.

        Parameters
        ----------
        i : int
            The row.
        is_present : ndarray of bool, shape (n_positions_of_the_row,)
            Positions that are kept.
        replacements : dict of int to any
            Value that replaces a removed cell of each column.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Column(Part):
    """Column of texts or trees.

    Attributes
    ----------
    values : list
        The user's texts, token lists, or trees of any registered type.
    """

    values: list[Any]

    def take(self, rows: Any) -> Self:
        """Return the part of some of the rows."""
        values = [self.values[i] for i in np.arange(len(self.values))[rows].tolist()]
        return replace(super().take(rows), values=values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Words(Column):
    """Column of texts or token lists, whose words are deleted."""

    shown: RaggedArray

    @classmethod
    def read(cls, name: str, column: int | None, values: list[Any]) -> Words:
        """Read a column."""
        words = RaggedArray.from_sequences([_edit(value).words for value in values])
        if words.vocabulary is None:  # no row has a word
            words = words.replace(vocabulary=np.zeros(0, dtype=object))
        return cls(name=name, columns=(column,), shown=words, values=values)

    @property
    def labels(self) -> np.ndarray:
        """Word at each position."""
        assert self.shown.vocabulary is not None
        return self.shown.vocabulary[self.shown.values]

    def item(self, i: int) -> Any:
        """Return the words of a row, with the text around them."""
        value = self.values[i]
        return Text(self.shown[i], value) if isinstance(value, str) else self.shown[i]

    def restore(self, i: int, is_present: np.ndarray, replacements: dict[int, Any]) -> list[Any]:
        """Return the text or token list without the removed words."""
        if is_present.all():
            return [self.values[i]]
        removed = np.flatnonzero(~is_present).tolist()
        edits = [Edit(position=j, n_removed=1, before="", inserted=None) for j in removed]
        return [_edit(self.values[i]).apply(edits)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Nodes(Column):
    """Column of trees: a removed node loses its label and value, and subtrees of such nodes are deleted."""

    shown: TreeArray

    @property
    def is_removable(self) -> np.ndarray:
        """Whether each node has a label or a value."""
        has_value = False if self.shown.values is None else ~np.isnan(self.shown.values)
        return (self.labels != "") | has_value

    @property
    def labels(self) -> np.ndarray:
        """Label of each node."""
        assert self.shown.vocabulary is not None
        return self.shown.vocabulary[self.shown.labels]

    def list_subtrees(self, i: int) -> list[tuple[int, int]]:
        """Return each inner node of a tree, and the end of its subtree in preorder."""
        ends = find_subtree_ends(self.shown[i].depths).tolist()
        return [(node, end) for node, end in enumerate(ends) if end > node + 1]

    def restore(self, i: int, is_present: np.ndarray, replacements: dict[int, Any]) -> list[Any]:
        """Return the tree without the removed nodes; the root is kept without its label."""
        return [self.values[i] if is_present.all() else _prune(self.shown[i], is_present)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells(Part):
    """Columns of numbers and categories, whose cells are replaced.

    Attributes
    ----------
    names : tuple of str
        Names of the columns.
    """

    shown: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def read(cls, columns: list[int], names: list[str], X: Any) -> Cells:
        """Read columns of a table."""
        shown = np.empty((len(X), len(columns)), dtype=object)
        for k, column in enumerate(columns):
            shown[:, k] = take_column(X, column)
        return cls(name="", columns=tuple(columns), shown=shown, names=tuple(names))

    @property
    def sizes(self) -> np.ndarray:
        """Number of columns, for each row."""
        return np.full(len(self.shown), self.shown.shape[1])

    @property
    def labels(self) -> np.ndarray:
        """Name of the column of each cell."""
        return np.tile(self.item_names, len(self.shown))

    @property
    def contents(self) -> np.ndarray:
        """Value of each cell."""
        return self.shown.ravel()

    @property
    def item_names(self) -> np.ndarray:
        """Names of the columns."""
        return np.array(self.names, dtype=object)

    def restore(self, i: int, is_present: np.ndarray, replacements: dict[int, Any]) -> list[Any]:
        """Return the cells with the removed ones replaced."""
        cells = zip(self.columns, self.shown[i], is_present, strict=True)
        return [value if kept else replacements[column] for column, value, kept in cells]  # type: ignore[index]


def take_column(X: Any, column: int) -> list[Any]:
    """Return a column of a DataFrame or array as a list."""
    return (X.iloc[:, column] if hasattr(X, "iloc") else X[:, column]).tolist()


def _edit(value: Any) -> TokenEditor:
    return TextEditor(value) if isinstance(value, str) else TokenEditor(list(value))


def _prune(tree: Tree, is_present: np.ndarray) -> Tree:
    """Return a tree without the labels of absent nodes and without subtrees of absent nodes."""
    ends = find_subtree_ends(tree.depths)
    n_before = np.concatenate([[0], np.cumsum(is_present)])
    is_kept = n_before[ends] > n_before[:-1]  # a node of the subtree is present
    is_kept[0] = True
    nodes = np.flatnonzero(is_kept).tolist()
    depths = tree.depths[is_kept]
    values, edges = tree.values or [None] * tree.n_nodes, tree.edges or [None] * tree.n_nodes
    return Tree.from_flat(
        FlatTree(
            [tree.labels[i] if is_present[i] else "" for i in nodes],
            find_parents(depths),
            depths,
            [values[i] if is_present[i] else None for i in nodes],
            [edges[i] for i in nodes],
        )
    )
