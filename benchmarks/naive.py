"""Naive implementation of recursive nets, which computes one node at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sklearn_tree import Tree
from sklearn_tree.nn import ChildSumTreeLSTM, RecursiveNet


class NaiveNet(nn.Module):
    """Recursive implementation of a :class:`RecursiveNet` that shares its weights."""

    def __init__(self, net: RecursiveNet) -> None:
        super().__init__()
        self.net = net
        cell = net.encoder.cell
        self.step = self._child_sum if isinstance(cell, ChildSumTreeLSTM) else self._nary

    def forward(self, trees: list[Tree]) -> Tensor:
        """Compute the logits, shape (n_trees, n_classes)."""
        # A single look-up, because each look-up produces a dense gradient of the whole table.
        labels = torch.tensor([label for tree in trees for label in tree.labels])
        rows = iter(self.net.embedding.labels(labels).split(1))
        inputs = [[next(rows) for _ in tree.nodes] for tree in trees]
        roots = [self._visit(tree, x, 0)[0] for tree, x in zip(trees, inputs)]
        return self.net.head(torch.cat(roots))

    def _visit(self, tree: Tree, x: list[Tensor], node: int) -> tuple[Tensor, Tensor]:
        children = [self._visit(tree, x, child) for child in tree.children(node)]
        cell = self.net.encoder.cell
        if tree.labels[node] == 0:  # without a label, the input is the bias only
            return self.step(cell.W.bias.unsqueeze(0), children)
        return self.step(cell.W(x[node]), children)

    def _child_sum(self, wx: Tensor, children: list) -> tuple[Tensor, Tensor]:
        cell = self.net.encoder.cell
        iou, wx_f = wx.split((3 * cell.hidden_size, cell.hidden_size), dim=1)
        if not children:
            i, o, u = iou.chunk(3, dim=1)
            c = torch.sigmoid(i) * torch.tanh(u)
        else:
            h_k = torch.cat([h for h, _ in children])
            c_k = torch.cat([c for _, c in children])
            i, o, u = (iou + cell.U(h_k.sum(0, keepdim=True))).chunk(3, dim=1)
            f = torch.sigmoid(wx_f + cell.U_k(h_k))
            c = torch.sigmoid(i) * torch.tanh(u) + (f * c_k).sum(0, keepdim=True)
        return torch.sigmoid(o) * torch.tanh(c), c

    def _nary(self, wx: Tensor, children: list) -> tuple[Tensor, Tensor]:
        cell = self.net.encoder.cell
        size = cell.hidden_size
        iou, wx_f = wx.split((3 * size, size), dim=1)
        if not children:
            i, o, u = iou.chunk(3, dim=1)
            c = torch.sigmoid(i) * torch.tanh(u)
        else:
            uh = cell.U(torch.cat([h for h, _ in children], dim=1))
            i, o, u = (iou + uh[:, : 3 * size]).chunk(3, dim=1)
            c = torch.sigmoid(i) * torch.tanh(u)
            for k, (_, c_k) in enumerate(children):
                f = torch.sigmoid(wx_f + uh[:, (3 + k) * size : (4 + k) * size])
                c = c + f * c_k
        return torch.sigmoid(o) * torch.tanh(c), c


def train_naively(naive: NaiveNet, trees: list[Tree], y: Tensor, batch_size: int) -> None:
    """Train for one epoch with Adagrad."""
    optimizer = torch.optim.Adagrad(naive.parameters(), lr=0.005)
    naive.train()
    for start in range(0, len(trees), batch_size):
        batch = slice(start, start + batch_size)
        optimizer.zero_grad()
        nn.functional.cross_entropy(naive(trees[batch]), y[batch]).backward()
        optimizer.step()
