"""States of all nodes of a batch of trees, and recomputation of the ancestors of a changed node."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.linear_scores import LinearScores
from sklearn_tree.explain.outside import ComplementPooling
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.nn import Children, GatedCell, TreeBatch
from sklearn_tree.nn.activation import GateActivation
from sklearn_tree.nn.gated import sum_children
from sklearn_tree.nn.gemm import matmul
from sklearn_tree.nn.tensors import as_tensor
from sklearn_tree.nn.walkable import can_walk
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.preorder import nodes_by_depth
from sklearn_tree.trees.reduction import accumulate_paths
from sklearn_tree.trees.sorting import stable_argsort
from sklearn_tree.trees.subtrees import sibling_ranks

States = tuple[Tensor, ...]


class NodeStates:
    """States of all nodes of some trees, computed once.

    If the state of a node changes, only its ancestors are recomputed.

    Parameters
    ----------
    inputs : TreeInputs
        Trees.

    Attributes
    ----------
    states : tuple of Tensor, each of shape (n_nodes, hidden_size)
        States of all nodes, in the order of the ``TreeArray``.
    linear : LinearScores or None
        Logits of the linear path of the net, if it has one.
    n_evaluations : int
        Number of ancestors that have been recomputed.
    """

    def __init__(self, inputs: TreeInputs) -> None:
        self.inputs, self.module = inputs, inputs.module
        self.cell = self.module.encoder.cell
        self.linear = None if self.module.active_linear is None else LinearScores(inputs)
        self.n_evaluations = 0
        array, device = inputs.array, inputs.x.device
        parents = array.absolute_parents
        children = np.flatnonzero(parents >= 0)
        children = children[stable_argsort(parents[children])]  # siblings are adjacent and keep their order
        counts = np.bincount(parents[children], minlength=array.n_nodes)
        ranks = np.zeros(array.n_nodes, dtype=np.int64)
        ranks[children] = sibling_ranks(parents[children])
        columns = (parents, children, counts, np.cumsum(counts) - counts, ranks)
        tensors = (as_tensor(column).to(device) for column in columns)
        self.parents, self.children, self.counts, self.first, self.ranks = tensors
        self.wx = self._project(inputs.x)
        self.states = self._compute_states(self.wx)

    @cached_property
    def baseline_states(self) -> States:
        """States of all nodes if every input is its baseline."""
        return self._compute_states(self._project(self.inputs.x0))

    def n_rows_per_change(self) -> np.ndarray:
        """Return how many rows :meth:`vectors` computes at once for a change of each node, (n_nodes,)."""
        array = self.inputs.array
        largest = accumulate_paths(np.maximum(array.arities, 1), array.depths, np.maximum)
        parents = array.absolute_parents
        return np.where(parents < 0, 1, largest[parents])  # the largest arity among the ancestors

    @cached_property
    def complement(self) -> ComplementPooling:
        """Pooling of the nodes outside each subtree, for nets that pool all nodes."""
        return ComplementPooling(self.module.pool, self.inputs.array, self.states[0])

    @cached_property
    def _sibling_sums(self) -> SiblingSums | None:
        """Sums over siblings, for cells whose equations depend on the children through sums only."""
        is_sum = isinstance(self.cell, GatedCell) and not self.cell.is_placed
        return SiblingSums(self) if is_sum and can_walk(self.cell, self.inputs.batch) else None

    def _project(self, x: Tensor) -> Tensor:
        inputs, _ = self.module.split_embedded(torch.cat([self.inputs.fixed, x]))
        distinct = self.cell.project(inputs)
        return distinct.index_select(0, self.inputs.rows_of_nodes)

    def _compute_states(self, wx: Tensor) -> States:
        batch = self.inputs.batch
        wx = wx.index_select(0, torch.argsort(batch.order))
        states = self.module.encoder.compute_states(wx, batch)
        return tuple(state.index_select(0, batch.order) for state in states)

    @property
    def node_vectors(self) -> Tensor:
        """Vectors of all nodes in the order of the ``TreeArray``, Tensor of float, shape (n_nodes, size)."""
        return self.states[0]

    @cached_property
    def tree_vectors(self) -> Tensor:
        """Vectors of all trees, Tensor of float, shape (n_trees, size)."""
        batch = self.inputs.batch
        h = self.node_vectors.index_select(0, torch.argsort(batch.order))
        return self.inputs.pool(h, batch, self.inputs.explained)

    def outputs(self) -> Tensor:
        """Compute the outputs of the module, Tensor of float, shape (n, n_outputs)."""
        logits = self.module.compute_logits(self.tree_vectors)
        return logits if self.linear is None else logits + self.linear.of_trees

    def outputs_without(self, is_removed: np.ndarray) -> Tensor:
        """Compute the outputs of the module without some subtrees, whose states become zero.

        The removed nodes are excluded from the pooling and from the second walk. The states in this object
        are overwritten.

        Parameters
        ----------
        is_removed : ndarray of bool, shape (n_nodes,)
            Removed nodes, with all their descendants.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        array, device = self.inputs.array, self.wx.device
        vectors, is_kept = torch.zeros_like(self.tree_vectors), torch.from_numpy(~is_removed).to(device)
        self._zero_states(~is_kept)
        trees = np.repeat(np.arange(len(array)), array.sizes)
        sizes = np.bincount(trees[~is_removed], minlength=len(array))
        if sizes.any():
            batch = TreeBatch.from_array(make_shapes(array.depths[~is_removed], sizes)).to(device)
            h = self._to_vectors(self.states[0][is_kept], batch)
            vectors[torch.from_numpy(sizes > 0).to(device)] = self.module.pool(h, batch)
        logits = self.module.compute_logits(vectors)
        return logits if self.linear is None else logits + self.linear.of_kept(is_kept)

    def _zero_states(self, is_removed: Tensor) -> None:
        """Set the states of removed nodes to zero and recompute those of the other inner nodes."""
        for state in self.states:
            state[is_removed] = 0
        for level in nodes_by_depth(self.inputs.array.depths)[::-1]:
            nodes = torch.from_numpy(level).to(is_removed.device)
            nodes = nodes[(self.counts[nodes] > 0) & ~is_removed[nodes]]
            if len(nodes):
                new = self.cell(self.wx[nodes], self._gather_children(nodes))
                for state, part in zip(self.states, new, strict=True):
                    state[nodes] = part

    def _to_vectors(self, up: Tensor, batch: TreeBatch) -> Tensor:
        """Return the vectors of nodes in batch order, given upward states in the order of the array."""
        return up.index_select(0, torch.argsort(batch.order))

    def outputs_with(self, vectors: Tensor, trees: Tensor, linear: Tensor | None) -> Tensor:
        """Compute the outputs for samples in each of which one tree has another vector.

        Parameters
        ----------
        vectors : Tensor of float, shape (n, hidden_size)
            New vectors.
        trees : Tensor of int64, shape (n,)
            Trees that have the new vectors.
        linear : Tensor of float, shape (n, n_outputs), or None
            Logits of the linear path for the changed samples.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        vectors = self.inputs.replace_vectors(vectors, self.tree_vectors, trees)
        logits = self.module.compute_logits(vectors)
        return logits if linear is None else logits + linear

    def ablate_inputs(self, nodes: Tensor) -> States:
        """Compute the states of inner nodes whose own input is its baseline; their children are unchanged.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            Inner nodes, numbered through all trees.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
        """
        wx = self._project(self.inputs.x0).index_select(0, nodes)
        return self.cell(wx, self._gather_children(nodes))

    def _gather_children(self, nodes: Tensor) -> Children:
        counts = self.counts[nodes]
        owners = torch.repeat_interleave(torch.arange(len(nodes), device=nodes.device), counts)
        starts = self.first[nodes] - (counts.cumsum(0) - counts)
        children = self.children[starts[owners] + torch.arange(len(owners), device=nodes.device)]
        states = tuple(state.index_select(0, children) for state in self.states)
        return Children(states, owners, self.ranks[children])

    def pool_descendants(self, states: States) -> Tensor | None:
        """Pool the descendants of each node, given the states of all nodes; None for the pooling "root"."""
        return None if self.module.pool.how == "root" else self.complement.pool_descendants(states[0])

    def vectors(self, nodes: Tensor, states: States, descendants: Tensor | None = None) -> Tensor:
        """Compute the vector of each tree after the state of one of its nodes has changed.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            Changed nodes, numbered through all trees.
        states : tuple of Tensor, each of shape (n, hidden_size)
            New states of the nodes.
        descendants : Tensor of float, shape (n_nodes, any), default=None
            Result of :meth:`pool_descendants`. None if the changed nodes and their descendants are excluded
            from the pooling, or for the pooling "root".

        Returns
        -------
        Tensor of float, shape (n, hidden_size)
        """
        pooled = None
        if self.module.pool.how != "root":
            pooled = self.complement.pool_outside(nodes)
            if descendants is not None:
                pooled = self.complement.merge(pooled, descendants.index_select(0, nodes))
                pooled = self.complement.add(pooled, states[0])
        result = torch.empty_like(states[0])
        for step, (rows, _, new, is_root) in enumerate(self.iterate_ancestors(nodes, states)):
            if step and pooled is not None:
                pooled[rows] = self.complement.add(pooled[rows], new[0])
            if is_root is not None:
                result[rows[is_root]] = new[0][is_root]
        return result if pooled is None else self.complement.finish(pooled)

    def iterate_ancestors(
        self, nodes: Tensor, states: States
    ) -> Iterator[tuple[Tensor, Tensor, States, Tensor | None]]:
        """Yield changed nodes, their parents, the parents of these and so on up to the roots.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            Changed nodes, numbered through all trees.
        states : tuple of Tensor, each of shape (n, hidden_size)
            New states of the nodes.

        Yields
        ------
        rows : Tensor of int64, shape (n_left,)
            Elements of ``nodes`` that have an ancestor at this distance.
        ancestors : Tensor of int64, shape (n_left,)
            The ancestor of each.
        states : tuple of Tensor, each of shape (n_left, hidden_size)
            New states of the ancestors.
        is_root : Tensor of bool, shape (n_left,), or None
            Whether the ancestor is a root; None if no ancestor is.
        """
        rows, at = torch.arange(len(nodes), device=nodes.device), nodes
        while True:
            is_root = self.parents[at] < 0
            has_root = bool(is_root.any())
            yield rows, at, states, is_root if has_root else None
            if has_root:
                rows, at = rows[~is_root], at[~is_root]
                states = tuple(state[~is_root] for state in states)
            if not len(rows):
                return
            states = self.parent_states(at, states)
            at = self.parents[at]

    def parent_states(self, nodes: Tensor, states: States) -> States:
        """Compute the states of the parents of nodes, each with one changed child.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            Changed nodes, numbered through all trees.
        states : tuple of Tensor, each of shape (n, hidden_size)
            New states of the nodes.

        Returns
        -------
        tuple of Tensor, each of shape (n, hidden_size)
        """
        self.n_evaluations += len(nodes)
        if self._sibling_sums is not None:
            return self._sibling_sums.parent_states(nodes, states)
        parents = self.parents[nodes]
        children, counts = self._gather_children(parents), self.counts[parents]
        rows = counts.cumsum(0) - counts + self.ranks[nodes]  # of the changed children
        changed = (s.index_copy(0, rows, n) for s, n in zip(children.states, states, strict=True))
        return self.cell(self.wx.index_select(0, parents), children._replace(states=tuple(changed)))


class SiblingSums:
    """Sums over the siblings of each node, to which the node's new state is added.

    The cost of an ancestor thus does not depend on its number of children. Gates are activated as in the
    fast walk.

    Parameters
    ----------
    nodes : NodeStates
        States of all nodes, for a cell that sums its children.

    Attributes
    ----------
    gates : Tensor of float, shape (n_nodes, n_columns)
        Scaled inputs of the gates of each node's parent, without the node.
    child_gates : Tensor of float, shape (n_nodes, n_child_columns)
        Scaled inputs of the child gates of each node, without its own state.
    messages : tuple of Tensor, each of shape (n_nodes, hidden_size)
        Summed messages of the siblings of each node.
    """

    def __init__(self, nodes: NodeStates) -> None:
        cell, children, n = nodes.cell, nodes.children, len(nodes.wx)
        self.cell, self.u_columns = cell, cell.layout.u_columns
        parents = nodes.parents[children]
        states = tuple(state[children] for state in nodes.states)
        siblings = Children(states, parents, nodes.ranks)
        self.activation = GateActivation(cell, cell.gates)
        self.child_activation = GateActivation(cell, cell.child_gates)
        self.U = cell.U.weight.t() * self.activation.scale[self.u_columns]
        self.U_k = None if cell.U_k is None else cell.U_k.weight.t() * self.child_activation.scale

        gates = cell.pad_gates(nodes.wx)[parents] * self.activation.scale
        h = sum_children(states[0], siblings, n)[parents] - states[0]
        gates[:, self.u_columns] += matmul(h, self.U)
        child_gates = nodes.wx[:, cell.layout.x_child_columns] * self.child_activation.scale
        self.gates = _scatter(gates, children, n)
        self.child_gates = _scatter(child_gates[parents], children, n)
        self.messages = tuple(
            _scatter(sum_children(message, siblings, n)[parents] - message, children, n)
            for message in self._compute_messages(children, states)
        )

    def _compute_messages(self, nodes: Tensor, states: States) -> States:
        gates = self.child_gates.index_select(0, nodes)
        if self.U_k is not None:
            gates += matmul(states[0], self.U_k)
        self.child_activation.apply_(gates)
        return self.cell.message(self.child_activation.split(gates), states)

    def parent_states(self, nodes: Tensor, states: States) -> States:
        """See :meth:`NodeStates.parent_states`."""
        gates = self.gates.index_select(0, nodes)
        gates[:, self.u_columns] += matmul(states[0], self.U)
        self.activation.apply_(gates)
        messages = tuple(
            message + siblings.index_select(0, nodes)
            for message, siblings in zip(self._compute_messages(nodes, states), self.messages, strict=True)
        )
        return self.cell.update(self.activation.split(gates), messages)[: self.cell.n_states]


def _scatter(table: Tensor, rows: Tensor, n: int) -> Tensor:
    """Return a table of ``n`` rows with the given rows, and zeros elsewhere."""
    return table.new_zeros(n, table.shape[1]).index_copy_(0, rows, table)


def make_shapes(depths: np.ndarray, sizes: np.ndarray) -> TreeArray:
    """Return trees without labels.

    Parameters
    ----------
    depths : ndarray of int32, shape (n_nodes,)
        Depth of each node.
    sizes : ndarray of int, shape (n,)
        Number of nodes of each tree; there are no trees for those of size 0.
    """
    offsets = np.r_[0, np.cumsum(sizes[sizes > 0])]
    return TreeArray(np.zeros(len(depths), dtype=np.int32), depths, offsets, validate=False)
