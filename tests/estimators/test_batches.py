"""Encoded datasets and their batches."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Subset

from sklearn_tree import RaggedArray, Tree, TreeArray
from sklearn_tree.estimators import batches
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset, SplitBatch, split_by_size
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


IDS = TreeArray.from_trees([Tree([2] * n, [-1] + [0] * (n - 1)) for n in (3, 1, 4, 2)])
WEIGHTS = np.array([0.5, 1.0, 1.5, 2.0])


def dataset_of(**columns):
    return EncodedDataset(IDS, kind=Trees(), **columns)


def test_a_batch_holds_samples_targets_and_weights_of_the_same_rows():
    dataset, rows = dataset_of(y=np.arange(4), sample_weight=WEIGHTS), np.array([2, 0])
    batch, y = dataset.batch(rows)
    assert len(batch) == 2
    assert y.tolist() == [2, 0]
    assert batch.sample_weight.tolist() == [1.5, 0.5]
    assert len(batch.labels) == 4 + 3
    single, y = dataset[3]
    assert (len(single), y.tolist(), single.sample_weight.tolist()) == (1, [3], [2.0])


def test_missing_targets_are_zeros_and_missing_weights_none():
    batch, y = dataset_of().batch(np.arange(4))
    assert y.tolist() == [0.0] * 4
    assert batch.sample_weight is None


def test_take_selects_rows_of_all_columns():
    part = dataset_of(y=np.arange(4), sample_weight=WEIGHTS).take(np.array([3, 1]))
    assert len(part) == 2
    assert IDS[[3, 1]] == part.X
    assert (part.y.tolist(), part.sample_weight.tolist()) == ([3, 1], [2.0, 1.0])
    assert dataset_of().take(np.array([3])).y is None


def test_targets_are_copied():
    y = np.arange(4)
    dataset = dataset_of(y=y)
    y[:] = 7
    assert dataset.y.tolist() == [0, 1, 2, 3]


def test_a_large_batch_is_split_into_parts_of_all_rows():
    dataset = dataset_of(y=np.arange(4), sample_weight=WEIGHTS)
    split, y = dataset.batch(np.arange(4), max_nodes=5)
    assert isinstance(split, SplitBatch)
    assert [len(part) for part in split.parts] == [2, 1, 1]
    assert [len(part.labels) for part in split.parts] == [4, 4, 2]
    assert len(split) == 4
    assert split.sample_weight.tolist() == WEIGHTS.tolist()
    assert y.tolist() == [0, 1, 2, 3]
    whole, _ = dataset.batch(np.arange(4), max_nodes=10)  # the control
    assert not isinstance(whole, SplitBatch)
    assert dataset_of().batch(np.arange(4), max_nodes=1)[0].sample_weight is None


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=20), limit=st.integers(1, 30))
def test_parts_are_consecutive_and_as_large_as_the_limit_allows(sizes, limit):
    rows = np.arange(len(sizes))
    parts = split_by_size(rows, np.array(sizes), limit)
    assert np.concatenate(parts).tolist() == rows.tolist()
    totals = [sum(sizes[row] for row in part) for part in parts]
    assert all(total <= limit or len(part) == 1 for total, part in zip(totals, parts))
    firsts = [sizes[part[0]] for part in parts[1:]]
    assert all(total + first > limit for total, first in zip(totals, firsts))


def test_annotated_samples_are_computed_once_per_batch_size(monkeypatch):
    calls = []
    monkeypatch.setattr(Trees, "share_repeats", lambda self, X, size: calls.append(size) or X)
    dataset = dataset_of()
    for size in (2, 2, 3, 2):
        assert dataset.shared(size) is IDS
    assert calls == [2, 3]
    list(BatchIterator(dataset, 5))
    assert calls == [2, 3]
    list(BatchIterator(dataset, 5, share_subtrees=True))
    assert calls == [2, 3, 5]


def test_the_cpu_reports_no_memory_of_an_accelerator():
    assert batches.free_memory(torch.device("cpu")) == 0
    assert batches.free_memory(META) == 0
