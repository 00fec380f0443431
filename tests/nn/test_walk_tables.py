"""Tables of a walk survive the conversion to the list that autograd saves."""

import pytest
import torch
from user_cells import GATED_CELLS

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import TreeBatch
from sklearn_tree.nn.plan import make_plan
from sklearn_tree.nn.walk_tables import WalkSetup, WalkTables

BATCH = TreeBatch.from_array(TreeArray.from_trees([Tree([2, 3, 4, 5], [-1, 0, 0, 1])]))
each_cell = pytest.mark.parametrize("cell", list(GATED_CELLS))


def make_tables(name):
    cell = GATED_CELLS[name](3, 4)
    schedule = BATCH.make_schedule(torch.arange(2), torch.arange(2))
    weights = (cell.U.weight,) if cell.U_k is None else (cell.U.weight, cell.U_k.weight)
    setup = WalkSetup.from_cell(cell, make_plan(cell, schedule, 2))
    return setup, WalkTables.allocate(setup, torch.zeros(1), weights)


@each_cell
def test_a_list_restores_the_record(cell):
    setup, tables = make_tables(cell)
    saved = tables.to_list()
    restored = WalkTables.from_list(saved, setup)
    for name, column in vars(tables).items():
        ours, theirs = (c if isinstance(c, tuple) else (c,) for c in (getattr(restored, name), column))
        assert len(ours) == len(theirs)
        assert all(a is b for a, b in zip(ours, theirs))
    wrong = WalkTables.from_list(saved[::-1], setup)  # the control
    assert wrong.gates is not tables.gates


@each_cell
def test_tables_end_with_spare_rows_of_zeros(cell):
    setup, tables = make_tables(cell)
    n = setup.plan.n_inner
    assert tables.h_below.shape == (n, setup.cell.U.in_features)
    assert (tables.h_below[n:] == 0).all()


def test_inputs_of_u_share_the_memory_of_placed_children():
    for name, is_shared in (("nary_lstm", True), ("child_sum_lstm", False)):
        _, tables = make_tables(name)
        assert (tables.h_below.data_ptr() == tables.child_states[0].data_ptr()) == is_shared


def test_results_are_kept_only_for_a_derivative_of_the_cell():
    kept = {name: len(make_tables(name)[1].kept) for name in ("child_sum_lstm", "clipped_lstm", "soft_sum")}
    assert kept == {"child_sum_lstm": 1, "clipped_lstm": 0, "soft_sum": 0}
