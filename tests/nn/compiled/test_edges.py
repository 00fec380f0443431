"""Parts of a walk hold each tree once, in their own numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import TreeBatch

pytest.importorskip("numba")
from sklearn_tree.nn.compiled.edges import Edges


def make_edges(forest):
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    if not sum(batch.n_inner):
        return None
    return Edges.from_batch(batch, np.arange(batch.n_nodes), sum(batch.n_inner))


def list_edges(edges, inner, leaves):
    """Return all edges as rows of the whole walk."""
    rows = np.concatenate([inner, leaves])
    return list(zip(rows[edges.parents], rows[edges.children], edges.ranks, strict=True))


@given(forest=forests(labels=st.integers(2, 6)), n_parts=st.integers(1, 4))
def test_the_parts_hold_all_edges(forest, n_parts):
    edges = make_edges(forest)
    if edges is None:
        return
    n = len(edges.inputs)
    parts = edges.split(n_parts)
    assert 1 <= len(parts) <= n_parts
    found = [edge for part in parts for edge in list_edges(part.edges, part.inner, n + part.leaves)]
    expected = list_edges(edges, np.arange(n), n + np.arange(edges.n_leaves))
    assert sorted(found) == sorted(expected)
    assert sorted(np.concatenate([part.inner for part in parts])) == list(range(n))
    assert sorted(np.concatenate([part.leaves for part in parts])) == list(range(edges.n_leaves))
    for part in parts:
        assert part.edges.n_rows.sum() == len(part.edges.inputs) == len(part.inner)
        assert part.edges.n_rows.min() > 0
        np.testing.assert_array_equal(part.edges.inputs, edges.inputs[part.inner])
        assert part.edges.n_leaves == len(part.leaves)
        assert (np.diff(part.edges.parents) >= 0).all()


def test_parts_have_about_the_same_size():
    edges = make_edges([Tree([2, 3, 4, 5], [-1, 0, 1, 0])] * 100)
    assert [len(part.inner) for part in edges.split(4)] == [50] * 4


def test_trees_that_share_a_row_stay_together():
    edges = Edges(
        children=np.array([2, 2, 3]),
        parents=np.array([0, 1, 2]),
        ranks=np.zeros(3, int),
        inputs=np.zeros(3, int),
        n_rows=np.array([2, 1]),
        n_leaves=1,
    )
    assert len(edges.split(2)) == 1
    np.testing.assert_array_equal(edges.split(2)[0].inner, [0, 1, 2])
