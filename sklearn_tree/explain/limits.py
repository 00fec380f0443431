"""Limits of an explainer's memory, time and accuracy."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn_tree.explain.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of memory, of time and of the integration error.

    Attributes
    ----------
    n_steps, max_steps : int
        Initial and maximum number of integration steps.
    tol : float
        Completeness error, relative to ``max(scale, |f(x) - f(x0)|)``, above which the steps of a sample are
        doubled. The scale is 1 for classifiers and the standard deviation of the targets for regressors.
    max_rows : int
        Maximum number of nodes, steps or pixels that are computed at once.
    max_total_rows : int
        Maximum number of nodes, steps or pixels in all evaluations of one sample, see :func:`check_cost`.
    """

    n_steps: int = 32
    max_steps: int = 512
    tol: float = 0.01
    max_rows: int = 8192
    max_total_rows: int = 1_000_000_000

    def n_copies(self, inputs: Inputs) -> int:
        """Return how many copies of a batch are computed at once, at least 1."""
        return max(1, self.max_rows // max(inputs.n_positions, 1))
