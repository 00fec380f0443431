"""Poolings equal loops over samples and ignore padding."""

import pytest
import torch
from reference import pool_nodes

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import POOLINGS, SequencePooling, TreeBatch, TreePooling
from sklearn_tree.nn.pooling import layer_norm, max_over_steps

TREES = [Tree([2] * 4, [-1, 0, 0, 1]), Tree([2], [-1]), Tree([2, 2], [-1, 0])]
BATCH = TreeBatch.from_array(TreeArray.from_trees(TREES))
LENGTHS = torch.tensor([3, 0, 5])
each_sequence_pooling = pytest.mark.parametrize("how", ["attention", "max", "mean"])


def node_vectors():
    return torch.randn(BATCH.n_nodes, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("how", POOLINGS)
def test_a_tree_is_pooled_separately_from_others(how):
    pool, h = TreePooling(how, 4).double(), node_vectors()
    pooled = pool(h, BATCH)
    for tree, root in enumerate(BATCH.roots):
        vectors = list(h[BATCH.trees == tree])
        expected = pool_nodes(pool, h[root], vectors)
        torch.testing.assert_close(pooled[tree], expected, rtol=0, atol=1e-12)


def test_poolings_differ():  # the control of the law above
    pooled = [TreePooling(how, 4).double()(node_vectors(), BATCH)[0] for how in ("root", "mean", "max")]
    assert not torch.allclose(pooled[0], pooled[1], atol=1e-3)
    assert not torch.allclose(pooled[1], pooled[2], atol=1e-3)


@pytest.mark.parametrize("how", POOLINGS)
def test_a_subtree_is_pooled_as_a_separate_tree(how):
    pool, h = TreePooling(how, 4).double(), node_vectors().requires_grad_()
    pooled = pool.pool_subtrees(h, BATCH)
    below = {node: [node] for node in range(BATCH.n_nodes)}
    for child, parent in reversed([*zip(BATCH.children.tolist(), BATCH.parents.tolist())]):
        below[parent] += below[child]
    expected = torch.stack([pool_nodes(pool, h[i], [h[k] for k in below[i]]) for i in range(BATCH.n_nodes)])
    torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(pooled[BATCH.roots], pool(h, BATCH), rtol=0, atol=1e-12)
    weight = torch.randn(BATCH.n_nodes, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((weight * v).sum(), h, retain_graph=True)[0] for v in (pooled, expected)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-12)
    if how != "root":
        assert not torch.allclose(pooled, h)  # the control


def test_weights_of_nodes_are_bounded():
    pool = TreePooling("attention", 4).double()
    with torch.no_grad():
        pool.score.weight.fill_(1e6)
    weights = pool.weights(node_vectors())
    assert weights.isfinite().all()
    assert (weights > 0.99 * torch.exp(torch.tensor(-10.0))).all()


def step_vectors():
    h = torch.randn(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return h.requires_grad_()


@each_sequence_pooling
def test_a_sequence_is_pooled_without_its_padding(how):
    pool, h = SequencePooling(how, 4).double(), step_vectors()
    pooled = pool(h, LENGTHS)
    for i, n in enumerate(LENGTHS.tolist()):
        expected = pool(h[i : i + 1, :n], None)[0] if n else torch.zeros(4, dtype=torch.float64)
        torch.testing.assert_close(pooled[i], expected, rtol=0, atol=1e-12)
    assert not torch.allclose(pool(h, None)[0], pooled[0], atol=1e-3)  # the control


@each_sequence_pooling
def test_padding_has_no_gradient(how):
    pool, h = SequencePooling(how, 4).double(), step_vectors()
    pool(h, LENGTHS).sum().backward()
    assert (h.grad[0, 3:] == 0).all()
    assert (h.grad[0, :3] != 0).any()
    assert h.grad.isfinite().all()


def test_the_maximum_is_the_same_with_and_without_gradients():
    h = step_vectors()
    assert torch.equal(max_over_steps(h), max_over_steps(h.detach()))
    assert torch.equal(max_over_steps(h), h.amax(1))


def test_layer_norm_of_one_feature_is_the_identity():
    x = torch.randn(3, 1)
    assert torch.equal(layer_norm(1)(x), x)
    assert layer_norm(2)(torch.randn(3, 2)).sum(1).abs().max() < 1e-5
