"""Values of coalitions, and the Shapley values computed from them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.request import ExplainedBatch

MAX_EXACT = 10  # largest number of groups for which all coalitions (1,024) are computed
_MAX_FLAGS = 10_000_000  # largest number of bools (coalitions x groups) in memory


def shapley_values(batch: ExplainedBatch, groups: Tensor, n_orders: int) -> np.ndarray:
    """Compute the Shapley values of the groups of a single sample.

    Parameters
    ----------
    batch : ExplainedBatch
        A single sample.
    groups : Tensor of int64
        Its groups, see :meth:`View.groups`.
    n_orders : int
        Number of random orders [1]_ if there are more than 10 groups. Every second order is the reverse of
        the previous one. For up to 10 groups, all coalitions are computed.

    Returns
    -------
    ndarray of float, shape (n_groups,)

    References
    ----------
    .. [1] J. Castro, D. Gomez, J. Tejada (2009). Polynomial calculation of the Shapley value based on
       sampling. Computers & Operations Research.
    """
    n = int(groups.max()) + 1 if groups.numel() else 0
    if n <= 0:
        return np.zeros(0)

    def value(coalitions: np.ndarray) -> np.ndarray:
        return coalition_values(batch, groups, coalitions)

    return _exact(value, n) if n <= MAX_EXACT else _sampled(value, n, n_orders, batch.seed)


def count_coalitions(n_groups: np.ndarray, n_orders: int) -> np.ndarray:
    """Return the number of coalitions that :func:`shapley_values` evaluates for each number of groups."""
    return np.where(
        n_groups <= MAX_EXACT, 2 ** np.minimum(n_groups, MAX_EXACT), n_orders * (n_groups - 1) + 2
    )


def coalition_values(batch: ExplainedBatch, groups: Tensor, coalitions: np.ndarray) -> np.ndarray:
    """Compute the explained function of a single sample for some coalitions of its groups.

    Parameters
    ----------
    batch : ExplainedBatch
        A single sample.
    groups : Tensor of int64
        Its groups, see :meth:`View.groups`.
    coalitions : ndarray of bool, shape (n, n_groups)
        Groups that are present; the others have their baselines.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    inputs, values = batch.inputs, []
    # Positions in group -1 cannot be removed: index -1 selects the last column, which is always True.
    flags = np.pad(coalitions, ((0, 0), (0, 1)), constant_values=True)
    present = torch.from_numpy(flags).to(inputs.x.device)
    with torch.no_grad():
        for part in present.split(batch.limits.n_copies(inputs)):
            is_present = part[:, groups.flatten()].view(len(part), *groups.shape)
            values.append(batch.evaluate(inputs.mix(is_present)))
    return torch.cat(values).double().cpu().numpy()


def _exact(value: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
    codes = np.arange(2**n)
    coalitions = (codes[:, None] >> np.arange(n)) & 1 > 0
    values, sizes = value(coalitions), coalitions.sum(1)
    weights = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    phi = np.empty(n)
    for i in range(n):
        without = codes[~coalitions[:, i]]
        phi[i] = weights[sizes[without]] @ (values[without | (1 << i)] - values[without])
    return phi


def _sampled(value: Callable[[np.ndarray], np.ndarray], n: int, n_orders: int, seed: int) -> np.ndarray:
    rng = np.random.RandomState(seed)
    pairs = [rng.permutation(n) for _ in range(-(-n_orders // 2))]
    orders = np.array([order for pair in pairs for order in (pair, pair[::-1])][:n_orders])
    empty, full = value(np.array([np.zeros(n, dtype=bool), np.ones(n, dtype=bool)]))
    phi, n_parts = np.zeros(n), math.ceil(orders.size * n / _MAX_FLAGS)
    for part in np.array_split(orders, min(n_parts, len(orders))):
        ranks = np.argsort(part, axis=1)[:, None]  # position of each group in an order
        blocks = np.array_split(np.arange(1, n)[:, None], min(math.ceil(n_parts / len(orders)), n - 1))
        found = [value((ranks < sizes).reshape(-1, n)).reshape(len(part), -1) for sizes in blocks]
        values = np.concatenate(found, axis=1)  # of the first 1, 2, ..., n - 1 groups of each order
        gains = np.diff(values, prepend=empty, append=full, axis=1)
        np.add.at(phi, part, gains)
    return phi / len(orders)
