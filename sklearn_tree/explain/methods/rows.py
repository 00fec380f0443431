"""Methods for rows of models that contain nets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sklearn_tree.explain.methods.base import Method, refused_method, register_method
from sklearn_tree.explain.request import Attributions, ExplainedBatch, Request
from sklearn_tree.explain.rows.inputs import RowInputs
from sklearn_tree.explain.rows.kind import Rows

_GRADIENTS = ("grad_cam", "gradient_shap", "input_x_gradient", "integrated_gradients", "saliency")
_REASON = (
    "the net is inside another model, which is explained by its predictions for rows without some words, "
    "subtrees or cells"
)


@dataclass(frozen=True, kw_only=True)
class RowOcclusion(Method):
    """Occlusion of words, nodes, cells and subtrees."""

    def run(self, request: Request, rows: np.ndarray) -> Attributions:
        """Explain some rows of a request."""
        batch = request.batch(rows)
        own: list[np.ndarray] = self.attribute(batch)
        return Attributions(
            rows=rows,
            attributions=[totals for _, totals in own],
            own=[numbers for numbers, _ in own],
            values=batch.values.numpy(),
            baseline_values=batch.baseline_values.numpy(),
            targets=batch.objective.names,
        ).times(batch.objective.unit)


def occlude_rows(batch: ExplainedBatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Compute the decrease of the explained function when each position, and each subtree, is removed.

    Returns
    -------
    list of (own, attributions), length n
        Arrays of float, shape (n_positions,).
    """
    inputs = batch.inputs
    assert isinstance(inputs, RowInputs)
    spans = [_list_spans(inputs, i) for i in range(len(inputs))]
    numbers = np.repeat(np.arange(len(inputs)), [len(part) for part in spans])
    is_present = np.ones((len(numbers), inputs.removable.shape[1]), dtype=bool)
    is_removable = inputs.removable.numpy()
    for flags, i, (start, end) in zip(is_present, numbers, np.concatenate(spans), strict=True):
        flags[start:end] = ~is_removable[i, start:end]
    decreases = np.empty(len(numbers))
    for chunk in np.array_split(np.arange(len(numbers)), -(-is_present.size // batch.limits.max_rows) or 1):
        objective = batch.objective.take(torch.from_numpy(numbers[chunk]))
        values = objective(inputs.outputs_of(numbers[chunk], is_present[chunk]))
        decreases[chunk] = (batch.values[torch.from_numpy(numbers[chunk])] - values).numpy()
    sizes = inputs.batch.sizes
    found = []
    parts = np.split(decreases, np.cumsum([len(part) for part in spans])[:-1])
    for part, span, n in zip(parts, spans, sizes, strict=True):
        totals = part[:n].copy()
        totals[span[n:, 0]] = part[n:]  # of inner nodes
        found.append((part[:n], totals))
    return found


def _list_spans(inputs: RowInputs, i: int) -> np.ndarray:
    """Return the first and the last position, plus 1, of all positions and subtrees of a row."""
    n = int(inputs.batch.sizes[i])
    return np.array([*((k, k + 1) for k in range(n)), *inputs.batch.list_subtrees(i)], dtype=int).reshape(
        -1, 2
    )


register_method(RowOcclusion(name="occlusion", attribute=occlude_rows, kinds=(Rows,)))
for _name in _GRADIENTS:
    register_method(refused_method(_name, lambda net: _REASON, kinds=(Rows,)))
