"""All nets are an embedding, an encoder with pooling, dropout and a head."""

import numpy as np
import pytest
import torch

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.nn import (
    ConvolutionalNet,
    ImageBatch,
    Net,
    RecurrentNet,
    RecursiveNet,
    SequenceBatch,
    TreeBatch,
)

RNG = np.random.RandomState(0)
TREES = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 3], [-1, 0, 0]), Tree([4], [-1])]))
TOKENS = SequenceBatch.from_array(RaggedArray([2, 3, 4, 2], np.array([0, 3, 4])))
SERIES = SequenceBatch.from_array(RNG.rand(2, 5, 2))
IMAGES = ImageBatch.from_array(RNG.rand(2, 5, 4, 2))
STATISTICS = {"value_shift": [0.1, 0.2], "value_scale": [1.0, 2.0], "n_channels": 2}
CASES = {
    "trees": (TREES, lambda **kw: RecursiveNet(7, 3, pooling="mean", **kw)),
    "roots": (TREES, lambda **kw: RecursiveNet(7, 3, **kw)),
    "tokens": (TOKENS, lambda **kw: RecurrentNet(3, n_labels=7, **kw)),
    "series": (SERIES, lambda **kw: RecurrentNet(3, pooling="max", **STATISTICS, **kw)),
    "words": (TOKENS, lambda **kw: ConvolutionalNet(3, n_labels=7, **kw)),
    "images": (IMAGES, lambda **kw: ConvolutionalNet(3, is_image=True, **STATISTICS, **kw)),
}
each_case = pytest.mark.parametrize("case", list(CASES))


def make(case, **kwargs):
    torch.manual_seed(0)
    batch, make_net = CASES[case]
    return batch, make_net(dtype=torch.float64, **kwargs).eval()


@each_case
def test_embedded_inputs_give_the_same_logits(case):
    batch, net = make(case)
    x = net.embedding(batch)
    torch.testing.assert_close(net.forward_embedded(x, batch), net(batch), rtol=0, atol=1e-12)
    torch.testing.assert_close(net.encode_embedded(x, batch), net.encode(batch), rtol=0, atol=1e-12)
    assert not torch.allclose(net.forward_embedded(x + 1, batch), net(batch), atol=1e-6)  # the control


@each_case
def test_logits_are_a_linear_map_of_the_vectors(case):
    batch, net = make(case)
    assert isinstance(net, Net)
    assert torch.equal(net(batch), net.head(net.encode(batch)))
    assert net(batch).shape == (2, 3)


@each_case
def test_dropout_is_applied_to_the_vectors_in_training_only(case):
    _, net = make(case, dropout=0.5)
    vectors = torch.ones(2, net.head.in_features, dtype=torch.float64)
    assert torch.equal(net.compute_logits(vectors), net.head(vectors))
    assert not torch.equal(net.train().compute_logits(vectors), net.head(vectors))


@each_case
def test_the_logits_of_a_sample_do_not_depend_on_the_batch(case):
    batch, net = make(case)
    assert torch.isfinite(net(batch)).all()
    assert not torch.allclose(*net(batch), atol=1e-6)


def test_a_base_net_has_no_encoder():
    net = Net(torch.nn.Identity(), torch.nn.Identity(), None, 0.0)
    with pytest.raises(NotImplementedError):
        net.forward_embedded(torch.zeros(1), TOKENS)
