"""The occlusion of all subtrees equals one forward pass per node."""

import numpy as np
import pytest
import torch
from explain_helpers import WORDS, NaiveTrees, explain, fit_tree_net, make_classifier, make_trees
from reference import margin, subtree

from sklearn_tree import Tree
from sklearn_tree.explain import ancestors
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.limits import Limits
from sklearn_tree.explain.occlusion import occlusion
from sklearn_tree.nn import CELLS, POOLINGS

each_cell = pytest.mark.parametrize("cell", sorted(CELLS))
each_pooling = pytest.mark.parametrize("pooling", sorted(POOLINGS))


def occlude(naive, *, zero_states, limits=None):
    states = ancestors.NodeStates(naive.inputs)
    return occlusion(states, naive.batch.objective, limits or Limits(), by_state=zero_states)


@each_cell
@each_pooling
@pytest.mark.parametrize("zero_states", [True, False])
def test_occlusion_equals_one_forward_pass_per_node(cell, pooling, zero_states):
    naive = NaiveTrees(fit_tree_net(cell, pooling), make_trees())
    expected = naive.occlude(zero_states=zero_states)
    for limits in (Limits(), Limits(max_rows=3)):
        for a, b in zip(occlude(naive, zero_states=zero_states, limits=limits), expected):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


@each_cell
@each_pooling
def test_the_occlusion_of_a_root_is_the_whole_difference(cell, pooling):
    net = fit_tree_net(cell, pooling)
    naive = NaiveTrees(net, make_trees())
    roots = torch.from_numpy(naive.inputs.array.offsets[:-1])
    subtrees, _ = occlude(naive, zero_states=False)
    torch.testing.assert_close(subtrees[roots], naive.batch.difference, rtol=0, atol=1e-9)
    explained = explain(net, make_trees(), "occlusion", target=1)
    decreases = [part[0] for part in explained.attributions]
    assert decreases == pytest.approx(explained.values - explained.baseline_values, abs=1e-5)
    module = ExplainedNet(net).module
    bias = margin(module.head.bias + module.linear.bias, 1)
    assert explained.baseline_values == pytest.approx(bias.item(), abs=1e-5)


def test_wrong_states_of_ancestors_are_detected(monkeypatch):  # the control of the laws of occlusion
    naive = NaiveTrees(fit_tree_net(), make_trees())
    right = ancestors.NodeStates.parent_states
    monkeypatch.setattr(
        ancestors.NodeStates, "parent_states", lambda *args: tuple(1.001 * s for s in right(*args))
    )
    subtrees, _ = occlude(naive, zero_states=True)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(subtrees, naive.occlude(zero_states=True)[0], rtol=0, atol=1e-9)


def test_labels_and_values_are_removed_and_edges_are_kept():
    def draw_trees(words):
        return [
            Tree(
                rng.choice(words, len(parents)).tolist(),
                parents,
                values=[1.5, *(rng.choice([None, rng.randn()]) for _ in parents[1:])],
                edges=[None, *rng.choice(["left", "right"], len(parents) - 1)],
            )
            for parents in (tree.parents for tree in make_trees(24, seed=2))
        ]

    rng = np.random.RandomState(0)
    net = make_classifier(pooling="mean").fit(draw_trees(WORDS), [0, 1, 2] * 8)
    trees = draw_trees(["", "", *WORDS])[:8]  # an unknown "" is not a label
    naive = NaiveTrees(net, trees, baseline="mean")  # the vector of unknown words is zero
    is_empty = [not word and value is None for t in trees for word, value in zip(t.labels, t.values)]
    is_empty = torch.tensor(is_empty)
    assert 3 < is_empty.sum() < len(is_empty) / 2
    assert torch.equal(naive.inputs.nodes, (~is_empty).nonzero().squeeze(1))
    subtrees, own = occlude(naive, zero_states=False)
    for a, b in zip((subtrees, own), naive.occlude(zero_states=False)):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    assert (own[is_empty] == 0).all()
    assert (own[~is_empty].abs() > 1e-9).all()
    has_edge = torch.from_numpy(naive.inputs.array.edges > 0)
    differences = naive.x0[has_edge] - naive.x0[0]
    assert (differences.norm(dim=1) > 0.1).all()


@each_cell
def test_a_zero_state_removes_the_child_of_a_child_sum_cell(cell):
    def remove(tree, node):
        kept = [i for i in tree.nodes if i not in subtree(tree, node)]
        parents = [kept.index(tree.parents[i]) if i else -1 for i in kept]
        return Tree([tree.labels[i] for i in kept], parents)

    # The linear path divides by the number of nodes, which removal changes and a zero state does not.
    net, trees = fit_tree_net(cell, linear_path=False), make_trees(12)
    smaller = [remove(tree, node) for tree in trees for node in list(tree.nodes)[1:]]
    before, after = (np.array([margin(row, 1) for row in net.decision_function(X)]) for X in (trees, smaller))
    sizes = [len(tree.nodes) - 1 for tree in trees]
    explained = explain(net, trees, "occlusion", target=1)
    decreases = np.concatenate([part[1:] for part in explained.attributions])
    worst = np.abs(decreases - (np.repeat(before, sizes) - after)).max()
    if cell.startswith("child_sum"):
        assert worst < 1e-6
    else:  # the control: a sibling takes the position of the removed child
        assert worst > 1e-3
