"""``TreeArray``: many trees in flat columns that slice, pickle and memory-map like one array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from sklearn_tree.trees.flat import (
    N_RESERVED_IDS,
    PAD_ID,
    FlatArray,
    decoded,
    joined,
    merged_codes,
    numbered,
    same,
)
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.tree import Tree, flatten_any

_COLUMNS = ("labels", "parents", "depths", "values", "edges")


class TreeArray(FlatArray):
    """A one-dimensional array of trees, stored as one column per property of a node.

    Trees are stored one after the other, the nodes of each in preorder. ``len``, ``shape``,
    slices, masks and index arrays work as in a numpy array, so scikit-learn splits it without
    touching a single tree. ``array[i]`` is a :class:`Tree`.

    Build one with :meth:`from_trees` (labels as text: ``vocabulary`` is set), with
    :class:`TreeVectorizer` (labels as ids: ``vocabulary`` is None) or with :meth:`from_table`.

    Parameters
    ----------
    labels : array of int, shape (n_nodes_total,)
        Node labels: positions in ``vocabulary`` where there is one, otherwise ids, where 0 means
        "no label" and 1 "unknown".
    depths : array of int, shape (n_nodes_total,)
        Depth of each node, 0 for a root. With the preorder this fixes the shape of every tree.
    offsets : array of int, shape (n_trees + 1,)
        Tree ``i`` is the nodes from ``offsets[i]`` to ``offsets[i + 1]``.
    vocabulary : sequence of str, default=None
        The text of each label, if ``labels`` are positions in it.
    values : array of float, shape (n_nodes_total,), default=None
        A number at each node, NaN where there is none.
    edges : array of int, shape (n_nodes_total,), default=None
        Label of the edge to the parent: a position in ``edge_vocabulary`` where there is one,
        otherwise an id with 0 for "no edge label".
    edge_vocabulary : sequence of str, default=None
        The text of each edge label.
    n_labels, n_edge_labels : int, default=None
        Size of the id spaces; None takes what the columns need.

    Attributes
    ----------
    parents : ndarray of int32, shape (n_nodes_total,)
        Parent of each node, numbered inside its tree; -1 for roots.
    heights : ndarray of int32, shape (n_nodes_total,)
        Edges from each node down to its deepest leaf.

    Examples
    --------
    >>> from sklearn_tree import TreeArray
    >>> trees = TreeArray.from_trees(["(S (NP I) (VP run))", "(S (VP stop))"])
    >>> trees
    TreeArray(2 trees, 8 nodes)
    >>> trees[1]
    Tree('(S (VP stop))')
    >>> trees[[1, 0, 1]].shape
    (3,)
    """

    _columns: ClassVar[tuple[str, ...]] = (*_COLUMNS, "subtrees")
    _noun = "tree"

    def __init__(
        self,
        labels: Any,
        depths: Any,
        offsets: Any,
        *,
        vocabulary: Sequence[str] | None = None,
        values: Any = None,
        edges: Any = None,
        edge_vocabulary: Sequence[str] | None = None,
        n_labels: int | None = None,
        n_edge_labels: int | None = None,
    ) -> None:
        depths = np.asarray(depths, dtype=np.int32)
        offsets = np.asarray(offsets, dtype=np.int64)
        _check_shape(labels, depths, offsets)
        _check_ids("labels", labels, vocabulary, n_labels)
        _check_ids("edges", edges, edge_vocabulary, n_edge_labels)
        for name, column in (("values", values), ("edges", edges)):
            if column is not None and len(column) != len(depths):
                raise ValueError(f"{name} must have one entry per node: {len(depths)}, got {len(column)}")
        if values is not None and np.isinf(np.asarray(values, dtype=float)).any():
            raise ValueError("values must be finite, or NaN where there is none; got inf")
        self._fill(
            labels=np.asarray(labels, dtype=np.int32),
            parents=_parents_of(depths, offsets),
            depths=depths,
            offsets=offsets,
            values=None if values is None else np.asarray(values),
            edges=None if edges is None else np.asarray(edges, dtype=np.int32),
            vocabulary=None if vocabulary is None else np.array(vocabulary, dtype=object),
            edge_vocabulary=None if edge_vocabulary is None else np.array(edge_vocabulary, dtype=object),
            n_labels=n_labels,
            n_edge_labels=n_edge_labels,
        )

    def _fill(self, **fields: Any) -> TreeArray:
        self.__dict__.update(fields)
        for name, count, text in (
            ("labels", "n_labels", self.vocabulary),
            ("edges", "n_edge_labels", self.edge_vocabulary),
        ):
            column = fields[name]
            if self.__dict__[count] is None and column is not None:
                needed = int(column.max(initial=N_RESERVED_IDS - 1)) + 1
                self.__dict__[count] = len(text) if text is not None else needed
        return self

    labels: np.ndarray
    parents: np.ndarray
    depths: np.ndarray
    offsets: np.ndarray
    values: np.ndarray | None
    edges: np.ndarray | None
    vocabulary: np.ndarray | None
    edge_vocabulary: np.ndarray | None
    n_labels: int
    n_edge_labels: int | None
    subtrees: np.ndarray | None = None  # numbers of ``number_subtrees``, for those who put them there

    @classmethod
    def from_trees(cls, trees: Iterable[Any]) -> TreeArray:
        """Store trees of any registered format.

        Parameters
        ----------
        trees : iterable
            Trees that :meth:`Tree.from_any` reads; formats may be mixed. Trees whose labels are
            ints are taken as encoded.

        Returns
        -------
        TreeArray

        Raises
        ------
        TypeError, ValueError
            If a tree cannot be read; the message begins with its position, ``trees[3]: ...``.
        """
        labels: list = []
        parents: list[int] = []
        depths: list[int] = []
        values: dict[int, list] = {}  # of the trees that have any, by their first node
        edges: dict[int, list] = {}
        offsets = [0]
        for i, obj in enumerate(trees):
            try:
                flat = flatten_any(obj)
            except Exception as error:
                if type(error) not in (TypeError, ValueError):  # an adapter's own: left as it is
                    error.add_note(f"while reading trees[{i}]")
                    raise
                raise type(error)(f"trees[{i}]: {error}") from error
            if labels and type(flat.labels[0]) is not type(labels[0]):
                raise TypeError(
                    f"trees[{i}]: labels must be all str or all int, got {flat.labels[0]!r} beside others"
                )
            labels.extend(flat.labels)
            parents.extend(flat.parents)
            depths.extend(flat.depths)
            if flat.values is not None:
                values[offsets[-1]] = flat.values
            if flat.edges is not None:
                edges[offsets[-1]] = flat.edges
            offsets.append(len(labels))
        codes, vocabulary = numbered(labels)
        edge_codes, edge_vocabulary = None, None
        if edges:
            edge_codes, edge_vocabulary = numbered(_filled(edges, len(labels)), none="")
        return cls.__new__(cls)._fill(
            labels=codes,
            parents=np.array(parents, dtype=np.int32),
            depths=np.array(depths, dtype=np.int32),
            offsets=np.array(offsets, dtype=np.int64),
            values=np.array(_filled(values, len(labels)), dtype=float) if values else None,
            edges=edge_codes,
            vocabulary=vocabulary,
            edge_vocabulary=edge_vocabulary,
            n_labels=None,
            n_edge_labels=None,
        )

    @classmethod
    def from_table(cls, X: np.ndarray) -> TreeArray:
        """Store each row of a table as a star: an unlabelled root over one leaf per column.

        Parameters
        ----------
        X : ndarray of float, shape (n_trees, n_columns)
            Column ``j`` becomes a leaf with the id ``2 + j`` and the number as its value.

        Returns
        -------
        TreeArray
            Encoded trees of ``n_columns + 1`` nodes; values keep the dtype of ``X``.
        """
        n, width = X.shape
        ids = np.r_[PAD_ID, np.arange(N_RESERVED_IDS, N_RESERVED_IDS + width)]
        values = np.column_stack([np.full(n, np.nan, dtype=X.dtype), X]).ravel()
        star = np.r_[0, np.ones(width, dtype=np.int32)]
        return cls(
            np.tile(ids, n),
            np.tile(star, n),
            np.arange(n + 1) * (width + 1),
            values=values,
            n_labels=N_RESERVED_IDS + width,
        )

    @classmethod
    def concatenate(cls, arrays: Iterable[TreeArray]) -> TreeArray:
        """Join arrays end to end.

        Parameters
        ----------
        arrays : iterable of TreeArray
            All with text labels or all encoded.

        Returns
        -------
        TreeArray

        Raises
        ------
        ValueError
            If there is no array, or encoded ones are mixed with others.
        """
        arrays = list(arrays)
        if not arrays:
            raise ValueError("arrays must hold at least one TreeArray, got none")
        if len({a.vocabulary is None for a in arrays}) > 1:
            raise ValueError("arrays must all be encoded or all have a vocabulary, got both kinds")
        labels, vocabulary = merged_codes([(a.labels, a.vocabulary) for a in arrays])
        values = edges = edge_vocabulary = None
        if any(a.values is not None for a in arrays):
            values = joined([_or_nan(a) for a in arrays])
        if any(a.edges is not None for a in arrays):
            edges, edge_vocabulary = merged_codes([_edges_or_none(a) for a in arrays])
        sizes = np.concatenate([np.diff(a.offsets) for a in arrays])
        return cls.__new__(cls)._fill(
            labels=labels,
            parents=joined([a.parents for a in arrays]),
            depths=joined([a.depths for a in arrays]),
            offsets=np.r_[0, np.cumsum(sizes)].astype(np.int64),
            values=values,
            edges=edges,
            vocabulary=vocabulary,
            edge_vocabulary=edge_vocabulary,
            n_labels=None if vocabulary is not None else max(a.n_labels for a in arrays),
            n_edge_labels=None
            if edges is None or edge_vocabulary is not None
            else max(a.n_edge_labels or 0 for a in arrays),
        )

    def replace(self, **fields: Any) -> TreeArray:
        """Return an array that shares all columns with this one but those given.

        Parameters
        ----------
        **fields : array or sequence
            New columns or sizes by name; they are not checked.

        Returns
        -------
        TreeArray
        """
        if {"labels", "edges", "depths", "parents"} & fields.keys():
            fields = {"subtrees": None, **fields}  # they were those of other trees
        return super().replace(**fields)

    @property
    def n_nodes(self) -> int:
        """Number of nodes in all trees together."""
        return int(self.offsets[-1])

    @property
    def arities(self) -> np.ndarray:
        """Number of children of each node, ndarray of int64, shape (n_nodes_total,)."""
        return np.bincount(self.absolute_parents[self.parents >= 0], minlength=self.n_nodes)

    @property
    def heights(self) -> np.ndarray:
        """Edges from each node down to its deepest leaf, ndarray of int32, shape (n_nodes_total,)."""
        heights = np.zeros(self.n_nodes, dtype=np.int32)
        parents = self.absolute_parents
        for nodes in nodes_by_depth(self.depths)[:0:-1]:
            np.maximum.at(heights, parents[nodes], heights[nodes] + 1)
        return heights

    @property
    def absolute_parents(self) -> np.ndarray:
        """Parent of each node, numbered through all trees; -1 for roots; ndarray of int64."""
        starts = np.repeat(self.offsets[:-1], self.sizes)
        return np.where(self.parents < 0, -1, self.parents + starts)

    def _item(self, i: int) -> Tree:
        nodes = slice(self.offsets[i], self.offsets[i + 1])
        values = edges = None
        if self.values is not None:
            values = [None if v != v else v for v in self.values[nodes].tolist()]
        if self.edges is not None:
            edges = [e or None for e in decoded(self.edges[nodes], self.edge_vocabulary)]
        labels = decoded(self.labels[nodes], self.vocabulary)
        return Tree.from_flat(
            FlatTree(labels, self.parents[nodes], self.depths[nodes], values, edges)  # type: ignore[arg-type]
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeArray):
            return NotImplemented
        return len(self) == len(other) and all(
            same(a, b)
            for a, b in (
                (self.offsets, other.offsets),
                (self.depths, other.depths),
                (self._text("labels"), other._text("labels")),
                (self._text("edges"), other._text("edges")),
                (self.values, other.values),
            )
        )

    __hash__ = None  # type: ignore[assignment]

    def _text(self, name: str) -> np.ndarray | None:
        column = self.__dict__[name]
        text = self.vocabulary if name == "labels" else self.edge_vocabulary
        return column if column is None or text is None else text[column]

    def __repr__(self) -> str:
        trees = f"{len(self)} tree{'s' * (len(self) != 1)}"
        return f"TreeArray({trees}, {self.n_nodes} node{'s' * (self.n_nodes != 1)})"


def nodes_by_depth(depths: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of the nodes of depth 0, 1, ..., each in rising order."""
    order = np.argsort(depths, kind="stable")
    return np.split(order, np.cumsum(np.bincount(depths))[:-1])


def _filled(pieces: dict[int, list], n: int) -> list:
    column: list = [None] * n
    for start, piece in pieces.items():
        column[start : start + len(piece)] = piece
    return column


def _or_nan(array: TreeArray) -> np.ndarray:
    return np.full(array.n_nodes, np.nan) if array.values is None else array.values


def _edges_or_none(array: TreeArray) -> tuple[np.ndarray, np.ndarray | None]:
    if array.edges is not None:
        return array.edges, array.edge_vocabulary
    text = None if array.vocabulary is None else np.array([""], dtype=object)
    return np.zeros(array.n_nodes, dtype=np.int32), text


def _check_ids(name: str, ids: Any, vocabulary: Sequence | None, size: int | None) -> None:
    if ids is None or not len(ids):
        return
    ids = np.asarray(ids)
    if ids.dtype.kind not in "iu":
        raise ValueError(f"{name} must be ints, got {ids.dtype}")
    size = len(vocabulary) if vocabulary is not None else size
    if ids.min() < 0 or (size is not None and ids.max() >= size):
        bad = ids.min() if ids.min() < 0 else ids.max()
        limit = "" if size is None else f" and below {size}"
        raise ValueError(f"{name} must be at least 0{limit}, got {bad}")


def _check_shape(labels: Any, depths: np.ndarray, offsets: np.ndarray) -> None:
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or np.any(np.diff(offsets) < 1):
        raise ValueError("offsets must begin with 0 and rise by at least one node per tree")
    if len(labels) != len(depths) or len(depths) != offsets[-1]:
        raise ValueError(
            f"labels and depths must have offsets[-1] = {offsets[-1]} entries, "
            f"got {len(labels)} and {len(depths)}"
        )
    steps = np.diff(depths, prepend=0)
    is_root = np.zeros(len(depths), dtype=bool)
    is_root[offsets[:-1]] = True
    wrong = np.flatnonzero(np.where(is_root, depths != 0, (depths < 1) | (steps > 1)))
    if len(wrong):
        tree = int(np.searchsorted(offsets, wrong[0], side="right")) - 1
        raise ValueError(
            f"depths must be those of a preorder, 0 at the root alone and rising by 1 at most; "
            f"got {depths[wrong[0]]} at node {wrong[0] - offsets[tree]} of tree {tree}"
        )


def _parents_of(depths: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """In preorder, a node's parent is the last node before it that is one less deep."""
    parents = np.full(len(depths), -1, dtype=np.int64)
    levels = nodes_by_depth(depths)
    for above, here in pairwise(levels):
        parents[here] = above[np.searchsorted(above, here) - 1]
    starts = np.repeat(offsets[:-1], np.diff(offsets))
    return np.where(parents < 0, -1, parents - starts).astype(np.int32)
