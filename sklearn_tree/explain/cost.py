"""Cost of the methods that evaluate many coalitions, estimated before they start."""

from __future__ import annotations

import warnings

import numpy as np

from sklearn_tree.explain.coalitions import MAX_EXACT
from sklearn_tree.explain.methods import Method
from sklearn_tree.explain.request import Request

_SHARE = 0.1  # of `max_total_rows`, above which all samples together give a warning


def check_cost(method: Method, request: Request) -> None:
    """Warn if a method takes long for the samples of a request, and refuse samples that take too long.

    Parameters
    ----------
    method : Method
        Method of attribution. Nothing is checked if its ``n_evaluations`` is None.
    request : Request
        The samples and the settings.

    Raises
    ------
    ValueError
        If the evaluations of one sample compute more than ``max_total_rows`` nodes, steps or pixels.
    """
    limit, sizes = request.limits.max_total_rows, request.net.kind.n_positions(request.encoded)
    if method.n_evaluations is None or _bound(method, request, sizes) <= _SHARE * limit:
        return
    n_groups = np.array([_count_groups(request, i) for i in range(len(sizes))])
    n_evaluations = method.n_evaluations(n_groups, request.params)
    rows = n_evaluations * sizes
    i = int(rows.argmax())
    faster = "fewer n_samples in method_params, or method='occlusion'"
    if rows[i] > limit:
        raise ValueError(
            f"X[{i}]: max_total_rows must be >= {rows[i]:_} for method={method.name!r}, because its "
            f"{n_groups[i]} inputs need {n_evaluations[i]:_} evaluations of the net, got {limit:_}; "
            f"use {faster}"
        )
    if rows.sum() > _SHARE * limit:
        warnings.warn(
            f"method={method.name!r} needs {n_evaluations.sum():_} evaluations of the net, which compute "
            f"{rows.sum():_} nodes, steps or pixels, {rows[i] / rows.sum():.0%} of them for X[{i}] with its "
            f"{n_groups[i]} inputs. If this takes too long, use {faster}",
            stacklevel=2,
        )


def _bound(method: Method, request: Request, sizes: np.ndarray) -> int:
    """Return an upper bound of the cost; a position is at most one group."""
    assert method.n_evaluations is not None
    counts = (method.n_evaluations(n, request.params) for n in (sizes, np.minimum(sizes, MAX_EXACT)))
    return int((np.maximum(*counts) * sizes).sum())


def _count_groups(request: Request, i: int) -> int:
    inputs = request.inputs(np.array([i]))
    groups = request.view.groups(inputs, request.params)
    return int(groups.max()) + 1 if groups.numel() else 0
