"""Recurrent encoder and net, with LSTM, GRU and Elman layers over padded sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_tree.nn.compiled.kernels import find_kernels
from sklearn_tree.nn.dropout import Dropout
from sklearn_tree.nn.embedding import Embedding, Pretrained, make_step_embedding
from sklearn_tree.nn.gru_step import GRUStep, make_step
from sklearn_tree.nn.net import Net
from sklearn_tree.nn.pooling import SequencePooling, layer_norm
from sklearn_tree.nn.sequence_batch import SequenceBatch
from sklearn_tree.nn.walkable import is_hooked

RECURRENT_CELLS: dict[str, Callable[..., nn.Module]] = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}


class RecurrentEncoder(nn.Module):
    """Encoder with recurrent layers, in one or both directions.

    The padding follows the last step, so the forward direction reads it after all real steps. The backward
    direction runs forward over each sequence reversed *within its length*. The result is exactly that of
    packed sequences, in less time.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}
        Recurrent cell.
    input_size : int
        Size of a step's input.
    hidden_size : int
        Size of a step's state in one direction.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Whether each layer runs in both directions.
    dropout : float, default=0.0
        Fraction of features set to zero in training, between layers.
    memory : float, default=None
        Maximum number of steps that the gates of an LSTM or GRU initially remember; each state draws its own
        number (chrono initialization [1]_). None keeps torch's initialization, which forgets within
        a few steps.

    References
    ----------
    .. [1] C. Tallec, Y. Ollivier (2018). Can recurrent neural networks warp time? ICLR.

    Examples
    --------
    >>> import torch
    >>> from sklearn_tree import SequenceVectorizer
    >>> from sklearn_tree.nn import RecurrentEncoder, SequenceBatch
    >>> ids = SequenceVectorizer().fit_transform(["a film", "a very good film"])
    >>> encoder, embedding = RecurrentEncoder("gru", input_size=8, hidden_size=4), torch.nn.Embedding(6, 8)
    >>> both, short = SequenceBatch.from_array(ids), SequenceBatch.from_array(ids[:1])
    >>> states = [encoder.final_states(embedding(batch.labels), batch) for batch in (both, short)]
    >>> torch.allclose(states[0][0], states[1][0], atol=1e-6)  # the padding has no effect
    True
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
        self.dropout = Dropout(dropout)
        make_layer = RECURRENT_CELLS[cell]

        def make_layers() -> nn.ModuleList:
            sizes = [input_size] + [self.output_size] * (n_layers - 1)
            return nn.ModuleList(make_layer(size, hidden_size, batch_first=True) for size in sizes)

        self.forwards = make_layers()
        self.backwards = make_layers() if bidirectional else None
        if memory is not None:
            for layer in [*self.forwards, *(self.backwards or [])]:
                _init_memory(layer, memory)

    def forward(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        """Compute the states of all steps.

        Parameters
        ----------
        x : Tensor of float, shape (n, n_steps, input_size)
            Inputs of the steps.
        batch : SequenceBatch
            Sequences.

        Returns
        -------
        Tensor of float, shape (n, n_steps, output_size)
            States of the steps, arbitrary in the padding.
        """
        return _concat_directions(self._run_layers(x, batch), batch)

    def final_states(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        """Compute the final state of each direction.

        Parameters
        ----------
        x : Tensor of float, shape (n, n_steps, input_size)
            Inputs of the steps.
        batch : SequenceBatch
            Sequences.

        Returns
        -------
        Tensor of float, shape (n, output_size)
            Zero for an empty sequence.
        """
        states = self._run_layers(x, batch)
        if batch.is_full:
            return torch.cat([state[:, -1] for state in states], dim=1)
        first = torch.arange(x.shape[0], device=x.device) * batch.n_steps
        last = first + (batch.lengths - 1).clamp(min=0)
        final = torch.cat([state.flatten(0, 1).index_select(0, last) for state in states], dim=1)
        return final.masked_fill(batch.lengths.unsqueeze(1) == 0, 0.0)

    def encode_words(
        self, vectors: Tensor, rows: Tensor, batch: SequenceBatch, functions: Any, *, take_last: bool
    ) -> Tensor:
        """Compute states from the vectors of distinct words, with compiled passes.

        Parameters
        ----------
        vectors : Tensor of float32, shape (n_words, input_size)
            Vectors.
        rows : Tensor of int64, shape (n, n_steps)
            Row of ``vectors`` for each step.
        batch : SequenceBatch
            Sequences in main memory, of which at least one has two steps.
        functions : module
            Compiled passes of the layers' cell.
        take_last : bool
            Whether to return the result of :meth:`final_states` instead of that of :meth:`forward`.

        Returns
        -------
        Tensor of float32, shape (n, output_size) or (n, n_steps, output_size)
        """
        from sklearn_tree.nn.compiled.chains import run_layer

        lengths, n_rows = batch.lengths.numpy(), rows.numpy()
        for i, forwards in enumerate(self.forwards):
            take = take_last and i == len(self.forwards) - 1
            layers = [forwards] if self.backwards is None else [forwards, self.backwards[i]]
            states = [
                run_layer(layer, functions, vectors, n_rows, lengths, is_reversed=k > 0, take_last=take)
                for k, layer in enumerate(layers)
            ]
            h = torch.cat(states, dim=-1)
            if not take:
                vectors = self.dropout(h).flatten(0, 1)
                n_rows = np.arange(len(vectors)).reshape(rows.shape)
        return h.masked_fill(batch.lengths.unsqueeze(1) == 0, 0.0) if take_last else h

    def _run_layers(self, x: Tensor, batch: SequenceBatch) -> list[Tensor]:
        """Return the states of the last layer for each direction, in the direction's own order of steps."""
        states: list[Tensor] = []
        for i, layer in enumerate(self.forwards):
            x = self.dropout(_concat_directions(states, batch)) if i else x
            states = [layer(x)[0]]
            if self.backwards is not None:
                states.append(self.backwards[i](reverse_steps(x, batch))[0])
        return states


def _concat_directions(states: list[Tensor], batch: SequenceBatch) -> Tensor:
    forwards, *backwards = states
    return torch.cat([forwards, *(reverse_steps(state, batch) for state in backwards)], dim=2)


def _init_memory(layer: Any, memory: float) -> None:
    """Set the biases of a layer's gates so that its states initially last 1 to ``memory`` steps."""
    with torch.no_grad():
        gates = layer.bias_ih_l0.view(-1, layer.hidden_size)
        bias = torch.log(1 + torch.rand(layer.hidden_size) * max(memory - 2, 0))  # equation 16
        if isinstance(layer, nn.LSTM):  # torch's order of gates: i, f, g, o
            gates[0], gates[1] = -bias, bias
        elif isinstance(layer, nn.GRU):  # r, z, n; z keeps the previous state
            gates[1] = bias


def reverse_steps(x: Tensor, batch: SequenceBatch) -> Tensor:
    """Reverse each sequence within its length.

    Parameters
    ----------
    x : Tensor of float, shape (n, n_steps, size)
        Vectors of the steps.
    batch : SequenceBatch
        Sequences.

    Returns
    -------
    Tensor of float, shape (n, n_steps, size)
    """
    if batch.is_full:
        return x.flip(1)
    steps = torch.arange(batch.n_steps, device=x.device)
    mirrored = batch.lengths.unsqueeze(1) - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    index += torch.arange(x.shape[0], device=x.device).unsqueeze(1) * batch.n_steps
    return _PermuteRows.apply(x.flatten(0, 1), index.flatten()).view(x.shape)


class _PermuteRows(torch.autograd.Function):
    """Rows in an order that is its own inverse, so that the backward pass is a gather, not a sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        return x.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        return _PermuteRows.apply(grad, index), None


class RecurrentNet(Net):
    """Net for sequences: embedding, recurrent encoder, pooling and a linear head.

    Parameters
    ----------
    n_outputs : int
        Number of outputs per sequence.
    n_labels : int, default=0
        Number of token ids; 0 for series.
    n_channels : int, default=0
        Number of channels of series; 0 for tokens.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Recurrent cell.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Whether each layer runs in both directions.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        Pooling of the states of a sequence's steps; "last" takes the final state of each direction.
    hidden_size : int, default=64
        Size of a step's state in one direction.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Fraction of features set to zero in training, at the input, between layers and before the head.
    word_dropout : float, default=0.0
        Fraction of tokens replaced by "unknown" in training.
    memory : float, default=None
        Number of steps over which states initially last, see :class:`RecurrentEncoder`.
    value_shift, value_scale : sequence of float, default=None
        Mean and standard deviation of each channel, or of each id for tokens with values.
    pretrained : callable, default=None
        Returns ids and their initial vectors, see :meth:`Embedding.load`.
    freeze_embeddings : bool, default=False
        Whether training leaves a table with pretrained vectors unchanged.
    linear_path : bool, default=False
        Whether a :class:`LinearPath`, fitted separately, adds its logits; for tokens only.
    dtype : torch.dtype, default=torch.float32
        Dtype of all parameters.

    Attributes
    ----------
    is_compiled : bool
        Whether compiled walks compute the layers of texts without dropout at the input, where possible.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree.nn import RecurrentNet, SequenceBatch
    >>> series = np.sin(np.arange(40.0)).reshape(2, 10, 2)  # two series of ten steps and two channels
    >>> net = RecurrentNet(n_outputs=3, n_channels=2, value_shift=[0.0, 0.0], value_scale=[1.0, 1.0])
    >>> batch = SequenceBatch.from_array(series)
    >>> net(batch).shape, net.encode(batch).shape
    (torch.Size([2, 3]), torch.Size([2, 128]))
    """

    embedding: Any
    encoder: RecurrentEncoder
    pool: SequencePooling | None
    is_compiled: bool = False

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
        pretrained: Pretrained | None = None,
        freeze_embeddings: bool = False,
        linear_path: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        embedding = make_step_embedding(
            n_labels,
            embedding_dim,
            value_shift=value_shift,
            value_scale=value_scale,
            dropout=dropout,
            word_dropout=word_dropout,
        )
        encoder = RecurrentEncoder(
            cell,
            embedding_dim if n_labels else n_channels,
            hidden_size,
            n_layers=n_layers,
            bidirectional=bidirectional,
            dropout=dropout,
            memory=memory,
        )
        size = encoder.output_size
        pool = None if pooling == "last" else SequencePooling(pooling, size)
        super().__init__(embedding, encoder, pool, dropout)
        self.norm = layer_norm(size)
        self.head = nn.Linear(size, n_outputs)
        self._load_vectors(pretrained, freeze_embeddings)
        if linear_path:
            self._add_linear_path(n_labels)
        self.to(dtype)

    @property
    def compiled_cells(self) -> list[GRUStep]:
        """Cell of the layers if compiled walks can compute them in training, otherwise empty."""
        first: Any = self.encoder.forwards[0]
        reads_words = type(self.embedding) is Embedding and self.embedding.values is None
        if type(first) is not nn.GRU or not reads_words or self.embedding.dropout.p:
            return []
        return [make_step(first.input_size, first.hidden_size)]

    def encode(self, batch: SequenceBatch) -> Tensor:
        """Compute one vector per sequence, Tensor of float, shape (n, output_size)."""
        functions = self._find_kernels(batch) if self.is_compiled else None
        words = None if functions is None else self.embedding.words(batch)
        if words is None:
            return super().encode(batch)
        vectors, rows = words
        take_last = self.pool is None
        h = self.encoder.encode_words(vectors, rows, batch, functions, take_last=take_last)
        return self.norm(h if self.pool is None else self.pool(h, batch.ends))

    def _find_kernels(self, batch: SequenceBatch) -> Any:
        """Return the compiled passes of the layers' cell, if they can compute a batch."""
        cells, weight = self.compiled_cells, self.head.weight
        parts = (*self.embedding.modules(), *self.encoder.modules())
        if not cells or batch.lengths.device.type != "cpu" or any(map(is_hooked, parts)):
            return None
        return find_kernels(cells[0], weight.detach()) if bool((batch.lengths > 1).any()) else None

    def encode_embedded(self, x: Tensor, batch: SequenceBatch) -> Tensor:
        """Compute one vector per sequence from embedded inputs, Tensor of float, shape (n, output_size)."""
        if self.pool is None:
            return self.norm(self.encoder.final_states(x, batch))
        return self.norm(self.pool(self.encoder(x, batch), batch.ends))
