"""Plans split the tables of a walk into levels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import CELLS, TreeBatch
from sklearn_tree.nn.plan import iterate_levels, make_plan

IDS = st.integers(2, 6)


def plan_of(forest, cell):
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    n = sum(batch.n_inner)
    leaf_rows = torch.arange(sum(batch.n_leaves))
    schedule = batch.make_schedule(torch.arange(n), leaf_rows)
    return schedule, make_plan(CELLS[cell](2, 3, 12), schedule, len(leaf_rows))


def has_inner_nodes(forest):
    return any(tree.n_nodes > 1 for tree in forest)


@given(forests(labels=IDS).filter(has_inner_nodes))
def test_each_child_has_its_place(forest):
    schedule, plan = plan_of(forest, "nary_lstm")
    assert sum(plan.n_edges) == 12 * sum(plan.n_rows)
    places = plan.children.view(-1, 12)
    assert torch.equal(places[schedule.parents, schedule.ranks], schedule.children)
    is_empty = plan.children == plan.n_inner + plan.n_leaf_rows
    assert int(is_empty.sum()) == len(plan.children) - len(schedule.children)
    assert plan.edge_rows is None


@given(forests(labels=IDS).filter(has_inner_nodes))
def test_rows_of_edges_are_relative_to_their_level(forest):
    schedule, plan = plan_of(forest, "child_sum_lstm")
    columns = {
        "edges": (plan.edge_rows.edges, plan.n_edges),
        "parents": (plan.edge_rows.parents, plan.n_edges),
        "offsets": (plan.edge_rows.offsets, plan.n_rows),
        "all_parents": (schedule.parents, plan.n_edges),
    }
    start = 0
    for level, n_rows in zip(iterate_levels(columns), plan.n_rows, strict=True):
        assert level.edges.tolist() == list(range(len(level.edges)))
        assert torch.equal(level.parents + start, level.all_parents)
        assert level.offsets[0] == 0
        counts = torch.bincount(level.parents, minlength=n_rows)
        assert torch.equal(level.offsets, counts.cumsum(0) - counts)
        start += n_rows


@pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_lstm"])
@given(forests(labels=IDS).filter(has_inner_nodes))
def test_every_edge_leads_to_a_leaf_or_is_incoming(cell, forest):
    schedule, plan = plan_of(forest, cell)
    edges = torch.cat([plan.leaf_edges, plan.incoming_edges])
    assert len(edges.unique()) == len(edges) == len(schedule.children)
    children = plan.children[torch.cat([plan.incoming_edges, plan.leaf_edges])]
    n = len(plan.incoming_edges)
    assert (children[:n] < plan.n_inner).all()
    assert torch.equal(children[n:] - plan.n_inner, plan.leaf_rows)


@pytest.mark.parametrize("upwards", [False, True])
def test_levels_of_a_long_chain_are_all_visited_in_order(upwards):
    sizes = [1 + i % 3 for i in range(200)]
    table, other = torch.arange(sum(sizes)), torch.arange(200)
    columns = {"one": (table, sizes), "several": ([table, -table], sizes), "none": ([], [1] * 200)}
    columns["number"] = other, [1] * 200
    levels = list(iterate_levels(columns, upwards=upwards))
    assert [int(level.number) for level in levels] == sorted(range(200), reverse=upwards)
    in_order = levels[::-1] if upwards else levels
    assert torch.equal(torch.cat([level.one for level in in_order]), table)
    assert torch.equal(torch.cat([level.several[1] for level in in_order]), -table)
    assert all(level.none == () for level in levels)
    assert [len(level.one) for level in in_order] == sizes


def test_levels_are_views():
    table = torch.zeros(5)
    for level in iterate_levels({"rows": (table, [2, 3])}):
        level.rows += 1
    assert table.tolist() == [1] * 5


def test_another_tree_has_another_plan():  # the control of the laws above
    plans = [plan_of([Tree([2] * 4, parents)], "nary_lstm")[1] for parents in ([-1, 0, 0, 0], [-1, 0, 0, 1])]
    assert [plan.n_rows for plan in plans] == [[1], [1, 1]]
