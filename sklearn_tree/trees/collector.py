"""Columns of trees that are read one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.trees.codes import factorize
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.rows import reraise_with_row
from sklearn_tree.trees.tree import flatten_any


class TreeCollector:
    """Collect the nodes of trees of any registered format, one tree at a time."""

    def __init__(self) -> None:
        self.labels: list = []
        self.parents: list[int] = []
        self.depths: list[int] = []
        self.values: dict[int, Sequence] = {}  # keyed by the first node of the tree
        self.edges: dict[int, Sequence] = {}
        self.offsets = [0]

    def add(self, tree: Any, i: int) -> None:
        """Append the nodes of a tree.

        Parameters
        ----------
        tree : object
            A tree of any registered format.
        i : int
            Its position, for error messages.

        Raises
        ------
        TypeError, ValueError
            If the tree cannot be read, or its labels differ in type from the previous ones.
        """
        flat = _flatten(tree, i)
        if self.labels and type(flat.labels[0]) is not type(self.labels[0]):
            raise TypeError(
                f"X[{i}]: labels must be {type(self.labels[0]).__name__} as in the previous trees, "
                f"got {flat.labels[0]!r}"
            )
        self.labels.extend(flat.labels)
        self.parents.extend(flat.parents)
        self.depths.extend(flat.depths)
        if flat.values is not None:
            self.values[self.offsets[-1]] = flat.values
        if flat.edges is not None:
            self.edges[self.offsets[-1]] = flat.edges
        self.offsets.append(len(self.labels))

    def to_columns(self) -> dict[str, Any]:
        """Return the columns of a ``TreeArray`` by name."""
        labels, vocabulary = factorize(self.labels, offsets=self.offsets)
        columns: dict[str, Any] = {
            "labels": labels,
            "vocabulary": vocabulary,
            "parents": np.array(self.parents, dtype=np.int32),
            "depths": np.array(self.depths, dtype=np.int32),
            "offsets": np.array(self.offsets, dtype=np.int64),
        }
        if self.values:
            columns["values"] = np.array(self._to_column(self.values), dtype=float)
        if self.edges:
            columns["edges"], columns["edge_vocabulary"] = factorize(
                self._to_column(self.edges), missing="", offsets=self.offsets
            )
        return columns

    def _to_column(self, entries: dict[int, Sequence]) -> list:
        column: list = [None] * len(self.labels)
        for start, of_tree in entries.items():
            column[start : start + len(of_tree)] = of_tree
        return column


def _flatten(tree: Any, i: int) -> FlatTree:
    try:
        return flatten_any(tree)
    except Exception as error:
        reraise_with_row(error, i, "reading")
