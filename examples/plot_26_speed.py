"""
Speed: batches, equal subtrees and bfloat16
===========================================

Recursive nets have a reputation for being slow, because trees of different shapes cannot be stacked. This example measures what batches,
shared subtrees and rounded products bring on the machine at hand, compared with a net in plain torch that visits one node after the
other.
"""

# %%
# The trees are put together from 50 formulas, so subtrees recur, as elements do in web pages and expressions in code. The classes are
# random: only the speed matters here. All nets have the same cell, a Child-Sum Tree-LSTM of 64 units.

import statistics
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

from sklearn_tree import RecursiveNetClassifier, TreeVectorizer
from sklearn_tree.datasets import make_listops

rng = np.random.default_rng(0)
formulas, _ = make_listops(1000, max_depth=3, random_state=0)
parts = formulas[np.flatnonzero(formulas.sizes >= 10)[:50]]
trees = [("MAX", [parts[i].to_tuple() for i in rng.integers(50, size=5)]) for _ in range(256)]
X, y = TreeVectorizer().fit_transform(trees), rng.integers(10, size=256)
inner = [tree.subtree(node) for tree in X for node in tree.nodes if tree.children(node)]
print(f"{len(X)} trees, {X.n_nodes} nodes; {len(inner)} inner nodes, {len(set(inner))} of them distinct")

# %%
# Plain recursion is short, and computes a single node at a time. It is measured on 16 trees, in batches of 8.


class PlainNet(nn.Module):
    """Child-Sum Tree-LSTM that visits one node after the other."""

    def __init__(self, n_labels, size=64, n_classes=10):
        super().__init__()
        self.embedding = nn.Embedding(n_labels, size)
        self.W, self.U, self.U_f = nn.Linear(size, 4 * size), nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.head, self.size = nn.Linear(size, n_classes), size

    def visit(self, tree, node):
        i, o, u, wx_f = self.W(self.embedding(torch.tensor(tree.labels[node]))).split(self.size)
        c = 0
        children = [self.visit(tree, child) for child in tree.children(node)]
        if children:
            h_k, c_k = (torch.stack(states) for states in zip(*children, strict=True))
            i, o, u = (torch.cat([i, o, u]) + self.U(h_k.sum(0))).split(self.size)
            c = (torch.sigmoid(wx_f + self.U_f(h_k)) * c_k).sum(0)
        c = c + torch.sigmoid(i) * torch.tanh(u)
        return torch.sigmoid(o) * torch.tanh(c), c

    def forward(self, trees):
        return self.head(torch.stack([self.visit(tree, tree.root)[0] for tree in trees]))


torch.manual_seed(0)
plain = PlainNet(n_labels=1 + max(max(tree.labels) for tree in X))
optimizer = torch.optim.AdamW(plain.parameters())


def train_plain():
    """Train on 16 trees and return the samples per second."""
    start = time.perf_counter()
    for k in range(0, 16, 8):
        loss = nn.functional.cross_entropy(plain(list(X[k : k + 8])), torch.from_numpy(y[k : k + 8]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return 16 / (time.perf_counter() - start)


# %%
# Equal subtrees of a batch are computed once unless ``dropout`` or ``word_dropout`` makes them unequal. The switch ``share_subtrees`` of
# the batch iterator is used here for the comparison only. All variants are measured in turn, three times, so that another program on the
# machine slows down all of them alike; the medians are shown. A fit takes three epochs.

variants = {
    "float32": {},
    "float32, equal subtrees not shared": {"net_params": {"iterator_train__share_subtrees": False}},
    "bfloat16": {"precision": "bfloat16"},
}
sizes = [1, 8, 64, 256]
nets = {
    (name, size): RecursiveNetClassifier(
        "child_sum_lstm", hidden_size=64, dropout=0.0, max_epochs=3, batch_size=size, random_state=0, **params
    )
    for name, params in variants.items()
    for size in sizes
}


def train(net):
    """Fit a net and return the samples per second; small batches train on fewer samples."""
    n = min(len(X), 12 * net.batch_size)
    start = time.perf_counter()
    net.fit(X[:n], y[:n])
    return 3 * n / (time.perf_counter() - start)


train(nets["float32", 8])  # imports modules, and is not counted
rounds = [{key: train(net) for key, net in nets.items()} | {"plain": train_plain()} for _ in range(3)]
speed = {key: statistics.median(part[key] for part in rounds) for key in rounds[0]}
plain_speed = speed.pop("plain")
table = pd.Series(speed).unstack(0)[list(variants)]
print(f"plain torch: {plain_speed:.0f} samples per second")
table.round(0).rename_axis("batch size")

# %%
# Where a curve becomes flat, larger batches bring nothing more. Sharing gains the more, the more subtrees of a batch recur, and it costs
# the time to find them. bfloat16 gains with large products and a processor that has instructions for it; otherwise it is slower. All of
# these figures belong to the machine and the installed packages with which the example ran.

ax = table.plot(marker="o", figsize=(7, 3.5), logx=True, logy=True)
ax.axhline(plain_speed, color="gray", linestyle="--", label="plain torch, one node at a time")
ax.set(xlabel="batch size", ylabel="training samples per second")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.legend(frameon=False, fontsize=8)
plt.tight_layout()

# %%
# **For your data:** put your trees in the place of ``formulas``. Speed is not accuracy: larger batches take fewer steps per epoch, so
# tune ``lr`` and ``max_epochs`` with them. ``precision="auto"`` uses bfloat16 where the hardware supports it and the net is large enough
# to gain. Compiled code, threads and GPUs are described in the guide :doc:`/devices`.
