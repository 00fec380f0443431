"""Presence of the pieces of rows, as the input of a model."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.inputs import Inputs
from sklearn_tree.explain.rows.array import RowArray
from sklearn_tree.explain.rows.model import ExplainedModel
from sklearn_tree.nn.sequence_batch import step_mask


class RowInputs(Inputs):
    """Presence of the words, nodes and cells of rows: 1 for those that are kept, 0 for removed ones.

    Parameters
    ----------
    model : ExplainedModel
        The model.
    rows : RowArray
        The rows.
    baseline : {"median", "mean", "zero"}
        Replacement of removed numbers.
    """

    batch: RowArray

    def __init__(self, model: ExplainedModel, rows: RowArray, baseline: str) -> None:
        self.baseline = baseline
        lengths = torch.from_numpy(rows.sizes.astype(np.int64))
        removable = step_mask(lengths, max(int(lengths.max()), 1))
        removable[removable.clone()] = torch.from_numpy(rows.join([part.is_removable for part in rows.parts]))
        x = torch.ones(*removable.shape, 1, dtype=torch.float64)
        super().__init__(
            net=model,  # type: ignore[arg-type]
            batch=rows,
            x=x,
            x0=x * ~removable.unsqueeze(-1),
            removable=removable,
            lengths=lengths,
            is_embedded=True,
        )

    def outputs(self, x: Tensor) -> Tensor:
        """Compute the outputs of the model for k copies of the rows, see :meth:`Inputs.outputs`."""
        k = self._count_copies(x)
        return self.outputs_of(np.tile(np.arange(len(self)), k), x[..., 0].numpy() > 0.5)

    def outputs_of(self, numbers: np.ndarray, is_present: np.ndarray) -> Tensor:
        """Compute the outputs for some rows, each distinct row once.

        Parameters
        ----------
        numbers : ndarray of int, shape (n,)
            Rows, which may repeat.
        is_present : ndarray of bool, shape (n, n_positions)
            Positions that are kept.

        Returns
        -------
        Tensor of float64, shape (n, n_outputs)
        """
        model: ExplainedModel = self.net  # type: ignore[assignment]
        keys = np.column_stack([numbers, is_present])
        _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        outputs = model.outputs(self.batch, numbers[first], is_present[first], self.baseline)
        return outputs[torch.from_numpy(inverse.ravel())]
