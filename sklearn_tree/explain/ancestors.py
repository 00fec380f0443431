"""``Forest``: the states of all nodes of some trees, and what becomes of a tree when one of them changes."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.outside import Outside
from sklearn_tree.explain.tree_inputs import TreeInputs
from sklearn_tree.nn import Children, GatedCell
from sklearn_tree.nn.gated import sum_children
from sklearn_tree.nn.gemm import matmul
from sklearn_tree.nn.plan import Columns
from sklearn_tree.nn.schedule import stable_sort
from sklearn_tree.nn.walkable import can_walk
from sklearn_tree.trees.subtrees import sibling_ranks

States = tuple[Tensor, ...]


class Forest:
    """All nodes of some trees, computed once; ancestors are computed anew when a node's state changes.

    Parameters
    ----------
    inputs : TreeInputs
        The trees.

    Attributes
    ----------
    states : tuple of Tensor, each of shape (n_nodes, hidden_size)
        The states of all nodes, in the order of the ``TreeArray``.
    n_evaluations : int
        How many ancestors have been computed anew.
    """

    def __init__(self, inputs: TreeInputs) -> None:
        self.inputs, self.module = inputs, inputs.module
        self.cell = self.module.encoder.cell
        self.n_evaluations = 0
        array, device = inputs.array, inputs.x.device
        parents = array.absolute_parents
        below = np.flatnonzero(parents >= 0)
        below = below[stable_sort(parents[below])]  # siblings stay in order, beside each other
        counts = np.bincount(parents[below], minlength=array.n_nodes)
        ranks = np.zeros(array.n_nodes, dtype=np.int64)
        ranks[below] = sibling_ranks(parents[below])
        columns = (parents, below, counts, np.cumsum(counts) - counts, ranks)
        tensors = (torch.from_numpy(np.ascontiguousarray(column)).to(device) for column in columns)
        self.parents, self.below, self.counts, self.first, self.ranks = tensors
        self.wx = self._projected(inputs.x)
        self.states = self._states(self.wx)

    @cached_property
    def states_without(self) -> States:
        """The states of all nodes where every input is its baseline."""
        return self._states(self._projected(self.inputs.x0))

    @cached_property
    def outside(self) -> Outside:
        """What lies beside each subtree, for poolings of all nodes."""
        return Outside(self.module.pool, self.inputs.array, self.states[0])

    @cached_property
    def _sums(self) -> _Sums | None:
        """What nodes add up of their children, where a cell does no more with them."""
        is_sum = isinstance(self.cell, GatedCell) and not self.cell.is_placed
        return _Sums(self) if is_sum and can_walk(self.cell, self.inputs.batch) else None

    def _projected(self, x: Tensor) -> Tensor:
        distinct = self.cell.project(torch.cat([self.inputs.fixed, x]))
        return distinct.index_select(0, self.inputs.rows_of_nodes)

    def _states(self, wx: Tensor) -> States:
        batch = self.inputs.batch
        states = self.module.encoder.states(wx.index_select(0, torch.argsort(batch.order)), batch)
        return tuple(state.index_select(0, batch.order) for state in states)

    def outputs(self) -> Tensor:
        """Compute what the module says of the trees, shape (n_trees, n_outputs)."""
        batch = self.inputs.batch
        h = self.states[0].index_select(0, torch.argsort(batch.order))
        return self.module.head(self.module.pool(h, batch))

    def own_states_without(self, nodes: Tensor) -> States:
        """Compute inner nodes whose own input is its baseline, their children's states as they are."""
        wx = self._projected(self.inputs.x0).index_select(0, nodes)
        return self.cell(wx, self._children(nodes))

    def _children(self, nodes: Tensor) -> Children:
        counts = self.counts[nodes]
        owners = torch.repeat_interleave(torch.arange(len(nodes), device=nodes.device), counts)
        starts = self.first[nodes] - (counts.cumsum(0) - counts)
        kids = self.below[starts[owners] + torch.arange(len(owners), device=nodes.device)]
        return Children(tuple(state.index_select(0, kids) for state in self.states), owners, self.ranks[kids])

    def pooled_below(self, states: States) -> Tensor | None:
        """Join the vectors of the nodes below each, of the states of all; None where roots alone count."""
        return None if self.module.pool.how == "root" else self.outside.below(states[0])

    def vectors(self, nodes: Tensor, states: States, below: Tensor | None = None) -> Tensor:
        """Compute the trees' vectors when one node of each has another state.

        Parameters
        ----------
        nodes : Tensor of int64, shape (n,)
            The nodes, numbered through all trees.
        states : tuple of Tensor, each of shape (n, hidden_size)
            Their new states.
        below : Tensor of float, shape (n_nodes, any), default=None
            What :meth:`pooled_below` makes of the nodes that stay below them; None if they and all below
            them are gone, or the tree's vector is its root's.

        Returns
        -------
        Tensor of float, shape (n, hidden_size)
        """
        is_pooled = self.module.pool.how != "root"
        total = self.outside.beside(nodes) if is_pooled else None
        if total is not None and below is not None:
            total = self.outside.joined(self.outside.join(total, below.index_select(0, nodes)), states[0])
        result = torch.empty_like(states[0])
        rows, at, new = torch.arange(len(nodes), device=nodes.device), nodes, states
        while True:
            is_root = self.parents[at] < 0
            if is_root.any():
                result[rows[is_root]] = new[0][is_root]
                rows, at = rows[~is_root], at[~is_root]
                new = tuple(state[~is_root] for state in new)
            if not len(rows):
                return result if total is None else self.outside.pooled(total)
            new = self.above(at, new)
            at = self.parents[at]
            if total is not None:
                total[rows] = self.outside.joined(total[rows], new[0])

    def above(self, nodes: Tensor, states: States) -> States:
        """Compute the parents of nodes, each as if that node alone had another state."""
        self.n_evaluations += len(nodes)
        if self._sums is not None:
            return self._sums.above(nodes, states)
        parents = self.parents[nodes]
        children, counts = self._children(parents), self.counts[parents]
        rows = counts.cumsum(0) - counts + self.ranks[nodes]  # of the children that are new
        changed = (s.index_copy(0, rows, n) for s, n in zip(children.states, states, strict=True))
        return self.cell(self.wx.index_select(0, parents), children._replace(states=tuple(changed)))


class _Sums:
    """What each node's parent adds up of its other children, so that the node itself can be added anew.

    So an ancestor costs the same, however many children it has. Gates are activated as in the fast walk.
    """

    def __init__(self, forest: Forest) -> None:
        cell, below = forest.cell, forest.below
        self.cell, parents = cell, forest.parents[below]
        states = tuple(state[below] for state in forest.states)
        children = Children(states, parents, forest.ranks)
        n = len(forest.wx)
        self.columns = Columns(cell, cell.gates, forest.wx)
        self.child_columns = Columns(cell, cell.child_gates, forest.wx)
        start = self.columns.up.numel() - cell.U.out_features
        self.start, self.U = start, cell.U.weight.t() * self.columns.up[start:]
        self.U_k = None if cell.U_k is None else cell.U_k.weight.t() * self.child_columns.up

        # A row per node: the parent's gates and sums without it, and its own gates without its state.
        gates = cell.padded(forest.wx)[parents] * self.columns.up
        h = sum_children(states[0], children, n)[parents] - states[0]
        gates[:, start:] += matmul(h, self.U)
        for_children = forest.wx[:, len(cell.x_gates) * cell.hidden_size :] * self.child_columns.up
        self.gates, self.for_children = (
            table.new_zeros(n, table.shape[1]).index_copy_(0, below, table)
            for table in (gates, for_children[parents])
        )
        messages = self._messages(below, states)
        self.totals = tuple(
            message.new_zeros(n, message.shape[1]).index_copy_(
                0, below, sum_children(message, children, n)[parents] - message
            )
            for message in messages
        )

    def _messages(self, nodes: Tensor, states: States) -> States:
        gates = self.for_children.index_select(0, nodes)
        if self.U_k is not None:
            gates += matmul(states[0], self.U_k)
        self.child_columns.activate(gates)
        return self.cell.message(self.child_columns.gates(gates), states)

    def above(self, nodes: Tensor, states: States) -> States:
        """See :meth:`Forest.above`."""
        gates = self.gates.index_select(0, nodes)
        gates[:, self.start :] += matmul(states[0], self.U)
        self.columns.activate(gates)
        totals = tuple(
            message + rest.index_select(0, nodes)
            for message, rest in zip(self._messages(nodes, states), self.totals, strict=True)
        )
        return self.cell.update(self.columns.gates(gates), totals)[: self.cell.n_states]
