"""The linear path equals a loop over the labels of each sample, and is a part of every net with labels."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from reference import bag_logits, subtree

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.nn import ConvolutionalNet, RecurrentNet, RecursiveNet, SequenceBatch, TreeBatch
from sklearn_tree.nn.linear_path import LinearPath
from sklearn_tree.trees.subtrees import number_subtrees

N_LABELS, N_OUTPUTS = 7, 3
TREES = [
    Tree([5], [-1]),
    Tree([2, 3, 4, 3], [-1, 0, 1, 1]),
    Tree([0, 1, 9, 6], [-1, 0, 0, 2]),  # no label, an unknown one and one beyond the table
    Tree([3, 4, 3], [-1, 0, 0]),
]
SEQUENCES = [[2, 3, 2], [], [1, 1], [9, 6], [5]]


def tree_batch(trees=TREES, **columns):
    return TreeBatch.from_array(TreeArray.from_trees(trees).replace(**columns))


def token_batch(sequences=SEQUENCES):
    offsets = np.r_[0, np.cumsum([len(ids) for ids in sequences])]
    return SequenceBatch.from_array(RaggedArray([i for ids in sequences for i in ids], offsets))


def fit_randomly(path, seed=0):
    """Set random weights; those of the reserved ids are zero, as in every fit."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(path.weight.shape, generator=generator)
    weight[:2] = 0
    path.set_weights(weight, torch.randn(path.bias.shape, generator=generator))
    return path


def make_path():
    return fit_randomly(LinearPath(N_LABELS, N_OUTPUTS).double())


def loop(path, samples):
    return torch.stack([bag_logits(path, labels) for labels in samples])


@pytest.mark.parametrize("is_shared", [True, False])
def test_logits_of_trees_equal_the_loop_over_labels(is_shared):
    path, array = make_path(), TreeArray.from_trees(TREES)
    batch = tree_batch(subtrees=number_subtrees(array)) if is_shared else tree_batch()
    torch.testing.assert_close(path(batch), loop(path, [tree.labels for tree in TREES]))


def add_bigrams(path):
    """Set random weights of some bigrams."""
    weight = torch.randn(3, N_OUTPUTS, generator=torch.Generator().manual_seed(1))
    path.set_weights(
        path.weight, path.bias, torch.tensor([2, 3, 4]) * N_LABELS + torch.tensor([3, 2, 4]), weight
    )
    return path


@pytest.mark.parametrize("prepare", [lambda path: path, add_bigrams], ids=["tokens", "bigrams"])
def test_logits_of_sequences_equal_the_loop_over_tokens(prepare):
    path = prepare(make_path())
    torch.testing.assert_close(path(token_batch()), loop(path, SEQUENCES))


def test_bigrams_change_the_logits_of_sequences_that_have_them():
    one, two = make_path()(token_batch()), add_bigrams(make_path())(token_batch())
    assert (one != two).any(1).tolist() == [True, False, False, False, False]


def test_state_dicts_restore_bigrams():
    path, other = add_bigrams(make_path()), LinearPath(N_LABELS, N_OUTPUTS).double()
    other.load_state_dict(path.state_dict())
    torch.testing.assert_close(other(token_batch()), path(token_batch()))
    other.load_state_dict(make_path().state_dict())
    torch.testing.assert_close(other(token_batch()), make_path()(token_batch()))


@pytest.mark.parametrize("prepare", [lambda path: path, add_bigrams], ids=["tokens", "bigrams"])
def test_logits_do_not_depend_on_padding(prepare):
    path, batch = prepare(make_path()), token_batch()
    padded = replace(batch, labels=torch.nn.functional.pad(batch.labels, (0, 5), value=4))  # not even zeros
    torch.testing.assert_close(path(padded), path(batch))


def test_a_subtree_has_the_logits_of_a_separate_tree():
    path, batch = make_path(), tree_batch()
    found = path.score_subtrees(batch, batch.order)
    separate = [[tree.labels[k] for k in subtree(tree, i)] for tree in TREES for i in tree.nodes]
    torch.testing.assert_close(found, loop(path, separate))


def test_ids_beyond_the_table_are_unknown():
    path = make_path()
    found = path(token_batch([[2, N_LABELS], [2, 1], [2, 6]]))
    torch.testing.assert_close(found[0], found[1])
    assert (found[0] - found[2]).abs().min() > 1e-3  # the control


def nets(**params):
    sizes = {"n_outputs": N_OUTPUTS, "n_labels": N_LABELS, **params}
    for pooling in ("root", "mean", "max", "attention"):
        yield RecursiveNet(pooling=pooling, **sizes), tree_batch()
    yield RecursiveNet(**sizes), tree_batch(subtrees=number_subtrees(TreeArray.from_trees(TREES)))
    yield RecursiveNet(n_edge_labels=3, **sizes), tree_batch(edges=np.arange(12) % 3)
    for cell in ("lstm", "gru"):
        yield RecurrentNet(cell=cell, **sizes), token_batch()
    for n_blocks in (1, 2):
        yield ConvolutionalNet(n_blocks=n_blocks, **sizes), token_batch()


def known(batch):
    """Return the batch with unknown labels instead of those beyond the table, which need vectors."""
    return replace(batch, labels=batch.labels.masked_fill(batch.labels >= N_LABELS, 1))


def fitted_nets():
    for net, batch in nets(linear_path=True, dtype=torch.float64):
        fit_randomly(net.linear)
        yield net.eval(), known(batch)


def test_the_logits_of_a_net_are_those_of_both_parts():
    for net, batch in fitted_nets():
        expected = net.compute_logits(net.encode(batch)) + net.linear(batch)
        torch.testing.assert_close(net(batch), expected)


def test_the_embedded_inputs_determine_the_logits():
    for net, batch in fitted_nets():
        x = net.embed(batch)
        torch.testing.assert_close(net.forward_embedded(x, batch), net(batch))
        changed = x.clone()
        changed[..., -1] += 1  # the weights of the last output
        difference = net.forward_embedded(changed, batch) - net(batch)
        torch.testing.assert_close(difference[:, :-1], torch.zeros_like(difference[:, :-1]))
        torch.testing.assert_close(difference[:, -1], batch.lengths.double().sqrt())


def test_the_label_table_holds_the_embedded_inputs():
    for net, batch in fitted_nets():
        if getattr(batch, "edges", None) is None:
            torch.testing.assert_close(net.label_table()[batch.labels], net.embed(batch))


def test_feature_maps_and_tokens_determine_the_logits():
    net = ConvolutionalNet(N_OUTPUTS, n_labels=N_LABELS, linear_path=True, dtype=torch.float64).eval()
    fit_randomly(net.linear)
    batch = known(token_batch())
    torch.testing.assert_close(net.decide(net.features(net.embedding(batch), batch), batch), net(batch))


def test_subtrees_of_a_net_have_the_logits_of_separate_trees():
    net = RecursiveNet(N_LABELS, N_OUTPUTS, pooling="mean", linear_path=True, dtype=torch.float64).eval()
    fit_randomly(net.linear)
    batch, subtrees = tree_batch(TREES[1::2]), tree_batch([Tree([3, 4, 3], [-1, 0, 0]), TREES[3]])
    nodes = batch.order[torch.tensor([1, 4])]
    torch.testing.assert_close(net(replace(batch, output_nodes=nodes)), net(subtrees))


@pytest.mark.parametrize("n", range(10))
def test_a_path_that_is_not_fitted_changes_no_bit(n):
    torch.manual_seed(0)
    without, batch = list(nets())[n]
    torch.manual_seed(0)
    with_path, _ = list(nets(linear_path=True))[n]
    one, two = without.eval()(known(batch)), with_path.eval()(known(batch))
    torch.testing.assert_close(one, two, rtol=0, atol=0)
    assert with_path.embed(known(batch)).shape == without.embed(known(batch)).shape
    fit_randomly(with_path.linear)  # the control
    assert (with_path(known(batch)) - one).abs().max() > 0.1


def test_the_weights_are_no_parameters_and_have_no_gradient():
    for net, batch in fitted_nets():
        assert not [name for name, _ in net.named_parameters() if name.startswith("linear")]
        net(batch).sum().backward()
        assert not net.linear.weight.requires_grad


def test_a_state_dict_of_tensors_holds_the_weights_and_whether_they_are_fitted():
    for is_fitted in (True, False):
        path, other = LinearPath(N_LABELS, N_OUTPUTS), LinearPath(N_LABELS, N_OUTPUTS)
        if is_fitted:
            fit_randomly(path)
        else:
            fit_randomly(other)
        state = path.state_dict()
        assert all(isinstance(value, torch.Tensor) for value in state.values())
        other.load_state_dict(state)
        assert other.is_fitted == is_fitted
        torch.testing.assert_close(other.weight, path.weight)
        assert copy.deepcopy(path).is_fitted == is_fitted


def test_logits_are_exact_in_autocast():
    net = RecursiveNet(N_LABELS, N_OUTPUTS, linear_path=True).eval()
    fit_randomly(net.linear)
    batch = known(tree_batch())
    with torch.autocast("cpu", torch.bfloat16):
        found = net.linear(batch)
    torch.testing.assert_close(found, net.linear(batch), rtol=0, atol=0)
