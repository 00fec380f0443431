"""Stable sorting of non-negative ints."""

from __future__ import annotations

import numpy as np


def stable_argsort(keys: np.ndarray) -> np.ndarray:
    """Return the stable order of non-negative ints; 16-bit keys are sorted by radix, in linear time."""
    fits_16_bits = keys.max(initial=0) < 2**16
    return np.argsort(keys.astype(np.uint16) if fits_16_bits else keys, kind="stable")
