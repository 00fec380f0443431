"""Recurrent nets: LSTM, GRU and Elman layers over padded sequences, without a trace of the padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn.embedding import step_inputs
from sklearn_tree.nn.pooling import SequencePooling, layer_norm
from sklearn_tree.nn.sequence_batch import SequenceBatch

RECURRENT_CELLS: dict[str, Callable[..., nn.Module]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class RecurrentEncoder(nn.Module):
    """Recurrent layers, in one or both directions.

    The padding stands behind the end, so the forward direction never reads it before a real
    step; the backward direction runs forward over each sequence reversed *within its length*.
    That is exact, and faster than packed sequences.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
        The recurrent cell.
    input_size : int
        Size of a step's input.
    hidden_size : int
        Size of a step's state in one direction.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Whether each layer reads both directions.
    dropout : float, default=0.0
        Share of features dropped between layers.
    memory : float, default=None
        Number of steps over which the gates of an LSTM or GRU begin to remember, each state for
        a time of its own up to this (chrono initialisation [1]_); None leaves torch's, which
        forget within a few steps.

    References
    ----------
    .. [1] C. Tallec, Y. Ollivier (2018). Can recurrent neural networks warp time? ICLR.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        n_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        memory: float | None = None,
    ) -> None:
        super().__init__()
        directions = 2 if bidirectional else 1
        self.output_size = directions * hidden_size
        self.dropout = nn.Dropout(dropout)
        make = RECURRENT_CELLS[cell]

        def direction() -> nn.ModuleList:
            sizes = [input_size] + [self.output_size] * (n_layers - 1)
            return nn.ModuleList(make(size, hidden_size, batch_first=True) for size in sizes)

        self.forwards = direction()
        self.backwards = direction() if bidirectional else None
        if memory is not None:
            for layer in [*self.forwards, *(self.backwards or [])]:
                _remember(layer, memory)

    def forward(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        """Run all layers.

        Parameters
        ----------
        x : Tensor of float, shape (n, n_steps, input_size)
            Inputs of the steps.
        batch : SequenceBatch
            The sequences.

        Returns
        -------
        Tensor of float, shape (n, n_steps, output_size)
            States of the steps, arbitrary behind the end.
        """
        return _side_by_side(self._last_layer(x, batch), batch)

    def ends(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        """Run all layers; as :meth:`forward` otherwise.

        Returns
        -------
        Tensor of float, shape (n, output_size)
            The states in which the directions end; zero for an empty sequence.
        """
        states = self._last_layer(x, batch)
        if batch.is_full:
            return torch.cat([state[:, -1] for state in states], dim=1)
        first = torch.arange(len(batch), device=x.device) * batch.n_steps
        last = first + (batch.lengths - 1).clamp(min=0)
        ends = torch.cat([state.flatten(0, 1).index_select(0, last) for state in states], dim=1)
        return ends.masked_fill(batch.lengths.unsqueeze(1) == 0, 0.0)

    def _last_layer(self, x: Tensor, batch: SequenceBatch) -> list[Tensor]:
        """Return the states of the last layer in each direction, each in its own order."""
        states: list[Tensor] = []
        for i, layer in enumerate(self.forwards):
            x = self.dropout(_side_by_side(states, batch)) if i else x
            states = [layer(x)[0]]
            if self.backwards is not None:
                states.append(self.backwards[i](reversed_in(batch, x))[0])
        return states


def _side_by_side(states: list[Tensor], batch: SequenceBatch) -> Tensor:
    forwards, *backwards = states
    return torch.cat([forwards, *(reversed_in(batch, state) for state in backwards)], dim=2)


def _remember(layer: Any, memory: float) -> None:
    """Set the biases of a layer's gates so that its states last 1 to ``memory`` steps at first."""
    with torch.no_grad():
        gates = layer.bias_ih_l0.view(-1, layer.hidden_size)
        last = torch.log(1 + torch.rand(layer.hidden_size) * max(memory - 2, 0))  # equation 16
        if isinstance(layer, nn.LSTM):  # torch's order of gates: i, f, g, o
            gates[0], gates[1] = -last, last
        elif isinstance(layer, nn.GRU):  # r, z, n; z keeps the old state
            gates[1] = last


def reversed_in(batch: SequenceBatch, x: Tensor) -> Tensor:
    """Reverse each sequence of vectors, shape (n, n_steps, size), within its length."""
    if batch.is_full:
        return x.flip(1)
    steps = torch.arange(batch.n_steps, device=x.device)
    mirrored = batch.lengths.unsqueeze(1) - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    index += torch.arange(len(batch), device=x.device).unsqueeze(1) * batch.n_steps
    return _Swap.apply(x.flatten(0, 1), index.flatten()).view(x.shape)


class _Swap(torch.autograd.Function):
    """The rows of a table in an order that is its own inverse, so its gradient is no sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return _Swap.apply(grad, index), None


class RecurrentNet(nn.Module):
    """Embedding, recurrent encoder, pooling and a linear head: from sequences to logits.

    Parameters
    ----------
    n_outputs : int
        Number of outputs per sequence.
    n_labels : int, default=0
        Number of token ids; 0 for sequences of numbers.
    n_channels : int, default=0
        Number of channels of sequences of numbers; 0 for tokens.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        The recurrent cell.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Whether each layer reads both directions.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the states of a sequence's steps become one vector: "last" takes where each direction ends.
    hidden_size : int, default=64
        Size of a step's state in one direction.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Share of features dropped at the input, between layers and before the head.
    word_dropout : float, default=0.0
        Share of tokens replaced by "unknown" in training.
    memory : float, default=None
        Number of steps over which states last at first (see :class:`RecurrentEncoder`).
    value_shift, value_scale : sequence of float, default=None
        Mean and standard deviation of each channel, or of each id for tokens with numbers.
    dtype : torch.dtype, default=torch.float32
        Type of all parameters.
    """

    def __init__(
        self,
        n_outputs: int,
        *,
        n_labels: int = 0,
        n_channels: int = 0,
        cell: str = "lstm",
        n_layers: int = 1,
        bidirectional: bool = True,
        pooling: str = "last",
        hidden_size: int = 64,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        memory: float | None = None,
        value_shift: Sequence[float] | None = None,
        value_scale: Sequence[float] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.embedding = step_inputs(
            n_labels,
            embedding_dim,
            value_shift=value_shift,
            value_scale=value_scale,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        self.encoder = RecurrentEncoder(
            cell,
            embedding_dim if n_labels else n_channels,
            hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            memory=memory,
        )
        self.pool = None if pooling == "last" else SequencePooling(pooling, self.encoder.output_size)
        self.norm = layer_norm(self.encoder.output_size)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.output_size, n_outputs)
        self.to(dtype)

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Compute the outputs of a batch.

        Parameters
        ----------
        batch : SequenceBatch
            The sequences.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.head(self.dropout(self.encode(batch)))

    def forward_embedded(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        """Compute the outputs from what the embedding makes of a batch.

        Parameters
        ----------
        x : Tensor of float, shape (n, n_steps, embedding_dim or n_channels)
            Inputs of the steps.
        batch : SequenceBatch
            The sequences.

        Returns
        -------
        Tensor of float, shape (n, n_outputs)
        """
        return self.head(self.dropout(self._encoded(x, batch)))

    def encode(self, batch: SequenceBatch) -> Tensor:
        """Return one vector per sequence, float, shape (n, output_size)."""
        return self._encoded(self.embedding(batch).to(self.head.weight.dtype), batch)

    def _encoded(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        if self.pool is None:
            return self.norm(self.encoder.ends(x, batch))
        return self.norm(self.pool(self.encoder(x, batch), batch.ends))
