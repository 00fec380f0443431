"""``Tree``: one frozen, ordered, labelled tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sklearn_tree.trees.formats import (
    FlatTree,
    flatten,
    read_brackets,
    register_tree_type,
    write_brackets,
)
from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.parents import check_parents, to_preorder
from sklearn_tree.trees.formats.registry import as_edge, as_value

if TYPE_CHECKING:
    from nltk import Tree as NltkTree

_REPR_WIDTH = 60


class Tree:
    """One ordered tree with a label at every node.

    Nodes are numbered in *preorder*: the root is 0, then come the nodes of its first child's
    subtree, then the second child's. Siblings keep the order of the ids given. A tree is frozen,
    hashable, compared by content, and not a sequence: ``np.array([tree, tree], dtype=object)``
    has shape ``(2,)``.

    Parameters
    ----------
    labels : sequence of str or of int, length n_nodes
        Label of each node. Ints are ids of an already encoded tree.
    parents : sequence of int, length n_nodes
        The id of each node's parent, -1 (or None) for the root. Any numbering will do.
    values : sequence of float or None, length n_nodes, default=None
        A number carried by each node, None where there is none.
    edges : sequence of str, int or None, length n_nodes, default=None
        Label of the edge from each node to its parent, None where there is none.

    Attributes
    ----------
    labels : tuple of str or of int
        Node labels in preorder.
    parents : ndarray of int32, shape (n_nodes,), read-only
        Parent of each node, -1 for the root.
    depths : ndarray of int32, shape (n_nodes,), read-only
        Number of edges between each node and the root.
    values : tuple of float or None, or None
        Node values in preorder; None when no node has one.
    edges : tuple of str, int or None, or None
        Edge labels in preorder; None when no edge has one.

    Raises
    ------
    ValueError
        If the parents do not form one tree: no root, two roots, a cycle, an unknown parent.
    TypeError
        If a label is neither a str nor an int, or both kinds are mixed.

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
        labels = _check_labels(labels)
        n = len(labels)
        order, new_parents, depths = to_preorder(check_parents(parents, n))
        for name, column in (("values", values), ("edges", edges)):
            if column is not None and len(column) != n:
                raise ValueError(f"{name} must have one entry per node: {n}, got {len(column)}")
        if values is not None:
            values = [as_value(value, i) for i, value in enumerate(values)]
        if edges is not None:
            edges = [as_edge(edge, i, type(labels[0])) for i, edge in enumerate(edges)]

        def pick(column: Sequence | None) -> list | None:
            return None if column is None else [column[i] for i in order]

        self._set(FlatTree([labels[i] for i in order], new_parents, depths, pick(values), pick(edges)))

    def _set(self, flat: FlatTree) -> None:
        def column(entries: list | None) -> tuple | None:
            return None if entries is None or all(e is None for e in entries) else tuple(entries)

        fields = {
            "labels": tuple(flat.labels),
            "parents": _frozen(flat.parents),
            "depths": _frozen(flat.depths),
            "values": column(flat.values),
            "edges": column(flat.edges),
            "_child_index": None,
        }
        for name, field in fields.items():
            object.__setattr__(self, name, field)

    @classmethod
    def from_flat(cls, flat: FlatTree) -> Tree:
        """Build a tree from preorder columns that are known to be right, without checks.

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
            A str is a bracketed tree, ``"(S (NP I) (VP run))"``. For tuples and lists see the
            user guide; other types are taught by :func:`register_tree_type`.

        Returns
        -------
        Tree

        Raises
        ------
        TypeError
            If nothing is known about the type of a node, or a label is not a str.
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
        """The node ids in preorder, ``range(n_nodes)``."""
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
        """Number of edges on the longest way from the root to a leaf; 0 for a single node."""
        return int(self.depths.max())

    def children(self, node: int) -> list[int]:
        """List the ids of a node's children in order.

        Parameters
        ----------
        node : int
            A node id, from 0 to ``n_nodes - 1``.

        Returns
        -------
        list of int

        Raises
        ------
        IndexError
            If there is no such node.
        """
        if not 0 <= node < self.n_nodes:
            raise IndexError(f"node must be in 0..{self.n_nodes - 1}, got {node}")
        if self._child_index is None:
            order = np.argsort(self.parents, kind="stable")[1:]
            starts = np.searchsorted(self.parents[order], np.arange(self.n_nodes + 1))
            object.__setattr__(self, "_child_index", (order, starts))
        order, starts = self._child_index  # type: ignore[misc]
        return order[starts[node] : starts[node + 1]].tolist()

    def to_brackets(self) -> str:
        r"""Return the tree as one line of brackets, ``(S (NP I) (VP run))``.

        Values and edge labels are left out. Blanks, brackets and backslashes in a label are
        escaped with a backslash; :meth:`from_any` reads the line back as an equal tree.

        Returns
        -------
        str
        """
        return write_brackets(self.labels, self.depths.tolist())

    def to_tuple(self) -> tuple:
        """Return nested tuples ``(label, child, ...)`` with leaves as bare labels.

        Returns
        -------
        tuple
        """
        labels = self.labels
        return self._build(lambda i, below: (labels[i], *below) if below or i == 0 else labels[i])

    def to_nltk(self) -> NltkTree:
        """Return an ``nltk.Tree`` with leaves as strings.

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
            raise ImportError("Tree.to_nltk needs nltk: pip install nltk") from error
        labels = self.labels
        return self._build(lambda i, below: nltk.Tree(labels[i], below) if below or i == 0 else labels[i])

    def _build(self, make: Callable[[int, list], Any]) -> Any:
        # From the last node to the first: a node's children are finished before it.
        waiting: list[list] = [[] for _ in self.labels]
        parents = self.parents.tolist()
        for i in range(self.n_nodes - 1, 0, -1):
            waiting[parents[i]].append(make(i, waiting[i][::-1]))
        return make(0, waiting[0][::-1])

    def _repr_svg_(self) -> str:
        from sklearn_tree.trees.svg import draw_tree

        return draw_tree(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        return (
            self.labels == other.labels
            and np.array_equal(self.depths, other.depths)  # with the preorder, the whole shape
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
        raise AttributeError(f"a Tree is frozen: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Tree is frozen: cannot delete {name!r}")

    def __reduce__(self) -> tuple:
        return _unpickle, (self.labels, self.parents, self.depths, self.values, self.edges)


def _unpickle(labels, parents, depths, values, edges) -> Tree:  # type: ignore[no-untyped-def]
    return Tree.from_flat(FlatTree(labels, parents, depths, values, edges))


def flatten_any(obj: Any) -> FlatTree:
    """Return the preorder columns of a tree in any registered format."""
    if isinstance(obj, str):
        return read_brackets(obj)
    if isinstance(obj, Tree):
        return _columns_of(obj)
    return obj if type(obj) is FlatTree else flatten(obj)


def _columns_of(tree: Tree) -> FlatTree:
    parents, depths = tree.parents.tolist(), tree.depths.tolist()
    return FlatTree(tree.labels, parents, depths, tree.values, tree.edges)  # type: ignore[arg-type]


register_tree_type(Tree, _columns_of)  # a Tree among the children of something else


def _frozen(column: Any) -> np.ndarray:
    array = np.array(column, dtype=np.int32)
    array.flags.writeable = False
    return array


def _check_labels(labels: Sequence) -> list:
    if isinstance(labels, str):
        raise TypeError(f"labels must be a sequence of labels, got the str {labels!r:.40}")
    labels = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if not labels:
        raise ValueError("labels must not be empty: a tree has at least one node")
    kinds = set()
    for i, label in enumerate(labels):
        if isinstance(label, str):
            labels[i] = str(label)
        elif isinstance(label, (int, np.integer)) and not isinstance(label, bool):
            if label < 0:
                raise ValueError(f"labels must be ids of at least 0, got {label} at node {i}")
            labels[i] = int(label)
        else:
            raise TypeError(
                f"labels must be all str (or all int, for encoded trees), "
                f"got {excerpt(label)} ({type(label).__name__}) at node {i}"
            )
        kinds.add(type(labels[i]))
    if len(kinds) > 1:
        raise TypeError("labels must be all str or all int, got both kinds")
    return labels
