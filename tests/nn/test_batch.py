"""Batches of trees keep all nodes and edges of their array."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import forests

from sklearn_tree import Tree, TreeArray
from sklearn_tree.nn import TreeBatch
from sklearn_tree.nn.batch import unique_pairs
from sklearn_tree.trees.subtrees import number_subtrees

IDS = st.integers(2, 6)
each_forest = given(forest=forests(labels=IDS))


@each_forest
def test_columns_follow_the_batch_order(forest):
    array = TreeArray.from_trees(forest)
    batch = TreeBatch.from_array(array)
    assert sorted(batch.order.tolist()) == list(range(array.n_nodes))
    assert batch.labels[batch.order].tolist() == array.labels.tolist()
    trees = np.repeat(np.arange(len(array)), array.sizes)
    assert batch.trees[batch.order].tolist() == trees.tolist()
    assert batch.roots.tolist() == batch.order[array.offsets[:-1]].tolist()
    assert (batch.n_nodes, len(batch)) == (array.n_nodes, len(array))


@each_forest
def test_edges_match_the_array(forest):
    array = TreeArray.from_trees(forest)
    batch = TreeBatch.from_array(array)
    nodes = np.flatnonzero(array.absolute_parents >= 0)
    expected = {(int(batch.order[i]), int(batch.order[array.absolute_parents[i]])) for i in nodes}
    assert set(zip(batch.children.tolist(), batch.parents.tolist())) == expected
    assert len(batch.children) == len(expected)
    assert (batch.parents.diff() >= 0).all()
    position = torch.argsort(batch.order)
    siblings = zip(batch.parents.tolist(), batch.ranks.tolist(), position[batch.children].tolist())
    for parent, rank, node in siblings:
        before = [k for k in nodes if k < node and int(batch.order[array.absolute_parents[k]]) == parent]
        assert rank == len(before)
    assert batch.max_rank == max(batch.ranks.tolist(), default=0)


@each_forest
def test_inner_nodes_precede_leaves_and_both_are_sorted_by_depth(forest):
    array = TreeArray.from_trees(forest)
    batch = TreeBatch.from_array(array)
    position = torch.argsort(batch.order).numpy()
    is_leaf, depths = (array.arities == 0)[position], array.depths[position]
    n = sum(batch.n_inner)
    assert not is_leaf[:n].any()
    assert is_leaf[n:].all()
    assert batch.n_inner == tuple(np.bincount(depths[:n], minlength=len(batch.n_inner)))
    assert batch.n_leaves == tuple(np.bincount(depths[n:], minlength=len(batch.n_leaves)))
    assert (np.diff(depths[:n]) >= 0).all()
    assert (np.diff(depths[n:]) >= 0).all()


@each_forest
def test_levels_hold_the_same_edges(forest):
    batch = TreeBatch.from_array(TreeArray.from_trees(forest))
    inner = torch.arange(sum(batch.n_inner)).split(batch.n_inner)
    leaves = (sum(batch.n_inner) + torch.arange(sum(batch.n_leaves))).split(batch.n_leaves)
    edges = []
    for depth, level in enumerate(batch.levels):
        below = torch.cat([inner[depth + 1], leaves[depth + 1]])
        assert level.n_parents == len(inner[depth])
        edges += zip(below[level.rows].tolist(), inner[depth][level.parents].tolist())
    assert edges == list(zip(batch.children.tolist(), batch.parents.tolist()))


@each_forest
def test_distinct_inputs_restore_the_labels(forest):
    array = TreeArray.from_trees(forest)
    batch = TreeBatch.from_array(array)
    assert torch.equal(batch.labels[batch.distinct][batch.inverse], batch.labels)
    n = sum(batch.n_inner)
    assert (batch.distinct[: batch.n_distinct_inner] < n).all()
    assert (batch.inverse[:n] < batch.n_distinct_inner).all()
    assert (batch.inverse[n:] >= batch.n_distinct_inner).all()
    inner, leaves = (batch.labels[part].unique() for part in (slice(n), slice(n, None)))
    assert len(batch.distinct) == len(inner) + len(leaves)


def test_pairs_differ_by_label_or_edge():
    labels, edges = torch.tensor([5, 3, 5, 3, 3]), torch.tensor([0, 1, 0, 1, 0])
    for pairs, n in ((unique_pairs(labels, edges), 3), (unique_pairs(labels, None), 2)):
        nodes, inverse = pairs
        assert len(nodes) == n
        assert torch.equal(labels[nodes][inverse], labels)
    assert not torch.equal(edges[nodes][inverse], edges)  # the control: without edges


def test_values_have_no_distinct_inputs():
    batch = TreeBatch.from_array(TreeArray.from_table(np.ones((2, 3))))
    assert batch.values is not None
    assert (batch.distinct, batch.inverse, batch.shared) == (None, None, None)


def test_subtrees_are_shared_only_if_they_are_numbered():
    array = TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 1])] * 3)
    assert TreeBatch.from_array(array).shared is None
    shared = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array))).shared
    assert shared.n_rows == (1, 1)


def test_a_batch_moves_with_all_its_tensors():
    array = TreeArray.from_trees([Tree([2, 3, 4], [-1, 0, 1])] * 3)
    batch = TreeBatch.from_array(array.replace(subtrees=number_subtrees(array)))
    on_meta = batch.to("meta")
    tensors = [column for column in vars(on_meta).values() if isinstance(column, torch.Tensor)]
    assert len(tensors) > 10
    assert {tensor.device.type for tensor in (*tensors, on_meta.shared.rows)} == {"meta"}
    assert batch.to("cpu") is batch
