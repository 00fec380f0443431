"""Both passes of the compiled walk with matrix products of torch, which autocast rounds to its dtype.

They compute what :mod:`sklearn_tree.nn.compiled.passes` does; everything between the products is compiled.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.compiled.rows import Rows
from sklearn_tree.nn.gemm import autocast_dtype, matmul, matmul_transposed

Tensors = tuple[Tensor, ...]


def climb(functions: ModuleType, rows: Rows, given: Tensors, tables: Tensors) -> None:
    """Compute the states of all rows.

    Parameters
    ----------
    functions : module
        Compiled functions of the cell.
    rows : Rows
        Rows and edges.
    given, tables : tuple of Tensor
        Tables that the compiled pass reads, and those that it writes.
    """
    wx, leaf_wx, u, u_k = given
    products, child_products, h_below, leaf_h, messages, states = tables
    n, stop, h = len(rows.inputs), len(rows.inputs) + len(leaf_wx), states[0]
    functions.climb_leaves(n, leaf_wx.numpy(), states.numpy())
    weights, u_k_t = [place.t() for place in _split_places(u, states.shape[2])], _round(u_k).t()
    torch.index_select(h, 0, torch.from_numpy(rows.leaf_pairs), out=leaf_h)
    parts = zip(_split(leaf_h, rows.n_pairs), weights, strict=True)
    leaf_products = torch.cat([matmul(*part) for part in parts]).numpy()
    if len(u_k):
        child_products[n:stop] = matmul(h[n:stop], u_k_t)
    edges, arrays = (rows.children, rows.offsets, rows.inputs), (states.numpy(), h_below.numpy())
    end, firsts = n, _first_bags(rows.n_bags)
    for level in range(len(rows.n_rows) - 1, -1, -1):
        start = end - int(rows.n_rows[level])
        functions.add_pairs(start, end, rows.offsets, rows.pair_of_edge, leaf_products, products.numpy())
        for place, weight in enumerate(weights):
            first, last = firsts[place], firsts[place] + int(rows.n_bags[level, place])
            if first == last:
                continue
            functions.gather_children(first, last, place, rows.bags, *edges[:2], *arrays)
            space = matmul(h_below[first:last], weight)
            functions.add_rows(products.numpy(), rows.bags[first:last], space.numpy())
            firsts[place] = last
        level_arrays = (x.numpy() for x in (wx, products, child_products, messages, states))
        functions.climb_level(start, end, edges, *level_arrays)
        if len(u_k) and start:
            child_products[start:end] = matmul(h[start:end], u_k_t)
        end = start


def descend(functions: ModuleType, rows: Rows, given: Tensors, tables: Tensors, results: Tensors) -> None:
    """Differentiate :func:`climb`.

    Parameters
    ----------
    functions, rows, given, tables
        See :func:`climb`.
    results : tuple of Tensor
        Tables that the compiled pass writes; the first holds the gradients with respect to the states.
    """
    wx, leaf_wx, u, u_k = given
    products, child_products, h_below, leaf_h, messages, states = tables
    state_grads, wx_grads, leaf_wx_grads, u_grads, u_k_grads = results
    n, stop, size, h_grads = (
        len(rows.inputs),
        len(rows.inputs) + len(leaf_wx),
        states.shape[2],
        state_grads[0],
    )
    weights, rounded_u_k = _split_places(u, size), _round(u_k)
    product_grads = u.new_empty(int(rows.n_rows.max()), len(u))
    bag_grads = u.new_empty(len(rows.bags), len(u))
    pair_grads = u.new_zeros(len(rows.leaf_pairs), len(u))
    child_grads = torch.zeros_like(child_products)
    edges = rows.children, rows.offsets, rows.inputs
    grads = tuple(x.numpy() for x in (product_grads, child_grads, state_grads, wx_grads))
    arrays = [x.numpy() for x in (wx, products, child_products, messages, states)]
    lasts, start = [a + int(b) for a, b in zip(_first_bags(rows.n_bags), rows.n_bags.sum(0), strict=True)], 0
    for level, n_rows in enumerate(rows.n_rows.tolist()):
        end = start + n_rows
        if len(u_k) and start:
            h_grads[start:end] += matmul(child_grads[start:end], rounded_u_k)
        functions.descend_level(start, end, edges, *arrays, grads)
        functions.add_pair_grads(start, end, rows.offsets, rows.pair_of_edge, grads[0], pair_grads.numpy())
        for place, weight in enumerate(weights):
            first, last = lasts[place] - int(rows.n_bags[level, place]), lasts[place]
            if first == last:
                continue
            bags = torch.from_numpy(rows.bags[first:last] - start)
            torch.index_select(product_grads, 0, bags, out=bag_grads[first:last])
            space = matmul(bag_grads[first:last], weight).numpy()
            functions.scatter_grads(first, last, place, rows.bags, *edges[:2], space, state_grads.numpy())
            lasts[place] = first
        start = end
    if len(u_k):
        h_grads[n:stop] += matmul(child_grads[n:stop], rounded_u_k)
        u_k_grads.copy_(matmul_transposed(child_grads[:stop], states[0, :stop]))
    parts = zip(
        weights,
        _split(pair_grads, rows.n_pairs),
        _split(leaf_h, rows.n_pairs),
        _split(bag_grads, rows.n_bags.sum(0)),
        _split(h_below, rows.n_bags.sum(0)),
        np.split(rows.leaf_pairs, np.cumsum(rows.n_pairs)[:-1]),
        u_grads.split(size, dim=1),
        strict=True,
    )
    for weight, of_pairs, leaves, of_bags, below, pairs, result in parts:
        functions.add_rows(h_grads.numpy(), pairs, matmul(of_pairs, weight).numpy())
        result.copy_(matmul_transposed(of_pairs, leaves) + matmul_transposed(of_bags, below))
    functions.descend_leaves(n, leaf_wx.numpy(), state_grads.numpy(), leaf_wx_grads.numpy())


def _split_places(u: Tensor, size: int) -> list[Tensor]:
    """Return the rounded weights of each place, shape (u_out, size)."""
    return [place.contiguous() for place in _round(u).split(size, dim=1)]


def _round(x: Tensor) -> Tensor:
    """Round weights once instead of in every product."""
    dtype = autocast_dtype(x)
    return x if dtype is None else x.to(dtype)


def _split(table: Tensor, sizes: np.ndarray) -> Tensors:
    return table.split(sizes.tolist())


def _first_bags(n_bags: np.ndarray) -> list[int]:
    n_per_place = n_bags.sum(0)
    return (np.cumsum(n_per_place) - n_per_place).tolist()
