"""Plain PyTorch versions of the nets of the flat benchmark: padded input, torch's layers, no mask.

They have the same parameters as the nets of this package, so that weights can be copied, and give equal
results on sequences of full length.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_tree.nn import ConvolutionalNet, RecurrentNet


class PlainRNN(nn.Module):
    """Embedding, one bidirectional layer, last states of both directions, and head.

    Parameters
    ----------
    net : RecurrentNet
        Net whose sizes and weights are copied.
    """

    def __init__(self, net: RecurrentNet) -> None:
        super().__init__()
        table, layer = net.embedding.labels, net.encoder.forwards[0]
        self.embedding = nn.Embedding(*table.weight.shape, padding_idx=0)
        self.rnn = type(layer)(layer.input_size, layer.hidden_size, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(2 * layer.hidden_size)
        self.head = nn.Linear(net.head.in_features, net.head.out_features)
        with torch.no_grad():
            self.embedding.weight.copy_(table.weight)
            for ending, one in (("", layer), ("_reverse", net.encoder.backwards[0])):
                for name, weight in one.named_parameters():
                    getattr(self.rnn, name + ending).copy_(weight)
        self.norm.load_state_dict(net.norm.state_dict())
        self.head.load_state_dict(net.head.state_dict())

    def forward(self, X: Tensor) -> Tensor:
        """Compute the logits of padded ids, shape (n, n_steps)."""
        state = self.rnn(self.embedding(X))[1]
        h = state[0] if isinstance(state, tuple) else state
        return self.head(self.norm(torch.cat([h[0], h[1]], dim=1)))


class PlainCNN(nn.Module):
    """Convolutional blocks of several widths, max pooling, a hidden layer and head.

    Parameters
    ----------
    net : ConvolutionalNet
        Net whose sizes and weights are copied.
    """

    def __init__(self, net: ConvolutionalNet) -> None:
        super().__init__()
        encoder = net.encoder
        self.is_image = encoder.is_image
        table = getattr(net.embedding, "labels", None)
        self.embedding = None if table is None else nn.Embedding(*table.weight.shape, padding_idx=0)
        self.blocks = nn.ModuleList(
            nn.ModuleList(self._convolution(conv) for conv in block.convolutions)
            for block in encoder.convolutions
        )
        self.norms = nn.ModuleList(nn.LayerNorm(encoder.output_size) for _ in encoder.norms)
        self.narrow = nn.ModuleList(
            self._convolution(nn.Conv2d(layer.in_features, layer.out_features, 1)) for layer in encoder.narrow
        )
        self.norm = nn.LayerNorm(encoder.output_size)
        self.hidden = nn.Linear(net.hidden.in_features, net.hidden.out_features)
        self.head = nn.Linear(net.head.in_features, net.head.out_features)
        self._copy_weights(net)

    def _convolution(self, conv: nn.Conv2d) -> nn.Module:
        if self.is_image:
            return nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, padding="same")
        width = conv.kernel_size[1]
        return nn.Conv1d(conv.in_channels, conv.out_channels, width, padding="same")

    def _copy_weights(self, net: ConvolutionalNet) -> None:
        theirs = [c for block in net.encoder.convolutions for c in block.convolutions] + list(
            net.encoder.narrow
        )
        ours = [c for block in self.blocks for c in block] + list(self.narrow)
        with torch.no_grad():
            if self.embedding is not None:
                self.embedding.weight.copy_(net.embedding.labels.weight)
            for mine, other in zip(ours, theirs, strict=True):
                mine.weight.copy_(other.weight.view(mine.weight.shape))
                mine.bias.copy_(other.bias)
        for name in ("norm", "hidden", "head"):
            getattr(self, name).load_state_dict(getattr(net, name).state_dict())
        self.norms.load_state_dict(net.encoder.norms.state_dict())

    def forward(self, X: Tensor) -> Tensor:
        """Compute the logits of padded ids (n, n_steps), or of series or images (n, channels, ...)."""
        x = X if self.embedding is None else self.embedding(X).transpose(1, 2)
        h = torch.cat([conv(x) for conv in self.blocks[0]], dim=1)
        for block, norm, narrow in zip(self.blocks[1:], self.norms, self.narrow, strict=True):
            if self.is_image:
                h = nn.functional.max_pool2d(h, 2, ceil_mode=True)
            x = narrow(torch.relu(norm(h.movedim(1, -1)).movedim(-1, 1)))
            h = h + torch.cat([conv(x) for conv in block], dim=1)
        pooled = torch.relu(h).flatten(2).max(dim=2).values
        return self.head(torch.relu(self.hidden(self.norm(pooled))))


def make_plain(net: Any) -> nn.Module:
    """Return the plain version of a net of this package, with the same weights."""
    return PlainRNN(net) if isinstance(net, RecurrentNet) else PlainCNN(net)
