"""Batches of graphs and a graph convolutional net (Kipf and Welling, 2017)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sklearn_tree.nn import Net, SequencePooling, StepValues
from sklearn_tree.nn.tensors import move_to


@dataclass(frozen=True)
class GraphBatch:
    """Graphs padded to the largest: values (n, n_nodes, n_channels), adjacency (n, n_nodes, n_nodes), lengths."""

    values: Tensor
    adjacency: Tensor
    lengths: Tensor
    sample_weight: Tensor | None = None

    @classmethod
    def from_nodes(cls, features, neighbours, lengths):
        n, size = len(lengths), int(lengths.max())
        values = features.new_zeros(n, size, features.shape[1])
        adjacency = torch.zeros(n, size, size, device=features.device)
        for i, (nodes, near) in enumerate(
            zip(features.split(lengths.tolist()), neighbours.split(lengths.tolist()))
        ):
            values[i, : len(nodes)] = nodes
            rows, columns = (near >= 0).nonzero(as_tuple=True)
            adjacency[i, rows, near[rows, columns]] = 1.0
        return cls(values, adjacency + torch.eye(size, device=features.device), lengths)

    def __len__(self):
        return len(self.lengths)

    def to(self, device):
        return move_to(self, device)


class GraphNet(Net):
    """Two graph convolutions, mean pooling and a linear head."""

    def __init__(self, n_outputs, *, value_shift, value_scale, hidden_size, dropout, dtype, **unused):
        layers = nn.ModuleList(
            [nn.Linear(len(value_shift), hidden_size), nn.Linear(hidden_size, hidden_size)]
        )
        embedding, pool = StepValues(value_shift, value_scale), SequencePooling("mean", hidden_size)
        super().__init__(embedding, layers, pool, dropout)
        self.head = nn.Linear(hidden_size, n_outputs)
        self.to(dtype)

    def encode_embedded(self, x, batch):
        adjacency = batch.adjacency.to(x)
        adjacency = adjacency / adjacency.sum(2, keepdim=True)
        for layer in self.encoder:
            x = layer(adjacency @ x).relu()
        return self.pool(x, batch.lengths)
