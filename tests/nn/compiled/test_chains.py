"""GRU layers computed as chains equal torch's."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_tree.nn import RecurrentNet, SequenceBatch, compilation

pytest.importorskip("numba")
from sklearn_tree.nn.compiled import chains
from sklearn_tree.nn.compiled.chains import make_chains


@given(lengths=st.lists(st.integers(0, 5), min_size=1, max_size=6), is_reversed=st.booleans())
def test_a_chain_visits_the_steps_in_order(lengths, is_reversed):
    lengths = np.array(lengths)
    if lengths.max() < 2:
        return
    rows = np.random.default_rng(0).integers(0, 4, (len(lengths), lengths.max()))
    edges, inputs, numbers = make_chains(rows, lengths, is_reversed=is_reversed)
    n = len(edges.inputs)
    n_inputs = len(inputs) - edges.n_leaves
    child = dict(zip(edges.parents.tolist(), edges.children.tolist(), strict=True))
    assert len(child) == n == edges.n_rows.sum() == np.maximum(lengths - 1, 0).sum()
    for i, length in enumerate(lengths):
        steps = list(range(length))[::-1] if is_reversed else list(range(length))
        for before, step in pairwise(steps):
            row = numbers[i, step]
            assert child[row] == numbers[i, before]
            assert inputs[edges.inputs[row]] == rows[i, step]
        if length:
            leaf = numbers[i, steps[0]]
            assert inputs[n_inputs + leaf - n] == rows[i, steps[0]]


def make_net(**params):
    torch.manual_seed(0)
    net = RecurrentNet(3, n_labels=12, hidden_size=5, embedding_dim=4, **{"cell": "gru", **params})
    compilation.choose_walks(net, 10**9)
    return net


def make_batch(lengths, vectors=None):
    lengths = torch.tensor(lengths)
    n_steps = max(int(lengths.max()), 1)
    labels = torch.from_numpy(np.random.default_rng(0).integers(2, 12, (len(lengths), n_steps)))
    return SequenceBatch(lengths, labels.masked_fill(torch.arange(n_steps) >= lengths.unsqueeze(1), 0))


def differentiate(net, batch):
    logits = net(batch)
    factors = torch.arange(1.0, logits.numel() + 1).view(logits.shape)
    grads = torch.autograd.grad((logits * factors).sum(), list(net.parameters()))
    return [logits, *grads]


def compare(net, batch, n_calls):
    calls, run_layer = [], chains.run_layer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "run_layer", lambda *a, **k: calls.append(1) or run_layer(*a, **k))
        found = differentiate(net, batch)
    assert len(calls) == n_calls
    net.is_compiled = False
    for a, b in zip(found, differentiate(net, batch), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=6),
    pooling=st.sampled_from(["last", "mean", "max", "attention"]),
    n_layers=st.integers(1, 2),
    bidirectional=st.booleans(),
)
def test_a_net_equals_torchs_layers(lengths, pooling, n_layers, bidirectional):
    net = make_net(pooling=pooling, n_layers=n_layers, bidirectional=bidirectional)
    assert net.is_compiled
    n_layers = n_layers * (1 + bidirectional)
    compare(net, make_batch(lengths), n_layers if max(lengths) > 1 else 0)


def test_dropped_words_and_new_words_are_read():
    net, batch = make_net(word_dropout=0.5), make_batch([4, 2])
    torch.testing.assert_close(*(differentiate_with_seed(net, batch, flag) for flag in (True, False)))


def differentiate_with_seed(net, batch, is_compiled):
    net.is_compiled = is_compiled
    torch.manual_seed(3)
    return net(batch)


@pytest.mark.parametrize(
    "params", [{"cell": "lstm"}, {"cell": "rnn"}, {"dropout": 0.5}, {"dtype": torch.float64}]
)
def test_other_nets_are_not_compiled(params):
    assert make_net().is_compiled  # the control
    assert not make_net(**params).is_compiled


def test_series_are_not_compiled():
    net = RecurrentNet(3, n_channels=2, cell="gru")
    compilation.choose_walks(net, 10**9)
    assert not net.is_compiled


def test_a_hooked_layer_runs():
    net, calls = make_net(), []
    net.encoder.forwards[0].register_forward_hook(lambda *args: calls.append(1))
    net(make_batch([3, 2]))
    assert len(calls) == 1


def test_a_wrong_derivative_fails_the_comparison(monkeypatch):  # the control of the laws above
    weights = chains.step_weights
    monkeypatch.setattr(chains, "step_weights", lambda layer: tuple(1.01 * w for w in weights(layer)))
    with pytest.raises(AssertionError):
        compare(make_net(), make_batch([4, 2]), 2)
