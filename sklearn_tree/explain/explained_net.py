"""The net that is explained."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.estimators.nodes import node_logits
from sklearn_tree.estimators.targets import Target
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.estimators.threads import limit_for
from sklearn_tree.estimators.wrapped import apply_steps, split_estimator
from sklearn_tree.kinds import Kind


class ExplainedNet:
    """Net of a fitted estimator, a copy of its module, and the steps before the net.

    The module must have two methods: ``embedding(batch)`` returns the vectors that enter the net, and
    ``forward_embedded(x, batch)`` computes the outputs from them. If these read more than the vectors, as
    with a linear path, ``embed(batch)`` returns everything.

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

    @default_modes()
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
            Trees or texts that the last vectorizer reads; None without a vectorizer.
        """
        return encode(self.steps, self.kind, X)

    @default_modes()
    def predict(
        self, encoded: Any, names: np.ndarray, target: Any, nodes: np.ndarray | None = None
    ) -> Predictions:
        """Return the predictions of the explained outputs for encoded samples.

        Parameters
        ----------
        encoded : encoded samples
            The samples.
        names : ndarray, shape (n,)
            Explained class of each sample, or the index of the explained output.
        target : "predicted", class, int or tuple
            Target to explain.
        nodes : ndarray of int, shape (n,), default=None
            Explained node of each tree; None for whole samples.
        """
        estimator = self.estimator
        if nodes is None:
            outputs = estimator._run_encoded(encoded, estimator.net_.module_.forward)
        else:
            outputs = node_logits(estimator, encoded)[encoded.offsets[:-1] + nodes]
        return estimator.target_.predictions(outputs, names, target)

    @property
    def target(self) -> Target:
        """Kind of the targets of the net."""
        return self.estimator.target_

    def limit_threads(self, encoded: Any) -> AbstractContextManager:
        """Return a context that limits the threads to the number that pays off for encoded samples."""
        n_positions = self.kind.n_positions(encoded)
        return limit_for(self.module, n_positions, self.estimator.batch_size, self.device)

    def for_items(self) -> ExplainedNet:
        """Return the net of pairs with the kind of their samples."""
        net = copy.copy(self)
        assert self.kind.item_kind is not None
        net.kind = self.kind.item_kind
        return net

    def embed(self, batch: Any) -> Tensor:
        """Return the vectors of a batch that enter the net."""
        embed = getattr(self.module, "embed", self.module.embedding)
        return embed(batch).to(self.dtype)


def encode(steps: list[Any], kind: Kind, X: Any) -> tuple[Any, Any]:
    """Transform samples by the steps before a net and encode them, see :meth:`ExplainedNet.encode`.

    Parameters
    ----------
    steps : list of transformers
        Fitted steps.
    kind : Kind
        Kind of the samples of the net.
    X : samples
        Samples that the first step accepts.
    """
    X, raw = apply_steps(steps, X)
    encoded = kind.read(X)  # first, for its errors
    own = kind.read_raw(X)
    return encoded, raw if own is None else own
