"""Values are standardized in double precision."""

import numpy as np
import torch

from sklearn_tree.nn import ImageBatch, SequenceBatch, StepValues
from sklearn_tree.nn.step_values import Standardize


def test_channels_are_standardized():
    x = np.random.RandomState(0).rand(3, 5, 2)
    values = StepValues([0.5, 1.0], [2.0, 4.0])(SequenceBatch.from_array(x))
    np.testing.assert_allclose(values, (x - [0.5, 1.0]) / [2.0, 4.0], rtol=0, atol=1e-12)


def test_pixels_are_standardized():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
    values = StepValues([1.0, 2.0], [1.0, 5.0])(ImageBatch.from_array(pixels))
    np.testing.assert_allclose(values, (pixels - [1.0, 2.0]) / [1.0, 5.0], rtol=0, atol=1e-12)


def test_labels_select_the_statistics_and_missing_values_are_0():
    standardize = Standardize([0.0, 10.0, 0.0], [1.0, 2.0, torch.inf])
    values, labels = torch.tensor([3.0, 14.0, torch.nan, 7.0]), torch.tensor([0, 1, 1, 2])
    assert standardize(values, labels).tolist() == [3, 2, 0, 0]


def test_large_values_keep_their_differences_in_a_net_of_single_precision():
    standardize = Standardize([1.7e9], [1e-3]).to(torch.float32)
    values = torch.tensor([[1.7e9 + 1e-3]], dtype=torch.float64)
    assert standardize.scale.dtype == torch.float64
    torch.testing.assert_close(standardize(values), torch.ones_like(values), rtol=0, atol=1e-3)
    assert float(values.float() - 1.7e9) == 0  # the control


def test_a_change_of_the_type_keeps_the_device():
    standardize = Standardize([0.0], [1.0]).to("meta")
    for changed in (standardize.to(torch.float32), standardize.double()):
        assert {buffer.device.type for buffer in changed.buffers()} == {"meta"}


def test_dropout_is_applied_in_training_only():
    values = StepValues([0.0], [1.0], dropout=0.5)
    batch = SequenceBatch.from_array(np.ones((4, 50, 1)))
    assert (values.train()(batch) == 0).any()
    assert (values.eval()(batch) == 1).all()
