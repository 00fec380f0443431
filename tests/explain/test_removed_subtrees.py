"""Sets of inputs are removed from trees as occlusion removes subtrees."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from explain_helpers import fit_explainer, fit_tree_net, make_classifier, make_trees
from reference import margin, subtree

from sklearn_tree import RecursiveNetClassifier, Tree, TreeArray
from sklearn_tree.explain.coalitions import coalition_values
from sklearn_tree.explain.explained_sample import explain_each

TREES = make_trees(6, max_nodes=6)
NETS = {
    "root": {},
    "mean": {"pooling": "mean"},
    "max, N-ary": {"pooling": "max", "cell": "nary_lstm"},
    "attention, tensors": {"pooling": "attention", "cell": "rntn"},
    "both walks": {"bidirectional": True},
    "both walks, mean": {"bidirectional": True, "pooling": "mean"},
}
each_net = pytest.mark.parametrize("name", list(NETS))


def explain_samples(net, X, **params):
    explainer = fit_explainer(net, X, method="occlusion", dtype="float64", **params)
    return explainer.explain(X), list(explain_each(explainer, X))


@each_net
@pytest.mark.parametrize("baseline", ["auto", "unknown"])
def test_a_removed_input_lowers_the_value_by_its_occlusion(name, baseline):
    explained, samples = explain_samples(fit_tree_net(**NETS[name]), TREES, baseline=baseline)
    differences = []
    for i, sample in enumerate(samples):
        n = len(sample.attributions)
        found = sample.evaluate(np.vstack([np.ones(n, bool), np.zeros(n, bool), ~np.eye(n, dtype=bool)]))
        assert found[0] == pytest.approx(explained.values[i], abs=1e-9)
        assert found[1] == pytest.approx(explained.baseline_values[i], abs=1e-9)
        np.testing.assert_allclose(found[0] - found[2:], explained.own[i], rtol=0, atol=1e-9)
        other = coalition_values(sample.batch, sample.groups, ~np.eye(n, dtype=bool))
        differences.append(np.abs(other - found[2:]).max())
    assert (max(differences) > 1e-3) == (baseline == "auto")  # the control: zero states are not baselines


@pytest.mark.parametrize("params", [{}, {"bidirectional": True}, {"pooling": "max"}])
def test_sets_of_removed_leaves_prune_the_tree_of_a_child_sum_cell(params):
    net, tree = fit_tree_net(linear_path=False, **params), Tree(list("abcdbe"), [-1, 0, 1, 1, 0, 0])
    _, (sample,) = explain_samples(net, [tree], target=1)
    leaves, expected, coalitions = [2, 3, 4, 5], [], []
    for flags in product([True, False], repeat=len(leaves)):
        removed = {leaf for leaf, is_present in zip(leaves, flags, strict=True) if not is_present}
        kept = [v for v in tree.nodes if v not in removed]
        parents = [kept.index(tree.parents[v]) if v else -1 for v in kept]
        expected.append(margin(net.decision_function([Tree([tree.labels[v] for v in kept], parents)])[0], 1))
        coalitions.append([v in kept for v in tree.nodes])
    found = sample.evaluate(np.array(coalitions))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.ptp(found) > 1e-2  # the control


@each_net
def test_a_subtree_without_inputs_is_occluded(name):
    explained, samples = explain_samples(fit_tree_net(**NETS[name]), TREES)
    for part, tree, sample in zip(explained.attributions, TREES, samples, strict=True):
        present = np.array([[k not in subtree(tree, v) for k in tree.nodes] for v in tree.nodes])
        found = sample.evaluate(np.ones((1, len(part)), dtype=bool)) - sample.evaluate(present)
        np.testing.assert_allclose(found, part, rtol=0, atol=1e-9)


def test_nodes_without_inputs_are_not_removed_before_the_others():
    labels, depths = [0, 2, 0, 3, 2, 0, 3, 0], [0, 1, 1, 2, 0, 1, 1, 0]  # the id 0 means no label
    trees = TreeArray(labels, depths, [0, 4, 7, 8], n_labels=4)
    net = make_classifier(RecursiveNetClassifier).fit(TreeArray.concatenate([trees] * 4), [0, 1, 2] * 4)
    explained, samples = explain_samples(net, trees)
    for i, sample in enumerate(samples):
        full = np.ones((1, len(sample.attributions)), dtype=bool)
        assert sample.evaluate(full) == pytest.approx(explained.values[i], abs=1e-9)
    assert [len(sample.attributions) for sample in samples] == [2, 2, 0]
    first, second = samples[0].evaluate(np.array([[True, True], [True, False]]))
    assert first - second == pytest.approx(explained.attributions[0][2], abs=1e-9)  # its parent has no input


def test_inputs_are_removed_from_one_side_of_a_pair():
    pairs = pd.DataFrame({"a": TREES, "b": TREES[::-1]})
    net = make_classifier(RecursiveNetClassifier).fit(pairs, [0, 1, 2] * 2)
    explained, samples = explain_samples(net, pairs)
    for i, sample in enumerate(samples):
        n = len(sample.attributions)
        found = sample.evaluate(np.vstack([np.ones(n, bool), np.zeros(n, bool), ~np.eye(n, dtype=bool)]))
        assert found[1] == pytest.approx(explained.baseline_values[i], abs=1e-9)
        single = len(TREES[i].labels) == 1 or len(TREES[5 - i].labels) == 1
        assert single or np.abs(found[0] - found[2:] - explained.own[i]).max() < 1e-9


def test_the_limit_of_memory_does_not_change_the_values():
    few, many = (explain_samples(fit_tree_net(), TREES, max_rows=rows)[1] for rows in (1, 8192))
    for a, b in zip(few, many, strict=True):
        coalitions = np.random.RandomState(0).rand(9, len(a.attributions)) < 0.5
        np.testing.assert_allclose(a.evaluate(coalitions), b.evaluate(coalitions), rtol=0, atol=1e-9)
