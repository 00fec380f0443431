"""What other folders may ask of a fitted net beside its public methods."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.threads import at_most, threads_for


def encoded_samples(net: BaseNet, X: Any) -> Any:
    """Return X as the module's batches are made of, a TreeArray, RaggedArray, ndarray or Tensor."""
    return net._encode(X, reset=False)


def class_heads(net: BaseNet) -> list[Sequence[Any]] | None:
    """Return the classes of each output of a classifier, None for regressors and multi-label targets."""
    kind = getattr(net, "_target_kind", None)
    if kind == "one class":
        return [net.classes_]
    return list(net.classes_) if kind == "columns of classes" else None


def target_scale(net: BaseNet) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what a regressor adds to its module's outputs and what it multiplies them with first."""
    return (net._y_mean, net._y_scale) if hasattr(net, "_y_mean") else None


def few_threads(net: BaseNet, encoded: Any) -> AbstractContextManager:
    """Limit torch's threads inside a block as the net's own predictions do."""
    is_cpu = net.device_.type == "cpu"
    return at_most(threads_for(net.net_.module_, encoded, net.batch_size) if is_cpu else None)
