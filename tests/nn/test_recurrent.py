"""Recurrent nets ignore padding and equal torch's layers on packed sequences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import RaggedArray
from sklearn_tree.nn import RECURRENT_CELLS, SEQUENCE_POOLINGS, RecurrentEncoder, RecurrentNet, SequenceBatch

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=6)


def make_net(cell="lstm", pooling="last", **kwargs):
    torch.manual_seed(0)
    kwargs = {"hidden_size": 4, "embedding_dim": 3, "n_layers": 2, **kwargs}
    return RecurrentNet(2, n_labels=9, cell=cell, pooling=pooling, dtype=torch.float64, **kwargs).eval()


def sequences(lengths):
    rng = np.random.RandomState(0)
    return RaggedArray(rng.randint(2, 9, sum(lengths)), np.r_[0, np.cumsum(lengths)])


@pytest.mark.parametrize("pooling", SEQUENCE_POOLINGS)
@pytest.mark.parametrize("cell", sorted(RECURRENT_CELLS))
@given(lengths=LENGTHS)
def test_a_batch_equals_its_sequences_one_by_one(cell, pooling, lengths):
    array, net = sequences(lengths), make_net(cell, pooling)
    together = net(SequenceBatch.from_array(array))
    single = torch.cat([net(SequenceBatch.from_array(array[i : i + 1])) for i in range(len(array))])
    torch.testing.assert_close(together, single, rtol=0, atol=1e-12)


def test_torchs_backward_direction_reads_the_padding():  # the control of the law above
    array, net = sequences([3, 9]), make_net(n_layers=1)
    layer = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True).double()
    layer.load_state_dict(
        {f"{name}{suffix}": value
         for direction, suffix in ((net.encoder.forwards, ""), (net.encoder.backwards, "_reverse"))
         for name, value in direction[0].state_dict().items()}
    )  # fmt: skip

    def leaky(batch):
        return layer(net.embedding(batch))[0]

    together = SequenceBatch.from_array(array)
    single = SequenceBatch.from_array(array[:1])
    ours = [net.encoder(net.embedding(batch), batch)[0, :3] for batch in (together, single)]
    torch.testing.assert_close(ours[0], ours[1], rtol=0, atol=1e-12)
    torch.testing.assert_close(ours[1], leaky(single)[0], rtol=0, atol=1e-12)
    assert not torch.allclose(leaky(together)[0, :3], leaky(single)[0], atol=1e-4)


@given(LENGTHS.filter(all))
def test_final_states_equal_those_of_packed_sequences(lengths):
    batch, net = SequenceBatch.from_array(sequences(lengths)), make_net(n_layers=1)
    lstm = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True).double()
    lstm.load_state_dict(
        {f"{name}{suffix}": value
         for direction, suffix in ((net.encoder.forwards, ""), (net.encoder.backwards, "_reverse"))
         for name, value in direction[0].state_dict().items()}
    )  # fmt: skip
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        net.embedding(batch), batch.lengths, batch_first=True, enforce_sorted=False
    )
    _, (h, _) = lstm(packed)
    ours = net.encoder.final_states(net.embedding(batch), batch)
    torch.testing.assert_close(ours, torch.cat([h[0], h[1]], dim=1), rtol=0, atol=1e-12)


def test_the_order_of_the_steps_matters():
    array = RaggedArray([2, 3, 3, 2], [0, 2, 4])
    out = make_net()(SequenceBatch.from_array(array))
    assert not torch.allclose(out[0], out[1], atol=1e-4)


def test_the_vector_of_an_empty_sequence_is_zero():
    for pooling in SEQUENCE_POOLINGS:
        vectors = make_net(pooling=pooling).encode(SequenceBatch.from_array(sequences([0, 4])))
        assert vectors[0].abs().max() == 0
        assert vectors[1].abs().max() > 0


@given(LENGTHS)
def test_gradients_do_not_depend_on_the_padding(lengths):
    array, net = sequences(lengths), make_net()
    grads = []
    for batches in ([array], [array[i : i + 1] for i in range(len(array))]):
        net.zero_grad()
        sum(net(SequenceBatch.from_array(batch)).sum() for batch in batches).backward()
        grads.append([p.grad.clone() for p in net.parameters()])
    for together, single in zip(*grads):
        torch.testing.assert_close(together, single, rtol=0, atol=1e-9)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_memory_lets_gradients_reach_the_first_step(cell):
    """With ``memory``, the first of 100 steps has a gradient of the final state."""
    shares = []
    for memory in (None, 200.0):
        torch.manual_seed(0)
        encoder = RecurrentEncoder(cell, 1, 64, bidirectional=False, memory=memory)
        x = torch.zeros(1, 100, 1, requires_grad=True)
        encoder(x, SequenceBatch(torch.tensor([100]), values=x))[0, -1].pow(2).sum().backward()
        shares.append(float(x.grad[0, 0].abs() / x.grad.abs().max()))
    assert shares[0] < 1e-6 < 0.01 < shares[1]
