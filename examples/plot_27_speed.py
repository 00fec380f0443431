"""
What makes recursive nets fast
==============================

A recursive net computes the vector of a node from those of its children. Written as a recursive function, it calls torch for every node. This example
measures three remedies on your CPU: batches, equal subtrees that are computed once, and bfloat16.
"""

# %%
# Trees
# -----
# Random binary trees of 31 nodes. Their words come from a vocabulary of 20 or of 5,000 words: with 20 words, many subtrees occur several times.

import time
from statistics import median

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray

torch.set_num_threads(1)
rng = np.random.default_rng(0)


def draw_trees(n_words, n=200, n_leaves=16):
    """Return random binary trees whose leaves are words."""
    trees = []
    for _ in range(n):
        parts = [f"w{word}" for word in rng.integers(n_words, size=n_leaves)]
        while len(parts) > 1:
            i = rng.integers(len(parts) - 1)
            parts[i : i + 2] = [("", *parts[i : i + 2])]
        trees.append(parts[0])
    return TreeArray.from_trees(trees)


samples = {"20 words": draw_trees(20), "5,000 words": draw_trees(5000)}
y = rng.integers(2, size=200)
samples["20 words"][0]

# %%
# A recursive function
# --------------------
# The N-ary Tree-LSTM of Tai et al. (2015) for binary trees, in plain torch. It computes the same equations, one node at a time.


class RecursiveFunction(torch.nn.Module):
    """Binary Tree-LSTM that visits one node after the other."""

    def __init__(self, words, size):
        super().__init__()
        self.rows = {word: i for i, word in enumerate(words)}
        self.embedding = torch.nn.Embedding(len(words), size)
        self.leaf, self.inner = torch.nn.Linear(size, 3 * size), torch.nn.Linear(2 * size, 5 * size)
        self.head = torch.nn.Linear(size, 2)

    def visit(self, tree, node):
        """Return the states h and c of a node."""
        children = [self.visit(tree, child) for child in tree.children(node)]
        if not children:
            word = torch.tensor([self.rows[tree.labels[node]]])
            i, o, u = self.leaf(self.embedding(word)).chunk(3, dim=1)
            c = i.sigmoid() * u.tanh()
        else:
            (h1, c1), (h2, c2) = children
            i, o, f1, f2, u = self.inner(torch.cat([h1, h2], dim=1)).chunk(5, dim=1)
            c = i.sigmoid() * u.tanh() + f1.sigmoid() * c1 + f2.sigmoid() * c2
        return o.sigmoid() * c.tanh(), c

    def fit(self, trees, y):
        """Train one epoch in batches of 20 trees."""
        optimizer = torch.optim.Adam(self.parameters())
        for start in range(0, len(trees), 20):
            batch = trees[start : start + 20]
            logits = torch.cat([self.head(self.visit(tree, 0)[0]) for tree in batch])
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y[start : start + 20]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


# %%
# Measure
# -------
# Competing settings take turns, and the median of three rounds counts, because other programs disturb single measurements. The net trains for one epoch,
# without dropout, which draws a mask for each node and so makes all subtrees different, and without the linear model that is fitted first.

DEFAULTS = {"max_epochs": 1, "dropout": 0.0, "linear_path": False, "random_state": 0}


def measure(fits, n_rounds=3):
    """Return the trees per second of each function, which fits a number of trees."""
    seconds = {name: [] for name in fits}
    for _ in range(n_rounds):
        for name, (fit, _) in fits.items():
            start = time.perf_counter()
            fit()
            seconds[name].append(time.perf_counter() - start)
    return {name: n / median(seconds[name]) for name, (_, n) in fits.items()}


def net_fit(trees, **params):
    """Return a function that fits a net, and the number of trees."""
    net = RecursiveNetClassifier("nary_lstm", **DEFAULTS | params)
    return lambda: net.fit(trees, y), len(trees)


few = [Tree.from_any(tree) for tree in samples["20 words"][:20]]
naive = RecursiveFunction(samples["20 words"].vocabulary, 64)
rates = measure({"recursive function": (lambda: naive.fit(few, y), len(few))})
batches = (1, 4, 16, 64, 200)
fits = {(name, size): net_fit(trees, batch_size=size) for name, trees in samples.items() for size in batches}
table = pd.Series(measure(fits)).unstack(0)
table.index.name = "batch_size"
print(f"recursive function: {rates['recursive function']:.0f} trees per second")
table.round(0)

# %%
# Larger batches have more nodes per level, so the same few calls of torch compute more of them. Subtrees that are equal within a batch are computed
# once, which helps where words recur. A single tree has few nodes per level; there, the net is as slow as the recursive function, or slower.
#
# bfloat16
# --------
# ``precision="bfloat16"`` rounds the operands of matrix products. It pays on processors with instructions for it and in wide nets; elsewhere, rounding takes
# longer than it saves. ``precision="auto"`` decides by the processor and the width.

sizes, trees = (32, 256), samples["5,000 words"]
fits = {
    (size, precision): net_fit(trees, hidden_size=size, embedding_dim=size, batch_size=64, precision=precision)
    for size in sizes
    for precision in ("float32", "bfloat16", "auto")
}
precision = pd.Series(measure(fits, n_rounds=2)).unstack(1)[["float32", "bfloat16", "auto"]]

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", width_ratios=[3, 2])
table.plot(ax=left, marker="o", logx=True, logy=True, ylabel="trees per second of a fit")
left.axhline(rates["recursive function"], color="0.5", linestyle=":", label="recursive function")
left.set_xticks(batches, batches)
left.legend(frameon=False)
precision.plot.bar(ax=right, rot=0, xlabel="hidden_size")
right.legend(frameon=False)
plt.show()

# %%
# **For your data:** raise ``batch_size`` first, and ``lr`` with it. If fits take minutes, install numba and call ``sklearn_tree.nn.compile_cells()`` once, which
# compiles the walk over the trees. The guide "Devices and speed" lists what else affects the time, and when a GPU pays off. Times depend on the
# processor: measure yours.
