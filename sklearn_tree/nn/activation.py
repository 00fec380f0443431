"""Activation of a table of gates."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from sklearn_tree.nn.gated import GatedCell, is_tanh, split_gates, tanh_of_sigmoid


class GateActivation:
    r"""Activation of all gates of a table in place, with one sigmoid per run of adjacent gates.

    As :math:`\tanh(x) = 2 \sigma(2x) - 1`, the inputs of tanh gates are doubled and the table holds
    :math:`\sigma(2x)`. The derivative of the gate with respect to :math:`x` is then four times that of the
    sigmoid.

    Parameters
    ----------
    cell : GatedCell
        Cell of the gates.
    names : tuple of str
        Names of the gates, in the order of the columns: ``cell.child_gates``, or the first of
        ``cell.layout.all_gates``.

    Attributes
    ----------
    scale : Tensor of float, shape (n_columns,)
        Factors of the inputs: 2 for tanh gates, 1 for others.
    """

    def __init__(self, cell: GatedCell, names: tuple[str, ...]) -> None:
        self.size = cell.hidden_size
        self.is_tanh = [is_tanh(cell, name) for name in names]
        start = len(cell.gates) * self.size if names == cell.child_gates else 0
        self.scale = cell.gate_scale[start : start + len(names) * self.size]
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

    @cached_property
    def grad_scale(self) -> Tensor:
        """Factors of the gradients with respect to the inputs: 4 for tanh gates, 1 for others."""
        return self.scale**2

    def apply_(self, table: Tensor) -> None:
        """Replace scaled inputs by their sigmoids, in place."""
        for columns in self.sigmoid_columns:
            table[:, columns].sigmoid_()

    def split(self, table: Tensor) -> tuple[Tensor, ...]:
        """Return the activated gates of a table, which may have further columns."""
        pairs = zip(split_gates(table, self.size), self.is_tanh, strict=False)
        return tuple(tanh_of_sigmoid(gate) if flag else gate for gate, flag in pairs)

    def backward_(self, grad: Tensor, table: Tensor) -> None:
        """Multiply gradients with respect to the sigmoids by the sigmoids' derivatives, in place."""
        for columns in self.sigmoid_columns:
            part = grad[:, columns]
            torch.ops.aten.sigmoid_backward.grad_input(part, table[:, columns], grad_input=part)
