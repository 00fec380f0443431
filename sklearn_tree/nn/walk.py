"""The fast walk of a batch of trees with a gated cell: one forward and one backward for the forest.

It computes what :class:`RecursiveEncoder` computes by autograd, level by level, in less time:

- the gates of a level are one gather, one product and one sigmoid;
- on the way back the two functions of the cell are differentiated, and everything between them is
  a product and a gather per level;
- the gradients of the weights are one product for the forest, not one per level.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import accumulate
from types import SimpleNamespace
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.cells import GatedCell, TreeCell, split_gates, tanh_of_sigmoid
from sklearn_tree.nn.gemm import bucket, is_mixed, linear, matmul, matmul_rows, matmul_transposed
from sklearn_tree.nn.schedule import Schedule

Arguments = tuple[tuple[Tensor, ...], tuple[Tensor, ...]]  # of a cell's functions

_SPARE = 256  # the most rows that a product reads beyond the end
_BLOCK = 64  # levels whose views exist at once


def can_walk(cell: TreeCell, batch: TreeBatch) -> TypeGuard[GatedCell]:
    """Whether the fast walk takes the cell and no node has more children than it has places."""
    if not isinstance(cell, GatedCell) or not takes_fast_walk(cell):
        return False
    return not cell.is_placed or batch.max_rank < cell.max_arity


def takes_fast_walk(cell: GatedCell) -> bool:
    """Whether a cell is what the walk takes it for; any other would get wrong gradients.

    Its only parameters are those of its linear maps, its ``forward`` is its own base's, nothing
    listens to it, and ``update`` and ``message`` have no weights and draw nothing at random. Mixed
    precision is left to autograd too.
    """
    maps = dict(cell.named_children())
    names = ["W", "U"] if cell.U_k is None else ["W", "U", "U_k"]
    if sorted(maps) != sorted(names) or any(type(linear) is not nn.Linear for linear in maps.values()):
        return False
    if len(list(cell.parameters())) != len(names) + 1 or cell.W.bias is None:
        return False
    if any(module._forward_hooks or module._forward_pre_hooks for module in (cell, *maps.values())):
        return False
    own = ("forward", "leaves", "project", "padded", "activated")
    if any(getattr(type(cell), name) is not getattr(GatedCell, name) for name in own):
        return False
    if is_mixed(cell.U.weight.device):
        return False
    if cell.U.weight.is_meta:  # nothing to probe
        return True
    known = cell.__dict__.setdefault("_is_plain", {})  # in training, and else
    if cell.training not in known:
        known[cell.training] = _is_plain(cell)
    return known[cell.training]


def _is_plain(cell: GatedCell) -> bool:
    """Whether a cell's functions have no weights and draw nothing at random, as two calls show."""
    like, state = cell.U.weight.detach(), torch.get_rng_state()
    try:
        for function, n, n_inputs in (
            (cell.update, len(cell.gates), cell.n_messages),
            (cell.message, len(cell.child_gates), cell.n_states),
        ):
            x = like.new_full((n + n_inputs, 2, cell.hidden_size), 0.5)
            outputs = function(tuple(x[:n].unbind()), tuple(x[n:].unbind()))
            if any(output.requires_grad for output in outputs):
                return False
        return torch.equal(state, torch.get_rng_state())
    finally:
        torch.set_rng_state(state)


def walk_all(
    cell: GatedCell, x: Tensor, batch: TreeBatch, inverse: Tensor | None, nodes: Tensor | None = None
) -> Tensor:
    """Compute all nodes of a batch.

    Parameters
    ----------
    cell : GatedCell
        The cell.
    x : Tensor of float, shape (n_nodes, input_size) or (n_distinct, input_size)
        Node inputs in batch order, or the distinct ones among them.
    batch : TreeBatch
        The trees.
    inverse : Tensor of int64, shape (n_nodes,), or None
        Row of ``x`` for each node; None if ``x`` has a row per node.
    nodes : Tensor of int64, shape (n,), default=None
        Positions of the nodes wanted; None for all.

    Returns
    -------
    Tensor of float, shape (n_nodes, hidden_size) or (n, hidden_size)
        The vectors of the nodes in batch order, or of those wanted.
    """
    n = sum(batch.n_inner)
    k = n if inverse is None else batch.n_distinct_inner
    shared = batch.shared
    if inverse is None:
        shared, inverse = None, torch.arange(len(x), device=x.device)
    n_gates = len(cell.x_gates) * cell.hidden_size  # leaves have no children to have gates for
    states = cell.leaves(linear(x[k:], cell.W.weight[:n_gates], cell.W.bias[:n_gates]))
    rows, h = inverse[n:] - k, states[0]
    if n:
        weights = [cell.U.weight] if cell.U_k is None else [cell.U.weight, cell.U_k.weight]
        schedule = one_by_one(batch, inverse[:n], rows) if shared is None else shared
        plan = _Plan(cell, schedule, len(h))
        h = _Walk.apply(cell, plan, cell.project(x[:k]), *states, *weights)
        rows = torch.cat([schedule.rows, rows + plan.n_inner])
    return h.index_select(0, rows if nodes is None else rows.index_select(0, nodes))


def one_by_one(batch: TreeBatch, inputs: Tensor, leaf_rows: Tensor) -> Schedule:
    """Make the schedule of a batch with a row for each inner node, level by level as the batch has them.

    Parameters
    ----------
    batch : TreeBatch
        The trees, at least one with an inner node.
    inputs : Tensor of int64, shape (n_inner,)
        The row of the inputs of each inner node.
    leaf_rows : Tensor of int64, shape (n_leaves,)
        The row of the leaves of each leaf.
    """
    n_rows = tuple(n for n in batch.n_inner if n)
    n, below = len(inputs), leaf_rows[batch.n_leaves[0] :]  # leaves that are no roots
    everything = torch.arange(n, device=inputs.device)
    children = torch.empty_like(batch.children)
    children[batch.inner_children] = everything[n_rows[0] :]
    children[batch.leaf_children] = n + below
    inner_below = (*n_rows[1:], 0)
    return Schedule(
        rows=everything,
        inputs=inputs,
        children=children,
        parents=batch.parents,
        ranks=batch.ranks,
        offsets=batch.offsets,
        incoming=batch.inner_children,
        incoming_offsets=None,
        leaf_edges=batch.leaf_children,
        leaf_rows=below,
        n_rows=n_rows,
        n_edges=tuple(map(sum, zip(inner_below, batch.n_leaves[1 : len(n_rows) + 1], strict=True))),
        n_incoming=(0, *n_rows[1:]),
    )


class _Plan:
    """Where everything is for a cell, level by level from the roots down.

    An *edge* hangs a child on its parent. The edges of a cell that places its children are
    ``max_arity`` places per row, some of them empty; of any other cell, the edges of the schedule.
    The tables of states hold the rows of the schedule, then the leaves' rows, then zeros for an empty
    place. What is used level by level is numbered from the first of its level.
    """

    def __init__(self, cell: GatedCell, schedule: Schedule, n_leaf_rows: int) -> None:
        self.n_nodes, self.n_edges = list(schedule.n_rows), list(schedule.n_edges)
        self.n_inner, self.n_incoming = len(schedule.inputs), list(schedule.n_incoming)
        self.n_leaf_rows, self.leaf_rows = n_leaf_rows, schedule.leaf_rows
        self.wx_rows, self.rows = schedule.inputs, schedule.children
        edges = products = schedule.parents * cell.max_arity + schedule.ranks
        if cell.is_placed:
            self.n_edges = [n * cell.max_arity for n in self.n_nodes]
            self.rows = edges.new_full((sum(self.n_edges),), self.n_inner + n_leaf_rows)
            self.rows[edges] = schedule.children
        else:
            edges, products = torch.arange(len(edges), device=edges.device), schedule.parents
            self.edges = _local(edges, self.n_edges, self.n_edges)
            self.parents = _local(schedule.parents, self.n_nodes, self.n_edges)
            self.offsets = _local(schedule.offsets, self.n_edges, self.n_nodes)
            self.wx_rows_of_edges = schedule.inputs.index_select(0, schedule.parents)
        # Where the gradients of children come from: edges, and rows of U's product.
        self.incoming_edges = edges.index_select(0, schedule.incoming)
        self.incoming_products = products.index_select(0, schedule.incoming)
        self.leaf_edges = edges.index_select(0, schedule.leaf_edges)
        self.leaf_products = products.index_select(0, schedule.leaf_edges)
        self.incoming_offsets = schedule.incoming_offsets
        if self.incoming_offsets is not None:
            self.incoming_offsets = _local(self.incoming_offsets, self.n_incoming, self.n_nodes)


def _local(numbers: Tensor, counted: list[int], counts: list[int]) -> Tensor:
    """Number from the first of each level: ``counted`` of them in each, for ``counts`` rows in each."""
    return numbers - _repeated([0, *accumulate(counted[:-1])], counts, numbers)


def _repeated(values: list[int], counts: list[int], like: Tensor) -> Tensor:
    """Repeat each value as often as its count says; integers where ``like`` is."""
    return like.new_tensor(np.repeat(values, counts))


def _levels(columns: dict[str, tuple[Any, list[int]]], *, upwards: bool = False) -> Iterator[SimpleNamespace]:
    """Yield the levels of some tables, from the roots down or up to them.

    Views are made for some levels at a time: a view takes more memory than the row of a chain.

    Parameters
    ----------
    columns : dict of str to (Tensor or list of Tensor, list of int)
        For each name a table or several, and how many of its rows belong to each level.
    upwards : bool, default=False
        Whether to begin with the deepest level.

    Yields
    ------
    SimpleNamespace
        The rows of one level by name.
    """
    n_levels = len(next(iter(columns.values()))[1])
    starts = {id(sizes): [0, *accumulate(sizes)] for _, sizes in columns.values()}
    blocks = range(0, n_levels, _BLOCK)
    for first in reversed(blocks) if upwards else blocks:
        last = min(first + _BLOCK, n_levels)

        def split(table: Any, sizes: list[int], first: int = first, last: int = last) -> Any:
            if isinstance(table, list):
                parts = [split(each, sizes) for each in table]
                return list(zip(*parts, strict=True)) if parts else [()] * (last - first)
            at = starts[id(sizes)]
            return table[at[first] : at[last]].split(sizes[first:last])

        rows = list(zip(*(split(*column) for column in columns.values()), strict=True))
        for values in reversed(rows) if upwards else rows:
            yield SimpleNamespace(**dict(zip(columns, values, strict=True)))


class _Columns:
    r"""Gates side by side, activated together.

    As :math:`\tanh x = 2 \sigma(2x) - 1`, what becomes a tanh is doubled before, and the table
    holds :math:`\sigma`; the derivative by :math:`x` is then four times that of :math:`\sigma`.
    """

    def __init__(self, cell: GatedCell, names: tuple[str, ...], like: Tensor) -> None:
        self.size = cell.hidden_size
        self.is_tanh = [name in cell.tanh_gates for name in names]
        up = [2.0 if is_tanh else 1.0 for is_tanh in self.is_tanh]
        self.up = like.new_tensor(up).repeat_interleave(self.size)  # factors before the sigmoid
        self.down = self.up**2
        self.runs: list[slice] = []  # of columns that become a sigmoid
        for i, name in enumerate(names):
            start, stop = i * self.size, (i + 1) * self.size
            if name in cell.linear_gates:
                continue
            if self.runs and self.runs[-1].stop == start:
                start = self.runs.pop().start
            self.runs.append(slice(start, stop))

    def activate(self, table: Tensor) -> None:
        """Take the sigmoid in place."""
        for run in self.runs:
            table[:, run].sigmoid_()

    def gates(self, table: Tensor) -> tuple[Tensor, ...]:
        """Return the activated gates that stand in a table."""
        pairs = zip(split_gates(table, self.size), self.is_tanh, strict=False)  # others may follow
        return tuple(tanh_of_sigmoid(gate) if is_tanh else gate for gate, is_tanh in pairs)

    def pull_back(self, grad: Tensor, table: Tensor) -> None:
        """Take gradients by what the sigmoid gave to those by what it took, in place."""
        for run in self.runs:
            part = grad[:, run]
            torch.ops.aten.sigmoid_backward.grad_input(part, table[:, run], grad_input=part)


class _Walk(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cell: GatedCell, plan: _Plan, wx: Tensor, *rest: Tensor) -> Tensor:
        forest = _Forest(cell, plan, wx, rest[: cell.n_states], rest[cell.n_states :])
        h = forest.climb()
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(h, *forest.give_away())
        ctx.forest, ctx.n_rows = forest, len(wx)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        h, *tables = ctx.saved_tensors
        descent = _Descent(ctx.forest.with_tables(tables), h, grad)
        leaves = descent.descend()
        return None, None, descent.wx(ctx.n_rows), *leaves, *descent.weights()


class _Forest:
    """The way up, and what it leaves behind: gates, messages and states of all nodes.

    The table of gates has columns for the gates of each node, then for those of its places, if it
    has places; else the gates of its children have a table of their own, with a row per edge. What
    ``U`` is multiplied with is ``h_below``, a row per node; ``below`` are the children's states.
    """

    def __init__(
        self,
        cell: GatedCell,
        plan: _Plan,
        wx: Tensor,
        leaf_states: tuple[Tensor, ...],
        weights: tuple[Tensor, ...],
    ) -> None:
        size, n, arity = cell.hidden_size, plan.n_inner, cell.max_arity if cell.is_placed else 0
        n_edges = sum(plan.n_edges)
        self.cell, self.plan, self.weights = cell, plan, list(weights)
        self.has_edge_gates = bool(cell.child_gates) and not cell.is_placed
        self.columns = _Columns(cell, cell.gates + cell.child_gates * arity, wx)
        self.own_columns = _Columns(cell, cell.gates, wx)
        self.child_columns = _Columns(cell, cell.child_gates, wx)
        self.first_place = len(cell.gates) * size
        self.first_h = self.first_place - len(cell.h_gates) * size
        own, for_children = cell.padded(wx), wx[:, len(cell.x_gates) * size :]
        self.start = torch.cat([own, *[for_children] * arity], dim=1) * self.columns.up
        self.U_up = (weights[0] * self.columns.up[self.first_h :, None]).t()

        # There are more rows than nodes, for products to read beyond the end.
        self.gates = wx.new_empty(n, self.start.shape[1])
        self.messages = [wx.new_empty(n, size) for _ in range(cell.n_messages)]
        self.kept = [wx.new_empty(n, size) for _ in range(cell.n_kept)]
        self.below = [wx.new_empty(n_edges + arity * _SPARE, size) for _ in leaf_states]
        self.h_below = self.below[0].view(n + _SPARE, -1) if arity else wx.new_empty(n + _SPARE, size)
        self.h_below[n:] = 0.0
        self.states = [wx.new_empty(plan.n_inner + plan.n_leaf_rows + 1, size) for _ in leaf_states]
        for state, leaves in zip(self.states, leaf_states, strict=True):
            state[n:-1] = leaves
            state[-1] = 0.0
        self.edge_gates = wx.new_empty(n_edges if self.has_edge_gates else 0, for_children.shape[1])
        if self.has_edge_gates:
            self.edge_start = for_children * self.child_columns.up
            self.U_k_up = (weights[1] * self.child_columns.up[:, None]).t()
            self.sent = wx.new_empty(plan.n_inner + plan.n_leaf_rows + 1, for_children.shape[1])
            self.sent[n:-1] = matmul(leaf_states[0], self.U_k_up)

    _FOR_THE_WAY_DOWN = ("gates", "edge_gates", "h_below", "messages", "kept", "below", "weights")
    _OF_THE_WAY_UP = ("start", "U_up", "edge_start", "U_k_up", "states", "sent")

    def give_away(self) -> list[Tensor]:
        """Return what the way down needs and forget all tables: autograd keeps, checks and frees them."""
        tables: list[Tensor] = []
        self.counts = {}
        for name in self._FOR_THE_WAY_DOWN:
            table = self.__dict__.pop(name)
            self.counts[name] = len(table) if isinstance(table, list) else None
            tables += table if isinstance(table, list) else [table]
        for name in self._OF_THE_WAY_UP:
            self.__dict__.pop(name, None)
        return tables

    def with_tables(self, tables: Sequence[Tensor]) -> _Forest:
        """Return a forest with what was given away."""
        forest, rest = copy.copy(self), iter(tables)
        for name, n in self.counts.items():
            forest.__dict__[name] = next(rest) if n is None else [next(rest) for _ in range(n)]
        return forest

    def tables(self) -> dict[str, tuple[Any, list[int]]]:
        """Return the tables of both ways, and how many of their rows belong to each level."""
        n_nodes, n_edges = self.plan.n_nodes, self.plan.n_edges
        columns: dict[str, tuple[Any, list[int]]] = {
            "gates": (self.gates, n_nodes),
            "messages": (self.messages, n_nodes),
            "kept": (self.kept, n_nodes),
            "below": (self.below, n_edges),
        }
        if self.has_edge_gates:
            columns["edge_gates"] = self.edge_gates, n_edges
        return columns

    def climb(self) -> Tensor:
        """Compute all nodes; return the vectors of the tables, shape (n_rows - 1, hidden_size)."""
        plan, stop = self.plan, self.plan.n_inner
        columns = self.tables()
        columns["rows"] = plan.rows, plan.n_edges
        columns["wx_rows"] = plan.wx_rows, plan.n_nodes
        columns["new"] = self.states, plan.n_nodes
        if not self.cell.is_placed:
            columns["h_below"] = self.h_below, plan.n_nodes
            columns["edges"] = plan.edges, plan.n_edges
            columns["offsets"] = plan.offsets, plan.n_nodes
            columns["wx_rows_of_edges"] = plan.wx_rows_of_edges, plan.n_edges
        for level in _levels(columns, upwards=True):
            start = stop - len(level.gates)
            self._climb(level, start, stop)
            stop = start
        return self.states[0][:-1]

    def _climb(self, level: SimpleNamespace, start: int, stop: int) -> None:
        cell = self.cell
        for state, below in zip(self.states, level.below, strict=True):
            torch.index_select(state, 0, level.rows, out=below)
        if not cell.is_placed:
            level.h_below.copy_(F.embedding_bag(level.rows, self.states[0], level.offsets, mode="sum"))
        if self.has_edge_gates:
            torch.index_select(self.sent, 0, level.rows, out=level.edge_gates)
            level.edge_gates.add_(self.edge_start.index_select(0, level.wx_rows_of_edges))
            self.child_columns.activate(level.edge_gates)
        product = matmul_rows(self.h_below, start, stop, self.U_up)
        if len(self.start) == 1 and not self.first_h:  # one input for all, often none
            torch.add(product, self.start, out=level.gates)
        else:
            torch.index_select(self.start, 0, level.wx_rows, out=level.gates)
            level.gates[:, self.first_h :].add_(product)
        self.columns.activate(level.gates)
        for sums, message in zip(level.messages, cell.message(*self.of_message(level)), strict=True):
            if cell.is_placed:
                _sum_places(message, sums)
            else:
                sums.copy_(F.embedding_bag(level.edges, message, level.offsets, mode="sum"))
        new = cell.update(*self.of_update(level))
        for table, value in zip((*level.new, *level.kept), new, strict=False):
            table.copy_(value)
        if self.has_edge_gates and start:  # those of the highest level send nothing
            self.sent[start:stop] = matmul_rows(self.states[0], start, stop, self.U_k_up)

    def of_update(self, level: SimpleNamespace) -> Arguments:
        """Return what :meth:`GatedCell.update` takes for the nodes of a level."""
        return self.own_columns.gates(level.gates), level.messages

    def of_message(self, level: SimpleNamespace) -> Arguments:
        """Return what :meth:`GatedCell.message` takes for the edges of a level, by node if placed."""
        cell, states = self.cell, level.below
        if self.has_edge_gates:
            return self.child_columns.gates(level.edge_gates), states
        if not cell.is_placed:
            return (), states
        states = tuple(state.unflatten(0, (-1, cell.max_arity)) for state in states)
        if not cell.child_gates:
            return (), states
        places = level.gates[:, self.first_place :].unflatten(1, (cell.max_arity, -1))
        return self.child_columns.gates(places), states


class _Descent:
    """The way down: gradients of all nodes from those of their parents, level by level."""

    def __init__(self, forest: _Forest, h: Tensor, grad: Tensor) -> None:
        n = forest.plan.n_inner
        self.forest, self.h, self.grad = forest, h, grad
        self.own = grad.new_empty(n + _SPARE, forest.gates.shape[1])  # by the gates
        self.own[n:] = 0.0
        self.products = grad.new_empty(n, forest.weights[0].shape[1])  # by what U is multiplied with
        self.states: list[Tensor | None] = [None] * len(forest.below)  # by the children's states
        self.U_down = forest.weights[0] * forest.columns.down[forest.first_h :, None]
        if forest.has_edge_gates:
            self.edges = torch.empty_like(forest.edge_gates)
            self.U_k_down = forest.weights[1] * forest.child_columns.down[:, None]
            self.sent = grad.new_zeros(len(h), self.edges.shape[1])

    def descend(self) -> list[Tensor]:
        """Visit all levels; return the gradients of the leaves' states."""
        forest, plan = self.forest, self.forest.plan
        columns = forest.tables()
        columns["own"] = self.own, plan.n_nodes
        columns["products"] = self.products, plan.n_nodes
        columns["grad"] = self.grad, plan.n_nodes
        columns["incoming_edges"] = plan.incoming_edges, plan.n_incoming
        columns["incoming_products"] = plan.incoming_products, plan.n_incoming
        if plan.incoming_offsets is not None:
            columns["incoming_offsets"] = plan.incoming_offsets, plan.n_nodes
        if not forest.cell.is_placed:
            columns["parents"] = plan.parents, plan.n_edges
        if forest.has_edge_gates:
            columns["edges"] = self.edges, plan.n_edges
        start = first_edge = 0
        for level in _levels(columns):
            stop, last_edge = start + len(level.own), first_edge + len(level.below[0])
            self._descend(level, slice(start, stop), slice(first_edge, last_edge))
            start, first_edge = stop, last_edge
        leaves = self._gathered(plan.leaf_products, plan.leaf_edges, None)
        grads = [_sum_rows(grad, plan.leaf_rows, plan.n_leaf_rows) for grad in leaves]
        grads[0] += self.grad[plan.n_inner :]
        if forest.has_edge_gates:
            sent = self.edges.index_select(0, plan.leaf_edges)
            self.sent[plan.n_inner :] = _sum_rows(sent, plan.leaf_rows, plan.n_leaf_rows)
            grads[0] += matmul(self.sent[plan.n_inner :], self.U_k_down)
        return grads

    def _descend(self, level: SimpleNamespace, nodes: slice, edges: slice) -> None:
        """Take the gradients of the states of a level to its gates and edges."""
        forest, cell = self.forest, self.forest.cell
        to_gates, to_messages = cell.update_backward(
            *forest.of_update(level), level.kept, self._arrived(level, nodes)
        )
        if cell.is_placed:
            arrived = [grad.unsqueeze(1).expand(-1, cell.max_arity, -1) for grad in to_messages]
        else:
            arrived = [grad.index_select(0, level.parents) for grad in to_messages]
        to_children, to_states = cell.message_backward(*forest.of_message(level), arrived)
        for k, to_state in enumerate(to_states):
            if to_state is not None:
                table = self.states[k]
                if table is None:
                    table = self.states[k] = self.h.new_empty(sum(forest.plan.n_edges), cell.hidden_size)
                table[edges] = to_state.reshape(-1, cell.hidden_size)
        if forest.has_edge_gates:
            torch.cat(to_children, dim=1, out=level.edges)
            forest.child_columns.pull_back(level.edges, level.edge_gates)
        elif cell.child_gates:
            to_gates = *to_gates, torch.cat(to_children, dim=2).flatten(1)
        torch.cat(to_gates, dim=1, out=level.own)
        forest.columns.pull_back(level.own, level.gates)
        product = matmul_rows(self.own[:, forest.first_h :], nodes.start, nodes.stop, self.U_down)
        level.products.copy_(product)

    def _arrived(self, level: SimpleNamespace, nodes: slice) -> list[Tensor]:
        """Return the gradients of the states of a level, once those of all parents are known."""
        forest, zeros = self.forest, torch.zeros_like(level.grad)
        if not len(level.incoming_edges):
            return [level.grad, *[zeros] * (len(self.states) - 1)]
        offsets = None if forest.plan.incoming_offsets is None else level.incoming_offsets
        grads = self._gathered(level.incoming_products, level.incoming_edges, offsets)
        grads[0].add_(level.grad)
        if forest.has_edge_gates:
            self.sent[nodes] = _gather(self.edges, level.incoming_edges, offsets)
            grads[0].add_(matmul_rows(self.sent, nodes.start, nodes.stop, self.U_k_down))
        return grads

    def _gathered(self, products: Tensor, edges: Tensor, offsets: Tensor | None) -> list[Tensor]:
        """Return the gradients that the states of some children get through their edges."""
        first = _gather(self.products.view(-1, self.h.shape[1]), products, offsets)
        grads = [
            torch.zeros_like(first) if table is None else _gather(table, edges, offsets)
            for table in self.states[1:]
        ]
        if self.states[0] is not None:
            first.add_(_gather(self.states[0], edges, offsets))
        return [first, *grads]

    def weights(self) -> list[Tensor]:
        """Return the gradients of the weights, once those of the leaves are known."""
        forest, n = self.forest, bucket(self.forest.plan.n_inner)
        down = forest.columns.down[forest.first_h :, None]
        grads = [down * matmul_transposed(self.own[:n, forest.first_h :], forest.h_below[:n])]
        if forest.has_edge_gates:
            grads.append(forest.child_columns.down[:, None] * matmul_transposed(self.sent, self.h))
        return grads

    def wx(self, n_rows: int) -> Tensor:
        """Return the gradients of the inputs."""
        forest, cell, plan = self.forest, self.forest.cell, self.forest.plan
        own = _sum_rows(self.own[: plan.n_inner], plan.wx_rows, n_rows) * forest.columns.down
        grads = [own[:, : len(cell.x_gates) * cell.hidden_size]]
        if forest.has_edge_gates:
            of_edges = _sum_rows(self.edges, plan.wx_rows_of_edges, n_rows)
            grads.append(of_edges * forest.child_columns.down)
        elif cell.child_gates:
            grads.append(own[:, forest.first_place :].unflatten(1, (cell.max_arity, -1)).sum(1))
        return torch.cat(grads, dim=1)


def _gather(table: Tensor, rows: Tensor, offsets: Tensor | None) -> Tensor:
    """Return rows of a table, or with offsets their sums from each offset to the next."""
    if offsets is None:
        return table.index_select(0, rows)
    return F.embedding_bag(rows, table, offsets, mode="sum")


def _sum_places(x: Tensor, out: Tensor) -> None:
    """Sum over the places of each node: x.sum(1), which torch computes more slowly."""
    first, *others = x.unbind(1)
    out.copy_(first)
    for other in others:
        out.add_(other)


def _sum_rows(table: Tensor, rows: Tensor, n: int) -> Tensor:
    """Sum the rows of a table that belong to each of ``n`` rows."""
    return table.new_zeros(n, table.shape[1]).index_add_(0, rows, table)
