"""Tree-LSTMs in torchfold, which batches equal operations of many trees; run by ``client.Peer``."""

from __future__ import annotations

from types import SimpleNamespace

import torch
import torchfold.torchfold
from torch import Tensor, nn
from torch_worker import Layers, TorchNet
from worker import Tree, serve


class Variable:
    """Replacement of ``torch.autograd.Variable`` of torch 0.4: a tensor."""

    def __new__(cls, data: Tensor, volatile: bool = False) -> Tensor:
        return data


# torchfold 0.1 uses names that torch has removed.
torchfold.torchfold.Variable = Variable
torchfold.torchfold.torch = SimpleNamespace(
    cat=torch.cat,
    chunk=torch.chunk,
    LongTensor=torch.LongTensor,
    tensor=SimpleNamespace(_TensorBase=torch.Tensor),
)


class FoldLayers(Layers):
    """Operations that are folded; the state of a node is the concatenation of ``h`` and ``c``."""

    # torchfold needs one operation per number of arguments, so the Child-Sum cell needs one per arity.
    def __getattr__(self, name: str) -> object:
        return self.sum_up if name.startswith("sum_up_") else super().__getattr__(name)

    def leaf(self, labels: Tensor) -> Tensor:
        iou = self.W(self.embedding(labels))[:, : 3 * self.size]
        return self.state(iou, 0.0)

    def binary(self, left: Tensor, right: Tensor) -> Tensor:
        pairs = torch.stack((left, right), 1)
        h, c = pairs.split(self.size, 2)
        gates = nn.functional.linear(h.flatten(1), self.U.weight)
        b_iou, b_f = self.W.bias.split((3 * self.size, self.size))
        iou, f = gates.split((3 * self.size, 2 * self.size), 1)
        f = torch.sigmoid(f.view_as(c) + b_f)
        return self.state(iou + b_iou, (f * c).sum(1))

    def sum_up(self, labels: Tensor, *children: Tensor) -> Tensor:
        h, c = torch.stack(children, 1).split(self.size, 2)
        iou, f = self.W(self.embedding(labels)).split((3 * self.size, self.size), 1)
        f = torch.sigmoid(f.unsqueeze(1) + self.U_k(h))
        return self.state(iou + self.U(h.sum(1)), (f * c).sum(1))

    def state(self, iou: Tensor, past: Tensor | float) -> Tensor:
        i, o, u = iou.chunk(3, 1)
        c = torch.sigmoid(i) * torch.tanh(u) + past
        return torch.cat((torch.sigmoid(o) * torch.tanh(c), c), 1)


class FoldNet(TorchNet):
    """Net that folds a batch and applies the layers to the fold."""

    def build(self) -> FoldLayers:
        return FoldLayers(self.task.weights)

    def forward(self, start: int, stop: int) -> Tensor:
        fold = torchfold.torchfold.Fold()
        add = self.add_binary if self.task.cell == "nary_lstm" else self.add_sum
        roots = [add(fold, tree) for tree in self.task.trees[start:stop]]
        (states,) = fold.apply(self.module, [roots])
        return self.module.head(states[:, : self.module.size])

    @staticmethod
    def add_binary(fold: torchfold.Fold, tree: Tree) -> torchfold.Fold.Node:
        nodes = {}
        for node in range(len(tree.labels) - 1, -1, -1):
            below = tree.children[node]
            if below:
                nodes[node] = fold.add("binary", nodes[below[0]], nodes[below[1]])
            else:
                nodes[node] = fold.add("leaf", tree.labels[node])
        return nodes[0]

    @staticmethod
    def add_sum(fold: torchfold.Fold, tree: Tree) -> torchfold.Fold.Node:
        nodes = {}
        for node in range(len(tree.labels) - 1, -1, -1):
            below = tree.children[node]
            if below:
                children = [nodes[child] for child in below]
                nodes[node] = fold.add(f"sum_up_{len(below)}", tree.labels[node], *children)
            else:
                nodes[node] = fold.add("leaf", tree.labels[node])
        return nodes[0]


if __name__ == "__main__":
    serve(FoldNet)
