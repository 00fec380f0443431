"""Graphs, a kind of samples that the package does not have."""

from typing import Any, NamedTuple

import numpy as np
import torch
from kinds.graphs.net import GraphBatch

from sklearn_tree.kinds import Kind
from sklearn_tree.kinds.base import to_tensor
from sklearn_tree.kinds.statistics import channel_statistics
from sklearn_tree.trees.flat import FlatArray


class Graph(NamedTuple):
    """Undirected graph: features of the nodes, float, shape (n_nodes, n_channels), and pairs of nodes."""

    features: np.ndarray
    edges: list


class GraphArray(FlatArray):
    """Graphs in flat storage: features and neighbours of all nodes, padded with -1, and offsets."""

    _columns = ("features", "neighbours")
    _noun = "graph"

    def __init__(self, features: Any, neighbours: Any, offsets: Any) -> None:
        self._set(features=features, neighbours=neighbours, offsets=offsets)

    def replace(self, **fields: Any) -> "GraphArray":
        return GraphArray(**{**vars(self), **fields})

    def _item(self, i: int) -> np.ndarray:
        return self.features[self.offsets[i] : self.offsets[i + 1]]


class Graphs(Kind):
    """Lists of graphs."""

    name = "graphs"
    container = GraphArray

    @classmethod
    def recognizes(cls, X):
        return isinstance(X, GraphArray) or (
            isinstance(X, (list, np.ndarray)) and all(isinstance(g, Graph) for g in X)
        )

    def fit(self, X):
        graphs = read_graphs(X)
        self.n_channels_in_ = graphs.features.shape[1]
        return graphs

    def encode(self, X):
        graphs = read_graphs(X)
        if graphs.features.shape[1] != self.n_channels_in_:
            raise ValueError(
                f"graphs must have {self.n_channels_in_} channels, got {graphs.features.shape[1]}"
            )
        return graphs

    def module_params(self, encoded, sample_weight):
        shift, scale = channel_statistics(encoded.features, sample_weight, encoded.sizes)
        return {"value_shift": shift, "value_scale": scale}

    def dtype(self, encoded):
        return torch.float32

    def batch(self, encoded, rows):
        part = encoded[np.asarray(rows)]
        features, neighbours = (torch.as_tensor(c) for c in (part.features, part.neighbours))
        return GraphBatch.from_nodes(features, neighbours, torch.as_tensor(part.sizes))

    def n_positions(self, encoded):
        return encoded.sizes

    def cost(self, encoded):
        return encoded.sizes

    def n_bytes(self, encoded):
        return encoded.features.nbytes + encoded.neighbours.nbytes

    @classmethod
    def to(cls, encoded, device, dtype=None):
        columns = {name: to_tensor(getattr(encoded, name), device, dtype) for name in encoded._columns}
        return encoded.replace(**columns)

    @classmethod
    def to_host(cls, encoded):
        return encoded.replace(**{name: np.asarray(getattr(encoded, name)) for name in encoded._columns})

    def to_state(self):
        return {"n_channels": self.n_channels_in_}

    @classmethod
    def from_state(cls, state, reader="estimator"):
        kind = cls(reader)
        kind.n_channels_in_ = state["n_channels"]
        return kind


def read_graphs(X: Any) -> GraphArray:
    if isinstance(X, GraphArray):
        return X
    width = max((len(edges) for _, edges in X), default=0) + 1
    features, neighbours = [], []
    for nodes, edges in X:
        lists: list = [[] for _ in nodes]
        for a, b in edges:
            lists[a].append(b)
            lists[b].append(a)
        features.append(np.asarray(nodes, dtype=float))
        neighbours += [(near + [-1] * width)[:width] for near in lists]
    offsets = np.r_[0, np.cumsum([len(part) for part in features])]
    return GraphArray(np.concatenate(features), np.array(neighbours), offsets)
