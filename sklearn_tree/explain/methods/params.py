"""Validation of ``method_params``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sklearn_tree.explain.methods.base import param_names

_POSITIVE_INTS = ("n_samples", "stride", "window")


def check_params(params: Mapping[str, Any]) -> None:
    """Check the parameters of methods.

    Parameters
    ----------
    params : mapping of str to any
        ``method_params`` of the explainer.

    Raises
    ------
    ValueError
        If no method has a parameter of that name, or its value is invalid.
    """
    for name, value in params.items():
        if name not in param_names():
            raise ValueError(f"method_params must hold only {sorted(param_names())}, got {name!r}")
        if name in _POSITIVE_INTS and not (isinstance(value, (int, np.integer)) and value > 0):
            raise ValueError(f"method_params[{name!r}] must be an int >= 1, got {value!r}")
    stdevs = params.get("stdevs", 0)
    if not (isinstance(stdevs, (int, float)) and stdevs >= 0):
        raise ValueError(f"method_params['stdevs'] must be a number >= 0, got {stdevs!r}")
    window, stride = params.get("window"), params.get("stride", 1)
    if window and stride > window:
        raise ValueError(f"method_params['stride'] must be at most the window, {window}, got {stride!r}")
