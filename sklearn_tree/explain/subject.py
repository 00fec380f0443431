"""``Subject``: what is explained, the net inside a fitted estimator and the steps in front of it."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import nn

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.opened import encoded_samples
from sklearn_tree.nn import ConvolutionalNet, RecursiveNet
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.trees import RaggedArray, TreeArray
from sklearn_tree.validation import BaseSearchCV


class Subject:
    """The net of a fitted estimator, a copy of its module, and what comes before it.

    Parameters
    ----------
    estimator : estimator
        A fitted net, or a fitted pipeline, search or frozen estimator that ends in one.
    dtype : torch.dtype
        What the copy computes in.

    Attributes
    ----------
    steps : list of transformers
        What X goes through before it reaches the net.
    net : BaseNet
        The fitted net.
    module : nn.Module
        A copy of its module without dropout and without gradients of its weights.
    kind : {"trees", "tokens", "series", "images", "table"}
        What reaches the net.

    Raises
    ------
    TypeError
        If there is no net at the end.
    """

    def __init__(self, estimator: Any, dtype: torch.dtype = torch.float32) -> None:
        self.steps, self.net = steps_and_net(estimator)
        module: nn.Module = copy.deepcopy(self.net.net_.module_).eval().requires_grad_(False)
        self.module: Any = module.to(dtype)
        self.dtype = dtype
        self.device = self.net.device_
        self.is_recurrent = not isinstance(module, ConvolutionalNet)
        self.kind = self.net.input_kind_

    @property
    def is_tree_net(self) -> bool:
        """Whether the net is recursive, as it is for tables too."""
        return isinstance(self.module, RecursiveNet)

    def encode(self, X: Any) -> tuple[Any, Any]:
        """Send X through the steps to the module.

        Parameters
        ----------
        X : samples
            What the whole estimator takes.

        Returns
        -------
        encoded : TreeArray, RaggedArray, ndarray or Tensor
            What batches are made of.
        shown : TreeArray, RaggedArray or ndarray
            The same as users know it: with their labels or tokens where those are known, else with numbers.
        """
        written = None
        for step in self.steps:
            written = step.read(X) if isinstance(step, BaseVectorizer) else written
            X = step.transform(X)
        vectorizer = getattr(self.net, "vectorizer_", None)
        written = vectorizer.read(X) if vectorizer is not None else written
        encoded = encoded_samples(self.net, X)
        if self.kind not in ("trees", "tokens"):
            return encoded, self._numbers(encoded)
        if written is not None and np.array_equal(written.offsets, encoded.offsets):
            return encoded, written
        return encoded, self._named(encoded, vectorizer)

    def _numbers(self, encoded: Any) -> Any:
        if isinstance(encoded, TreeArray):  # the stars of a table, their roots without a value
            return encoded.values.reshape(len(encoded), -1)[:, 1:]  # type: ignore[union-attr]
        return encoded.detach().cpu().numpy() if isinstance(encoded, torch.Tensor) else encoded

    def _named(self, encoded: Any, vectorizer: Any) -> Any:
        candidates = [*self.steps, vectorizer]
        for step in candidates[::-1]:
            if hasattr(step, "inverse_transform"):
                named = step.inverse_transform(encoded)
                if getattr(named, "vocabulary", None) is not None:  # steps that know no words give none
                    return named
        ids = encoded.labels if isinstance(encoded, TreeArray) else encoded.values
        return encoded.replace(
            vocabulary=np.array(list(map(str, range(ids.max(initial=0) + 1))), dtype=object)
        )

    def named(self, encoded: Any) -> np.ndarray:
        """Return the name of each id, ndarray of object, as a vectorizer has them, else numbers."""
        vectorizer = getattr(self.net, "vectorizer_", None)
        return self._named(encoded, vectorizer).vocabulary


def steps_and_net(estimator: Any) -> tuple[list[Any], BaseNet]:
    """Split a fitted estimator into the steps before its net, and the net.

    Parameters
    ----------
    estimator : estimator
        See :class:`Subject`.

    Returns
    -------
    steps : list of fitted transformers
    net : BaseNet
    """
    steps: list[Any] = []
    inner = estimator
    while not isinstance(inner, BaseNet):
        if isinstance(inner, Pipeline):
            steps += _flat([step for _, step in inner.steps[:-1]])
            inner = inner.steps[-1][1]
            continue
        # Other wrappers are not looked through: what they predict may be something else.
        name = _INSIDE.get(_known_class(inner), "")
        below = getattr(inner, name, None)
        if below is None or not is_fitted(below):
            raise TypeError(
                "estimator must be a net of sklearn_tree, or a pipeline or refitted search that ends in "
                f"one, got {type(inner).__name__}"
            )
        inner = below
    return steps, inner


# Where the estimator is whose predictions a wrapper gives.
_INSIDE = {
    BaseSearchCV: "best_estimator_",
    FrozenEstimator: "estimator",
    TransformedTargetRegressor: "regressor_",
}


def _known_class(estimator: Any) -> type | None:
    return next((known for known in _INSIDE if isinstance(estimator, known)), None)


def _flat(steps: list[Any]) -> list[Any]:
    """Return transformers, those of pipelines among them one by one."""
    found, waiting = [], steps[::-1]
    while waiting:
        step = waiting.pop()
        if isinstance(step, Pipeline):
            waiting += [inner for _, inner in step.steps][::-1]
        elif step is not None and step != "passthrough":
            found.append(step)
    return found


def is_fitted(estimator: Any) -> bool:
    """Whether scikit-learn takes an estimator for fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def n_positions_of(encoded: Any) -> np.ndarray:
    """Return how many nodes, steps, columns or pixels each encoded sample has, ndarray of int, shape (n,)."""
    if isinstance(encoded, (TreeArray, RaggedArray)):
        return np.maximum(encoded.sizes, 1)
    return np.full(len(encoded), max(math.prod(encoded.shape[1 : 3 if encoded.ndim == 4 else 2]), 1))
