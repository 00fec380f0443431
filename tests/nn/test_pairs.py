"""Pairs: one net encodes both samples, and its head compares their vectors."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_tree import TreeArray
from sklearn_tree.nn import (
    ConvolutionalNet,
    PairBatch,
    PairNet,
    RecurrentNet,
    RecursiveNet,
    SequenceBatch,
    TreeBatch,
)
from sklearn_tree.nn.pairs import compare
from sklearn_tree.trees import RaggedArray

PARAMS = {"hidden_size": 5, "embedding_dim": 4, "n_labels": 9, "n_outputs": 3, "dtype": torch.float64}
SEQUENCES = RaggedArray.from_sequences([[2, 3, 4], [5], [2], [2, 8, 8, 3], [], [4, 3]])
TREES = TreeArray.from_trees(
    ["(2 (3) (4))", "(5 (6 7) (2))", "(4)", "(2 (3 (4)))", "(8 (2) (2) (2))", "(3 (3) (5 (2) (3)))"]
)
TREES = TREES.replace(labels=TREES.vocabulary[TREES.labels].astype(np.int64), vocabulary=None, n_labels=9)
NETS = [
    (RecursiveNet, TREES, TreeBatch.from_array),
    (RecurrentNet, SEQUENCES, SequenceBatch.from_array),
    (ConvolutionalNet, SEQUENCES, SequenceBatch.from_array),
]


def make(cls, **params):
    torch.manual_seed(0)
    return PairNet(cls, **{**PARAMS, **params}).eval()


def swap(items):
    return items[np.arange(len(items)).reshape(-1, 2)[:, ::-1].ravel()]


@pytest.mark.parametrize(("cls", "items", "to_batch"), NETS)
def test_logits_are_both_layers_over_samples_that_are_encoded_one_by_one(cls, items, to_batch):
    net = make(cls)
    with torch.no_grad():
        logits = net(PairBatch(to_batch(items)))
        vectors = [net.net.encode(to_batch(items[np.array([i])]))[0] for i in range(len(items))]
        for i, row in enumerate(logits):
            a, b = vectors[2 * i : 2 * i + 2]
            compared = torch.cat([a, b, abs(a - b), a * b])
            first, _, last = net.hidden
            units = torch.tanh(first.weight @ compared + first.bias)
            expected = net.head.weight @ compared + net.head.bias + last.weight @ units + last.bias
            torch.testing.assert_close(row, expected, rtol=1e-10, atol=1e-10)
            one = net(PairBatch(to_batch(items[2 * i : 2 * i + 2])))
            torch.testing.assert_close(one[0], row, rtol=1e-10, atol=1e-10)
    assert net.encode(PairBatch(to_batch(items))).shape == (3, net.head.in_features)


@pytest.mark.parametrize(("cls", "items", "to_batch"), NETS)
def test_swapping_both_samples_changes_nothing_if_the_layers_are_symmetric(cls, items, to_batch):
    net = make(cls)
    batch, swapped = PairBatch(to_batch(items)), PairBatch(to_batch(swap(items)))
    assert not torch.allclose(net(batch), net(swapped))  # the control
    size = net.head.in_features // 4
    with torch.no_grad():
        for layer in (net.head, net.hidden[0]):
            layer.weight[:, size : 2 * size] = layer.weight[:, :size]
    torch.testing.assert_close(net(batch), net(swapped), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("cls", "items", "to_batch"), NETS)
def test_equal_samples_have_no_difference(cls, items, to_batch):
    net = make(cls)
    a, _, difference, product = net.encode(PairBatch(to_batch(items[np.array([0, 0, 3, 3])]))).chunk(4, dim=1)
    torch.testing.assert_close(difference, torch.zeros_like(difference), rtol=0, atol=1e-12)
    torch.testing.assert_close(product, a * a, rtol=1e-10, atol=1e-12)
    assert net.encode(PairBatch(to_batch(items))).chunk(4, dim=1)[2].abs().max() > 1e-3  # the control


@pytest.mark.parametrize(("cls", "items", "to_batch"), NETS)
def test_logits_are_computed_from_embedded_inputs_too(cls, items, to_batch):
    net, batch = make(cls), to_batch(items)
    logits = net.forward_embedded(net.embedding(batch).to(torch.float64), batch)
    torch.testing.assert_close(logits, net(PairBatch(batch)), rtol=1e-10, atol=1e-10)
    assert hasattr(net, "features") == (cls is ConvolutionalNet)


def test_gradients_of_the_comparison_are_correct():
    a, b = torch.rand(2, 3, 4, dtype=torch.float64, requires_grad=True).unbind()
    assert torch.autograd.gradcheck(compare, (a, b))


def test_dropout_and_batches_have_the_parameters_of_the_net():
    net = make(RecursiveNet, dropout=0.5)
    net.set_dropout(0.25, 0.1)
    assert [module.p for module in net.modules() if isinstance(module, nn.Dropout)] == [0.25, 0.25]
    assert net.embedding.word_dropout == 0.1
    batch = PairBatch(TreeBatch.from_array(TREES), torch.ones(3))
    assert len(batch) == 3
    assert batch.to("cpu") is batch
    assert batch.to("meta").items.labels.device.type == batch.to("meta").sample_weight.device.type == "meta"
