"""Batches of images have the attributes of batches of sequences."""

import numpy as np
import torch

from sklearn_tree import RaggedArray
from sklearn_tree.nn import ImageBatch, SequenceBatch

PIXELS = np.arange(48, dtype=np.uint8).reshape(2, 4, 3, 2)


def test_an_image_has_the_public_attributes_of_a_sequence():
    image, sequence = ImageBatch.from_array(PIXELS), SequenceBatch.from_array(RaggedArray([2], [0, 1]))
    names = [name for name in dir(sequence) if not name.startswith("_")]
    assert "lengths" in names  # the control
    of_labels = {"correction", "sum_positions"}  # for the linear path
    assert {name for name in names if not hasattr(image, name)} == of_labels


def test_pixels_are_steps_without_padding():
    batch = ImageBatch.from_array(PIXELS)
    assert (len(batch), batch.n_steps, batch.lengths.tolist()) == (2, 12, [12, 12])
    assert (batch.labels, batch.ends, batch.mask, batch.grid_mask) == (None, None, None, None)
    assert batch.is_full
    assert torch.equal(batch.to_grid(batch.values), batch.values)


def test_pixels_are_not_copied():
    assert np.shares_memory(ImageBatch.from_array(PIXELS).values.numpy(), PIXELS)


def test_a_batch_moves_with_all_its_tensors():
    batch = ImageBatch.from_array(PIXELS)
    assert batch.to("cpu") is batch
    assert batch.to("meta").values.device.type == "meta"
