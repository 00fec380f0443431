"""Cells of recurrent layers, as cells of trees: a sequence is a chain whose root is its last step.

They compute what ``torch.nn.LSTM`` and ``torch.nn.GRU`` compute, so that compiled walks can compute them.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn.gated import GatedCell, tanh


class LSTMStep(GatedCell):
    """Step of ``torch.nn.LSTM``, with its order of gates."""

    x_gates = h_gates = ("i", "f", "g", "o")
    tanh_gates = ("g",)
    n_states = 2
    is_pure = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return (states[1],)

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        i, f, g, o = gates
        c = f * messages[0] + i * g
        return o * tanh(c), c


class GRUStep(GatedCell):
    """Step of ``torch.nn.GRU``; the gate ``m`` has no input but the bias of the recurrent weights."""

    x_gates = ("n", "r", "z", "m")
    h_gates = ("r", "z", "m")
    linear_gates = ("n", "m")
    is_pure = True

    def message(self, gates: tuple, states: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        return states

    def update(self, gates: tuple, messages: tuple) -> tuple[Tensor, ...]:  # noqa: D102
        n, r, z, m = gates
        return ((1 - z) * tanh(n + r * m) + z * messages[0],)


STEP_CELLS: dict[Hashable, type[GatedCell]] = {nn.GRU: GRUStep, nn.LSTM: LSTMStep}


def find_step_cell(layer: nn.Module) -> GatedCell | None:
    """Return a cell without weights of the sizes of a recurrent layer; None if the layer has no such cell."""
    known: Any = layer
    return _make_cell(type(layer), known.input_size, known.hidden_size) if type(layer) in STEP_CELLS else None


@lru_cache(maxsize=64)
def _make_cell(layer_class: Hashable, input_size: int, hidden_size: int) -> GatedCell:
    with torch.device("meta"):
        return STEP_CELLS[layer_class](input_size, hidden_size, 1)


def step_weights(layer: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights ``W``, the biases and the weights ``U`` of a layer's cell.

    Parameters
    ----------
    layer : LSTM or GRU
        Layer of one direction.

    Returns
    -------
    tuple of Tensor, of shape (n_gates * hidden_size, input_size), (n_gates * hidden_size,) and \
            (n_h_gates * hidden_size, hidden_size)
    """
    w, u, b, c = layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0
    if isinstance(layer, nn.LSTM):
        return w, b + c, u
    size = layer.hidden_size  # torch's order of gates: r, z, n
    both = b[: 2 * size] + c[: 2 * size]
    w = torch.cat([w[2 * size :], w[: 2 * size], w.new_zeros(size, w.shape[1])])
    return w, torch.cat([b[2 * size :], both, c[2 * size :]]), u
