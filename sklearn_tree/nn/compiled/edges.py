"""Trees of a compiled walk: inner nodes by level, leaves, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.compiled.jit import compile_function
from sklearn_tree.nn.schedule import Schedule


@dataclass(frozen=True)
class Edges:
    """Edges of the trees of a walk. Rows are inner nodes from the roots down, then leaves.

    Attributes
    ----------
    children : ndarray of int64, shape (n_edges,)
        Row of the child of each edge.
    parents : ndarray of int64, shape (n_edges,)
        Row of the parent of each edge; non-decreasing.
    ranks : ndarray of int64, shape (n_edges,)
        Position of each child among its siblings.
    inputs : ndarray of int64, shape (n_inner,)
        Row of the input table for each inner node.
    n_rows : ndarray of int64, shape (n_levels,)
        Number of inner nodes of each level.
    n_leaves : int
        Number of leaves.
    """

    children: np.ndarray
    parents: np.ndarray
    ranks: np.ndarray
    inputs: np.ndarray
    n_rows: np.ndarray
    n_leaves: int

    @classmethod
    def from_schedule(cls, schedule: Schedule, n_leaves: int) -> Edges:
        """Return the edges of a schedule in main memory."""
        children, parents, ranks, inputs = (
            x.numpy() for x in (schedule.children, schedule.parents, schedule.ranks, schedule.inputs)
        )
        return cls(children, parents, ranks, inputs, np.array(schedule.n_rows), n_leaves)

    @classmethod
    def from_batch(cls, batch: TreeBatch, inverse: np.ndarray, n_inputs: int) -> Edges:
        """Return the edges of a batch, with a row for each inner node and each distinct input of leaves.

        Parameters
        ----------
        batch : TreeBatch
            Trees in main memory; at least one has more than one node.
        inverse : ndarray of int64, shape (n_nodes,)
            Input of each node.
        n_inputs : int
            Number of inputs of inner nodes, which precede those of leaves.

        Returns
        -------
        Edges
        """
        n_rows = np.array([n for n in batch.n_inner if n])
        n = int(n_rows.sum())
        children = number_rows(batch.children.numpy(), inverse, n, n_inputs)
        n_leaves = int(inverse.max()) + 1 - n_inputs
        return cls(children, batch.parents.numpy(), batch.ranks.numpy(), inverse[:n], n_rows, n_leaves)

    def split(self, n_parts: int) -> list[Part]:
        """Split the trees into parts of about the same number of inner nodes.

        Parameters
        ----------
        n_parts : int
            Largest number of parts.

        Returns
        -------
        list of Part
            One part if subtrees of different trees share a row.
        """
        n, trees = len(self.inputs), None
        if n_parts > 1:
            trees = number_trees(self.children, self.parents, n)
        if trees is None or not trees.size:
            return [Part(self, np.arange(n), np.arange(self.n_leaves))]
        n_nodes = np.cumsum(np.bincount(trees))
        part_of_tree = (n_nodes - 1) * n_parts // n
        part_of_row = part_of_tree[trees]
        return [
            self._select(part_of_row == part, part == part_of_tree[0]) for part in np.unique(part_of_tree)
        ]

    def _select(self, is_inside: np.ndarray, is_first: bool) -> Part:
        """Return the part of the given inner nodes; the first part has the leaves without parents too."""
        n, has_edge = len(is_inside), is_inside[self.parents]
        children, parents = self.children[has_edge], self.parents[has_edge]
        is_used = np.zeros(n + self.n_leaves, np.bool_)
        is_used[children] = True
        is_used[:n] = is_inside
        if is_first:
            is_used[n:] |= np.bincount(self.children, minlength=len(is_used))[n:] == 0
        numbers = np.cumsum(is_used) - 1
        starts = np.cumsum(self.n_rows) - self.n_rows
        n_rows = np.add.reduceat(is_inside, starts, dtype=np.int64)
        edges = Edges(
            children=numbers[children],
            parents=numbers[parents],
            ranks=self.ranks[has_edge],
            inputs=self.inputs[is_inside],
            n_rows=n_rows[n_rows > 0],
            n_leaves=int(is_used[n:].sum()),
        )
        return Part(edges, np.flatnonzero(is_inside), np.flatnonzero(is_used[n:]))


@dataclass(frozen=True)
class Part:
    """Part of the trees of a walk.

    Attributes
    ----------
    edges : Edges
        Edges, with rows that are numbered within the part.
    inner, leaves : ndarray of int64
        Inner nodes and leaves of the part, by their number in the whole walk.
    """

    edges: Edges
    inner: np.ndarray
    leaves: np.ndarray


@compile_function
def number_rows(nodes: np.ndarray, inverse: np.ndarray, n: int, n_inputs: int) -> np.ndarray:
    """Return the rows of nodes of a batch of ``n`` inner nodes, see :meth:`Edges.from_batch`."""
    rows = np.empty(len(nodes), np.int64)
    for i in range(len(nodes)):
        rows[i] = nodes[i] if nodes[i] < n else n + inverse[nodes[i]] - n_inputs
    return rows


@compile_function
def number_trees(children: np.ndarray, parents: np.ndarray, n: int) -> np.ndarray:
    """Return the tree of each of ``n`` inner nodes; empty if a node belongs to several trees."""
    is_root = np.ones(n, np.bool_)
    for child in children:
        if child < n:
            is_root[child] = False
    trees, n_trees = np.full(n, -1, np.int64), 0
    for row in range(n):
        if is_root[row]:
            trees[row] = n_trees
            n_trees += 1
    for edge in range(len(children)):
        child, tree = children[edge], trees[parents[edge]]
        if child < n:
            if trees[child] >= 0 and trees[child] != tree:
                return trees[:0]
            trees[child] = tree
    return trees
