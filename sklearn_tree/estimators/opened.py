"""What other folders may ask of a fitted net beside its public methods."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.targets import MultiOutput, Numbers, OneClass


def encoded_samples(net: BaseNet, X: Any) -> Any:
    """Return X as the module's batches are made of, a TreeArray, RaggedArray, ndarray or Tensor."""
    return net._encode(X)


def class_heads(net: BaseNet) -> list[Sequence[Any]] | None:
    """Return the classes of each output of a classifier, None for regressors and multi-label targets."""
    target = getattr(net, "target_", None)
    if isinstance(target, OneClass):
        return [target.classes]
    return list(target.classes) if isinstance(target, MultiOutput) else None


def target_scale(net: BaseNet) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what a regressor adds to its module's outputs and what it multiplies them with first."""
    return (net.target_.mean, net.target_.scale) if isinstance(net.target_, Numbers) else None


def few_threads(net: BaseNet, encoded: Any) -> AbstractContextManager:
    """Limit torch's threads inside a block as the net's own predictions do."""
    return net._thread_limit(encoded)
