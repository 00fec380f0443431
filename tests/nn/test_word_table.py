"""Convolutions with a word table equal convolutions of the words' vectors, forward and backward."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import RaggedArray
from sklearn_tree.nn import CONVOLUTION_POOLINGS, ConvolutionalNet, Embedding, SequenceBatch, word_table

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=6)
WIDTHS = st.lists(st.integers(1, 6), min_size=1, max_size=3)


def make_net(kernel_sizes, **kwargs):
    torch.manual_seed(0)
    sizes = {"n_labels": 9, "kernel_sizes": kernel_sizes, "n_filters": 4, "embedding_dim": 3}
    net = ConvolutionalNet(2, **sizes, dtype=torch.float64, **kwargs)
    torch.nn.init.normal_(net.embedding.labels.weight.data[1])  # no zeros, which make the maximum ambiguous
    return net


def sequences(lengths):
    rng = np.random.RandomState(0)  # of 9 labels; ids 1 and 11 are unknown
    return RaggedArray(rng.choice([1, 2, 3, 8, 11], sum(lengths)), np.r_[0, np.cumsum(lengths)])


def compute(net, batch, *, by_table):
    """Return the logits and the gradients of all parameters."""
    if not by_table:
        net.embedding.words = lambda batch: None
    net.zero_grad()
    logits = net(batch)
    (logits * torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).view_as(logits)).sum().backward()
    vars(net.embedding).pop("words", None)
    return [logits.detach(), *(p.grad.clone() for p in net.parameters())]


@pytest.mark.parametrize("n_blocks", [1, 3])
@pytest.mark.parametrize("pooling", CONVOLUTION_POOLINGS)
@given(lengths=LENGTHS, widths=WIDTHS)
def test_a_word_table_equals_a_convolution(pooling, n_blocks, lengths, widths):
    net, batch = (
        make_net(widths, pooling=pooling, n_blocks=n_blocks),
        SequenceBatch.from_array(sequences(lengths)),
    )
    assert net._embed_words(batch) is not None
    pairs = zip(compute(net, batch, by_table=True), compute(net, batch, by_table=False), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_a_table_with_swapped_columns_is_another_convolution(pooling, monkeypatch):  # the control
    find_rows = word_table._find_rows
    net, batch = make_net([3], pooling=pooling), SequenceBatch.from_array(sequences([3, 9]))
    expected = compute(net, batch, by_table=False)
    monkeypatch.setattr(word_table, "_find_rows", lambda *args: (rows ^ 1 for rows in find_rows(*args)))
    found = compute(net, batch, by_table=True)
    assert not torch.allclose(found[0], expected[0], atol=1e-6)


def test_word_dropout_draws_the_same_words():
    net, batch = make_net([2], word_dropout=0.5).train(), SequenceBatch.from_array(sequences([5, 9]))
    torch.manual_seed(1)
    ours = compute(net, batch, by_table=True)
    torch.manual_seed(1)
    for one, other in zip(ours, compute(net, batch, by_table=False), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_dropout_and_hooks_avoid_the_table():
    batch = SequenceBatch.from_array(sequences([5, 9]))
    assert make_net([2], dropout=0.5).train().embedding.words(batch) is None
    assert make_net([2], dropout=0.5).eval().embedding.words(batch) is not None
    for part in ("encoder.convolutions.0.convolutions.0", "embedding.labels", "embedding.dropout", "pool"):
        net = make_net([2])
        assert net._embed_words(batch) is not None
        net.get_submodule(part).register_forward_hook(lambda *args: None)
        assert net._embed_words(batch) is None


def test_a_subclass_of_the_embedding_avoids_the_table():
    class Nothing(Embedding):
        def forward(self, batch, nodes=None):
            return super().forward(batch, nodes) * 0

    batch, net = SequenceBatch.from_array(sequences([5, 9])), make_net([2])
    net.embedding.__class__ = Nothing
    assert torch.equal(*net(batch))


def test_words_with_a_vector_of_their_own_enter_the_table():
    net, encoded = make_net([2, 3]), sequences([5, 9, 0])
    rng = np.random.RandomState(1)
    batch = SequenceBatch.from_array(encoded.replace(vectors=rng.randn(3, 3)))  # of ids 9, 10 and 11
    expected = compute(net, batch, by_table=False)
    for ours, theirs in zip(compute(net, batch, by_table=True), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    without = compute(net, SequenceBatch.from_array(encoded), by_table=True)  # the control
    assert not torch.allclose(without[0], expected[0], atol=1e-6)
