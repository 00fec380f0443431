"""Encoded datasets and their batches."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Subset

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.estimators import batches
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset, split_by_size
from sklearn_tree.kinds import Images, Series, Table, Tokens, Trees

KINDS = {"tokens": Tokens(), "series": Series(), "table": Table(), "images": Images()}
META = torch.device("meta")
TOKENS = RaggedArray(np.arange(12) + 2, [0, 3, 4, 9, 12])
TREES = TreeArray(np.arange(4) + 2, np.array([0, 1, 0, 1]), [0, 2, 4])
SAMPLES = {
    "tokens": TOKENS,
    "series": RaggedArray(np.ones((12, 2)), TOKENS.offsets),
    "table": np.ones((4, 3)),
    "images": np.ones((4, 5, 5, 1), dtype=np.uint8),
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_that_fit_into_memory_are_moved_to_the_accelerator_once(kind, monkeypatch):
    monkeypatch.setattr(batches, "free_memory", lambda device: 10_000)
    dataset = EncodedDataset(SAMPLES[kind], np.arange(4), np.ones(4), kind=KINDS[kind]).on(META)
    for X, y in BatchIterator(dataset, 2, shuffle=True):
        assert {y.device, X.sample_weight.device} == {META}
        assert (X.values if kind != "tokens" else X.labels).device == META


def test_samples_that_do_not_fit_stay_in_main_memory(monkeypatch):
    n_bytes = TOKENS.values.nbytes
    dataset = EncodedDataset(TOKENS, kind=Tokens())
    monkeypatch.setattr(batches, "free_memory", lambda device: 2 * n_bytes - 1)
    assert dataset.on(META) is dataset
    monkeypatch.setattr(batches, "free_memory", lambda device: 2 * n_bytes)
    assert dataset.on(META) is not dataset  # the control
    assert EncodedDataset(TREES, kind=Trees()).on(META).X is TREES


def test_nothing_is_moved_to_the_cpu():
    dataset = EncodedDataset(TOKENS, kind=Tokens())
    assert dataset.on(torch.device("cpu")) is dataset


def rows_of(iterator):
    """Return the targets of each batch, which are row numbers here."""
    return [y.tolist() for _, y in iterator]


@given(n=st.integers(1, 40), batch_size=st.integers(1, 9), shuffle=st.booleans(), drop_last=st.booleans())
def test_each_row_is_in_exactly_one_batch(n, batch_size, shuffle, drop_last):
    trees = TreeArray.from_trees([f"(S {'(S ' * (i % 5)}a{')' * (i % 5)})" for i in range(n)])
    batches = rows_of(
        BatchIterator(EncodedDataset(trees, np.arange(n), kind=Trees()), batch_size, shuffle, drop_last)
    )
    rows = [row for batch in batches for row in batch]
    assert len(rows) == len(set(rows)) == (n - n % batch_size if drop_last else n)
    assert sorted(map(len, batches), reverse=True)[: n // batch_size] == [batch_size] * (n // batch_size)
    if not shuffle:
        assert rows == sorted(rows)


def test_shuffled_batches_hold_trees_of_similar_height_in_random_order(listops):
    X, _ = listops
    dataset, heights = (
        EncodedDataset(X, np.arange(300), kind=Trees()),
        np.maximum.reduceat(X.depths, X.offsets[:-1]),
    )

    def spread(batches):
        return np.mean([np.ptp(heights[rows]) for rows in batches])

    torch.manual_seed(0)
    one, two = (rows_of(BatchIterator(dataset, 10, shuffle=True)) for _ in range(2))
    torch.manual_seed(0)
    assert rows_of(BatchIterator(dataset, 10, shuffle=True)) == one != two
    plain = torch.randperm(300).reshape(-1, 10).numpy()
    assert spread(one) < 0.5 * spread(plain)
    firsts = [heights[rows].mean() for rows in one]
    assert firsts != sorted(firsts)
    subset = rows_of(BatchIterator(Subset(dataset, range(100, 300)), 10, shuffle=True))
    assert sorted(row for rows in subset for row in rows) == list(range(100, 300))


def test_a_smaller_last_batch_does_not_get_the_tallest_trees():
    heights = np.arange(577) % 50
    trees = TreeArray.from_trees([Tree([2] * (h + 1), list(range(-1, h))) for h in heights])
    dataset = EncodedDataset(trees, heights, kind=Trees())
    torch.manual_seed(0)
    short = [
        y.double().mean()
        for _ in range(100)
        for _, y in BatchIterator(dataset, 64, shuffle=True)
        if len(y) < 64
    ]
    assert len(short) == 100
    assert abs(np.mean(short) - heights.mean()) < 6  # each is one tree, so the standard error is 1.4


def test_a_small_dataset_is_divided_differently_in_each_epoch(listops):
    # sorting all samples at once would give the same batches in every epoch
    dataset = EncodedDataset(listops[0], np.arange(300), kind=Trees())
    one, two = (rows_of(BatchIterator(dataset, 50, shuffle=True)) for _ in range(2))
    assert {frozenset(rows) for rows in one} != {frozenset(rows) for rows in two}


def test_split_by_size_bounds_the_size_of_each_part():
    rows = np.arange(6)
    runs = split_by_size(rows, np.array([3, 4, 9, 1, 1, 1]), 7)
    assert [run.tolist() for run in runs] == [[0, 1], [2], [3, 4, 5]]
    assert len(split_by_size(rows, np.ones(6, dtype=int), 6)) == 1
