"""Check of the outputs of nets."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.kinds.base import Kind


def check_finite(output: np.ndarray, encoded: Any, kind: Kind) -> None:
    """Raise ValueError if an output of a net is not finite, with the row and its largest input.

    Parameters
    ----------
    output : ndarray of float, shape (n_samples, n_outputs)
        Outputs of the net.
    encoded : encoded samples
        Encoded samples.
    kind : Kind
        Kind of the samples.
    """
    is_finite = np.isfinite(output).all(axis=1)
    if is_finite.all():
        return
    row = int(np.flatnonzero(~is_finite)[0])
    magnitude = kind.magnitude(encoded, row)
    size = "" if magnitude is None else f"; the largest number in this row is {magnitude:.3g}"
    raise ValueError(f"the output of the net is not finite for X[{row}]{size}")
