"""Models that are explained as a whole, by predictions for changed rows."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tree.estimators.targets import Target
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.explain.rows.array import RowArray
from sklearn_tree.explain.rows.kind import Rows
from sklearn_tree.explain.rows.outputs import predict_outputs


class ExplainedModel:
    """Fitted model that contains nets, with the interface of :class:`ExplainedNet`.

    Parameters
    ----------
    kind : Rows
        Kind of the rows, and the model.

    Attributes
    ----------
    steps : list
        Empty: all steps belong to the model.
    estimator : estimator
        The model.
    module : nn.Module
        Empty: the model computes no gradients.
    device : torch.device
        The CPU.
    """

    has_feature_maps = False

    def __init__(self, kind: Rows) -> None:
        self.kind, self.estimator = kind, kind.model
        self.steps: list[Any] = []
        self.module, self.device = nn.Identity(), torch.device("cpu")

    @property
    def target(self) -> Target:
        """Kind of the predictions."""
        return self.kind.target

    def encode(self, X: Any) -> tuple[RowArray, None]:
        """Divide rows into their parts; the second value is that of :meth:`ExplainedNet.encode`."""
        return self.kind.encode(X), None

    def outputs(self, rows: RowArray, numbers: np.ndarray, is_present: np.ndarray, baseline: str) -> Tensor:
        """Compute the outputs for rows in which some positions are removed.

        Parameters
        ----------
        rows : RowArray
            The rows.
        numbers : ndarray of int, shape (n,)
            Changed row of each output.
        is_present : ndarray of bool, shape (n, n_positions)
            Positions that are kept.
        baseline : {"median", "mean", "zero"}
            Replacement of removed numbers.

        Returns
        -------
        Tensor of float64, shape (n, n_outputs)
        """
        X = rows.change(numbers, is_present, self.kind.replacements[baseline])
        return torch.from_numpy(predict_outputs(self.estimator, X, self.kind.function, self.target))

    def predict(
        self, encoded: RowArray, names: np.ndarray, target: Any, nodes: np.ndarray | None = None
    ) -> Predictions:
        """Return the predictions for rows, see :meth:`ExplainedNet.predict`; ``nodes`` is None."""
        outputs = predict_outputs(self.estimator, encoded.restore(), self.kind.function, self.target)
        return self.target.predictions(outputs, names, target)

    def limit_threads(self, encoded: Any) -> AbstractContextManager:
        """Return an empty context: the nets inside the model limit their threads."""
        return nullcontext()
