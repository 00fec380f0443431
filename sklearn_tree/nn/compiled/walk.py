"""Walk of a batch of trees with compiled passes, as one autograd function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.compiled import mixed
from sklearn_tree.nn.compiled.kernels import Kernels
from sklearn_tree.nn.compiled.rows import Rows, number_rows
from sklearn_tree.nn.gated import GatedCell
from sklearn_tree.nn.gemm import autocast_dtype, matmul, matmul_transposed, restore_autocast
from sklearn_tree.nn.schedule import Schedule


def walk_batch(
    cell: GatedCell,
    kernels: Kernels,
    x: Tensor,
    batch: TreeBatch,
    inverse: Tensor | None,
    nodes: Tensor | None,
) -> Tensor:
    """Compute the outputs ``h`` of nodes, see :func:`sklearn_tree.nn.walk.walk_batch`.

    At least one tree has more than one node, and nothing is shared.
    """
    n = sum(batch.n_inner)
    n_inputs = n if inverse is None else batch.n_distinct_inner
    own = np.arange(batch.n_nodes) if inverse is None else inverse.numpy()
    rows = Rows.from_batch(batch, own, n_inputs, cell.layout.n_places)
    wanted = np.arange(batch.n_nodes) if nodes is None else nodes.numpy()
    return walk_rows(
        cell, kernels, rows, x, n_inputs, torch.from_numpy(number_rows(wanted, own, n, n_inputs))
    )


def walk_rows(
    cell: GatedCell, kernels: Kernels, rows: Rows, x: Tensor, n_inputs: int, wanted: Tensor
) -> Tensor:
    """Compute all rows of a walk.

    Parameters
    ----------
    cell : GatedCell
        Cell, in single precision and main memory.
    kernels : Kernels
        Its compiled passes.
    rows : Rows
        Rows and edges.
    x : Tensor of float32, shape (n_inputs + n_leaves, input_size)
        Inputs of the inner nodes, then of the leaves.
    n_inputs : int
        Number of inputs of inner nodes.
    wanted : Tensor of int64, shape (n,)
        Rows to return.

    Returns
    -------
    Tensor of float32, shape (n, hidden_size)
        Outputs ``h``.
    """
    weights = (cell.W.weight, cell.W.bias, cell.U.weight, None if cell.U_k is None else cell.U_k.weight)
    return _CompiledWalk.apply(cell, kernels, rows, n_inputs, wanted, x, *weights)


def compile_walk(cell: GatedCell, kernels: Kernels) -> None:
    """Compile both passes of a cell, or read them from the cache, by a walk over one tree of two nodes."""
    one, zero = torch.ones(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    schedule = Schedule(
        rows=zero,
        inputs=zero,
        children=one,
        parents=zero,
        ranks=zero,
        level_rows=zero,
        level_offsets=zero,
        incoming=zero[:0],
        incoming_offsets=None,
        leaf_edges=zero,
        leaf_rows=zero,
        n_rows=(1,),
        n_edges=(1,),
        n_incoming=(0,),
    )
    x = torch.zeros(2, cell.input_size, dtype=torch.float32, device="cpu", requires_grad=True)
    with torch.enable_grad():
        rows = Rows.from_schedule(schedule, 1, cell.layout.n_places)
        torch.autograd.grad(walk_rows(cell, kernels, rows, x, 1, zero).sum(), x)
    kernels.mark("compiled")


class _CompiledWalk(torch.autograd.Function):
    """Walk from the inputs to the outputs of some rows."""

    @staticmethod
    def forward(
        ctx: Any,
        cell: GatedCell,
        kernels: Kernels,
        rows: Rows,
        n_inputs: int,
        wanted: Tensor,
        x: Tensor,
        w: Tensor,
        b: Tensor,
        u: Tensor,
        u_k: Tensor | None,
    ) -> Tensor:
        n, size, own = len(rows.inputs), cell.hidden_size, cell.layout.x_columns.stop
        wx = matmul(x[:n_inputs], w.t()).add_(b)
        leaf_wx = matmul(x[n_inputs:], w[:own].t()).add_(b[:own])
        n_states, n_bags, n_pairs = n + len(leaf_wx) + 1, len(rows.bags), len(rows.leaf_pairs)
        u_k = x.new_empty(0, 0) if u_k is None else u_k
        given = wx, leaf_wx, u, u_k
        products = x.new_empty(n, len(u))
        child_products = x.new_empty(n_states if len(u_k) else 0, len(u_k))
        h_below, leaf_h = x.new_empty(n_bags, size), x.new_empty(n_pairs, size)
        messages = x.new_empty(cell.n_messages, n, size)
        states = x.new_empty(cell.n_states, n_states, size)
        tables = products, child_products, h_below, leaf_h, messages, states
        dtype, functions = autocast_dtype(x), kernels.module
        if dtype is None:
            functions.climb(rows.columns, _to_numpy(given), _to_numpy(tables))
        else:
            mixed.climb(functions, rows, tuple(weight.detach() for weight in given), tables)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(wanted, x, w, *given, *tables)
        ctx.functions, ctx.rows, ctx.n_inputs, ctx.autocast_dtype = functions, rows, n_inputs, dtype
        return states[0].index_select(0, wanted)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        wanted, x, w, *others = ctx.saved_tensors
        given, tables = tuple(table.detach() for table in others[:4]), tuple(others[4:])
        (wx, leaf_wx, u, u_k), states = given, tables[-1]
        state_grads = torch.zeros_like(states)
        state_grads[0].index_add_(0, wanted, grad)
        wx_grads, leaf_wx_grads = torch.zeros_like(wx), torch.empty_like(leaf_wx)
        u_grads, u_k_grads = torch.empty_like(u), torch.empty_like(u_k)
        results = state_grads, wx_grads, leaf_wx_grads, u_grads, u_k_grads
        with restore_autocast(ctx.autocast_dtype, x.device):
            if ctx.autocast_dtype is None:
                ctx.functions.descend(ctx.rows.columns, *map(_to_numpy, (given, tables, results)))
            else:
                mixed.descend(ctx.functions, ctx.rows, given, tables, results)
            needs = ctx.needs_input_grad[5:8]
            input_grads = _differentiate_inputs(x, w, wx_grads, leaf_wx_grads, needs)
        return None, None, None, None, None, *input_grads, u_grads, u_k_grads if len(u_k) else None


def _differentiate_inputs(
    x: Tensor, w: Tensor, wx_grads: Tensor, leaf_wx_grads: Tensor, needs: tuple[bool, ...]
) -> tuple[Tensor | None, ...]:
    """Return the gradients with respect to the inputs and to the weights and biases of ``W``."""
    k, own = len(wx_grads), leaf_wx_grads.shape[1]
    x_grads = w_grads = b_grads = None
    if needs[0]:
        x_grads = torch.cat([matmul(wx_grads, w), matmul(leaf_wx_grads, w[:own])])
    if needs[1]:
        w_grads = matmul_transposed(wx_grads, x[:k])
        w_grads[:own] += matmul_transposed(leaf_wx_grads, x[k:])
    if needs[2]:
        b_grads = wx_grads.sum(0)
        b_grads[:own] += leaf_wx_grads.sum(0)
    return x_grads, w_grads, b_grads


def _to_numpy(tensors: Iterable[Tensor]) -> tuple[np.ndarray, ...]:
    return tuple(x.detach().numpy() for x in tensors)
