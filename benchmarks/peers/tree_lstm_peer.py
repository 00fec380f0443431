"""Child-Sum Tree-LSTM of pytorch-tree-lstm; run by ``client.Peer``."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch_worker import Layers, TorchNet, fill
from treelstm import TreeLSTM, batch_tree_input, calculate_evaluation_orders
from worker import Task, Tree, serve


class TreeLSTMLayers(nn.Module):
    """Embedding, the Tree-LSTM of pytorch-tree-lstm, and head."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        layers = Layers(weights)
        self.embedding, self.head = layers.embedding, layers.head
        n_inputs, size = weights["embedding"].shape[1], layers.size
        self.encoder = TreeLSTM(n_inputs, size)
        fill(self.encoder.W_iou, weights["W"][: 3 * size], weights["b"][: 3 * size])
        fill(self.encoder.W_f, weights["W"][3 * size :], weights["b"][3 * size :])
        fill(self.encoder.U_iou, weights["U"])
        fill(self.encoder.U_f, weights["U_k"])


class TreeLSTMNet(TorchNet):
    """Net that joins the trees of a batch with ``batch_tree_input``."""

    def __init__(self, task: Task, n_threads: int) -> None:
        super().__init__(task, n_threads)
        self.inputs = [
            describe(tree) for tree in task.trees
        ]  # computed once, as its documentation recommends

    def build(self) -> TreeLSTMLayers:
        return TreeLSTMLayers(self.task.weights)

    def forward(self, start: int, stop: int) -> Tensor:
        batch = batch_tree_input(self.inputs[start:stop])
        h, _ = self.module.encoder(
            self.module.embedding(batch["features"]),
            batch["node_order"],
            batch["adjacency_list"],
            batch["edge_order"],
        )
        sizes = torch.tensor([0, *batch["tree_sizes"][:-1]])
        return self.module.head(h[sizes.cumsum(0)])


def describe(tree: Tree) -> dict[str, Tensor]:
    """Return the input of pytorch-tree-lstm for a tree, with labels as features."""
    # Sorted by parent: consecutive edges with equal parents are read as the children of one node.
    edges = [(node, child) for node, below in enumerate(tree.children) for child in below]
    node_order, edge_order = calculate_evaluation_orders(edges, len(tree.labels))
    return {
        "features": torch.tensor(tree.labels),
        "node_order": torch.from_numpy(node_order),
        "adjacency_list": torch.tensor(edges),
        "edge_order": torch.from_numpy(edge_order),
    }


if __name__ == "__main__":
    serve(TreeLSTMNet)
