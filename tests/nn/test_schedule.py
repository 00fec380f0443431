"""Schedules compute every inner node after its children, and equal subtrees once."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import TreeBatch
from sklearn_tree.trees.subtrees import number_subtrees

IDS = st.integers(2, 3)


def schedules(forest):
    """Return the batch and its schedules, one row per inner node and one row per distinct subtree."""
    array = TreeArray.from_trees([*forest, *forest])
    batch = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array)))
    n = sum(batch.n_inner)
    leaf_rows = batch.inverse[n:] - batch.n_distinct_inner
    plain = batch.make_schedule(batch.inverse[:n], leaf_rows) if n else None
    return batch, [schedule for schedule in (plain, batch.shared) if schedule is not None]


def read_trees(schedule):
    """Return the subtree of each row as nested tuples of input rows."""
    n = len(schedule.inputs)
    leaf_rows = dict(zip(schedule.leaf_edges.tolist(), schedule.leaf_rows.tolist()))
    edges = [[] for _ in range(n)]
    columns = zip(schedule.parents.tolist(), schedule.ranks.tolist(), schedule.children.tolist())
    for edge, (parent, rank, child) in enumerate(columns):
        edges[parent].append((rank, edge, child))
    found = [None] * n
    for row in range(n - 1, -1, -1):
        below = [leaf_rows[edge] if child >= n else found[child] for _, edge, child in sorted(edges[row])]
        assert None not in below  # children are computed first
        found[row] = (int(schedule.inputs[row]), tuple(below))
    return found


@given(forests(labels=IDS))
def test_rows_are_the_subtrees_of_the_batch(forest):
    batch, found = schedules(forest)
    if len(found) < 2:
        return
    plain, shared = (read_trees(schedule) for schedule in found)
    assert [plain[row] for row in found[0].rows] == [shared[row] for row in found[1].rows]
    assert len(set(shared)) == len(shared)  # each subtree once
    assert len(plain) == sum(batch.n_inner)


@given(forests(labels=IDS))
def test_levels_cover_all_rows_and_edges_in_order(forest):
    for schedule in schedules(forest)[1]:
        assert sum(schedule.n_rows) == len(schedule.inputs)
        assert sum(schedule.n_edges) == len(schedule.children)
        assert sum(schedule.n_incoming) == len(schedule.incoming)
        level = np.repeat(np.arange(len(schedule.n_rows)), schedule.n_rows)
        inner = schedule.children < len(schedule.inputs)
        assert (level[schedule.parents[inner]] < level[schedule.children[inner]]).all()
        assert (schedule.parents.diff() >= 0).all()


def assert_relative(offsets, counts, n_rows):
    """Assert that offsets are the sums of the counts of the previous rows of each level."""
    assert len(offsets) == sum(n_rows)
    for level, n in zip(offsets.split(n_rows), counts.split(n_rows)):
        assert torch.equal(level, n.cumsum(0) - n)


@given(forests(labels=IDS))
def test_offsets_split_the_edges_of_each_level_by_row(forest):
    for schedule in schedules(forest)[1]:
        counts = torch.bincount(schedule.parents, minlength=len(schedule.inputs))
        assert_relative(schedule.level_rows, torch.ones_like(counts), schedule.n_rows)
        assert_relative(schedule.level_offsets, counts, schedule.n_rows)
        incoming = schedule.children[schedule.incoming]
        assert (incoming.diff() >= 0).all()
        if schedule.incoming_offsets is not None:
            counts = torch.bincount(incoming, minlength=len(schedule.inputs))
            assert_relative(schedule.incoming_offsets, counts, schedule.n_rows)


def test_different_subtrees_are_not_shared():  # the control of the laws above
    array = TreeArray.from_trees([Tree([2, 3], [-1, 0]), Tree([2, 4], [-1, 0])])
    batch = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array)))
    assert batch.shared.n_rows == (2,)
    assert len(set(read_trees(batch.shared))) == 2
