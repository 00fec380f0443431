"""Explanations of bidirectional nets equal one forward pass per node."""

import numpy as np
import pytest
import torch
from explain_helpers import (
    NaiveTrees,
    explain,
    fit_tree_net,
    is_complete,
    make_batch,
    make_classifier,
    make_trees,
)
from reference import context_logits, margin, subtree

from sklearn_tree import CaptumExplainer, RecursiveNetClassifier, RecursiveNetRegressor, Tree, predict_nodes
from sklearn_tree.explain import bidirectional
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.limits import Limits
from sklearn_tree.explain.occlusion import occlusion
from sklearn_tree.nn import POOLINGS

each_cell = pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_gru", "rntn"])
each_pooling = pytest.mark.parametrize("pooling", sorted(POOLINGS))


def fit_net(cell="child_sum_lstm", pooling="root", **params):
    return fit_tree_net(cell, pooling, bidirectional=True, **params)


def occlude(naive, *, zero_states, limits=None):
    states = bidirectional.make_states(naive.inputs)
    assert isinstance(states, bidirectional.BidirectionalStates)
    return occlusion(states, naive.batch.objective, limits or Limits(), by_state=zero_states)


@each_cell
@each_pooling
@pytest.mark.parametrize("zero_states", [True, False])
def test_occlusion_equals_one_forward_pass_per_node(cell, pooling, zero_states):
    naive = NaiveTrees(fit_net(cell, pooling), make_trees())
    expected = naive.occlude(zero_states=zero_states)
    for limits in (Limits(), Limits(max_rows=10)):
        for a, b in zip(occlude(naive, zero_states=zero_states, limits=limits), expected):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


def test_a_second_walk_that_is_not_recomputed_is_detected(monkeypatch):  # the control of the law above
    naive = NaiveTrees(fit_net(pooling="mean"), make_trees())
    monkeypatch.setattr(
        bidirectional.BidirectionalStates,
        "vectors",
        lambda self, nodes, *args: self.tree_vectors[self.inputs.trees_of_nodes[nodes]],
    )
    subtrees, _ = occlude(naive, zero_states=False)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(subtrees, naive.occlude(zero_states=False)[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize("pooling", ["root", "max"])
def test_a_zero_state_removes_the_child_of_a_child_sum_cell(pooling):
    def remove(tree, node):
        kept = [i for i in tree.nodes if i not in subtree(tree, node)]
        parents = [kept.index(tree.parents[i]) if i else -1 for i in kept]
        return Tree([tree.labels[i] for i in kept], parents)

    # The linear path divides by the number of nodes, which removal changes and a zero state does not.
    net, trees = fit_net(pooling=pooling, linear_path=False), make_trees(12)
    smaller = [remove(tree, node) for tree in trees for node in list(tree.nodes)[1:]]
    before, after = (np.array([margin(row, 1) for row in net.decision_function(X)]) for X in (trees, smaller))
    sizes = [len(tree.nodes) - 1 for tree in trees]
    explained = explain(net, trees, "occlusion", target=1)
    decreases = np.concatenate([part[1:] for part in explained.attributions])
    np.testing.assert_allclose(decreases, np.repeat(before, sizes) - after, rtol=0, atol=1e-6)
    assert np.abs(decreases).max() > 1e-3


@each_cell
@each_pooling
def test_gradients_of_the_occluded_root_and_of_all_inputs_are_complete(cell, pooling):
    explained = explain(
        fit_net(cell, pooling), make_trees(), "integrated_gradients", target=1, max_steps=4096
    )
    assert is_complete(explained)
    whole = explain(fit_net(cell, pooling), make_trees(), "occlusion", target=1)
    decreases = [part[0] for part in whole.attributions]
    assert decreases == pytest.approx(whole.values - whole.baseline_values, abs=1e-5)


@each_pooling
def test_node_predictions_are_those_of_predict_nodes(pooling):
    net, trees = fit_net(pooling=pooling), make_trees()
    explained = explain(net, trees, "node_prediction", target=1, output="probability")
    found = np.concatenate(explained.attributions)
    np.testing.assert_allclose(found, predict_nodes(net, trees)[1], rtol=0, atol=1e-5)


@each_pooling
def test_node_predictions_equal_plain_recursion(pooling):
    net, trees = fit_net(pooling=pooling), make_trees()
    naive = NaiveTrees(net, trees)
    with torch.no_grad():
        logits = torch.cat([context_logits(naive.module, x, tree) for tree, x, _ in naive])
    expected = np.array([margin(row, 1) for row in logits])
    found = np.concatenate(explain(net, trees, "node_prediction", target=1).attributions)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("method", ["occlusion", "interaction", "integrated_gradients", "shapley"])
def test_pairs_of_trees_are_explained(method):
    X = make_pairs(30)
    net = make_classifier(bidirectional=True, pooling="mean").fit(X, [0, 1, 2] * 10)
    explained = CaptumExplainer(net, method, target=1, random_state=0).fit(X[:6]).explain(X[:4])
    sizes = [a.n_nodes + b.n_nodes for a, b in X[:4]]
    assert [len(part) for part in explained.own] == sizes
    assert max(np.abs(part).max() for part in explained.own) > 1e-6


@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients"])
def test_tables_are_explained(method):
    X = np.random.RandomState(0).randn(30, 3)
    net = make_classifier(bidirectional=True).fit(X, [0, 1, 2] * 10)
    assert explain(net, X, method, target=1).own[0].shape == (3,)


# Full passes over copies of the inputs, for samples whose trees plain recursion does not read one by one.


def occlude_slowly(batch):
    """Return the decreases for each subtree and each own input if they are replaced by their baselines."""
    inputs, effects = batch.inputs, ([], [])
    ends, rows = inputs.array.subtree_ends, inputs.nodes.tolist()
    samples = inputs.samples_of(inputs.trees_of_nodes)
    for node in range(inputs.array.n_nodes):
        for last, found in zip((ends[node], node + 1), effects, strict=True):
            x = inputs.x.clone()
            changed = [i for i, k in enumerate(rows) if node <= k < last]
            x[changed] = inputs.x0[changed]
            found.append((batch.values - batch.evaluate(x))[samples[node]])
    return tuple(torch.stack(found) for found in effects)


def make_pairs(n, seed=1):
    trees = make_trees(2 * n, seed=seed, max_nodes=6)
    X = np.empty((n, 2), dtype=object)
    X[:, 0], X[:, 1] = trees[::2], trees[1::2]
    return X


RNG = np.random.RandomState(0)
MADE = {
    "pairs": (RecursiveNetClassifier, make_pairs(30), [0, 1, 2] * 10, 1),
    "a table": (RecursiveNetClassifier, RNG.randn(30, 3), [0, 1, 2] * 10, 1),
    "several classes": (RecursiveNetClassifier, make_trees(30, seed=1), RNG.randint(0, 3, (30, 2)), (1, 2)),
    "several labels": (RecursiveNetClassifier, make_trees(30, seed=1), RNG.randint(0, 2, (30, 3)), 1),
    "several numbers": (RecursiveNetRegressor, make_trees(30, seed=1), RNG.randn(30, 2), 1),
}


@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("case", list(MADE))
def test_occlusion_of_all_samples_and_targets_equals_full_passes(case, pooling, linear_path):
    cls, X, y, target = MADE[case]
    net = make_classifier(cls, bidirectional=True, pooling=pooling, linear_path=linear_path).fit(X, y)
    has_path = linear_path and case not in ("pairs", "a table")
    assert (getattr(net.net_.module_, "active_linear", None) is not None) == has_path
    is_table = case == "a table"
    baseline = "zero" if is_table else ExplainedNet(net, torch.float64).module.label_table()[1]
    batch = make_batch(net, X[:4], target=target, baseline=baseline)
    states = bidirectional.make_states(batch.inputs)
    with torch.no_grad():
        torch.testing.assert_close(batch.objective(states.outputs()), batch.values, rtol=0, atol=1e-9)
        expected = occlude_slowly(batch)
        found = occlusion(states, batch.objective, Limits(max_rows=20), by_state=False)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    assert expected[0].abs().max() > 1e-3


@each_pooling
def test_attributions_include_the_linear_path(pooling):
    trees, net = make_trees(), fit_net(pooling=pooling)
    naive = NaiveTrees(net, trees)
    with_path = naive.occlude(zero_states=False)[0]
    states = bidirectional.make_states(naive.inputs)
    torch.testing.assert_close(occlude(naive, zero_states=False)[0], with_path, rtol=0, atol=1e-9)
    states.linear = None
    without, _ = occlusion(states, naive.batch.objective, Limits(), by_state=False)
    assert (without - with_path).abs().max() > 0.01
