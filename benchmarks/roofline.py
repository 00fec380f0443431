"""Limit of the speed of a net: the time of its matrix products, at the rate measured for their shapes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from functools import cache

import numpy as np
import torch

from sklearn_tree.nn import TreeBatch
from sklearn_tree.nn.compiled.edges import Edges
from sklearn_tree.nn.compiled.rows import Rows

_N_REPEATS = 20


def product_seconds(net: torch.nn.Module, batches: Iterable[TreeBatch]) -> tuple[float, float]:
    """Return the seconds of all products of a training epoch, and of a prediction.

    Each distinct input, each pair of a leaf and a place, and each bag of inner children is multiplied once in
    the forward pass. The backward pass has two more products of the same size, for the inputs and for the
    weights; those for the weights are computed for all levels at once.

    Parameters
    ----------
    net : RecursiveNet
        Net with a gated cell, root pooling and without bidirectional walks.
    batches : iterable of TreeBatch
        Batches of the epoch.

    Returns
    -------
    tuple of float
    """
    cell = net.encoder.cell
    size, width, n_columns = cell.hidden_size, cell.input_size, len(cell.U.weight)
    fit = predict = 0.0
    for batch in batches:
        own = np.arange(batch.n_nodes) if batch.inverse is None else batch.inverse.numpy()
        n_inputs = batch.n_distinct_inner if batch.inverse is not None else sum(batch.n_inner)
        edges = Edges.from_batch(batch, own, n_inputs)
        rows = Rows.from_edges(edges, cell.layout.n_places)
        inputs = [(n_inputs, width, len(cell.W.weight)), (edges.n_leaves, width, cell.layout.x_columns.stop)]
        products = [(int(n), size, n_columns) for n in (*rows.n_bags.ravel(), *rows.n_pairs)]
        if cell.U_k is not None:
            products += [(int(n), size, len(cell.U_k.weight)) for n in (*rows.n_rows[1:], edges.n_leaves)]
        forward = sum(seconds(*shape) for shape in (*inputs, *products))
        backward = sum(seconds(n, k, m) for n, m, k in (*inputs, *products))
        totals = [*inputs, (sum(n for n, *_ in products), size, n_columns)]
        weights = sum(seconds(m, n, k) for n, k, m in totals)
        fit += forward + backward + weights
        predict += forward
    return fit, predict


def seconds(m: int, k: int, n: int) -> float:
    """Return the seconds of a product of shapes (m, k) and (k, n), from that of a product of similar size."""
    if not m * k * n:
        return 0.0
    rounded = _round(m), _round(k), _round(n)
    return _measure(*rounded) * (m * k * n) / (rounded[0] * rounded[1] * rounded[2])


def _round(n: int) -> int:
    """Round to two leading bits, so that few shapes are measured."""
    step = 1 << max(n.bit_length() - 2, 0)
    return max(n // step * step, 1)


@cache
def _measure(m: int, k: int, n: int) -> float:
    generator = np.random.default_rng(0)
    a, b = (generator.random(shape, dtype=np.float32) for shape in ((m, k), (k, n)))
    out = np.empty((m, n), np.float32)
    times = []
    for _ in range(_N_REPEATS):
        start = time.perf_counter()
        np.dot(a, b, out=out)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
