"""Comparison of the fast walk with plain autograd."""

import torch
from user_cells import GATED_CELLS

from sklearn_tree.nn import RecursiveNet


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
