"""Recursive nets: independence of the trees of a batch, sibling order, numbering and size."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import forests, trees

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, POOLINGS, RecursiveEncoder, RecursiveNet, TreeBatch

IDS = st.integers(2, 6)
each_cell = pytest.mark.parametrize("name", sorted(CELLS))


def make_net(name="child_sum_lstm", pooling="root", **kwargs):
    torch.manual_seed(0)
    kwargs = {"hidden_size": 6, "embedding_dim": 5, "max_arity": 3, **kwargs}
    return RecursiveNet(7, 3, cell=name, pooling=pooling, dtype=torch.float64, **kwargs).eval()


def batch_of(*trees):
    return TreeBatch.from_array(TreeArray.from_trees(list(trees)))


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@each_cell
@settings(max_examples=20)
@given(forest=forests(labels=IDS), data=st.data())
def test_a_batch_equals_its_trees_in_any_order_and_one_by_one(name, pooling, forest, data):
    array, net = TreeArray.from_trees(forest), make_net(name, pooling)
    together = net(TreeBatch.from_array(array))
    order = data.draw(st.permutations(range(len(forest))))
    shuffled = net(TreeBatch.from_array(array[list(order)]))
    single = torch.cat([net(TreeBatch.from_array(array[i : i + 1])) for i in range(len(array))])
    torch.testing.assert_close(shuffled, together[list(order)], rtol=0, atol=1e-12)
    torch.testing.assert_close(single, together, rtol=0, atol=1e-12)


def test_another_tree_has_another_output():  # the control of the law above
    net = make_net()
    one, other = (batch_of(Tree(labels, [-1, 0, 0])) for labels in ([2, 3, 4], [2, 3, 3]))
    assert not torch.allclose(net(one), net(other), atol=1e-4)


@given(trees(labels=IDS), st.data())
def test_renumbering_the_nodes_changes_nothing(tree, data):
    # Any numbering at all: a Child-Sum net ignores the order of siblings as well.
    number = data.draw(st.permutations(list(tree.nodes)))
    labels, parents = [0] * tree.n_nodes, [0] * tree.n_nodes
    for i in tree.nodes:
        labels[number[i]] = tree.labels[i]
        parents[number[i]] = -1 if i == 0 else number[tree.parents[i]]
    net = make_net("child_sum_lstm")
    a, b = (net(batch_of(t)) for t in (tree, Tree(labels, parents)))
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def reverse_siblings(tree):
    """Return the tree with the children of every node in reverse order."""
    n = tree.n_nodes
    number = [n - 1 - i for i in tree.nodes]
    labels = [tree.labels[n - 1 - i] for i in range(n)]
    parents = [0] * n
    for i in tree.nodes:
        parents[number[i]] = -1 if i == 0 else number[tree.parents[i]]
    return Tree(labels, parents)


@given(trees(labels=IDS))
def test_a_child_sum_net_ignores_the_order_of_siblings(tree):
    net = make_net("child_sum_lstm")
    a, b = (net(batch_of(t)) for t in (tree, reverse_siblings(tree)))
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_an_nary_net_reads_the_order_of_siblings():  # the control of the law above
    tree, net = Tree([2, 3, 4], [-1, 0, 0]), make_net("nary_lstm")
    a, b = (net(batch_of(t)) for t in (tree, reverse_siblings(tree)))
    assert not torch.allclose(a, b, atol=1e-4)


@each_cell
def test_selected_nodes_equal_those_of_a_full_walk(name):
    net, batch = make_net(name), batch_of(Tree([2, 3, 4, 5], [-1, 0, 0, 1]), Tree([6], [-1]))
    nodes = torch.tensor([3, 0, 3])
    everything = net.encode_nodes(batch)
    torch.testing.assert_close(net.encode_nodes(batch, nodes), everything[nodes], rtol=0, atol=1e-12)
    assert not torch.allclose(everything[0], everything[3], atol=1e-4)  # the control


@each_cell
def test_all_states_of_a_plain_walk_start_with_the_outputs(name):
    net, batch = make_net(name), batch_of(Tree([2, 3, 4, 5], [-1, 0, 0, 1]), Tree([6], [-1]))
    states = net.encoder.compute_states(net.encoder.cell.project(net.embedding(batch)), batch)
    assert len(states) == getattr(net.encoder.cell, "n_states", 1)
    torch.testing.assert_close(states[0], net.encode_nodes(batch), rtol=0, atol=1e-12)


def test_unknown_labels_and_edges_share_a_vector():
    net = make_net(n_edge_labels=4)
    assert torch.allclose(net(batch_of(Tree([2, 99], [-1, 0]))), net(batch_of(Tree([2, 1], [-1, 0]))))
    unknown, other = (batch_of(Tree([2, 3], [-1, 0], edges=[None, edge])) for edge in (99, 1))
    assert torch.allclose(net(unknown), net(other))
    assert not torch.allclose(net(batch_of(Tree([2, 2], [-1, 0]))), net(batch_of(Tree([2, 1], [-1, 0]))))


def test_a_net_runs_on_another_device():
    batch = TreeBatch.from_array(TreeArray.from_table(np.ones((2, 3)))).to("meta")
    assert make_net(value_shift=[0.0] * 7, value_scale=[1.0] * 7).to("meta")(batch).shape == (2, 3)


def test_an_encoder_may_walk_without_the_fast_walk():
    net, batch = make_net(), batch_of(Tree([2, 3, 4], [-1, 0, 0]))
    fast = net(batch)
    assert isinstance(net.encoder, RecursiveEncoder)
    net.encoder.is_fast = False
    torch.testing.assert_close(net(batch), fast, rtol=0, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["chain", "star"])
@pytest.mark.parametrize("name", ["child_sum_lstm"])
def test_trees_of_100_000_nodes_pass_forward_and_backward(name, shape):
    n = 100_000
    parents = list(range(-1, n - 1)) if shape == "chain" else [-1] + [0] * (n - 1)
    array = TreeArray.from_trees([Tree([2] * n, parents)])
    net = RecursiveNet(3, 2, cell=name, hidden_size=2, embedding_dim=2)
    net(TreeBatch.from_array(array)).sum().backward()
    assert torch.isfinite(net.encoder.cell.W.weight.grad).all()
