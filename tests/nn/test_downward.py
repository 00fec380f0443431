"""The top-down walk equals plain recursion, and reads each path from the root as a sequence."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import context_logits, downward_states, tree_logits
from strategies import forests
from walks import compare_walks

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, POOLINGS, DownwardEncoder, RecursiveNet, TreeBatch, TreeCell
from sklearn_tree.nn.downward import reverse_schedule
from sklearn_tree.nn.plan import make_plan

IDS = st.integers(2, 6)
DOWNWARD = ["child_sum_lstm", "nary_gru", "nary_lstm", "rnn"]
each_downward = pytest.mark.parametrize("name", DOWNWARD)
each_cell = pytest.mark.parametrize("name", ["child_sum_lstm", "nary_gru", "rntn"])  # one for each of them
each_pooling = pytest.mark.parametrize("pooling", sorted(POOLINGS))
SMALL = [Tree([2, 3, 5, 2, 4], [-1, 0, 1, 1, 0]), Tree([6], [-1]), Tree([2, 3, 3], [-1, 0, 1])]


def make_net(name="child_sum_lstm", pooling="root", **kwargs):
    torch.manual_seed(0)
    kwargs = {"hidden_size": 6, "embedding_dim": 5, "max_arity": 3, "bidirectional": True, **kwargs}
    return RecursiveNet(7, 3, cell=name, pooling=pooling, **{"dtype": torch.float64, **kwargs}).eval()


def make_net_with_path(has_path=True, **params):
    """Return a net, with weights of a linear path if it has one."""
    net = make_net(**params, linear_path=has_path)
    if has_path:
        net.linear.set_weights(torch.randn(7, 3), torch.randn(3))
    return net


def make_encoder(name, size=5):
    torch.manual_seed(0)
    return DownwardEncoder(CELLS[name](size, size, 1)).double()


def batch_of(trees):
    return TreeBatch.from_array(TreeArray.from_trees(list(trees)))


def upward_states(batch, size=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch.n_nodes, size, dtype=torch.float64, generator=generator)


@each_downward
@given(forest=forests(labels=IDS), is_fast=st.booleans())
def test_downward_states_equal_plain_recursion(name, forest, is_fast):
    encoder, batch = make_encoder(name), batch_of(forest)
    up = upward_states(batch)
    found, by_tree = encoder(up, batch, is_fast=is_fast)[batch.order], up[batch.order]
    first = 0
    for tree in forest:
        rows = slice(first, first + tree.n_nodes)
        expected = downward_states(encoder.cell, dict(enumerate(by_tree[rows])), tree)
        expected = torch.stack([expected[i] for i in tree.nodes])
        torch.testing.assert_close(found[rows], expected, rtol=0, atol=1e-12)
        first += tree.n_nodes


def test_downward_states_depend_on_ancestors_only():
    encoder, batch = make_encoder("nary_lstm"), batch_of(SMALL)
    up = upward_states(batch)
    changed = up.index_add(0, batch.order[1:2], torch.ones(1, 5, dtype=up.dtype))  # node 1 of the first tree
    difference = (encoder(changed, batch) - encoder(up, batch)).abs().sum(1)[batch.order]
    assert (difference[[1, 2, 3]] > 1e-4).all()
    assert (difference[[0, 4, 5, 6, 7, 8]] == 0).all()


def torch_layer(name, cell):
    """Return torch's layer with the weights of a cell; the order of gates is torch's."""
    size = cell.hidden_size
    layer_class, order = {"nary_lstm": (torch.nn.LSTM, [0, 3, 2, 1]), "rnn": (torch.nn.RNN, [0])}[name]
    layer = layer_class(size, size, batch_first=True).double()
    with torch.no_grad():
        for own, parameter in (
            (cell.W.weight, layer.weight_ih_l0),
            (cell.W.bias, layer.bias_ih_l0),
            (cell.U.weight, layer.weight_hh_l0),
            (torch.zeros_like(cell.W.bias), layer.bias_hh_l0),
        ):
            gates = own.split(size)
            parameter.copy_(torch.cat([gates[i] for i in order]))
    return layer


@pytest.mark.parametrize("name", ["nary_lstm", "rnn"])
def test_a_chain_is_read_as_a_sequence_by_a_layer_of_torch(name):
    encoder, batch = make_encoder(name), batch_of([Tree([2] * 6, range(-1, 5))])
    up = upward_states(batch)
    expected = torch_layer(name, encoder.cell)(up.unsqueeze(0))[0][0]
    torch.testing.assert_close(encoder(up, batch), expected, rtol=0, atol=1e-12)
    reverse = encoder(up.flip(0), batch).flip(0)
    assert not torch.allclose(reverse, expected, atol=1e-3)  # the control


@each_downward
def test_gradients_are_those_of_finite_differences(name):
    encoder, batch = make_encoder(name, size=2), batch_of(SMALL)
    up = upward_states(batch, size=2).requires_grad_()

    def f(up, *weights):
        return torch.func.functional_call(encoder, dict(zip(names, weights, strict=True)), (up, batch))

    names, weights = zip(*encoder.named_parameters(), strict=True)
    assert torch.autograd.gradcheck(f, (up, *weights))


@each_cell
@each_pooling
@settings(max_examples=20)
@given(forest=forests(labels=IDS), has_path=st.booleans())
def test_a_bidirectional_net_equals_plain_recursion(name, pooling, forest, has_path):
    net, array = make_net_with_path(has_path, name=name, pooling=pooling), TreeArray.from_trees(forest)
    batch = TreeBatch.from_array(array)
    x = net.embed(batch)
    by_tree = x[batch.order].split(array.sizes.tolist())
    expected = torch.stack([tree_logits(net, *pair) for pair in zip(by_tree, forest, strict=True)])
    torch.testing.assert_close(net(batch), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(net.forward_embedded(x, batch), expected, rtol=0, atol=1e-12)


@each_pooling
@settings(max_examples=40)
@given(forest=forests(labels=IDS), has_path=st.booleans())
def test_logits_of_subtrees_in_context_equal_plain_recursion(pooling, forest, has_path):
    net, array = make_net_with_path(has_path, pooling=pooling), TreeArray.from_trees(forest)
    batch = TreeBatch.from_array(array)
    x = net.embed(batch)[batch.order].split(array.sizes.tolist())
    expected = torch.cat([context_logits(net, *pair) for pair in zip(x, forest, strict=True)])
    found = net(dataclasses.replace(batch, output_nodes=batch.order))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@each_cell
@each_pooling
def test_both_walks_of_a_bidirectional_net_have_the_same_gradients(name, pooling):
    compare_walks(make_net(name, pooling), batch_of(SMALL), 1e-12, 1e-12)


@each_cell
@settings(max_examples=40)
@given(forest=forests(labels=IDS), data=st.data())
def test_a_batch_equals_its_trees_in_any_order_and_one_by_one(name, forest, data):
    array, net = TreeArray.from_trees(forest), make_net(name)
    together = net(TreeBatch.from_array(array))
    order = data.draw(st.permutations(range(len(forest))))
    shuffled = net(TreeBatch.from_array(array[list(order)]))
    single = torch.cat([net(TreeBatch.from_array(array[i : i + 1])) for i in range(len(array))])
    torch.testing.assert_close(shuffled, together[list(order)], rtol=0, atol=1e-12)
    torch.testing.assert_close(single, together, rtol=0, atol=1e-12)


@each_pooling
def test_subtrees_are_pooled_in_the_whole_tree(pooling):
    net, batch = make_net(pooling=pooling), batch_of(SMALL)
    everything = net.encode_subtrees(batch)
    torch.testing.assert_close(everything[batch.roots], net.encode(batch), rtol=0, atol=1e-12)
    nodes = batch.order[[1, 3]]
    torch.testing.assert_close(net.encode_subtrees(batch, nodes), everything[nodes], rtol=0, atol=1e-12)
    alone = net.encode(batch_of([Tree([3, 5, 2], [-1, 0, 0])]))
    up, down = (everything[nodes[:1]] - alone).abs().chunk(2, dim=1)
    assert down.max() > 1e-4
    if pooling != "attention":  # whose weights depend on both walks
        assert up.max() < 1e-12


@pytest.mark.parametrize("shape", ["chain", "star"])
def test_deep_and_wide_trees_pass_forward_and_backward(shape):
    n = 5000 if shape == "chain" else 2001
    tree = Tree([2] * n, range(-1, n - 1) if shape == "chain" else [-1] + [0] * (n - 1))
    net = make_net(dtype=torch.float32)
    net(batch_of([tree, SMALL[0]])).sum().backward()
    for parameter in net.parameters():
        assert torch.isfinite(parameter.grad).all()
    assert net.encoder.downward.cell.W.weight.grad.abs().max() > 0


def test_a_net_runs_on_another_device():
    batch = TreeBatch.from_array(TreeArray.from_table(np.ones((2, 3)))).to("meta")
    assert make_net(value_shift=[0.0] * 7, value_scale=[1.0] * 7).to("meta")(batch).shape == (2, 3)


def test_cells_choose_the_cell_of_the_second_walk():
    chosen = {name: type(make_net(name).encoder.downward.cell) for name in CELLS}
    assert chosen == {
        "child_sum_gru": CELLS["nary_gru"],
        "child_sum_lstm": CELLS["nary_lstm"],
        "nary_gru": CELLS["nary_gru"],
        "nary_lstm": CELLS["nary_lstm"],
        "rnn": CELLS["rnn"],
        "rntn": CELLS["rnn"],
    }

    class Average(TreeCell):
        downward = "rnn"

        def forward(self, wx, children):
            return (wx[:, : self.hidden_size].tanh(),)

    net = make_net(Average, embedding_dim=6)
    assert isinstance(net.encoder.downward.cell, CELLS["rnn"])
    assert net(batch_of(SMALL)).shape == (3, 3)


@pytest.mark.parametrize("bad", ["rntn", "lstm"])
def test_a_cell_with_an_unknown_cell_for_the_second_walk_is_rejected(bad):
    class Wrong(CELLS["nary_lstm"]):
        downward = bad

    with pytest.raises(ValueError, match=rf"downward of Wrong must be one of \['child.*'rnn'\], got '{bad}'"):
        make_net(Wrong)
    assert make_net(Wrong, bidirectional=False).encoder.downward is None


def test_a_hook_on_the_cell_is_called():
    net, batch, seen = make_net(), batch_of(SMALL), []
    expected = net(batch)
    net.encoder.downward.cell.register_forward_hook(lambda *args: seen.append(len(args)))
    torch.testing.assert_close(net(batch), expected, rtol=0, atol=1e-12)
    assert len(seen) == len(batch.levels) + 1


def test_bottom_up_nets_have_no_second_walk():
    names = [name for name, _ in make_net(bidirectional=False).named_parameters()]
    assert not any("downward" in name for name in names)
    assert make_net(bidirectional=False).head.in_features == 6
    assert make_net().head.in_features == 12


@given(forests(labels=IDS))
def test_a_reversed_schedule_has_one_edge_to_the_parent_of_each_node(forest):
    batch = batch_of(forest)
    if not len(batch.children):
        return
    schedule = reverse_schedule(batch)
    assert sorted(schedule.rows.tolist()) == list(range(batch.n_nodes))
    found = dict(zip(schedule.parents.tolist(), schedule.children.tolist(), strict=True))
    expected = zip(schedule.rows[batch.children].tolist(), schedule.rows[batch.parents].tolist(), strict=True)
    assert found == dict(expected)
    assert schedule.children[schedule.incoming].diff().ge(0).all()
    plan = make_plan(CELLS["nary_lstm"](2, 2, 1), schedule, len(batch))
    assert sum(plan.n_incoming) + len(plan.leaf_edges) == plan.n_inner == len(batch.children)
