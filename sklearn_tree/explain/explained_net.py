"""The net that is explained."""

from __future__ import annotations

import copy
from typing import Any

import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from torch import Tensor, nn

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.kinds import Kind
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.validation import BaseSearchCV, is_fitted

# Attribute that holds the estimator whose predictions a wrapper returns. Other wrappers are refused, because
# they may predict something else.
_INNER_ESTIMATOR = {
    BaseSearchCV: "best_estimator_",
    FrozenEstimator: "estimator",
    TransformedTargetRegressor: "regressor_",
}


class ExplainedNet:
    """Net of a fitted estimator, a copy of its module, and the steps before the net.

    The module must have two methods: ``embedding(batch)`` returns the vectors that enter the net, and
    ``forward_embedded(x, batch)`` computes the outputs from them.

    Parameters
    ----------
    estimator : estimator
        Fitted net, or fitted pipeline, search or frozen estimator that ends in a net.
    dtype : torch.dtype, default=torch.float32
        Precision of the copy.

    Attributes
    ----------
    steps : list of transformers
        Fitted steps before the net, in order.
    estimator : BaseNet
        The fitted net.
    module : nn.Module
        Copy of the module in evaluation mode, with parameters that require no gradients.
    device : torch.device
        Device of the module.
    kind : Kind
        Kind of the samples that the net reads.

    Raises
    ------
    TypeError
        If the estimator does not end in a net of this package.
    """

    def __init__(self, estimator: Any, dtype: torch.dtype = torch.float32) -> None:
        self.steps, self.estimator = split_estimator(estimator)
        module: nn.Module = copy.deepcopy(self.estimator.net_.module_).eval().requires_grad_(False)
        self.module: Any = module.to(dtype)
        self.dtype = dtype
        self.device = self.estimator.device_
        self.kind: Kind = self.estimator.kind_

    @property
    def has_feature_maps(self) -> bool:
        """Whether the module computes feature maps and the outputs from them, as convolutional nets do."""
        return hasattr(self.module, "features") and hasattr(self.module, "decide")

    def encode(self, X: Any) -> tuple[Any, Any]:
        """Transform X by all steps and encode it for the net.

        Parameters
        ----------
        X : samples
            Samples that the whole estimator accepts.

        Returns
        -------
        encoded : encoded samples
            See :meth:`Kind.encode`.
        raw : TreeArray, RaggedArray or None
            Trees or texts as the last vectorizer read them; None if there is no vectorizer.
        """
        raw = None
        for step in self.steps:
            raw = step.read(X) if isinstance(step, BaseVectorizer) else raw
            X = step.transform(X)
        encoded = self.kind.read(X)  # first, for its errors
        if self.kind.vectorizer is not None:
            raw = self.kind.vectorizer.read(X)
        return encoded, raw

    def embed(self, batch: Any) -> Tensor:
        """Return the vectors of a batch that enter the net."""
        return self.module.embedding(batch).to(self.dtype)


def split_estimator(estimator: Any) -> tuple[list[Any], BaseNet]:
    """Split a fitted estimator into the steps before its net and the net.

    Parameters
    ----------
    estimator : estimator
        See :class:`ExplainedNet`.

    Returns
    -------
    steps : list of fitted transformers
        The steps, including those of nested pipelines.
    net : BaseNet
        The fitted net.
    """
    steps: list[Any] = []
    inner = estimator
    while not isinstance(inner, BaseNet):
        if isinstance(inner, Pipeline):
            steps += _flatten([step for _, step in inner.steps[:-1]])
            inner = inner.steps[-1][1]
        else:
            inner = _unwrap(inner)
    return steps, inner


def _unwrap(wrapper: Any) -> Any:
    name = next((name for known, name in _INNER_ESTIMATOR.items() if isinstance(wrapper, known)), "")
    inner = getattr(wrapper, name, None)
    if inner is None or not is_fitted(inner):
        raise TypeError(
            "estimator must be a net of sklearn_tree, or a pipeline or refitted search that ends in "
            f"one, got {type(wrapper).__name__}"
        )
    return inner


def _flatten(steps: list[Any]) -> list[Any]:
    """Return the transformers, with nested pipelines replaced by their steps."""
    flat, pending = [], steps[::-1]
    while pending:
        step = pending.pop()
        if isinstance(step, Pipeline):
            pending += [inner for _, inner in step.steps][::-1]
        elif step is not None and step != "passthrough":
            flat.append(step)
    return flat
