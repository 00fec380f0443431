"""Top-down walk of a batch of trees, which follows the bottom-up walk in bidirectional nets."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.gated import Children, GatedCell
from sklearn_tree.nn.schedule import Schedule
from sklearn_tree.nn.walk import walk_schedule
from sklearn_tree.nn.walkable import supports_fast_walk


class DownwardEncoder(nn.Module):
    r"""Encoder that reads each path from a root to a node as a sequence, level by level from the roots down.

    For a node :math:`j` with parent :math:`p(j)` and upward state :math:`h^\uparrow_j`, the result of the
    bottom-up walk [1]_ [2]_ [3]_:

    .. math::

        h^\downarrow_j = \text{cell}(h^\uparrow_j, h^\downarrow_{p(j)})

    The state of a node thus depends on the whole tree. A root has no parent and is computed as a leaf of the
    cell.

    Parameters
    ----------
    cell : GatedCell
        Cell for nodes with one child, which is the parent here. :class:`NaryTreeLSTM` of ``max_arity`` 1 is
        an LSTM, :class:`NaryTreeGRU` a GRU and :class:`RecursiveCell` an Elman net.

    References
    ----------
    .. [1] M. Miwa, M. Bansal (2016). End-to-End Relation Extraction using LSTMs on Sequences and Tree
       Structures. ACL.
    .. [2] Z. Teng, Y. Zhang (2017). Head-Lexicalized Bidirectional Tree LSTMs. TACL.
    .. [3] F. Kokkinos, A. Potamianos (2017). Structural Attention Neural Networks for improved sentiment
       analysis. EACL.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import TreeVectorizer
    >>> from sklearn_tree.nn import ChildSumTreeLSTM, DownwardEncoder, NaryTreeLSTM
    >>> from sklearn_tree.nn import RecursiveEncoder, TreeBatch
    >>> batch = TreeBatch.from_array(TreeVectorizer().fit_transform(["(S it works)", "(S it fails)"]))
    >>> x = torch.nn.Embedding(6, 8)(batch.labels)
    >>> down = DownwardEncoder(NaryTreeLSTM(input_size=4, hidden_size=4, max_arity=1))
    >>> upward, downward = RecursiveEncoder(ChildSumTreeLSTM(8, 4), down)(x, batch).split(4, dim=1)
    >>> it = batch.order[[1, 4]]  # the word "it" in both sentences
    >>> [torch.allclose(*states[it], atol=1e-6) for states in (upward, downward)]
    [True, False]
    """

    # NOTE[DIFF] The papers differ in the inputs and the weights of the top-down walk. Here its only input is
    # the upward state, and all children share its weights, so each path is read by a sequential cell.

    def __init__(self, cell: GatedCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(
        self, h: Tensor, batch: TreeBatch, *, is_fast: bool = True, is_compiled: bool = False
    ) -> Tensor:
        """Compute the downward states of all nodes.

        Parameters
        ----------
        h : Tensor of float, shape (n_nodes, input_size)
            Upward states in batch order.
        batch : TreeBatch
            Trees.
        is_fast : bool, default=True
            Whether cells that support it take the fast walk. False computes with plain autograd.
        is_compiled : bool, default=False
            Whether the fast walk uses compiled passes.

        Returns
        -------
        Tensor of float, shape (n_nodes, hidden_size)
            Downward states in batch order.
        """
        if not (is_fast and supports_fast_walk(self.cell) and len(batch.children)):
            wx = self.cell.project(h)
            outputs = torch.cat([states[0] for states in self._walk_levels(wx, batch)])
            positions = torch.cat([batch.roots, batch.children])
            return torch.empty_like(outputs).index_copy(0, positions, outputs)
        schedule = reverse_schedule(batch)
        x = h.index_select(0, torch.cat([batch.children.flip(0), batch.roots]))  # in the order of the rows
        n = len(batch.children)
        return walk_schedule(self.cell, schedule, x, n, schedule.rows, is_compiled=is_compiled)

    def _walk_levels(self, wx: Tensor, batch: TreeBatch) -> Iterator[tuple[Tensor, ...]]:
        """Walk with plain autograd; yield the states of the nodes of each depth, in the order of children."""
        states = self.cell(wx.index_select(0, batch.roots), None)
        yield states
        sizes = _level_sizes(batch)
        rows = torch.empty_like(batch.labels)  # of each node among those of its depth
        rows[batch.roots] = torch.arange(len(batch), device=rows.device)
        for nodes, parents in zip(batch.children.split(sizes), batch.parents.split(sizes), strict=True):
            rows[nodes] = torch.arange(len(nodes), device=rows.device)
            above = tuple(state.index_select(0, rows[parents]) for state in states)
            children = Children(above, rows[nodes], torch.zeros_like(nodes))
            states = self.cell(wx.index_select(0, nodes), children)
            yield states


def reverse_schedule(batch: TreeBatch) -> Schedule:
    """Make the schedule of a top-down walk, in which the parent of a node takes the place of its children.

    Its rows are all nodes except the roots, from the deepest level up; the roots are its leaves. Each row has
    one edge, which leads to the parent of the node.

    Parameters
    ----------
    batch : TreeBatch
        Trees; at least one has more than one node.

    Returns
    -------
    Schedule
        Attribute ``rows`` contains the row of each node of the batch, roots included.
    """
    sizes, device = _level_sizes(batch)[::-1], batch.labels.device
    n, n_below_roots = sum(sizes), sizes[-1]
    edges = torch.arange(n, device=device)
    nodes = batch.children.flip(0)
    rows = torch.empty_like(batch.labels)
    rows[nodes] = edges
    rows[batch.roots] = n + torch.arange(len(batch), device=device)
    first_rows, first_incoming = _find_first_rows(batch, len(sizes))
    counts = torch.zeros_like(batch.labels).index_add_(0, batch.parents, torch.ones_like(batch.parents))
    counts = counts.index_select(0, nodes)
    level_rows = edges - first_rows
    return Schedule(
        rows=rows,
        inputs=edges,
        children=rows.index_select(0, batch.parents).flip(0),
        parents=edges,
        ranks=torch.zeros_like(edges),
        level_rows=level_rows,
        level_offsets=level_rows,
        incoming=edges[: n - n_below_roots],  # siblings are adjacent, and levels have the order of the nodes
        incoming_offsets=counts.cumsum(0) - counts - first_incoming,
        leaf_edges=edges[n - n_below_roots :],
        leaf_rows=batch.trees.index_select(0, nodes[n - n_below_roots :]),
        n_rows=tuple(sizes),
        n_edges=tuple(sizes),
        n_incoming=(0, *sizes[:-1]),
    )


def _level_sizes(batch: TreeBatch) -> list[int]:
    """Return the number of nodes at each depth from 1 on."""
    return [n_inner + n_leaves for n_inner, n_leaves in zip(batch.n_inner, batch.n_leaves, strict=True)][1:]


def _find_first_rows(batch: TreeBatch, n_levels: int) -> tuple[Tensor, Tensor]:
    """Find the first row of the level of each row, and that of the level below; 0 below the deepest level.

    They are computed from columns of the batch, so that nothing is copied to its device.
    """
    n, edges = len(batch.children), torch.arange(len(batch.children), device=batch.children.device)
    starts = edges - batch.ranks - batch.level_offsets.index_select(0, batch.parents)  # in `children`
    levels = (edges == starts).cumsum(0)  # counted from 1
    ends = starts.new_full((n_levels + 2,), n).scatter(0, levels - 1, starts)  # of the level with this number
    return n - ends[levels].flip(0), n - ends[levels + 1].flip(0)
