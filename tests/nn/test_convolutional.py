"""Convolutional nets ignore padding, equal torch's convolutions and read images as grids."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_tree import RaggedArray
from sklearn_tree.nn import (
    CONVOLUTION_POOLINGS,
    Convolution,
    ConvolutionalEncoder,
    ConvolutionalNet,
    ImageBatch,
    SequenceBatch,
)

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=6)


def make_net(**kwargs):
    torch.manual_seed(0)
    kwargs = {"n_labels": 9, "kernel_sizes": (1, 2, 5), "n_filters": 4, "embedding_dim": 3, **kwargs}
    return ConvolutionalNet(2, dtype=torch.float64, **kwargs).eval()


def sequences(lengths):
    rng = np.random.RandomState(0)
    return RaggedArray(rng.randint(2, 9, sum(lengths)), np.r_[0, np.cumsum(lengths)])


@pytest.mark.parametrize("n_blocks", [1, 3])
@pytest.mark.parametrize("pooling", CONVOLUTION_POOLINGS)
@settings(max_examples=30)
@given(lengths=LENGTHS)
def test_a_batch_equals_its_sequences_one_by_one(pooling, n_blocks, lengths):
    array, net = sequences(lengths), make_net(pooling=pooling, n_blocks=n_blocks)
    together = net(SequenceBatch.from_array(array))
    single = torch.cat([net(SequenceBatch.from_array(array[i : i + 1])) for i in range(len(array))])
    torch.testing.assert_close(together, single, rtol=0, atol=1e-12)


@pytest.mark.parametrize("part", ["encoder", "pooling"])
def test_a_net_without_masks_reads_the_padding(part):  # the control of the law above
    array, net = sequences([3, 9]), make_net(n_blocks=3)
    unmasked = net.encoder.forward
    if part == "encoder":
        net.embedding.words = lambda batch: None  # a word table ignores the padding
        net.encoder.forward = lambda x, mask=None: unmasked(x)
    else:
        net.pool.forward = lambda h, lengths: h.mean(1)
    together = net(SequenceBatch.from_array(array))[:1]
    single = net(SequenceBatch.from_array(array[:1]))
    assert not torch.allclose(together, single, atol=1e-6)


def test_the_padding_is_never_read():
    encoder = ConvolutionalEncoder((3, 4), 2, 3, n_blocks=3).double()
    mask = (torch.arange(7) < 5).view(1, 1, 7, 1)
    x = torch.randn(1, 1, 7, 2, dtype=torch.float64)
    other = torch.where(mask, x, torch.full_like(x, 1e6))
    torch.testing.assert_close(encoder(x, mask)[:, :, :5], encoder(other, mask)[:, :, :5], rtol=0, atol=0)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_a_convolution_of_one_width_equals_torchs(size):
    ours = Convolution([size], 2, 3, is_image=False)
    weight, bias = ours.convolutions[0].weight, ours.convolutions[0].bias
    x = torch.randn(4, 1, 8, 2)
    around = torch.nn.functional.pad(x[:, 0].mT, ((size - 1) // 2, size // 2))
    theirs = torch.nn.functional.conv1d(around, weight[:, :, 0], bias).mT
    torch.testing.assert_close(ours(x)[:, 0], theirs, rtol=0, atol=1e-5)


def test_kernels_for_images_are_square():
    ours = Convolution([3, 4], 2, 3, is_image=True)
    x = torch.randn(4, 8, 7, 2)
    for i, size in enumerate((3, 4)):
        weight, bias = ours.convolutions[i].weight, ours.convolutions[i].bias
        assert weight.shape == (3, 2, size, size)
        before, after = (size - 1) // 2, size // 2
        around = torch.nn.functional.pad(x.permute(0, 3, 1, 2), (before, after) * 2)
        theirs = torch.nn.functional.conv2d(around, weight, bias)
        torch.testing.assert_close(
            ours(x)[..., 3 * i : 3 * i + 3], theirs.permute(0, 2, 3, 1), rtol=0, atol=1e-5
        )


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (8, 8), (1, 9)])
def test_images_of_any_size_are_encoded(shape):
    pixels = np.random.RandomState(0).randint(0, 255, (3, *shape, 2), dtype=np.uint8)
    net = make_net(n_labels=0, n_channels=2, is_image=True, n_blocks=3, value_shift=[99.0, 9.0], value_scale=[5.0, 50.0])  # fmt: skip
    batch = ImageBatch.from_array(pixels)
    assert net.encode(batch).shape == (3, 64)
    single = torch.cat([net(ImageBatch.from_array(pixels[i : i + 1])) for i in range(3)])
    torch.testing.assert_close(net(batch), single, rtol=0, atol=1e-12)


def test_all_blocks_except_the_first_are_residual():
    encoder = ConvolutionalEncoder((3,), 2, 4, n_blocks=2)
    x = torch.randn(2, 1, 6, 2)
    with torch.no_grad():
        for parameter in encoder.convolutions[1].parameters():
            parameter.zero_()
    one = ConvolutionalEncoder((3,), 2, 4)
    one.convolutions[0] = encoder.convolutions[0]
    torch.testing.assert_close(encoder(x), one(x), rtol=0, atol=0)


def test_gradients_equal_numerical_gradients():
    net = make_net(n_labels=0, n_channels=2, n_blocks=2, value_shift=[0.0, 0.0], value_scale=[1.0, 1.0])
    x = torch.randn(2, 1, 5, 2, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]]).view(2, 1, 5, 1)

    def function(x):
        return net.encoder(x, mask).masked_fill(~mask, 0.0).sum(2)

    assert torch.autograd.gradcheck(function, x)
