"""Comparison of the fast walk with plain autograd."""

import numpy as np
import torch
from user_cells import GATED_CELLS

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import RecursiveNet, TreeBatch


def make_net(cell, dtype, pooling="mean", **kwargs):
    torch.manual_seed(0)
    kwargs = {"hidden_size": 6, "embedding_dim": 5, "max_arity": 4, **kwargs}
    return RecursiveNet(7, 3, cell=GATED_CELLS[cell], pooling=pooling, dtype=dtype, **kwargs).eval()


def run(net, batch, is_fast):
    """Return the logits and the gradients of all parameters of a weighted sum of the logits."""
    net.encoder.is_fast = is_fast
    net.zero_grad()
    logits = net(batch)
    weights = torch.randn(logits.shape, dtype=logits.dtype, generator=torch.Generator().manual_seed(1))
    (logits * weights).sum().backward()
    grads = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in net.parameters()]
    return logits.detach(), grads


def compare_walks(net, batch, atol, grad_atol):
    """Assert that both walks give the same logits and gradients."""
    fast, plain = run(net, batch, True), run(net, batch, False)
    torch.testing.assert_close(fast[0], plain[0], rtol=0, atol=atol)
    for a, b in zip(fast[1], plain[1]):
        torch.testing.assert_close(a, b, rtol=0, atol=grad_atol * max(1.0, float(b.abs().max())))


def make_large_batch():
    """Return 40 trees of many shapes, of at most 59 nodes."""
    rng = np.random.RandomState(0)
    trees = []
    for _ in range(40):
        n = rng.randint(1, 60)
        parents = [-1] + [rng.randint(max(0, i - 6), i) for i in range(1, n)]
        ranks = [sum(p == parents[i] for p in parents[:i]) for i in range(n)]
        parents = [p if r < 4 else i - 1 for i, (p, r) in enumerate(zip(parents, ranks))]
        trees.append(Tree(rng.randint(2, 7, n).tolist(), parents))
    return TreeBatch.from_array(TreeArray.from_trees(trees))
