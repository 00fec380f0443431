"""Fast attributions equal the slow, obvious ones, and add up where they should."""

from functools import cache, partial

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from explained import KINDS, WORDS, classifier, example, grown_trees, sentiment, tree_net
from reference import integral, margin, shapley_values, subtree, tree_logits

from sklearn_tree import CaptumExplainer, Tree
from sklearn_tree.explain import ancestors, coalitions
from sklearn_tree.explain.gradients import Budget, forward_of
from sklearn_tree.explain.inputs import make_inputs
from sklearn_tree.explain.objective import make_objective
from sklearn_tree.explain.occlusion import occlusion
from sklearn_tree.explain.subject import Subject
from sklearn_tree.nn import CELLS, POOLINGS

each_cell = pytest.mark.parametrize("cell", sorted(CELLS))
each_pooling = pytest.mark.parametrize("pooling", sorted(POOLINGS))
each_kind = pytest.mark.parametrize("kind", list(KINDS))


def explain(net, X, method, **params):
    return CaptumExplainer(net, method, random_state=0, **params).fit(X[:6]).explain(X)


def far(a, b):
    """The largest difference between the attributions of two explanations."""
    return max(np.abs(x - y).max(initial=0.0) for x, y in zip(a.own, b.own, strict=True))


class Forest:
    """Trees as a net in double precision sees them, and the same tree by tree."""

    def __init__(self, net, trees, target=1, baseline="unknown"):
        self.subject = Subject(net, torch.float64)
        self.target = target
        encoded, _ = self.subject.encode(trees)
        weight = self.subject.module.embedding.labels.weight
        absent = {"zero": torch.zeros_like(weight[0]), "unknown": weight[1], "mean": weight.mean(0)}[baseline]
        self.inputs = make_inputs(self.subject, encoded, absent)
        outputs = self.inputs.outputs(self.inputs.x).detach()
        self.objective = make_objective(net, outputs, net.classes_[target], "margin")
        # Rows of all nodes, also of those that share one because they have no label.
        rows = self.inputs.rows_of_nodes
        self.x, self.x0 = (torch.cat([self.inputs.fixed, x])[rows] for x in (self.inputs.x, self.inputs.x0))
        self.rows = [slice(a, b) for a, b in zip(encoded.offsets[:-1], encoded.offsets[1:])]

    def __iter__(self):
        return ((tree, self.x[rows], self.x0[rows]) for tree, rows in zip(self.trees, self.rows))

    @property
    def trees(self):
        return [self.inputs.array[i] for i in range(len(self.rows))]

    def f(self, x, tree, cut=None):
        return margin(tree_logits(self.subject.module, x, tree, cut), self.target)

    @torch.no_grad()
    def worth(self, tree, x, x0, present):
        """What the net says when the nodes that are not present have their baselines."""
        return float(self.f(torch.stack([(x if i in present else x0)[i] for i in range(len(x))]), tree))


@torch.no_grad()
def naive_occlusion(forest, by_state):
    """The falls of each subtree and of each own input, one forward by recursion for each."""
    subtrees, own = [], []
    for tree, x, x0 in forest:
        before = forest.f(x, tree)
        for node in tree.nodes:
            there, alone = x.clone(), x.clone()
            below = subtree(tree, node)
            there[below], alone[node] = x0[below], x0[node]
            subtrees.append(before - (forest.f(x, tree, node) if by_state else forest.f(there, tree)))
            own.append(before - forest.f(alone, tree) if tree.children(node) else subtrees[-1])
    return torch.stack(subtrees), torch.stack(own)


@each_cell
@each_pooling
@pytest.mark.parametrize("by_state", [True, False])
def test_occlusion_is_what_one_forward_per_node_gives(cell, pooling, by_state):
    forest = Forest(tree_net(cell, pooling), grown_trees())
    expected = naive_occlusion(forest, by_state)
    for budget in (Budget(), Budget(max_rows=3)):
        found = occlusion(ancestors.NodeStates(forest.inputs), forest.objective, budget, by_state=by_state)
        for a, b in zip(found, expected):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


@each_cell
@each_pooling
def test_what_is_taken_away_with_a_root_is_the_whole_difference(cell, pooling):
    forest = Forest(tree_net(cell, pooling), grown_trees())
    roots = torch.from_numpy(forest.inputs.array.offsets[:-1])
    f = forward_of(forest.inputs, forest.objective)
    subtrees, _ = occlusion(ancestors.NodeStates(forest.inputs), forest.objective, Budget(), by_state=False)
    change = f(forest.inputs.x) - f(forest.inputs.x0)
    torch.testing.assert_close(subtrees[roots], change, rtol=0, atol=1e-9)
    explained = explain(tree_net(cell, pooling), grown_trees(), "occlusion", target=1)
    falls = [part[0] for part in explained.attributions]
    assert falls == pytest.approx(explained.values - explained.baseline_values, abs=1e-5)
    bias = margin(Subject(tree_net(cell, pooling)).module.head.bias, 1)
    assert explained.baseline_values == pytest.approx(bias.item(), abs=1e-5)


def test_a_wrong_way_up_is_caught(monkeypatch):  # the control of the laws of occlusion
    forest = Forest(tree_net(), grown_trees())
    right = ancestors.NodeStates.parent_states
    monkeypatch.setattr(
        ancestors.NodeStates, "parent_states", lambda *args: tuple(1.001 * s for s in right(*args))
    )
    found = occlusion(ancestors.NodeStates(forest.inputs), forest.objective, Budget(), by_state=True)
    with pytest.raises(AssertionError):
        torch.testing.assert_close(found[0], naive_occlusion(forest, True)[0], rtol=0, atol=1e-9)


def test_a_subtree_costs_its_depth():
    forest = Forest(tree_net(), grown_trees(30))
    occluder, array = ancestors.NodeStates(forest.inputs), forest.inputs.array
    nodes = torch.arange(array.n_nodes)
    occluder.vectors(nodes, occluder.states)
    assert occluder.n_evaluations == array.depths.sum()
    naive = sum(size * size for size in array.sizes.tolist())
    assert occluder.n_evaluations < naive / 3


def test_labels_values_and_edges_are_taken_away_by_themselves():
    def trees_of(words):
        return [
            Tree(
                rng.choice(words, len(parents)).tolist(),
                parents,
                values=[1.5, *(rng.choice([None, rng.randn()]) for _ in parents[1:])],
                edges=[None, *rng.choice(["left", "right"], len(parents) - 1)],
            )
            for parents in (tree.parents for tree in grown_trees(24, seed=2))
        ]

    rng = np.random.RandomState(0)
    net = classifier(pooling="mean").fit(trees_of(WORDS), [0, 1, 2] * 8)
    trees = trees_of(["", "", *WORDS])[:8]  # an unknown "" is no label
    forest = Forest(net, trees)
    is_empty = [not word and value is None for t in trees for word, value in zip(t.labels, t.values)]
    nothing = torch.tensor(is_empty)
    assert 3 < nothing.sum() < len(nothing) / 2
    assert torch.equal(forest.inputs.nodes, (~nothing).nonzero().squeeze(1))
    found = occlusion(ancestors.NodeStates(forest.inputs), forest.objective, Budget(), by_state=False)
    for a, b in zip(found, naive_occlusion(forest, by_state=False)):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)
    assert (found[1][nothing] == 0).all()
    assert (found[1][~nothing].abs() > 1e-9).all()
    has_edge = torch.from_numpy(forest.inputs.array.edges > 0)
    apart = forest.x0[has_edge] - forest.x0[0]
    assert (apart.norm(dim=1) > 0.1).all()  # what hangs on a node stays: its edge


@each_cell
def test_a_child_of_a_child_sum_cell_with_a_zero_state_is_no_child(cell):
    def without(tree, node):
        kept = [i for i in tree.nodes if i not in subtree(tree, node)]
        parents = [kept.index(tree.parents[i]) if i else -1 for i in kept]
        return Tree([tree.labels[i] for i in kept], parents)

    net, trees = tree_net(cell), grown_trees(12)
    cut = [without(tree, node) for tree in trees for node in list(tree.nodes)[1:]]
    before, after = (np.array([margin(row, 1) for row in net.decision_function(X)]) for X in (trees, cut))
    sizes = [len(tree.nodes) - 1 for tree in trees]
    falls = np.concatenate([part[1:] for part in explain(net, trees, "occlusion", target=1).attributions])
    worst = np.abs(falls - (np.repeat(before, sizes) - after)).max()
    if cell.startswith("child_sum"):
        assert worst < 1e-6
    else:  # the control: its siblings would take its place
        assert worst > 1e-3


each_baseline = pytest.mark.parametrize("baseline", ["mean", "unknown", "zero"])


@each_baseline
def test_integrated_gradients_add_up(baseline):
    net, X, *_ = sentiment()
    explained = explain(net, X, "integrated_gradients", baseline=baseline, n_steps=64, max_steps=64)
    error = np.abs(explained.completeness_error)
    error /= np.maximum(1, np.abs(explained.values - explained.baseline_values))
    assert np.quantile(error, 0.99) < 1e-2
    assert error.max() < 5e-2
    for a, b in zip(explained.attributions, explained.own):
        assert a[0] == pytest.approx(b.sum(), abs=1e-5)
    rough = explain(net, X, "input_x_gradient", baseline=baseline)
    assert np.quantile(np.abs(rough.completeness_error), 0.5) > 0.5  # the control: one step is not enough


def test_steps_are_added_where_they_are_needed():
    net, X, *_ = sentiment()
    bounds = {"tol": 1e-3, "n_steps": 8, "baseline": "mean"}
    few, more = (explain(net, X, "integrated_gradients", max_steps=n, **bounds) for n in (8, 256))
    change = np.maximum(1, np.abs(few.values - few.baseline_values))
    is_rough = np.abs(few.completeness_error) > 1e-3 * change
    assert 0.2 < is_rough.mean() < 1
    assert (np.abs(more.completeness_error) <= 1e-3 * change * 1.001).mean() > 0.97
    for i in np.flatnonzero(~is_rough):
        assert np.array_equal(few.own[i], more.own[i])


@pytest.mark.parametrize("max_rows", [1, 50, 8192])
def test_integrated_gradients_of_a_batch_are_those_of_each_tree_step_by_step(max_rows):
    net, X, *_ = sentiment()
    X = X[:4]
    forest = Forest(net, X)
    params = {
        "n_steps": 16,
        "max_steps": 16,
        "max_rows": max_rows,
        "baseline": "unknown",
        "target": "positive",
    }
    found = explain(net, X, "integrated_gradients", **params)
    slow = [integral(lambda y, tree=tree: forest.f(y, tree), x, x0, 16).sum(1) for tree, x, x0 in forest]
    for a, b in zip(found.own, slow):
        assert np.abs(a - b.numpy()).max() < 1e-4
    other = explain(net, X, "integrated_gradients", **{**params, "n_steps": 4, "max_steps": 4})
    assert far(found, other) > 1e-3  # the control: another integral


class Schedule:
    """Whose states are computed when: a Python object, which Captum does not copy along with rows."""

    def __init__(self, forest):
        self.forest = forest

    def outputs(self, x):
        f, rows = self.forest.f, self.forest.rows
        return torch.stack([f(x[part], tree) for part, tree in zip(rows, self.forest.trees)])


def test_captums_integral_is_wrong_without_a_word_if_the_schedule_is_not_copied():
    forest = Forest(tree_net(), grown_trees())
    inputs, schedule = forest.inputs, Schedule(forest)
    with torch.no_grad():
        change = schedule.outputs(inputs.x) - schedule.outputs(inputs.x0)

    def error(f, **params):
        found = IntegratedGradients(f).attribute(inputs.x, inputs.x0, n_steps=16, **params)
        return ((inputs.per_sample(found) - change).abs() / change.abs()).detach()

    assert (error(schedule.outputs) > 0.5).all()
    assert (error(forward_of(inputs, forest.objective)) < 0.01).all()
    assert (error(schedule.outputs, internal_batch_size=inputs.n_rows) < 0.01).all()  # one copy at a time


@pytest.mark.parametrize("n", [0, 1, -1])
def test_rows_that_are_no_whole_copies_are_refused(n):
    inputs = Forest(tree_net(), grown_trees()).inputs
    rows = inputs.x[:0] if n == 0 else torch.cat([inputs.x, inputs.x])[: n + 2 * inputs.n_rows - (n == 1) * 2]
    with pytest.raises(ValueError, match="rows must be whole copies of the 37 rows of this batch, got "):
        inputs.outputs(rows)
    assert len(inputs.outputs(inputs.x.repeat(3, 1))) == 3 * len(inputs)


@each_kind
def test_shapley_values_add_up(kind):
    net, X = example(kind)
    for n_samples in (1, 4):
        explained = explain(net, X[:10], "shapley", method_params={"n_samples": n_samples, "window": 2})
        assert np.abs(explained.completeness_error).max() < 1e-4
    assert np.abs(explained.values - explained.baseline_values).max() > 1e-2
    occluded = explain(net, X[:10], "occlusion", baseline="mean")
    assert np.abs(occluded.completeness_error).max() > 1e-3  # the control


def test_shapley_values_are_means_over_all_orders():
    trees = [tree for tree in grown_trees(12, max_nodes=6) if len(tree.nodes) < 6]
    net = tree_net("nary_lstm", "attention")
    forest = Forest(net, trees)
    found = explain(net, trees, "shapley", target=1, baseline="unknown", dtype="float64")
    for (tree, x, x0), phi in zip(forest, found.own):
        value = cache(partial(forest.worth, tree, x, x0))
        assert phi == pytest.approx(shapley_values(value, len(x)), abs=1e-9)
    alone = explain(net, trees, "occlusion", target=1, baseline="unknown", dtype="float64")
    assert far(found, alone) > 1e-3  # the control


def test_random_orders_come_near_all_orders(monkeypatch):
    net, X, *_ = sentiment()
    exact = explain(net, X[:10], "shapley", target="positive")
    monkeypatch.setattr(coalitions, "MOST_EXACT", 1)
    means = []
    for n_samples in (1, 10, 100):
        params = {"method_params": {"n_samples": n_samples}}
        found = explain(net, X[:10], "shapley", target="positive", **params)
        means.append(np.mean([np.abs(a - b).mean() for a, b in zip(found.own, exact.own)]))
    assert means[2] < means[1] / 2 < means[0] / 4
