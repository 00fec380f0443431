"""Tree-LSTMs in DGL with its built-in message functions, level by level; run by ``client.Peer``."""

from __future__ import annotations

import os
import sys
from types import ModuleType

# The binaries of graphbolt require an older torch; trees do not need them.
sys.modules["dgl.graphbolt"] = ModuleType("dgl.graphbolt")
os.environ["DGLBACKEND"] = "pytorch"

import dgl  # noqa: E402 - after the preparation above
import dgl.function as fn  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch_worker import Layers, TorchNet  # noqa: E402
from worker import Task, Tree, serve  # noqa: E402


class DGLNet(TorchNet):
    """Net that joins the graphs of a batch and computes the leaves, then level by level."""

    def __init__(self, task: Task, n_threads: int) -> None:
        super().__init__(task, n_threads)
        self.is_binary = task.cell == "nary_lstm"
        self.graphs = [self.graph(tree) for tree in task.trees]

    def build(self) -> Layers:
        return Layers(self.task.weights)

    def graph(self, tree: Tree) -> dgl.DGLGraph:
        """Return the graph of a tree, with edges from child to parent."""
        edges = [
            (child, node, k) for node, below in enumerate(tree.children) for k, child in enumerate(below)
        ]
        children, parents, ranks = torch.tensor(edges).T
        graph = dgl.graph((children, parents), num_nodes=len(tree.labels))
        graph.ndata["label"] = torch.tensor(tree.labels)
        graph.ndata["is_root"] = torch.arange(len(tree.labels)) == 0
        if self.is_binary:  # mask that puts a child's state in its place and zeros in the other
            graph.edata["place"] = nn.functional.one_hot(ranks, 2).float().unsqueeze(2)
        return graph

    def forward(self, start: int, stop: int) -> Tensor:
        graph = dgl.batch(self.graphs[start:stop])
        leaves, *levels = dgl.topological_nodes_generator(graph)
        if self.is_binary:
            self.walk_binary(graph, leaves, levels)
        else:
            self.walk_sum(graph, leaves, levels)
        roots = graph.ndata["state"][graph.ndata["is_root"]].flatten(1)
        return self.module.head(roots[:, : self.module.size])

    def walk_binary(self, graph: dgl.DGLGraph, leaves: Tensor, levels: list[Tensor]) -> None:
        layers, size = self.module, self.module.size
        b_iou, b_f = layers.W.bias.split((3 * size, size))

        def update(nodes: dgl.udf.NodeBatch) -> dict[str, Tensor]:
            h, c = nodes.data["below"].split(size, 2)
            iou, f = layers.U(h.flatten(1)).split((3 * size, 2 * size), 1)
            f = torch.sigmoid(f.view_as(c) + b_f)
            return {"state": state(iou + b_iou, (f * c).sum(1)).unsqueeze(1)}

        wx = layers.W(layers.embedding(graph.ndata["label"][leaves]))
        begin(graph, leaves, state(wx[:, : 3 * size]).unsqueeze(1))
        graph.prop_nodes(levels, fn.u_mul_e("state", "place", "to"), fn.sum("to", "below"), update)

    def walk_sum(self, graph: dgl.DGLGraph, leaves: Tensor, levels: list[Tensor]) -> None:
        layers, size = self.module, self.module.size

        def send(edges: dgl.udf.EdgeBatch) -> dict[str, Tensor]:
            h, c = edges.src["state"].split(size, 1)
            f = torch.sigmoid(edges.dst["f"] + layers.U_k(h))
            return {"to": torch.cat((h, f * c), 1)}

        def update(nodes: dgl.udf.NodeBatch) -> dict[str, Tensor]:
            h, past = nodes.data["below"].split(size, 1)
            return {"state": state(nodes.data["iou"] + layers.U(h), past)}

        wx = layers.W(layers.embedding(graph.ndata["label"]))
        graph.ndata["iou"], graph.ndata["f"] = wx.split((3 * size, size), 1)
        begin(graph, leaves, state(graph.ndata["iou"][leaves]))
        graph.prop_nodes(levels, send, fn.sum("to", "below"), update)


def begin(graph: dgl.DGLGraph, leaves: Tensor, states: Tensor) -> None:
    """Store the states of the leaves in the graph."""
    zeros = states.new_zeros(graph.num_nodes(), *states.shape[1:])
    graph.ndata["state"] = zeros.index_copy(0, leaves, states)


def state(iou: Tensor, past: Tensor | float = 0.0) -> Tensor:
    """Return ``h`` and ``c`` concatenated."""
    i, o, u = iou.chunk(3, 1)
    c = torch.sigmoid(i) * torch.tanh(u) + past
    return torch.cat((torch.sigmoid(o) * torch.tanh(c), c), 1)


if __name__ == "__main__":
    serve(DGLNet)
