"""Fast walk of a batch of trees with a gated cell, with its own forward and backward pass.

It computes the same as :class:`RecursiveEncoder` with autograd, in less time. If possible, passes that are
compiled for the cell compute it, see :mod:`sklearn_tree.nn.compiled`; otherwise torch does:

- the gates of a level need one gather, one matrix product and one sigmoid;
- the backward pass differentiates the cell's two functions, and needs one product and one gather per level
  for everything else;
- the gradients with respect to the weights are one product for all levels.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sklearn_tree.nn.backward_pass import BackwardPass
from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.compiled.kernels import find_kernels
from sklearn_tree.nn.forward_pass import ForwardPass
from sklearn_tree.nn.gated import GatedCell
from sklearn_tree.nn.gemm import autocast_dtype, linear, restore_autocast
from sklearn_tree.nn.plan import Plan, make_plan
from sklearn_tree.nn.schedule import Schedule
from sklearn_tree.nn.walk_tables import WalkSetup, WalkTables


def walk_batch(
    cell: GatedCell,
    x: Tensor,
    batch: TreeBatch,
    inverse: Tensor | None,
    nodes: Tensor | None = None,
    *,
    is_compiled: bool = False,
) -> Tensor:
    """Compute all nodes of a batch.

    Parameters
    ----------
    cell : GatedCell
        Cell.
    x : Tensor of float, shape (n_nodes, input_size) or (n_distinct, input_size)
        Inputs of the nodes in batch order, or the distinct inputs.
    batch : TreeBatch
        Trees.
    inverse : Tensor of int64, shape (n_nodes,), or None
        Row of ``x`` for each node; None if ``x`` has one row per node.
    nodes : Tensor of int64, shape (n,), default=None
        Positions of the nodes to return; None for all.
    is_compiled : bool, default=False
        Whether compiled passes are used if they can compute the cell.

    Returns
    -------
    Tensor of float, shape (n_nodes, hidden_size) or (n, hidden_size)
        Outputs ``h`` of all nodes in batch order, or of ``nodes``.
    """
    n, shared = sum(batch.n_inner), batch.shared
    kernels = find_kernels(cell, x) if is_compiled and n else None
    if kernels is not None and (shared is None or inverse is None):
        from sklearn_tree.nn.compiled import walk

        return walk.walk_batch(cell, kernels, x, batch, inverse, nodes)
    n_inputs = n if inverse is None else batch.n_distinct_inner
    if inverse is None:
        shared, inverse = None, torch.arange(len(x), device=x.device)
    rows = inverse[n:] - n_inputs  # of the leaves
    if not n:
        return _project_leaves(cell, x)[0].index_select(0, rows if nodes is None else rows[nodes])
    schedule = batch.make_schedule(inverse[:n], rows) if shared is None else shared
    rows = torch.cat([schedule.rows, rows + len(schedule.inputs)])
    rows = rows if nodes is None else rows.index_select(0, nodes)
    return walk_schedule(cell, schedule, x, n_inputs, rows, is_compiled=is_compiled)


def walk_schedule(
    cell: GatedCell, schedule: Schedule, x: Tensor, n_inputs: int, rows: Tensor, *, is_compiled: bool
) -> Tensor:
    """Compute the rows of a schedule.

    Parameters
    ----------
    cell : GatedCell
        Cell.
    schedule : Schedule
        Rows and edges.
    x : Tensor of float, shape (n_inputs + n_leaf_rows, input_size)
        Inputs of the schedule's rows, then one input for each leaf row.
    n_inputs : int
        Number of inputs of the schedule's rows.
    rows : Tensor of int64, shape (n,)
        Rows to return.
    is_compiled : bool
        Whether compiled passes are used if they can compute the cell.

    Returns
    -------
    Tensor of float, shape (n, hidden_size)
        Outputs ``h``.
    """
    kernels = find_kernels(cell, x) if is_compiled else None
    if kernels is not None:
        from sklearn_tree.nn.compiled.walk import Edges, walk_edges

        edges = Edges.from_schedule(schedule, len(x) - n_inputs)
        return walk_edges(cell, kernels, edges, x, n_inputs, rows)
    states = _project_leaves(cell, x[n_inputs:])
    plan = make_plan(cell, schedule, len(states[0]))
    return walk_plan(cell, plan, cell.project(x[:n_inputs]), states).index_select(0, rows)


def _project_leaves(cell: GatedCell, x: Tensor) -> tuple[Tensor, ...]:
    own = cell.layout.x_columns  # leaves need no child gates
    return cell.compute_leaves(linear(x, cell.W.weight[own], cell.W.bias[own]))


def walk_plan(cell: GatedCell, plan: Plan, wx: Tensor, leaf_states: tuple[Tensor, ...]) -> Tensor:
    """Compute all rows of a plan.

    Parameters
    ----------
    cell : GatedCell
        Cell.
    plan : Plan
        Rows and edges.
    wx : Tensor of float, shape (n_inputs, any)
        Projected inputs.
    leaf_states : tuple of Tensor, each of shape (n_leaf_rows, hidden_size)
        States of the leaf rows.

    Returns
    -------
    Tensor of float, shape (n_inner + n_leaf_rows, hidden_size)
        Outputs ``h`` of all rows.
    """
    weights = [cell.U.weight] if cell.U_k is None else [cell.U.weight, cell.U_k.weight]
    return _Walk.apply(cell, plan, wx, *leaf_states, *weights)


class _Walk(torch.autograd.Function):
    """Walk as one autograd function; autograd owns, checks and frees the saved tables."""

    @staticmethod
    def forward(ctx: Any, cell: GatedCell, plan: Plan, wx: Tensor, *rest: Tensor) -> Tensor:
        setup = WalkSetup.from_cell(cell, plan)
        forward = ForwardPass(setup, wx, rest[: cell.n_states], rest[cell.n_states :])
        h = forward.run()
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(h, *forward.tables.to_list())
        ctx.setup, ctx.n_inputs, ctx.autocast_dtype = setup, len(wx), autocast_dtype(wx)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        h, *tables = ctx.saved_tensors
        with restore_autocast(ctx.autocast_dtype, h.device):
            backward = BackwardPass(ctx.setup, WalkTables.from_list(tables, ctx.setup), h, grad)
            leaf_grads = backward.run()
            needs_weights = ctx.needs_input_grad[3 + len(leaf_grads) :]
            weight_grads = backward.weight_grads() if any(needs_weights) else [None] * len(needs_weights)
            return None, None, backward.input_grads(ctx.n_inputs), *leaf_grads, *weight_grads
