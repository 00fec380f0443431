"""The fast walk equals plain autograd for every cell that supports it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests
from user_cells import GATED_CELLS
from walks import compare_walks, make_large_batch, make_net

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import POOLINGS, TreeBatch, gemm
from sklearn_tree.nn.backward_pass import BackwardPass
from sklearn_tree.nn.walkable import can_walk
from sklearn_tree.trees.subtrees import number_subtrees

IDS = st.integers(2, 6)
each_cell = pytest.mark.parametrize("cell", list(GATED_CELLS))


def small_batch(labels=(2, 3, 4, 5)):
    return TreeBatch.from_array(TreeArray.from_trees([Tree(list(labels), [-1, 0, 0, 1])]))


@each_cell
def test_all_listed_cells_use_the_fast_walk(cell):
    assert can_walk(make_net(cell, torch.float64).encoder.cell, small_batch())


@each_cell
@given(forest=forests(labels=IDS), data=st.data())
def test_it_equals_plain_autograd_in_double_precision(cell, forest, data):
    pooling = data.draw(st.sampled_from(sorted(POOLINGS)))
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    compare_walks(make_net(cell, torch.float64, pooling), batch, 1e-9, 1e-9)


@each_cell
@given(forest=forests(labels=IDS))
def test_it_equals_plain_autograd_in_single_precision(cell, forest):
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    compare_walks(make_net(cell, torch.float32), batch, 1e-5, 1e-4)


@each_cell
def test_it_equals_plain_autograd_on_large_batches_of_many_shapes(cell):
    batch = make_large_batch()
    compare_walks(make_net(cell, torch.float64), batch, 1e-9, 1e-9)
    compare_walks(make_net(cell, torch.float32, hidden_size=70), batch, 1e-5, 1e-4)


@each_cell
def test_it_equals_plain_autograd_if_every_node_has_its_own_input(cell):
    array = TreeArray.from_trees([Tree([2, 3, 3, 2], [-1, 0, 0, 2], values=[None, 1.0, 2.0, None])] * 2)
    net = make_net(cell, torch.float64, value_shift=[0.0] * 7, value_scale=[1.0] * 7)
    compare_walks(net, TreeBatch.from_array(array), 1e-9, 1e-9)


def last_branches(tree):
    """Return the nodes except the root whose subtree ends the tree in preorder."""
    return [k for k in range(1, len(tree.labels)) if min(tree.parents[k + 1 :], default=k) >= k]


@each_cell
@given(forest=forests(labels=IDS), data=st.data())
def test_equal_subtrees_may_be_computed_once(cell, forest, data):
    """Each tree occurs twice, and its last branches occur as trees, so most subtrees are shared."""
    branches = [
        Tree(tree.labels[k:], [-1, *(p - k for p in tree.parents[k + 1 :])])
        for tree in forest
        for k in last_branches(tree)
    ]
    array = TreeArray.from_trees([*forest, *branches, *forest])
    pooling = data.draw(st.sampled_from(sorted(POOLINGS)))
    batch = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array)))
    plain = TreeBatch.from_array(array)
    net, net32 = make_net(cell, torch.float64, pooling), make_net(cell, torch.float32)
    compare_walks(net, batch, 1e-9, 1e-9)
    compare_walks(net32, batch, 1e-5, 1e-4)
    torch.testing.assert_close(net(batch), net(plain), rtol=0, atol=1e-12)
    if batch.shared is not None:
        assert sum(batch.shared.n_rows) <= sum(plain.n_inner) // 2


@each_cell
def test_a_wrong_derivative_fails_the_comparison(cell, monkeypatch):  # the control of the laws above
    correct = BackwardPass._sum_state_grads
    monkeypatch.setattr(
        BackwardPass, "_sum_state_grads", lambda *args: [1.01 * grad for grad in correct(*args)]
    )
    with pytest.raises(AssertionError):
        compare_walks(make_net(cell, torch.float64), small_batch(), 1e-9, 1e-9)
    with pytest.raises(AssertionError):
        compare_walks(make_net(cell, torch.float32), small_batch(), 1e-5, 1e-4)


@each_cell
def test_mixed_precision_trains(cell, monkeypatch):
    monkeypatch.setattr(gemm, "_MIN_MULTIPLICATIONS", 0)
    net, batch = make_net(cell, torch.float32), small_batch()
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(batch).float().sum()
    loss.backward()
    assert torch.isfinite(net.encoder.cell.W.weight.grad).all()
    torch.testing.assert_close(loss, net(batch).sum(), rtol=0.05, atol=0.05)


def test_a_change_of_the_weights_between_the_passes_is_an_error():
    net = make_net("nary_lstm", torch.float64)
    loss = net(small_batch()).sum()
    with torch.no_grad():
        net.encoder.cell.U.weight.mul_(3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_autograd_frees_the_tables():
    net, batch = make_net("nary_lstm", torch.float64), small_batch()
    x = net.embedding(batch).detach().requires_grad_()
    h = net.encoder(x, batch)
    node = h.grad_fn.next_functions[0][0]
    assert len(node.saved_tensors) > 1  # the control
    h.sum().backward()
    with pytest.raises(RuntimeError, match="freed"):
        _ = node.saved_tensors


@each_cell
def test_no_step_reads_a_number_from_the_device(cell):
    """The meta device has no numbers, so reading one, for example the size of a level, is an error."""
    array = TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])] * 3)
    net = make_net(cell, torch.float32).to("meta")
    for subtrees in (None, number_subtrees(array)):
        batch = TreeBatch.from_array(array.replace(subtrees=subtrees)).to("meta")
        assert can_walk(net.encoder.cell, batch)
        assert subtrees is None or batch.shared.rows.device.type == "meta"
        loss = net(batch).sum()
        loss.backward()
        assert all(p.grad.shape == p.shape for p in net.parameters())
    with pytest.raises((RuntimeError, NotImplementedError)):  # the control
        loss.item()


@each_cell
def test_two_batches_may_be_walked_before_their_backward_passes(cell):
    net = make_net(cell, torch.float64)
    one, two = small_batch([2, 3, 4, 5]), small_batch([6, 5, 4, 3])
    net.zero_grad()
    (net(one).sum() + net(two).sum()).backward()
    together = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    net(one).sum().backward()
    net(two).sum().backward()
    for a, p in zip(together, net.parameters()):
        torch.testing.assert_close(a, p.grad, rtol=0, atol=1e-12)


def test_nothing_is_saved_without_gradients():
    net, batch = make_net("nary_lstm", torch.float32), small_batch()
    with torch.no_grad():
        assert net(batch).grad_fn is None
    assert net(batch).grad_fn is not None  # the control


def test_second_derivatives_are_an_error():
    net, batch = make_net("nary_lstm", torch.float32), small_batch()
    x = net.embedding(batch).detach().requires_grad_()
    (grad,) = torch.autograd.grad(net.encoder(x, batch).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()
