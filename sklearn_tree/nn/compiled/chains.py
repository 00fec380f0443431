"""GRU layers as compiled walks over chains, whose roots are the last steps."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.nn.compiled.edges import Edges
from sklearn_tree.nn.compiled.merge import find_distinct
from sklearn_tree.nn.compiled.walk import walk_edges
from sklearn_tree.nn.gru_step import make_step, step_weights


def run_layer(
    layer: Any,
    functions: ModuleType,
    vectors: Tensor,
    rows: np.ndarray,
    lengths: np.ndarray,
    *,
    is_reversed: bool,
    take_last: bool,
) -> Tensor:
    """Compute the states of a GRU layer in one direction.

    Parameters
    ----------
    layer : GRU
        Layer.
    functions : module
        Compiled passes of its step, see :func:`~sklearn_tree.nn.gru_step.make_step`.
    vectors : Tensor of float32, shape (n_vectors, input_size)
        Inputs.
    rows : ndarray of int64, shape (n, n_steps)
        Row of ``vectors`` for each step; ignored in the padding.
    lengths : ndarray of int64, shape (n,)
        Number of steps of each sequence; at least one is above 1.
    is_reversed : bool
        Whether the layer reads the sequences from their ends.
    take_last : bool
        Whether to return the state after the last step that the layer reads, instead of all states.

    Returns
    -------
    Tensor of float32, shape (n, hidden_size) or (n, n_steps, hidden_size)
        States, at the steps that they belong to; arbitrary in the padding and for empty sequences.
    """
    edges, inputs, numbers = make_chains(rows, lengths, is_reversed=is_reversed)
    last = np.zeros(len(lengths), np.int64) if is_reversed else np.maximum(lengths - 1, 0)
    wanted = numbers[np.arange(len(lengths)), last] if take_last else numbers.ravel()
    x = vectors.index_select(0, torch.from_numpy(inputs))
    cell, (w, b, u) = make_step(layer.input_size, layer.hidden_size), step_weights(layer)
    n_inputs = len(inputs) - edges.n_leaves
    states = walk_edges(cell, functions, edges, x, n_inputs, torch.from_numpy(wanted), (w, b, u, None))
    return states if take_last else states.view(*rows.shape, -1)


def make_chains(
    rows: np.ndarray, lengths: np.ndarray, *, is_reversed: bool
) -> tuple[Edges, np.ndarray, np.ndarray]:
    """Return the edges of chains, the inputs of their rows, and the row of each step.

    Parameters
    ----------
    rows, lengths, is_reversed
        See :func:`run_layer`.

    Returns
    -------
    edges : Edges
        Chains of all sequences that are not empty.
    inputs : ndarray of int64
        Distinct rows of ``vectors`` of the inner nodes, then those of the leaves.
    numbers : ndarray of int64, shape (n, n_steps)
        Row of the walk for each step; 0 in the padding.
    """
    n_steps = rows.shape[1]
    depths = np.arange(n_steps)[:, None]  # of the last step that the layer reads: 0
    is_inner, is_leaf = depths < lengths - 1, depths == lengths - 1
    depth, sequence = np.nonzero(is_inner)
    leaf_depth, leaf_sequence = np.nonzero(is_leaf)
    n = len(depth)

    def steps(depth: np.ndarray, sequence: np.ndarray) -> np.ndarray:
        return depth if is_reversed else lengths[sequence] - 1 - depth

    both = (depth, sequence), (leaf_depth, leaf_sequence)
    codes = np.concatenate([rows[s, steps(d, s)] for d, s in both])
    first, inverse, n_inputs = find_distinct(codes, n, int(codes.max()) + 1)
    by_depth = np.zeros((n_steps, len(lengths)), np.int64)
    by_depth[depth, sequence] = np.arange(n)
    by_depth[leaf_depth, leaf_sequence] = n + inverse[n:] - n_inputs
    edges = Edges(
        children=by_depth[depth + 1, sequence],
        parents=np.arange(n),
        ranks=np.zeros(n, np.int64),
        inputs=inverse[:n],
        n_rows=np.bincount(depth),
        n_leaves=len(first) - n_inputs,
    )
    numbers = np.zeros(rows.shape, np.int64)
    for d, s in both:
        numbers[s, steps(d, s)] = by_depth[d, s]
    return edges, codes[first], numbers
