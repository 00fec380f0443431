"""Batches of sequences hold all steps and pad with zeros."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from sklearn_tree import RaggedArray
from sklearn_tree.nn import SequenceBatch
from sklearn_tree.nn.sequence_batch import step_mask

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=6)


def tokens(lengths):
    return RaggedArray(np.arange(2, 2 + sum(lengths)), np.r_[0, np.cumsum(lengths)].astype(int))


@given(LENGTHS)
def test_tokens_are_padded_with_0(lengths):
    array = tokens(lengths)
    batch = SequenceBatch.from_array(array)
    assert batch.n_steps == max(*lengths, 1)
    assert batch.lengths.tolist() == lengths
    for i, n in enumerate(lengths):
        assert batch.labels[i, :n].tolist() == array.values[array.offsets[i] : array.offsets[i + 1]].tolist()
        assert (batch.labels[i, n:] == 0).all()
    assert batch.is_full == all(n == batch.n_steps for n in lengths)


@given(LENGTHS, st.data())
def test_rows_select_sequences(lengths, data):
    array = tokens(lengths)
    rows = np.array(data.draw(st.lists(st.integers(0, len(lengths) - 1), min_size=1)))
    ours, theirs = SequenceBatch.from_array(array, rows), SequenceBatch.from_array(array[rows])
    assert torch.equal(ours.labels, theirs.labels)
    assert torch.equal(ours.lengths, theirs.lengths)


def test_series_are_padded_with_0():
    series = [np.ones((n, 2)) for n in (3, 0, 1)]
    batch = SequenceBatch.from_array(RaggedArray.from_sequences(series))
    assert batch.values.sum((1, 2)).tolist() == [6, 0, 2]
    assert batch.values.shape == (3, 3, 2)
    assert batch.labels is None


def test_columns_of_a_table_become_tokens_with_values():
    table = np.arange(6.0).reshape(2, 3)
    batch = SequenceBatch.from_array(table)
    assert batch.labels.tolist() == [[2, 3, 4]] * 2
    assert batch.values.tolist() == table.tolist()
    assert batch.is_full


def test_a_full_batch_has_no_mask():
    full, padded = SequenceBatch.from_array(tokens([2, 2])), SequenceBatch.from_array(tokens([2, 1]))
    assert (full.ends, full.mask, full.grid_mask) == (None, None, None)
    assert padded.ends.tolist() == [2, 1]
    assert padded.mask.tolist() == [[True, True], [True, False]]
    assert torch.equal(padded.grid_mask[:, 0, :, 0], padded.mask)


def test_a_grid_has_height_1():
    assert SequenceBatch.from_array(tokens([2, 1])).to_grid(torch.zeros(2, 2, 5)).shape == (2, 1, 2, 5)


def test_a_mask_has_as_many_steps_as_the_sequence():
    mask = step_mask(torch.tensor([0, 3, 2]), 4)
    assert mask.sum(1).tolist() == [0, 3, 2]
    assert mask[1].tolist() == [True, True, True, False]


def test_a_batch_moves_with_all_its_tensors():
    batch = SequenceBatch.from_array(tokens([2, 1]))
    assert batch.to("cpu") is batch
    assert batch.to("meta").labels.device.type == batch.to("meta").lengths.device.type == "meta"
