"""Shapley values: exact by all coalitions of few inputs, by random orders of more."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.gradients import Budget
from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.objective import Objective

_MOST_FLAGS = 10_000_000  # of coalitions that are in memory at once
MOST_EXACT = 10  # inputs of which all coalitions are computed, 1,024 of them


def shapley(
    inputs: Inputs, objective: Objective, players: Tensor, budget: Budget, n_orders: int, seed: int
) -> np.ndarray:
    """Compute the Shapley values of the inputs of one sample.

    Parameters
    ----------
    inputs : Inputs
        One sample.
    objective : Objective
        What is explained.
    players : Tensor of int64
        The number of the player that each input belongs to, from 0; -1 for none (see ``players_of``).
    budget : Budget
        Limits.
    n_orders : int
        Number of random orders where there are more than 10 players; every second is the one before
        backwards.
    seed : int
        Seed of the orders.

    Returns
    -------
    ndarray of float, shape (n_players,)

    References
    ----------
    .. [1] J. Castro, D. Gomez, J. Tejada (2009). Polynomial calculation of the Shapley value based on
       sampling. Computers & Operations Research.
    """
    n = int(players.max()) + 1 if players.numel() else 0
    if n <= 0:
        return np.zeros(0)

    def value(coalitions: np.ndarray) -> np.ndarray:
        return values_of(inputs, objective, players, coalitions, budget)

    return _exact(value, n) if n <= MOST_EXACT else _sampled(value, n, n_orders, seed)


def values_of(
    inputs: Inputs, objective: Objective, players: Tensor, coalitions: np.ndarray, budget: Budget
) -> np.ndarray:
    """Return the objective of one sample when some players are there and the others are not.

    Parameters
    ----------
    inputs, objective, players, budget
        See :func:`shapley`.
    coalitions : ndarray of bool, shape (n, n_players)
        Who is there.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    is_tree = inputs.subject.is_tree_net
    x, x0 = (inputs.x, inputs.x0) if is_tree else (inputs.x[0], inputs.x0[0])
    shape = players.shape + (1,) * (x.ndim - players.ndim)
    found, most = [], budget.copies(inputs)
    # Behind the players stands the one who is always there: what nobody can take away.
    present = torch.from_numpy(np.pad(coalitions, ((0, 0), (0, 1)), constant_values=True)).to(x.device)
    with torch.no_grad():
        for part in present.split(most):
            there = part[:, players.flatten()].view(len(part), *shape)
            rows = torch.where(there, x, x0)
            found.append(objective(inputs.outputs(rows.flatten(0, 1) if is_tree else rows)))
    return torch.cat(found).double().cpu().numpy()


def _exact(value: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
    codes = np.arange(2**n)
    coalitions = (codes[:, None] >> np.arange(n)) & 1 > 0
    worth, sizes = value(coalitions), coalitions.sum(1)
    weights = np.array([1 / (n * math.comb(n - 1, size)) for size in range(n)])
    phi = np.empty(n)
    for i in range(n):
        without = codes[~coalitions[:, i]]
        phi[i] = weights[sizes[without]] @ (worth[without | (1 << i)] - worth[without])
    return phi


def _sampled(value: Callable[[np.ndarray], np.ndarray], n: int, n_orders: int, seed: int) -> np.ndarray:
    rng = np.random.RandomState(seed)
    drawn = [rng.permutation(n) for _ in range(-(-n_orders // 2))]
    orders = np.array([order for pair in drawn for order in (pair, pair[::-1])][:n_orders])
    nobody, everybody = value(np.array([np.zeros(n, dtype=bool), np.ones(n, dtype=bool)]))
    # The first 1, 2, ... n - 1 of each order.
    joined = np.tri(n, dtype=bool)[:-1]
    phi = np.zeros(n)
    for part in np.array_split(orders, math.ceil(orders.size * n / _MOST_FLAGS)):
        coalitions = np.zeros((len(part), n - 1, n), dtype=bool)
        for coalition, order in zip(coalitions, part, strict=True):
            coalition[:, order] = joined
        worth = value(coalitions.reshape(-1, n)).reshape(len(part), n - 1)
        gains = np.diff(worth, prepend=nobody, append=everybody, axis=1)
        np.add.at(phi, part, gains)
    return phi / len(orders)
