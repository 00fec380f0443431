"""Walk of a batch of trees with compiled passes, as one autograd function."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.batch import TreeBatch
from sklearn_tree.nn.compiled import mixed
from sklearn_tree.nn.compiled.edges import Edges, number_rows
from sklearn_tree.nn.compiled.rows import Rows
from sklearn_tree.nn.gated import GatedCell
from sklearn_tree.nn.gemm import autocast_dtype, matmul, matmul_transposed, restore_autocast
from sklearn_tree.nn.parallel import count_walk_threads, run_parallel

Tensors = tuple[Tensor, ...]


def walk_batch(
    cell: GatedCell,
    functions: ModuleType,
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
    wanted = np.arange(batch.n_nodes) if nodes is None else nodes.numpy()
    rows = torch.from_numpy(number_rows(wanted, own, n, n_inputs))
    return walk_edges(cell, functions, Edges.from_batch(batch, own, n_inputs), x, n_inputs, rows)


def walk_edges(
    cell: GatedCell,
    functions: ModuleType,
    edges: Edges,
    x: Tensor,
    n_inputs: int,
    wanted: Tensor,
    weights: tuple[Tensor, Tensor, Tensor, Tensor | None] | None = None,
) -> Tensor:
    """Compute all rows of a walk.

    Parameters
    ----------
    cell : GatedCell
        Cell, in single precision and main memory.
    functions : module
        Its compiled passes.
    edges : Edges
        Trees.
    x : Tensor of float32, shape (n_inputs + n_leaves, input_size)
        Inputs of the inner nodes, then of the leaves.
    n_inputs : int
        Number of inputs of inner nodes.
    wanted : Tensor of int64, shape (n,)
        Rows to return.
    weights : tuple of Tensor or None, default=None
        Weights and biases of ``W``, and weights of ``U`` and ``U_k``; None for those of the cell.

    Returns
    -------
    Tensor of float32, shape (n, hidden_size)
        Outputs ``h``.
    """
    if weights is None:
        weights = cell.W.weight, cell.W.bias, cell.U.weight, None if cell.U_k is None else cell.U_k.weight
    n_threads = count_walk_threads() if autocast_dtype(x) is None else 1
    parts = _split(edges, cell.layout.n_places, wanted, n_threads)
    return _CompiledWalk.apply(cell, functions, parts, n_inputs, len(wanted), x, *weights)


@dataclass(frozen=True)
class _Part:
    """Trees that one thread visits, with the rows of their own.

    Attributes
    ----------
    rows : Rows
        Rows of the tables of the part.
    leaves : Tensor of int64 or slice
        Leaves of the part, by their number in the batch.
    outputs : Tensor of int64 or slice
        Positions of the part's rows among the rows to return.
    wanted : Tensor of int64
        These rows.
    """

    rows: Rows
    leaves: Tensor | slice
    outputs: Tensor | slice
    wanted: Tensor


def _split(edges: Edges, n_places: int, wanted: Tensor, n_threads: int) -> list[_Part]:
    """Split a walk into one part for each thread."""
    found = edges.split(n_threads)
    if len(found) == 1:
        return [_Part(Rows.from_edges(edges, n_places), slice(None), slice(None), wanted)]
    n, parts = len(edges.inputs), []
    owners, numbers = (np.empty(n + edges.n_leaves, np.int64) for _ in range(2))
    members = [np.concatenate([part.inner, n + part.leaves]) for part in found]
    for k, rows in enumerate(members):
        owners[rows], numbers[rows] = k, np.arange(len(rows))  # the last part computes a common leaf
    for k, part in enumerate(found):
        outputs = np.flatnonzero(owners[wanted.numpy()] == k)
        rows = numbers[wanted.numpy()[outputs]]
        indices = (torch.from_numpy(index) for index in (part.leaves, outputs, rows))
        parts.append(_Part(Rows.from_edges(part.edges, n_places), *indices))
    return parts


class _CompiledWalk(torch.autograd.Function):
    """Walk from the inputs to the outputs of some rows."""

    @staticmethod
    def forward(
        ctx: Any,
        cell: GatedCell,
        functions: ModuleType,
        parts: list[_Part],
        n_inputs: int,
        n_outputs: int,
        x: Tensor,
        w: Tensor,
        b: Tensor,
        u: Tensor,
        u_k: Tensor | None,
    ) -> Tensor:
        own, dtype = cell.layout.x_columns.stop, autocast_dtype(x)
        wx = matmul(x[:n_inputs], w.t()).add_(b)
        leaf_wx = matmul(x[n_inputs:], w[:own].t()).add_(b[:own])
        u, u_k = u.detach(), x.new_empty(0, 0) if u_k is None else u_k.detach()
        saved, calls = [x, w], []
        for part in parts:
            given = wx, leaf_wx[part.leaves], u, u_k
            tables = _allocate(cell, part.rows, given)
            calls.append(partial(_climb, functions, dtype, part.rows, given, tables))
            saved += [*given, *tables]
        run_parallel(calls)
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(*saved)
        ctx.functions, ctx.parts, ctx.n_leaves, ctx.autocast_dtype = functions, parts, len(leaf_wx), dtype
        h = x.new_empty(n_outputs, cell.hidden_size)
        for part, (*_, states) in zip(parts, _split_evenly(saved[2:], len(parts)), strict=True):
            h[part.outputs] = states[0].index_select(0, part.wanted)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, w, *saved = ctx.saved_tensors
        calls, results = [], []
        for part, tables in zip(ctx.parts, _split_evenly(saved, len(ctx.parts)), strict=True):
            state_grads, wx_grads = torch.zeros_like(tables[-1]), torch.zeros_like(tables[0])
            state_grads[0].index_add_(0, part.wanted, grad[part.outputs])
            found = state_grads, wx_grads, *(torch.empty_like(table) for table in tables[1:4])
            calls.append(partial(_descend, ctx.functions, ctx.autocast_dtype, part.rows, tables, found))
            results.append(found[1:])
        with restore_autocast(ctx.autocast_dtype, x.device):
            run_parallel(calls)
            wx_grads, leaf_wx_grads, u_grads, u_k_grads = _add_parts(ctx.parts, results, ctx.n_leaves)
            needs = ctx.needs_input_grad[5:8]
            input_grads = _differentiate_inputs(x, w, wx_grads, leaf_wx_grads, needs)
        has_u_k = len(u_k_grads) > 0
        return None, None, None, None, None, *input_grads, u_grads, u_k_grads if has_u_k else None


def _allocate(cell: GatedCell, rows: Rows, given: Tensors) -> Tensors:
    """Allocate the tables that the first pass writes."""
    (_, leaf_wx, u, u_k), n, size = given, len(rows.inputs), cell.hidden_size
    n_states = n + len(leaf_wx) + 1
    return (
        u.new_empty(n, len(u)),  # products of U
        u.new_empty(n_states if len(u_k) else 0, len(u_k)),  # products of U_k
        u.new_empty(len(rows.bags), size),  # h of bags
        u.new_empty(len(rows.leaf_pairs), size),  # h of leaves
        u.new_empty(cell.n_messages, n, size),
        u.new_empty(cell.n_states, n_states, size),
    )


def _climb(
    functions: ModuleType, dtype: torch.dtype | None, rows: Rows, given: Tensors, tables: Tensors
) -> None:
    if dtype is None:
        functions.climb(rows.columns, _to_numpy(given), _to_numpy(tables))
    else:
        mixed.climb(functions, rows, given, tables)


def _descend(
    functions: ModuleType, dtype: torch.dtype | None, rows: Rows, saved: Tensors, results: Tensors
) -> None:
    given, tables = saved[:4], saved[4:]
    if dtype is None:
        functions.descend(rows.columns, *map(_to_numpy, (given, tables, results)))
    else:
        mixed.descend(functions, rows, given, tables, results)


def _split_evenly(tensors: Sequence[Tensor], n: int) -> list[Tensors]:
    size = len(tensors) // n
    return [tuple(tensors[k * size : (k + 1) * size]) for k in range(n)]


def _add_parts(parts: list[_Part], results: list[Tensors], n_leaves: int) -> Tensors:
    """Add the gradients of all parts."""
    if len(parts) == 1:
        return results[0]
    all_wx, all_leaves, all_u, all_u_k = zip(*results, strict=True)
    leaf_wx_grads = all_leaves[0].new_zeros(n_leaves, all_leaves[0].shape[1])
    for part, grads in zip(parts, all_leaves, strict=True):
        leaf_wx_grads.index_add_(0, part.leaves, grads)
    wx_grads, u_grads, u_k_grads = (reduce(torch.add, grads) for grads in (all_wx, all_u, all_u_k))
    return wx_grads, leaf_wx_grads, u_grads, u_k_grads


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
