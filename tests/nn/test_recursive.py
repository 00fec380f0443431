"""Laws of the recursive nets, each with a control that breaks it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reference import NODE, recursive_states
from strategies import forests, trees

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, POOLINGS, RecursiveEncoder, RecursiveNet, TreeBatch

IDS = st.integers(2, 6)
CELL_NAMES = sorted(CELLS)
each_cell = pytest.mark.parametrize("name", CELL_NAMES)


def make_cell(name, input_size=4, hidden_size=5, max_arity=3):
    torch.manual_seed(0)
    return CELLS[name](input_size, hidden_size, max_arity).double()


def make_net(name="child_sum_lstm", pooling="root", **kwargs):
    torch.manual_seed(0)
    kwargs = {"hidden_size": 6, "embedding_dim": 5, "max_arity": 3, **kwargs}
    return RecursiveNet(7, 3, cell=name, pooling=pooling, dtype=torch.float64, **kwargs).eval()


def node_inputs(array, size=4):
    """Random inputs in the order of the array."""
    return torch.randn(array.n_nodes, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def level_batched(cell, x, array):
    """States of all nodes in the order of the array."""
    batch = TreeBatch.from_array(array)
    in_batch_order = torch.empty_like(x).index_copy(0, batch.order, x)
    return RecursiveEncoder(cell)(in_batch_order, batch)[batch.order]


def recursive(cell, node, x, array):
    rows = []
    for tree, start in zip(array, array.offsets):
        states = recursive_states(cell, node, x[start : start + tree.n_nodes], tree)
        rows += [states[i] for i in tree.nodes]
    return torch.stack(rows)


@each_cell
@given(forest=forests(labels=IDS))
def test_level_batching_equals_recursion(name, forest):
    array, cell = TreeArray.from_trees(forest), make_cell(name)
    x = node_inputs(array)
    torch.testing.assert_close(
        level_batched(cell, x, array), recursive(cell, NODE[name], x, array), rtol=0, atol=1e-6
    )


@each_cell
@given(forest=forests(labels=IDS, max_trees=3))
def test_gradients_agree_with_those_of_recursion(name, forest):
    array, cell = TreeArray.from_trees(forest), make_cell(name)
    x = node_inputs(array).requires_grad_()
    weights = torch.randn(array.n_nodes, 5, dtype=torch.float64)
    parameters = [x, *cell.parameters()]
    fast = torch.autograd.grad((level_batched(cell, x, array) * weights).sum(), parameters, allow_unused=True)
    slow = torch.autograd.grad(
        (recursive(cell, NODE[name], x, array) * weights).sum(), parameters, allow_unused=True
    )
    for a, b in zip(fast, slow):
        a, b = (torch.zeros(1, dtype=torch.float64) if g is None else g for g in (a, b))
        torch.testing.assert_close(*torch.broadcast_tensors(a, b), rtol=0, atol=1e-9)


@each_cell
def test_a_wrong_equation_is_seen(name):  # the control of the two laws above
    array, cell = TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]), make_cell(name)
    x = node_inputs(array)

    def without_bias(cell, x, children):
        right = cell.W.bias.clone()
        with torch.no_grad():
            cell.W.bias.zero_()
        state = NODE[name](cell, x, children)
        with torch.no_grad():
            cell.W.bias.copy_(right)
        return state

    assert not torch.allclose(
        level_batched(cell, x, array), recursive(cell, without_bias, x, array), atol=1e-3
    )


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@each_cell
@given(forest=forests(labels=IDS), data=st.data())
def test_shuffling_a_batch_and_taking_trees_one_by_one_change_nothing(name, pooling, forest, data):
    array, net = TreeArray.from_trees(forest), make_net(name, pooling)
    together = net(TreeBatch.from_array(array))
    order = data.draw(st.permutations(range(len(forest))))
    shuffled = net(TreeBatch.from_array(array[list(order)]))
    alone = torch.cat([net(TreeBatch.from_array(array[i : i + 1])) for i in range(len(array))])
    torch.testing.assert_close(shuffled, together[list(order)], rtol=0, atol=1e-12)
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-12)


def test_another_tree_has_another_output():  # the control of the law above
    net = make_net()
    one, other = (
        TreeBatch.from_array(TreeArray.from_trees([Tree(x, [-1, 0, 0])])) for x in ([2, 3, 4], [2, 3, 3])
    )
    assert not torch.allclose(net(one), net(other), atol=1e-4)


@given(trees(labels=IDS), st.data())
def test_renumbering_the_nodes_changes_nothing(tree, data):
    # any numbering at all: a Child-Sum net does not even see the order of siblings
    number = data.draw(st.permutations(list(tree.nodes)))
    labels, parents = [0] * tree.n_nodes, [0] * tree.n_nodes
    for i in tree.nodes:
        labels[number[i]] = tree.labels[i]
        parents[number[i]] = -1 if i == 0 else number[tree.parents[i]]
    net = make_net("child_sum_lstm")
    a, b = (net(TreeBatch.from_array(TreeArray.from_trees([t]))) for t in (tree, Tree(labels, parents)))
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def permuted(tree):
    """The tree with the children of every node in reverse order."""
    n = tree.n_nodes
    number = [n - 1 - i for i in tree.nodes]
    labels = [tree.labels[n - 1 - i] for i in range(n)]
    parents = [0] * n
    for i in tree.nodes:
        parents[number[i]] = -1 if i == 0 else number[tree.parents[i]]
    return Tree(labels, parents)


@given(trees(labels=IDS))
def test_permuting_children_leaves_child_sum_alone(tree):
    net = make_net("child_sum_lstm")
    a, b = (net(TreeBatch.from_array(TreeArray.from_trees([t]))) for t in (tree, permuted(tree)))
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_permuting_children_changes_nary():
    tree, net = Tree([2, 3, 4], [-1, 0, 0]), make_net("nary_lstm")
    a, b = (net(TreeBatch.from_array(TreeArray.from_trees([t]))) for t in (tree, permuted(tree)))
    assert not torch.allclose(a, b, atol=1e-4)


@given(st.integers(1, 20))
def test_a_unary_chain_of_nary_cells_equals_an_lstm(length):
    cell = make_cell("nary_lstm", max_arity=1)
    lstm = torch.nn.LSTMCell(4, 5).double()
    i, o, u, f = range(4)  # our gates; torch has i, f, g, o
    with torch.no_grad():
        for ours, theirs in ((cell.W.weight, lstm.weight_ih), (cell.U.weight, lstm.weight_hh)):
            gates = ours.split(5)
            theirs.copy_(torch.cat([gates[i], gates[f], gates[u], gates[o]]))
        gates = cell.W.bias.split(5)
        lstm.bias_ih.copy_(torch.cat([gates[i], gates[f], gates[u], gates[o]]))
        lstm.bias_hh.zero_()
    array = TreeArray.from_trees([Tree([2] * length, list(range(-1, length - 1)))])
    x = node_inputs(array)
    state = None
    for step in reversed(range(length)):  # the leaf is the first step
        state = lstm(x[step : step + 1], state)
    torch.testing.assert_close(level_batched(cell, x, array)[:1], state[0], rtol=0, atol=1e-12)


def test_child_sum_is_no_lstm():  # the control of the law above: the same gates, but its own f
    cell = make_cell("child_sum_lstm")
    nary = make_cell("nary_lstm", max_arity=1)
    with torch.no_grad():
        nary.W.load_state_dict(cell.W.state_dict())
        nary.U.weight.copy_(torch.cat([cell.U.weight, cell.U_k.weight]))
    chain = TreeArray.from_trees([Tree([2, 3], [-1, 0])])
    fork = TreeArray.from_trees([Tree([2, 3, 3], [-1, 0, 0])])
    x = node_inputs(chain)
    torch.testing.assert_close(level_batched(cell, x, chain), level_batched(nary, x, chain))
    x = node_inputs(fork)
    assert not torch.allclose(level_batched(cell, x, fork)[0], level_batched(nary, x, fork)[0], atol=1e-4)


def test_children_beyond_max_arity_are_summed_in_the_last_place():
    cell = make_cell("nary_lstm", max_arity=2)
    array = TreeArray.from_trees([Tree([2] * 5, [-1, 0, 0, 0, 0])])
    x = node_inputs(array)
    torch.testing.assert_close(
        level_batched(cell, x, array), recursive(cell, NODE["nary_lstm"], x, array), rtol=0, atol=1e-12
    )


@each_cell
def test_gradcheck(name):
    array = TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1]), Tree([2], [-1])])
    cell = make_cell(name, input_size=2, hidden_size=2)
    assert torch.autograd.gradcheck(
        lambda x: level_batched(cell, x, array), node_inputs(array, 2).requires_grad_()
    )


def test_values_are_standardised_per_label_and_edges_and_unknown_ids_matter():
    kwargs = {"value_shift": [0.0] * 7, "value_scale": [1.0] * 7, "n_edge_labels": 4}
    net = make_net(**kwargs)

    def output(tree):
        return net(TreeBatch.from_array(TreeArray.from_trees([tree])))

    plain = output(Tree([2, 3], [-1, 0]))
    assert not torch.allclose(output(Tree([2, 3], [-1, 0], values=[None, 1.0])), plain, atol=1e-5)
    assert torch.allclose(output(Tree([2, 3], [-1, 0], values=[None, 0.0])), plain)
    assert not torch.allclose(output(Tree([2, 3], [-1, 0], edges=[None, 2])), plain, atol=1e-5)
    assert torch.allclose(output(Tree([2, 99], [-1, 0])), output(Tree([2, 1], [-1, 0])))
    assert torch.allclose(
        output(Tree([2, 3], [-1, 0], edges=[None, 99])), output(Tree([2, 3], [-1, 0], edges=[None, 1]))
    )
    shifted = make_net(**{**kwargs, "value_shift": [10.0] * 7, "value_scale": [2.0] * 7})
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3], [-1, 0], values=[None, 12.0])]))
    assert torch.allclose(shifted(batch), output(Tree([2, 3], [-1, 0], values=[None, 1.0])))


def test_the_label_0_adds_nothing():
    net = make_net()
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([0, 2], [-1, 0])]))
    assert net.embedding(batch)[0].abs().max() == 0
    assert net.embedding(batch)[1].abs().max() > 0


def test_word_dropout_is_for_training_only():
    batch = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 0])]))
    net = make_net(word_dropout=0.999)
    assert not torch.allclose(net.train()(batch), net.eval()(batch))


def test_a_batch_moves_to_another_device_whole():
    array = TreeArray.from_table(np.ones((2, 3)))
    batch = TreeBatch.from_array(array)
    moved = batch.to("meta")
    assert {t.device.type for t in (moved.labels, moved.values, moved.parents, moved.roots)} == {"meta"}
    assert batch.to("cpu") is batch
    assert make_net(value_shift=[0.0] * 7, value_scale=[1.0] * 7).to("meta")(moved).shape == (2, 3)


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
