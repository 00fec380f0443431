"""Immutable, ordered, labelled trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sklearn_tree.drawing import scroll
from sklearn_tree.trees.checks import check_labels
from sklearn_tree.trees.formats import (
    FlatTree,
    flatten,
    read_brackets,
    write_brackets,
)
from sklearn_tree.trees.formats.fields import as_edge, as_value
from sklearn_tree.trees.formats.parents import check_parents, to_preorder
from sklearn_tree.trees.formats.registry import register_fixed
from sklearn_tree.trees.svg import OWN_COLOUR, draw_tree

if TYPE_CHECKING:
    from nltk import Tree as NltkTree

_REPR_WIDTH = 60


class Tree:
    """Ordered tree with a label at every node.

    Nodes are numbered in *preorder*: the root is 0, followed by the subtree of its first child, then by that
    of its second child, and so on. Siblings keep the order of the ids given. Trees are immutable, hashable
    and compared by content. They are not sequences: ``np.array([tree, tree], dtype=object)`` has shape
    ``(2,)``.

    Parameters
    ----------
    labels : sequence of str or of int, length n_nodes
        Label of each node. Ints are ids of an encoded tree.
    parents : sequence of int, length n_nodes
        Index of each node's parent, -1 (or None) for the root. Nodes may be given in any order.
    values : sequence of float or None, length n_nodes, default=None
        Value of each node, None for nodes without one.
    edges : sequence of str, int or None, length n_nodes, default=None
        Label of the edge from each node to its parent, None for edges without one.

    Attributes
    ----------
    labels : tuple of str or of int
        Node labels in preorder.
    parents : ndarray of int32, shape (n_nodes,), read-only
        Parent of each node, -1 for the root.
    depths : ndarray of int32, shape (n_nodes,), read-only
        Number of edges between each node and the root.
    values : tuple of float or None, or None
        Node values in preorder; None if no node has a value.
    edges : tuple of str, int or None, or None
        Edge labels in preorder; None if no edge has a label.

    Raises
    ------
    ValueError
        If the parents do not form one tree (no root, several roots, a cycle, an unknown parent) or a value is
        not finite.
    TypeError
        If labels are not all str or all int.

    Examples
    --------
    >>> from sklearn_tree import Tree
    >>> tree = Tree(["S", "NP", "I", "VP", "run"], [-1, 0, 1, 0, 3])
    >>> tree
    Tree('(S (NP I) (VP run))')
    >>> [tree.labels[i] for i in tree.children(tree.root)]
    ['NP', 'VP']
    >>> tree.height, tree.leaves.tolist()
    (2, [2, 4])
    """

    __slots__ = ("_child_index", "depths", "edges", "labels", "parents", "values")

    labels: tuple
    parents: np.ndarray
    depths: np.ndarray
    values: tuple | None
    edges: tuple | None
    _child_index: tuple[np.ndarray, np.ndarray] | None

    def __init__(
        self,
        labels: Sequence,
        parents: Sequence,
        *,
        values: Sequence | None = None,
        edges: Sequence | None = None,
    ) -> None:
        labels = check_labels(labels)
        n = len(labels)
        order, new_parents, depths = to_preorder(check_parents(parents, n))
        for name, column in (("values", values), ("edges", edges)):
            if column is not None and len(column) != n:
                raise ValueError(f"{name} must have one entry per node: {n}, got {len(column)}")
        if values is not None:
            values = [as_value(value, i) for i, value in enumerate(values)]
        if edges is not None:
            edges = [as_edge(edge, i, type(labels[0])) for i, edge in enumerate(edges)]

        def sort(column: Sequence | None) -> list | None:
            return None if column is None else [column[i] for i in order]

        self._set(FlatTree([labels[i] for i in order], new_parents, depths, sort(values), sort(edges)))

    def _set(self, flat: FlatTree) -> None:
        fields = {
            "labels": tuple(flat.labels),
            "parents": _freeze(flat.parents),
            "depths": _freeze(flat.depths),
            "values": _as_tuple(flat.values),
            "edges": _as_tuple(flat.edges),
            "_child_index": None,
        }
        for name, field in fields.items():
            object.__setattr__(self, name, field)

    @classmethod
    def from_flat(cls, flat: FlatTree) -> Self:
        """Build a tree from valid preorder columns without checking them.

        Parameters
        ----------
        flat : FlatTree
            Labels, parents, depths, values and edges in preorder.

        Returns
        -------
        Tree
        """
        tree = cls.__new__(cls)
        tree._set(flat)
        return tree

    @classmethod
    def from_any(cls, obj: Any) -> Tree:
        """Read a tree of any registered format.

        Parameters
        ----------
        obj : Tree, str, tuple, list, dict, nltk.Tree or an object of a registered type
            A str is a bracketed tree, ``"(S (NP I) (VP run))"``. The guide "Trees and their formats" has
            all forms. Other types can be added with :func:`register_tree_type`.

        Returns
        -------
        Tree
            ``obj`` itself if it is a Tree.

        Raises
        ------
        TypeError
            If the type of a node is not registered or a label is not a str.
        ValueError
            If brackets are unbalanced, a node is empty, or the object contains itself.

        Examples
        --------
        >>> from sklearn_tree import Tree
        >>> Tree.from_any("(S (NP I) (VP run))") == Tree.from_any(("S", ("NP", "I"), ("VP", "run")))
        True
        """
        return obj if isinstance(obj, cls) else cls.from_flat(flatten_any(obj))

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.labels)

    @property
    def nodes(self) -> range:
        """Node ids in preorder, ``range(n_nodes)``."""
        return range(len(self.labels))

    @property
    def root(self) -> int:
        """Id of the root, always 0."""
        return 0

    @property
    def leaves(self) -> np.ndarray:
        """Ids of the nodes without children, from left to right; ndarray of int64."""
        has_children = np.zeros(self.n_nodes, dtype=bool)
        has_children[self.parents[1:]] = True
        return np.flatnonzero(~has_children)

    @property
    def height(self) -> int:
        """Number of edges on the longest path from the root to a leaf; 0 for a single node."""
        return int(self.depths.max())

    def children(self, node: int) -> list[int]:
        """Return the ids of a node's children in order.

        Parameters
        ----------
        node : int
            A node id in [0, n_nodes).

        Returns
        -------
        list of int

        Raises
        ------
        IndexError
            If ``node`` is out of range.
        """
        self._check_node(node)
        index = self._child_index
        if index is None:
            order = np.argsort(self.parents, kind="stable")[1:]
            index = order, np.searchsorted(self.parents[order], np.arange(self.n_nodes + 1))
            object.__setattr__(self, "_child_index", index)
        order, starts = index
        return order[starts[node] : starts[node + 1]].tolist()

    def subtree(self, node: int) -> Tree:
        """Return the subtree rooted at a node as a separate tree.

        Parameters
        ----------
        node : int
            A node id in [0, n_nodes).

        Returns
        -------
        Tree
            The node and its descendants with their labels, values and edge labels, the edge label of the new
            root included. Node ``i`` of the subtree is node ``node + i`` of this tree.

        Raises
        ------
        IndexError
            If ``node`` is out of range.

        Examples
        --------
        >>> from sklearn_tree import Tree
        >>> Tree.from_any("(S (NP I) (VP run))").subtree(3)
        Tree('(VP run)')
        """
        self._check_node(node)
        after = np.flatnonzero(self.depths[node + 1 :] <= self.depths[node])
        nodes = slice(node, node + 1 + after[0] if len(after) else self.n_nodes)
        parents = self.parents[nodes] - node
        parents[0] = -1
        return Tree.from_flat(
            FlatTree(
                labels=self.labels[nodes],
                parents=parents,
                depths=self.depths[nodes] - self.depths[node],
                values=None if self.values is None else self.values[nodes],
                edges=None if self.edges is None else self.edges[nodes],
            )
        )

    def _check_node(self, node: int) -> None:
        if not 0 <= node < self.n_nodes:
            raise IndexError(f"node must be in [0, {self.n_nodes}), got {node}")

    def to_brackets(self) -> str:
        r"""Return the tree as one line of brackets, ``(S (NP I) (VP run))``.

        Values and edge labels are omitted. Whitespace, brackets and backslashes in a label are escaped with a
        backslash. :meth:`from_any` reads the line back as an equal tree.

        Returns
        -------
        str
        """
        return write_brackets(self.labels, self.depths.tolist())

    def to_tuple(self) -> tuple:
        """Return nested tuples ``(label, child, ...)``, in which leaves are bare labels.

        Returns
        -------
        tuple
        """
        labels = self.labels
        return self._build(lambda i, children: (labels[i], *children) if children or i == 0 else labels[i])

    def to_nltk(self) -> NltkTree:
        """Return an ``nltk.Tree``, in which leaves are strings.

        Returns
        -------
        nltk.Tree

        Raises
        ------
        ImportError
            If nltk is not installed (``pip install nltk``).
        """
        try:
            import nltk
        except ImportError as error:
            raise ImportError("Tree.to_nltk requires nltk: pip install nltk") from error
        labels = self.labels
        return self._build(
            lambda i, children: nltk.Tree(labels[i], children) if children or i == 0 else labels[i]
        )

    def _build(self, make: Callable[[int, list], Any]) -> Any:
        """Build an object of nested nodes, given ``make(node, children)``."""
        # In reverse preorder, the children of a node are complete before the node itself.
        children: list[list] = [[] for _ in self.labels]
        parents = self.parents.tolist()
        for i in range(self.n_nodes - 1, 0, -1):
            children[parents[i]].append(make(i, children[i][::-1]))
        return make(0, children[0][::-1])

    def _repr_svg_(self) -> str:
        return draw_tree(self, colour=OWN_COLOUR)

    def _repr_html_(self) -> str:
        return scroll(draw_tree(self))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        return (
            self.labels == other.labels
            and np.array_equal(self.depths, other.depths)  # depths in preorder determine the shape
            and self.values == other.values
            and self.edges == other.edges
        )

    def __hash__(self) -> int:
        return hash((self.labels, self.depths.tobytes(), self.values, self.edges))

    def __repr__(self) -> str:
        text = self.to_brackets()
        if len(text) > _REPR_WIDTH:
            text = f"{text[: _REPR_WIDTH - 3]}..."
        return f"Tree({text!r})"

    def __str__(self) -> str:
        return self.to_brackets()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Tree is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Tree is immutable: cannot delete {name!r}")

    def __getstate__(self) -> tuple:
        return self.labels, self.parents, self.depths, self.values, self.edges

    def __setstate__(self, columns: tuple) -> None:
        self._set(FlatTree(*columns))


def flatten_any(obj: Any) -> FlatTree:
    """Return the preorder columns of a tree of any registered format."""
    if isinstance(obj, str):
        return read_brackets(obj)
    if isinstance(obj, Tree):
        return _to_flat(obj)
    return obj if type(obj) is FlatTree else flatten(obj)


def _to_flat(tree: Tree) -> FlatTree:
    return FlatTree(tree.labels, tree.parents.tolist(), tree.depths.tolist(), tree.values, tree.edges)


register_fixed(Tree, _to_flat)  # a Tree among the children of another object


def _freeze(column: Any) -> np.ndarray:
    array = np.array(column, dtype=np.int32)
    array.flags.writeable = False
    return array


def _as_tuple(column: Sequence | None) -> tuple | None:
    """Return a column as a tuple; None if it is None or has no entries other than None."""
    return None if column is None or all(entry is None for entry in column) else tuple(column)
