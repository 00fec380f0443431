"""Activation of a table of gates."""

from __future__ import annotations

import torch
from torch import Tensor

from sklearn_tree.nn.gated import GatedCell, split_gates, tanh_of_sigmoid


class GateActivation:
    r"""Activation of all gates of a table in place, with one sigmoid per run of adjacent gates.

    As :math:`\tanh x = 2 \sigma(2x) - 1`, the inputs of tanh gates are doubled and the table holds
    :math:`\sigma(2x)`. The derivative of the gate with respect to :math:`x` is then four times that of the
    sigmoid.

    Parameters
    ----------
    cell : GatedCell
        Cell of the gates.
    names : tuple of str
        Names of the gates, in the order of the columns.
    like : Tensor of float
        Tensor whose dtype and device the factors get.

    Attributes
    ----------
    scale : Tensor of float, shape (n_columns,)
        Factors of the inputs: 2 for tanh gates, 1 for others.
    grad_scale : Tensor of float, shape (n_columns,)
        Factors of the gradients with respect to the inputs: 4 for tanh gates, 1 for others.
    """

    def __init__(self, cell: GatedCell, names: tuple[str, ...], like: Tensor) -> None:
        self.size = cell.hidden_size
        self.is_tanh = [name in cell.tanh_gates and name not in cell.linear_gates for name in names]
        factors = [2.0 if is_tanh else 1.0 for is_tanh in self.is_tanh]
        self.scale = like.new_tensor(factors).repeat_interleave(self.size)
        self.grad_scale = self.scale**2
        self.sigmoid_columns = self._merge_columns([name not in cell.linear_gates for name in names])

    def _merge_columns(self, is_sigmoid: list[bool]) -> list[slice]:
        """Return the columns of all sigmoids as few slices."""
        runs: list[slice] = []
        for i in (i for i, flag in enumerate(is_sigmoid) if flag):
            start, stop = i * self.size, (i + 1) * self.size
            if runs and runs[-1].stop == start:
                start = runs.pop().start
            runs.append(slice(start, stop))
        return runs

    def apply_(self, table: Tensor) -> None:
        """Replace scaled inputs by their sigmoids, in place."""
        for columns in self.sigmoid_columns:
            table[:, columns].sigmoid_()

    def split(self, table: Tensor) -> tuple[Tensor, ...]:
        """Return the activated gates of a table, which may have further columns."""
        pairs = zip(split_gates(table, self.size), self.is_tanh, strict=False)
        return tuple(tanh_of_sigmoid(gate) if is_tanh else gate for gate, is_tanh in pairs)

    def backward_(self, grad: Tensor, table: Tensor) -> None:
        """Multiply gradients with respect to the sigmoids by the sigmoids' derivatives, in place."""
        for columns in self.sigmoid_columns:
            part = grad[:, columns]
            torch.ops.aten.sigmoid_backward.grad_input(part, table[:, columns], grad_input=part)
