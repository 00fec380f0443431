"""Cells as users might write them."""

import torch

from sklearn_tree.nn import CELLS, GatedCell, TreeCell


class SoftSumCell(GatedCell):
    """Children vote with a gate, and the node adds its own gates."""

    x_gates = ("u", "g")
    h_gates = ("g", "k")
    child_gates = ("v", "w")
    tanh_gates = ("u", "w")
    linear_gates = ("k",)
    n_messages = 2
    is_pure = True

    def message(self, gates, states):
        v, w = gates
        return v, v * (states[0] + torch.sin(w))

    def update(self, gates, messages):
        u, g, k = gates
        total, votes = messages
        return (u * g + votes / (1 + total + k * k),)


class ClippedLSTM(CELLS["nary_lstm"]):
    """Override of ``update``, for which the inherited ``update_backward`` is wrong."""

    is_pure = True

    def update(self, gates, messages):
        h, c, _ = super().update(gates, messages)
        return h.sin(), c.clamp(-0.3, 0.3)


class WaveMixin:
    """Mixin that is not a cell and has no derivatives."""

    def update(self, gates, messages):
        i, o, u = gates
        c = messages[0] + i * u
        return o * torch.sin(c), c

    def message(self, gates, states):
        return (gates[0] * states[1] * states[0],)


class WaveLSTM(WaveMixin, CELLS["child_sum_lstm"]):
    """Child-Sum LSTM with the functions of a mixin."""

    is_pure = True


class TwoGates(CELLS["child_sum_lstm"]):
    """One gate more than the inherited derivatives expect; ``u`` is linear although its base has a tanh."""

    child_gates = ("f", "q")
    linear_gates = ("u",)


class Positions(CELLS["nary_lstm"]):
    """Messages that depend on the place through a buffer."""

    is_pure = True

    def __init__(self, *args):
        super().__init__(*args)
        self.register_buffer("position", torch.arange(1.0, self.max_arity + 1).unsqueeze(1))

    def message(self, gates, states):
        return (gates[0] * states[1] * self.position.to(states[1]),)


class PlacedCell(GatedCell):
    """Child gates of all activations for each place, between gates without children."""

    x_gates = ("a", "b")
    h_gates = ("b", "c")
    child_gates = ("s", "t")
    tanh_gates = ("t", "b")
    linear_gates = ("a",)
    n_states = 2
    is_placed = True
    is_pure = True

    def message(self, gates, states):
        s, t = gates
        return (s * states[1] + t * states[0].softmax(-1),)

    def update(self, gates, messages):
        a, b, c = gates
        return b * c + messages[0], a.cos() * messages[0]


class AcrossUnits(SoftSumCell):
    """Functions that mix the units of a state."""

    is_pure = True

    def message(self, gates, states):
        return super().message(gates, (states[0].flip(-1),))

    def update(self, gates, messages):
        return (super().update(gates, messages)[0].softmax(dim=-1).cumsum(-1),)


class CountingCell(GatedCell):
    """One of the messages is a constant, which counts the children."""

    x_gates = ("u",)
    h_gates = ("u",)
    n_messages = 2
    is_pure = True

    def message(self, gates, states):
        return states[0], torch.ones_like(states[0])

    def update(self, gates, messages):
        total, n = messages
        return (torch.tanh(gates[0]) + total / (1 + n),)


class Elementwise(GatedCell):
    """Functions of all operators that can be compiled."""

    x_gates = ("a", "b")
    h_gates = ("b", "c")
    child_gates = ("s", "t")
    tanh_gates = ("t", "b")
    linear_gates = ("a",)
    n_states = 2
    is_pure = True

    def message(self, gates, states):
        s, t = gates
        h = torch.nn.functional.leaky_relu(states[0]) + 1e-3
        return (s * states[1] + torch.relu(t) * torch.exp(-h.abs()),)

    def update(self, gates, messages):
        a, b, c = gates
        h = torch.maximum(b * c, a.tanh()) + messages[0] / (1 + b**2)
        return torch.where(h > 0.9, h, h.clamp(min=-0.5)), torch.sqrt(1 + c) - torch.minimum(h, c)


class PlainCell(TreeCell):
    """Cell without gates, whose children are weighted by their position."""

    def __init__(self, input_size, hidden_size, max_arity=2):
        super().__init__(input_size, hidden_size, max_arity)
        self.inner = torch.nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, wx, children):
        total = wx.new_zeros(len(wx), self.hidden_size)
        if children is not None:
            weighted = children.states[0] * (1 + children.ranks.unsqueeze(1))
            total = total.index_add(0, children.parents, weighted)
        return (torch.tanh(self.inner(torch.cat([wx, total], dim=1))),)


GATED_CELLS = {
    **{name: cell for name, cell in sorted(CELLS.items()) if issubclass(cell, GatedCell)},
    "soft_sum": SoftSumCell,
    "clipped_lstm": ClippedLSTM,
    "placed": PlacedCell,
    "across_units": AcrossUnits,
    "mixin": WaveLSTM,
    "two_gates": TwoGates,
    "positions": Positions,
    "counting": CountingCell,
    "elementwise": Elementwise,
}

# Cells whose functions consist of operators that can be compiled.
ELEMENTWISE_CELLS = [
    "child_sum_gru",
    "child_sum_lstm",
    "clipped_lstm",
    "counting",
    "elementwise",
    "mixin",
    "nary_gru",
    "nary_lstm",
    "rnn",
    "soft_sum",
    "two_gates",
]
