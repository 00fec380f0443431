"""Residual encoders ignore padding and batch mates, and equal a slow version made of torch's layers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from sklearn_tree import RaggedArray
from sklearn_tree.nn import (
    CONVOLUTION_POOLINGS,
    ConvolutionalNet,
    ImageBatch,
    ResidualEncoder,
    SequenceBatch,
)

LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=6)
STATISTICS = {"value_shift": [0.3, -1.0], "value_scale": [1.0, 2.0]}


def make_net(**kwargs):
    """Return a residual net in double precision, after two training steps that move its averages."""
    torch.manual_seed(0)
    kwargs = {"n_channels": 2, "kernel_sizes": (3, 6), "n_filters": 4, "n_blocks": None, **kwargs}
    net = ConvolutionalNet(2, dtype=torch.float64, **STATISTICS, **kwargs)
    is_image = kwargs.get("is_image", False)
    batch = images((5, 9)) if is_image else SequenceBatch.from_array(series([30, 9, 17]))
    for _ in range(2):
        net(batch)
    return net.eval()


def images(shape, n=3):
    return ImageBatch.from_array(np.random.RandomState(0).randn(n, *shape, 2))


def series(lengths):
    rng = np.random.RandomState(0)
    return RaggedArray(rng.randn(sum(lengths), 2), np.r_[0, np.cumsum(lengths)])


@pytest.mark.parametrize("pool_size", [1, 4])
@pytest.mark.parametrize("pooling", CONVOLUTION_POOLINGS)
@given(lengths=LENGTHS)
def test_a_batch_equals_its_series_one_by_one(pooling, pool_size, lengths):
    array, net = series(lengths), make_net(pooling=pooling, pool_size=pool_size)
    together = net(SequenceBatch.from_array(array))
    single = torch.cat([net(SequenceBatch.from_array(array[i : i + 1])) for i in range(len(array))])
    torch.testing.assert_close(together, single, rtol=0, atol=1e-12)


def test_a_net_in_training_mode_depends_on_the_batch():  # the control of the law above
    array, net = series([3, 30]), make_net().train()
    together, single = net(SequenceBatch.from_array(array))[:1], net(SequenceBatch.from_array(array[:1]))
    assert not torch.allclose(together, single, atol=1e-6)


@pytest.mark.parametrize("is_training", [True, False])
def test_the_padding_changes_neither_features_nor_averages(is_training):
    encoders = []
    x = torch.randn(2, 1, 11, 2, generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(11) < torch.tensor([[11], [5]])).view(2, 1, 11, 1)
    for padding in (0.0, 1e6, 1e6):
        torch.manual_seed(0)
        encoder = ResidualEncoder((3, 4), 2, 4).train(is_training)
        is_masked = len(encoders) < 2
        h = encoder(torch.where(mask, x, padding * torch.ones_like(x)), mask if is_masked else None)
        encoders.append((h[0], h[1, :, :2], encoder.state_dict()))
    torch.testing.assert_close(encoders[0], encoders[1], rtol=0, atol=0)
    assert not torch.allclose(encoders[0][1], encoders[2][1])  # the control


def slow_block(block, x, is_image):
    """Run a block in evaluation mode with torch's functions, channels first."""

    def run(convolution, norm, h):
        (conv,) = convolution.convolutions
        h = F.conv2d(h, conv.weight, conv.bias, padding="same")
        return F.batch_norm(h, norm.running_mean, norm.running_var, norm.weight, norm.bias)

    h = x
    for i, (convolution, norm) in enumerate(zip(block.convolutions, block.norms)):
        h = run(convolution, norm, h.relu() if i else h)
    return h + (x if block.shortcut is None else run(block.shortcut, block.shortcut_norm, x))


@pytest.mark.parametrize("is_image", [False, True])
@pytest.mark.parametrize("pool_size", [1, 2])
def test_an_encoder_equals_torchs_layers(is_image, pool_size):
    encoder = make_net(is_image=is_image, pool_size=pool_size, kernel_sizes=(5,)).encoder
    x = torch.randn(3, 2, 11 if is_image else 1, 13, dtype=torch.float64)
    norm, (conv,) = encoder.norm, encoder.convolution.convolutions
    h = F.conv2d(x, conv.weight, conv.bias, padding="same")
    h = F.batch_norm(h, norm.running_mean, norm.running_var, norm.weight, norm.bias)
    for block, size in zip(encoder.blocks, (pool_size, 2, 2)):
        h = slow_block(
            block, F.max_pool2d(h.relu(), (size if is_image else 1, size), ceil_mode=True), is_image
        )
    torch.testing.assert_close(encoder(x.permute(0, 2, 3, 1)), h.permute(0, 2, 3, 1))
    assert h.shape[3] == -(-13 // encoder.stride)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (8, 8), (1, 9)])
def test_images_of_any_size_are_encoded(shape):
    net, batch = make_net(is_image=True), images(shape)
    assert net.encode(batch).shape == (3, net.head.in_features)
    single = torch.cat([net(ImageBatch(batch.values[i : i + 1])) for i in range(3)])
    torch.testing.assert_close(net(batch), single, rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [0, 1])
def test_a_batch_of_one_short_series_is_trained(length):
    net = make_net().train()
    net(SequenceBatch.from_array(series([length]))).sum().backward()
    assert all(weight.grad.isfinite().all() for weight in net.parameters())
    assert all(average.isfinite().all() for average in net.buffers())


def test_gradients_equal_numerical_gradients():
    encoder = make_net().encoder.train()
    x = torch.randn(2, 1, 9, 2, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True] * 9, [True] * 2 + [False] * 7]).view(2, 1, 9, 1)

    def function(x):
        return encoder(x, mask).masked_fill(~mask[:, :, :: encoder.stride], 0.0).sum(2)

    assert torch.autograd.gradcheck(function, x)
