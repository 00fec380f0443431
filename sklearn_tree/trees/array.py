"""Arrays of trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sklearn_tree.trees import arrow, mapped
from sklearn_tree.trees.arrow import ArrowLayout
from sklearn_tree.trees.checks import as_ints, check_codes, check_length, check_tree_shapes, check_values
from sklearn_tree.trees.codes import (
    N_RESERVED_IDS,
    PAD_ID,
    are_columns_equal,
    as_vocabulary,
    concatenate_columns,
    count_codes,
    decode,
    merge_codes,
    merge_sizes,
)
from sklearn_tree.trees.collector import TreeCollector
from sklearn_tree.trees.flat import FlatArray
from sklearn_tree.trees.formats import FlatTree
from sklearn_tree.trees.mapped import FileLayout
from sklearn_tree.trees.preorder import find_parents, find_subtree_ends, nodes_by_depth
from sklearn_tree.trees.reduction import reduce_subtrees
from sklearn_tree.trees.summaries import ArraySummary
from sklearn_tree.trees.summarize import summarize_trees
from sklearn_tree.trees.tree import Tree

__all__ = ["TreeArray", "nodes_by_depth"]

_SUBTREE_FIELDS = {"labels", "edges", "depths", "parents"}
_MAX_DRAWN_NODES = 1000


@dataclass(frozen=True, eq=False, init=False)
class TreeArray(FlatArray):
    """One-dimensional array of trees, stored as one flat column per property of the nodes.

    Trees are stored one after the other, each with its nodes in preorder. ``len``, ``shape``, slices, masks
    and index arrays work as on a numpy array, so scikit-learn can split it without building a single tree.
    ``array[i]`` is a :class:`Tree`. The attributes cannot be reassigned; see :meth:`replace`. Notebooks and
    ``print`` show a summary: sizes, heights, arities, the most frequent labels and the first trees.

    Build an array with :meth:`from_trees` (labels are texts and ``vocabulary`` is set), with
    :class:`TreeVectorizer` (labels are ids and ``vocabulary`` is None) or with :meth:`from_table`.

    Parameters
    ----------
    labels : array-like of int, shape (n_nodes_total,)
        Node labels: positions in ``vocabulary`` if it is given, otherwise ids, of which 0 means
        "no label" and 1 "unknown".
    depths : array-like of int, shape (n_nodes_total,)
        Depth of each node, 0 for roots. Depths in preorder determine the shape of every tree.
    offsets : array-like of int, shape (n_trees + 1,)
        Tree ``i`` consists of nodes ``offsets[i]`` to ``offsets[i + 1] - 1``.
    vocabulary : sequence of str, default=None
        Text of each label.
    values : array-like of float, shape (n_nodes_total,), default=None
        Value of each node, NaN for nodes without one.
    edges : array-like of int, shape (n_nodes_total,), default=None
        Label of the edge from each node to its parent: positions in ``edge_vocabulary`` if it is given,
        otherwise ids, of which 0 means "no label".
    edge_vocabulary : sequence of str, default=None
        Text of each edge label.
    n_labels, n_edge_labels : int, default=None
        Sizes of the id spaces; by default, the smallest that hold all labels. They remain None, and nets
        refuse the trees, if an id is at least 2**24 and more than 100 times the number of distinct ids.
    parents : ndarray of int32, shape (n_nodes_total,), default=None
        Parent of each node within its tree, -1 for roots; computed from ``depths`` by default.
    subtrees : ndarray of int64, shape (n_nodes_total,), default=None
        Numbers that are equal for nodes with equal subtrees, if they have been computed.
    vectors : ndarray of float, shape (n_new, size), default=None
        Vectors of the ids ``n_labels``, ``n_labels + 1``, ...: words that are not in the vocabulary of a net.
    validate : bool, default=True
        Whether to check and convert the columns. With False, they must be valid arrays already.

    Attributes
    ----------
    parents : ndarray of int32, shape (n_nodes_total,)
        Parent of each node within its tree, -1 for roots.

    Raises
    ------
    ValueError
        If the columns differ in length, the depths are not in preorder, a label is out of range or a value is
        infinite.

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

    _columns: ClassVar[tuple[str, ...]] = ("labels", "parents", "depths", "values", "edges", "subtrees")
    _noun: ClassVar[str] = "tree"
    _arrow_layout: ClassVar[ArrowLayout] = arrow.TREES
    _file_layout: ClassVar[FileLayout] = mapped.TREES

    labels: np.ndarray
    depths: np.ndarray
    offsets: np.ndarray
    vocabulary: np.ndarray | None
    values: np.ndarray | None
    edges: np.ndarray | None
    edge_vocabulary: np.ndarray | None
    n_labels: int | None
    n_edge_labels: int | None
    parents: np.ndarray
    subtrees: np.ndarray | None
    vectors: np.ndarray | None

    def __init__(
        self,
        labels: Any,
        depths: Any,
        offsets: Any,
        *,
        vocabulary: Sequence[str] | np.ndarray | None = None,
        values: Any = None,
        edges: Any = None,
        edge_vocabulary: Sequence[str] | np.ndarray | None = None,
        n_labels: int | None = None,
        n_edge_labels: int | None = None,
        parents: np.ndarray | None = None,
        subtrees: np.ndarray | None = None,
        vectors: np.ndarray | None = None,
        validate: bool = True,
    ) -> None:
        self._set(
            labels=labels,
            depths=depths,
            offsets=offsets,
            vocabulary=vocabulary,
            values=values,
            edges=edges,
            edge_vocabulary=edge_vocabulary,
            n_labels=n_labels,
            n_edge_labels=n_edge_labels,
            parents=parents,
            subtrees=subtrees,
            vectors=vectors,
        )
        if validate:
            self._validate()
        if self.parents is None:
            self._set(parents=self._find_parents())
        if n_labels is None:
            self._set(n_labels=count_codes(self.labels, self.vocabulary))
        if n_edge_labels is None and self.edges is not None:
            self._set(n_edge_labels=count_codes(self.edges, self.edge_vocabulary))

    def _validate(self) -> None:
        """Check the columns and convert them to arrays."""
        depths, offsets = as_ints("depths", self.depths), as_ints("offsets", self.offsets)
        check_tree_shapes(self.labels, depths, offsets)
        check_codes("labels", self.labels, self.vocabulary, self.n_labels)
        check_codes("edges", self.edges, self.edge_vocabulary, self.n_edge_labels)
        for name in ("values", "edges"):
            check_length(name, getattr(self, name), len(depths))
        check_values(self.values)
        self._set(
            labels=np.asarray(self.labels, dtype=np.int32),
            depths=np.asarray(self.depths, dtype=np.int32),
            offsets=offsets,
            vocabulary=as_vocabulary(self.vocabulary),
            values=None if self.values is None else np.asarray(self.values),
            edges=None if self.edges is None else np.asarray(self.edges, dtype=np.int32),
            edge_vocabulary=as_vocabulary(self.edge_vocabulary),
        )
        parents = self._find_parents()
        if self.parents is not None and not np.array_equal(self.parents, parents):
            raise ValueError("parents must agree with depths or be None")
        self._set(parents=parents)

    def _find_parents(self) -> np.ndarray:
        starts = np.repeat(self.offsets[:-1], self.sizes)
        return np.where(self.depths == 0, -1, find_parents(self.depths) - starts).astype(np.int32)

    @classmethod
    def from_trees(cls, trees: Iterable[Any]) -> Self:
        """Store trees of any registered format.

        Parameters
        ----------
        trees : iterable
            Trees that :meth:`Tree.from_any` reads. Formats may be mixed; labels must be all str or all int.
            Int labels are ids of encoded trees.

        Returns
        -------
        TreeArray

        Raises
        ------
        TypeError, ValueError
            If a tree cannot be read. The message starts with its position, ``X[3]: ...``.
        """
        collector = TreeCollector()
        for i, tree in enumerate(trees):
            collector.add(tree, i)
        return cls(**collector.to_columns(), validate=False)

    @classmethod
    def from_table(cls, X: np.ndarray) -> Self:
        """Store each row of a table as a star: an unlabelled root with one leaf per column.

        Parameters
        ----------
        X : ndarray of float, shape (n_trees, n_columns)
            Column ``j`` becomes a leaf with id ``2 + j`` and the number as its value.

        Returns
        -------
        TreeArray
            Encoded trees with ``n_columns + 1`` nodes each. Values have the dtype of ``X``.
        """
        n_trees, n_columns = X.shape
        ids = np.r_[PAD_ID, np.arange(N_RESERVED_IDS, N_RESERVED_IDS + n_columns)]
        values = np.column_stack([np.full(n_trees, np.nan, dtype=X.dtype), X]).ravel()
        star = np.r_[0, np.ones(n_columns, dtype=np.int32)]
        return cls(
            np.tile(ids, n_trees),
            np.tile(star, n_trees),
            np.arange(n_trees + 1) * (n_columns + 1),
            values=values,
            n_labels=N_RESERVED_IDS + n_columns,
        )

    @classmethod
    def concatenate(cls, arrays: Iterable[TreeArray]) -> Self:
        """Concatenate arrays.

        Parameters
        ----------
        arrays : iterable of TreeArray
            Arrays that all have a vocabulary or are all encoded.

        Returns
        -------
        TreeArray

        Raises
        ------
        ValueError
            If ``arrays`` is empty, or some have a vocabulary and others are encoded.
        """
        arrays = list(arrays)
        if not arrays:
            raise ValueError("arrays must contain at least one TreeArray, got none")
        if len({a.vocabulary is None for a in arrays}) > 1:
            raise ValueError("arrays must all have a vocabulary or all be encoded, got both kinds")
        labels, vocabulary = merge_codes([(a.labels, a.vocabulary) for a in arrays])
        sizes = np.concatenate([a.sizes for a in arrays])
        return cls(
            labels=labels,
            parents=concatenate_columns([a.parents for a in arrays]),
            depths=concatenate_columns([a.depths for a in arrays]),
            offsets=np.r_[0, np.cumsum(sizes)].astype(np.int64),
            values=_concatenate_values(arrays),
            vocabulary=vocabulary,
            n_labels=None if vocabulary is not None else merge_sizes([a.n_labels for a in arrays]),
            **_concatenate_edges(arrays),
            validate=False,
        )

    def replace(self, **fields: Any) -> Self:
        """Return an array with some fields replaced; the others are shared, not copied.

        Parameters
        ----------
        **fields : array, sequence, int or None
            New columns, vocabularies or sizes by name. They are not validated. ``subtrees`` becomes None if
            other columns that identify subtrees are replaced.

        Returns
        -------
        TreeArray
        """
        if _SUBTREE_FIELDS & fields.keys():
            fields = {"subtrees": None, **fields}
        return super().replace(**fields)

    @property
    def n_nodes(self) -> int:
        """Number of nodes of all trees."""
        return int(self.offsets[-1])

    @property
    def arities(self) -> np.ndarray:
        """Number of children of each node, ndarray of int64, shape (n_nodes_total,)."""
        return np.bincount(self.absolute_parents[self.parents >= 0], minlength=self.n_nodes)

    @property
    def heights(self) -> np.ndarray:
        """Number of edges from each node to its deepest leaf, ndarray of int32, shape (n_nodes_total,)."""
        return reduce_subtrees(self.depths, self.depths, np.maximum) - self.depths

    @property
    def absolute_parents(self) -> np.ndarray:
        """Parent of each node, numbered through all trees; -1 for roots; ndarray of int64."""
        starts = np.repeat(self.offsets[:-1], self.sizes)
        return np.where(self.parents < 0, -1, self.parents + starts)

    @property
    def subtree_ends(self) -> np.ndarray:
        """End of each node's subtree, ndarray of int64, shape (n_nodes_total,).

        Nodes are numbered through all trees: the subtree of node ``i`` consists of nodes ``i`` to
        ``subtree_ends[i] - 1``.
        """
        return find_subtree_ends(self.depths)

    def _item(self, i: int) -> Tree:
        nodes = slice(self.offsets[i], self.offsets[i + 1])
        values = edges = None
        if self.values is not None:
            values = [None if v != v else v for v in self.values[nodes].tolist()]
        if self.edges is not None:
            edges = [edge or None for edge in decode(self.edges[nodes], self.edge_vocabulary)]
        labels = decode(self.labels[nodes], self.vocabulary)
        return Tree.from_flat(FlatTree(labels, self.parents[nodes], self.depths[nodes], values, edges))

    def _summarize(self) -> ArraySummary:
        return summarize_trees(self, self._heads(_MAX_DRAWN_NODES))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeArray):
            return NotImplemented
        return len(self) == len(other) and all(
            are_columns_equal(a, b)
            for a, b in (
                (self.offsets, other.offsets),
                (self.depths, other.depths),
                (_resolve(self.labels, self.vocabulary), _resolve(other.labels, other.vocabulary)),
                (_resolve(self.edges, self.edge_vocabulary), _resolve(other.edges, other.edge_vocabulary)),
                (self.values, other.values),
            )
        )

    def __repr__(self) -> str:
        trees = f"{len(self)} tree{'s' * (len(self) != 1)}"
        return f"TreeArray({trees}, {self.n_nodes} node{'s' * (self.n_nodes != 1)})"


def _resolve(codes: np.ndarray | None, vocabulary: np.ndarray | None) -> np.ndarray | None:
    return codes if codes is None or vocabulary is None else vocabulary[codes]


def _concatenate_values(arrays: list[TreeArray]) -> np.ndarray | None:
    if all(a.values is None for a in arrays):
        return None
    return np.concatenate([np.full(a.n_nodes, np.nan) if a.values is None else a.values for a in arrays])


def _concatenate_edges(arrays: list[TreeArray]) -> dict[str, Any]:
    if all(a.edges is None for a in arrays):
        return {}
    edges, vocabulary = merge_codes([_get_edges(a) for a in arrays])
    sizes = [a.n_edge_labels for a in arrays if a.edges is not None]
    size = None if vocabulary is not None else merge_sizes(sizes)
    return {"edges": edges, "edge_vocabulary": vocabulary, "n_edge_labels": size}


def _get_edges(array: TreeArray) -> tuple[np.ndarray, np.ndarray | None]:
    if array.edges is not None:
        return array.edges, array.edge_vocabulary
    vocabulary = None if array.vocabulary is None else np.array([""], dtype=object)
    return np.zeros(array.n_nodes, dtype=np.int32), vocabulary
