"""Explanations of single nodes equal slow computations for their subtrees, or in the whole tree."""

import json
import pickle
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from explain_helpers import (
    FEW_PARAMS,
    METHODS,
    QUICK,
    TABLE,
    TEXTS,
    NaiveTrees,
    Y,
    assert_all_close,
    fit_explainer,
    fit_tree_net,
    is_complete,
    make_classifier,
    make_trees,
    max_difference,
)
from reference import context_logits, margin, shapley_values, subtree, tree_logits

from sklearn_tree import RecursiveNetClassifier, RecursiveNetRegressor, RNNClassifier, Tree, TreeVectorizer
from sklearn_tree.explain import nodes as explained_nodes
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods import method_names
from sklearn_tree.explain.pictures import select_scaled
from sklearn_tree.explain.tree_inputs import TreeInputs

TREES = make_trees(6, max_nodes=6)
NODES = [0, 2, 3, 4, 1, 2]
BOTH_WALKS = {"bidirectional": True}
NETS = {
    "root": {},
    "mean": {"pooling": "mean"},
    "max, N-ary": {"pooling": "max", "cell": "nary_lstm"},
    "without linear path": {"linear_path": False},
    "both walks": BOTH_WALKS,
    "both walks, mean": {**BOTH_WALKS, "pooling": "mean"},
    "both walks, max": {**BOTH_WALKS, "pooling": "max", "linear_path": False},
    "both walks, attention": {**BOTH_WALKS, "pooling": "attention", "cell": "nary_gru"},
}
each_net = pytest.mark.parametrize("name", list(NETS))
EXACT = {"target": 1, "baseline": "unknown", "dtype": "float64"}


def make_values(net):
    """Return the margin at a node as a function of the inputs, and inputs and baselines, for each tree."""
    naive = NaiveTrees(net, TREES)

    @torch.no_grad()
    def evaluate(x, tree, node):
        if naive.module.encoder.downward is not None:
            return float(margin(context_logits(naive.module, x, tree)[node], 1))
        below = subtree(tree, node)
        return float(margin(tree_logits(naive.module, x[below], tree.subtree(node)), 1))

    return evaluate, naive


def mix(x, x0, absent):
    """Return inputs with some baselines."""
    x = x.clone()
    x[absent] = x0[absent]
    return x


def outside(parts):
    """Return the numbers of the nodes outside the explained subtrees."""
    trees = zip(parts, TREES, NODES, strict=True)
    return np.concatenate([np.delete(part, subtree(tree, node)) for part, tree, node in trees])


# Laws.


@each_net
@pytest.mark.parametrize("method", METHODS)
def test_values_are_the_probabilities_of_predict_nodes(name, method):
    net = fit_tree_net(**NETS[name])
    if (
        method not in method_names(ExplainedNet(net)) and "noise" not in method
    ) or method == "node_prediction":
        return
    explainer = fit_explainer(net, TREES, method=method, output="probability", method_params=FEW_PARAMS)
    found = explainer.explain(TREES, node=NODES)
    table = net.predict_nodes(TREES).set_index(["sample", "node"])
    rows = table.loc[list(enumerate(NODES))]
    expected = rows[[0, 1, 2]].to_numpy().max(axis=1)
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    np.testing.assert_allclose(found.predictions.probabilities, expected, atol=1e-6)
    assert found.targets.tolist() == found.predictions.values.tolist() == rows.prediction.tolist()
    assert np.abs(explainer.explain(TREES).values - found.values)[1:].max() > 1e-4  # the control
    if method in ("shapley", "integrated_gradients", "interaction"):
        assert is_complete(found)
    assert (outside(found.attributions) == 0).all() == ("both walks" not in name)
    assert (outside(found.own) == 0).all() == ("both walks" not in name)


@each_net
def test_occlusion_of_a_node_equals_one_forward_pass_per_subtree(name):
    net = fit_tree_net(**NETS[name])
    evaluate, naive = make_values(net)
    found = fit_explainer(net, TREES, **EXACT).explain(TREES, node=NODES)
    for i, (tree, x, x0) in enumerate(naive):
        before = evaluate(x, tree, NODES[i])
        inside = [v for v in tree.nodes if "both" in name or v in subtree(tree, NODES[i])]
        for v in tree.nodes:
            without_subtree, without_node = (mix(x, x0, part) for part in (subtree(tree, v), [v]))
            after = evaluate(without_subtree, tree, NODES[i]) if v in inside else before
            assert found.attributions[i][v] == pytest.approx(before - after, abs=1e-9)
            assert found.own[i][v] == pytest.approx(before - evaluate(without_node, tree, NODES[i]), abs=1e-9)
        assert found.values[i] == pytest.approx(before, abs=1e-9)
        assert found.baseline_values[i] == pytest.approx(evaluate(x0, tree, NODES[i]), abs=1e-9)
    assert np.abs(np.concatenate(found.attributions)).max() > 1e-3  # the control


@each_net
def test_shapley_values_of_a_node_equal_all_orders_of_removal(name):
    net = fit_tree_net(**NETS[name])
    evaluate, naive = make_values(net)
    found = fit_explainer(net, TREES, method="shapley", **EXACT).explain(TREES, node=NODES)
    for i, (tree, x, x0) in enumerate(naive):

        @cache
        def value(present, tree=tree, x=x, x0=x0, node=NODES[i]):
            return evaluate(mix(x, x0, [v for v in tree.nodes if v not in present]), tree, node)

        expected = shapley_values(value, len(x))
        np.testing.assert_allclose(found.own[i], expected, rtol=0, atol=1e-9)
        assert np.abs(expected).max() > 1e-4  # the control


@pytest.mark.parametrize("pooling", ["root", "max"])
def test_a_zero_state_prunes_the_tree_around_the_node(pooling):
    net = fit_tree_net(pooling=pooling, linear_path=False, bidirectional=True)
    tree, node = Tree(["a", "b", "c", "d", "e"], [-1, 0, 1, 0, 0]), 1
    found = fit_explainer(net, [tree], target=1, output="probability").explain([tree], node=node)
    for removed, at in ((2, 1), (3, 1), (4, 1)):
        kept = [v for v in tree.nodes if v != removed]
        parents = [kept.index(tree.parents[v]) if v else -1 for v in kept]
        smaller = Tree([tree.labels[v] for v in kept], parents)
        after = net.predict_nodes([smaller])[1][at]
        assert found.values[0] - found.attributions[0][removed] == pytest.approx(after, abs=1e-6)
    assert np.abs(found.attributions[0][2:]).min() > 1e-6  # the control
    difference = found.values[0] - found.baseline_values[0]
    np.testing.assert_allclose(found.attributions[0][:2], difference, atol=1e-6)  # no node is left


@each_net
@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients"])
def test_the_root_as_a_node_is_explained_as_its_tree(name, method):
    explainer = fit_explainer(fit_tree_net(**NETS[name]), TREES, method=method, dtype="float64")
    expected = explainer.explain(TREES)
    assert max_difference(explainer.explain(TREES, node=0), expected) < 1e-9
    assert max_difference(explainer.explain(TREES[3:], node=1), expected[3:]) > 1e-4  # the control


def test_a_node_that_is_not_selected_in_both_walks_is_detected(monkeypatch):  # the control of the laws
    net = fit_tree_net(**BOTH_WALKS)
    explainer = fit_explainer(net, TREES, **EXACT)
    expected = explainer.explain(TREES, node=NODES)
    monkeypatch.setattr(TreeInputs, "at_nodes", lambda self, nodes: self)
    assert max_difference(explainer.explain(TREES, node=NODES), expected) > 1e-3


def test_the_edge_above_a_node_is_read_as_by_predict_nodes():
    trees = make_trees(12, max_nodes=6)
    trees = [Tree(t.labels, t.parents, edges=[None, *"xyxyx"[: len(t.labels) - 1]]) for t in trees]
    net = RecursiveNetClassifier(**QUICK).fit(trees, np.arange(12) % 3)
    found = fit_explainer(net, trees, output="probability").explain(trees[1:], node=1)
    proba = net.predict_nodes(trees[1:])
    np.testing.assert_allclose(found.values, proba[proba.node == 1][[0, 1, 2]].max(axis=1), atol=1e-6)
    parts = [tree.subtree(1) for tree in trees[1:]]
    bare = [Tree(part.labels, part.parents, edges=[None, *part.edges[1:]]) for part in parts]
    assert np.abs(found.values - net.predict_proba(bare).max(axis=1)).max() > 1e-5  # the control


@pytest.mark.parametrize("params", [{}, BOTH_WALKS])
def test_chunks_do_not_change_the_explanations_of_nodes(params):
    net = fit_tree_net(**params)
    for method in ("occlusion", "integrated_gradients"):
        few, many = (
            fit_explainer(net, TREES, method=method, max_rows=rows, dtype="float64").explain(
                TREES, node=NODES
            )
            for rows in (1, 8192)
        )
        assert max_difference(few, many) < 1e-9


OTHER_TARGETS = {
    "numbers": (RecursiveNetRegressor, np.random.RandomState(0).randn(30, 2), 1),
    "labels": (RecursiveNetClassifier, np.random.RandomState(0).randint(0, 2, (30, 3)), 2),
    "columns of classes": (RecursiveNetClassifier, np.random.RandomState(0).randint(0, 3, (30, 2)), (1, 2)),
}


@pytest.mark.parametrize("name", OTHER_TARGETS)
def test_nodes_of_other_targets_are_explained(name):
    cls, y, target = OTHER_TARGETS[name]
    net = make_classifier(cls).fit(make_trees(30, seed=1), y)
    parts = [tree.subtree(node) for tree, node in zip(TREES, NODES, strict=True)]
    explainer = fit_explainer(net, TREES, target=target, dtype="float64")
    found, expected = explainer.explain(TREES, node=NODES), explainer.explain(parts)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-9)
    assert found.predictions.values.tolist() == pytest.approx(expected.predictions.values.tolist())
    output = target[0] if name == "columns of classes" else target
    assert re.match(rf"Node 2 '.', output {output}: predicted ", found.captions[1])
    inside = [
        part[node : node + len(of_tree)]
        for part, node, of_tree in zip(found.own, NODES, expected.own, strict=True)
    ]
    assert_all_close(inside, expected.own, atol=1e-9)


# Labels of nodes, pictures, frames.

PARSES = ["(S (NP it) (VP (ADV not) (ADJ good)))", "(S (NP it) (VP (ADV so) (ADJ good)))"] * 8


@pytest.fixture(scope="module")
def phrases():
    net = RecursiveNetClassifier(**{**QUICK, "max_epochs": 30, "lr": 0.05})
    node_y = [[None, None, None, label, None, None, None, "good"] for label in ("bad", "good")] * 8
    return fit_explainer(net.fit(PARSES, ["bad", "good"] * 8, node_y=node_y), PARSES)


def test_captions_name_the_node_and_its_words(phrases):
    found = phrases.explain(PARSES[:2], ["bad", "good"], node=[3, 6])
    first, second = found.captions
    assert first.startswith("Node 3 'not good': predicted bad (p ")
    assert first.endswith(", true bad")
    assert second.startswith("Node 6 'good': predicted good (p ")
    assert not phrases.explain(PARSES[:1]).captions[0].startswith("Node")  # the control


def test_frames_and_json_name_the_node(phrases):
    found = phrases.explain(PARSES[:2], node=[3, 6])
    frame = found.to_frame()
    assert frame.groupby("sample").explained_node.first().tolist() == [3, 6]
    assert (frame.attribution[frame.node < 3] == 0).all()
    assert [sample["node"] for sample in json.loads(found.to_json())["samples"]] == [3, 6]
    root = phrases.explain(PARSES[:2])
    assert "explained_node" not in root.to_frame()
    assert "node" not in json.loads(root.to_json())["samples"][0]


def test_pictures_and_texts_mark_the_node(phrases):
    found = phrases.explain(PARSES[:2], node=3)
    for text in (repr(found), found.to_markdown(), found._repr_html_()):
        assert text.count("\u25b6 VP") >= 2
        assert "\u25b6 S" not in text
    assert "\u25b6" not in phrases.explain(PARSES[:2])._repr_html_()  # the control
    html = found[:1]._repr_html_()
    copy = pickle.loads(pickle.dumps(found))[0]
    assert copy._repr_html_() == html
    assert copy.nodes.tolist() == [3]


def test_an_unlabelled_node_is_marked():
    trees = ["(S ( it) ( (X not) (X good)))", "(S ( it) ( (X so) (X good)))"] * 6
    net = RecursiveNetClassifier(**QUICK).fit(trees, Y[:12])
    found = fit_explainer(net, trees).explain(trees[:1], node=2)
    assert "\u25b6\n" in repr(found)
    assert found.captions[0].startswith("Node 2 'not good': ")


def test_the_rest_of_a_tree_does_not_set_the_scale(phrases):
    found = phrases.explain(PARSES[:1], node=3)
    part = found.attributions[0]
    shown = found.view.scaled(found.samples, select_scaled(found))
    assert sorted(shown) == sorted(part[4:][part[4:] != 0])


def test_summaries_count_the_pieces_of_the_subtrees_only(phrases):
    found = phrases.explain(PARSES, node=3)
    names = set(found.summary(min_count=1).to_frame().name)
    assert {"not", "not good"} <= names
    assert not {"it", "it not good"} & names
    assert "it" in set(phrases.explain(PARSES).summary(min_count=1).to_frame().name)  # the control


def test_vectorized_trees_are_explained_at_the_nodes_of_predict_nodes():
    vectorizer = TreeVectorizer(collapse_unary=True)
    X = vectorizer.fit_transform(PARSES)
    net = RecursiveNetClassifier(**QUICK).fit(X, Y[:16])
    last = net.predict_nodes(X[:1]).node.max()
    found = fit_explainer(net, X).explain(X[:1], node=int(last))
    assert len(found.attributions[0]) == last + 1


# Errors.


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (8, r"node must be in \[0, 7\] for X\[0\], got 8"),
        ([3, -1], r"node must be in \[0, 7\] for X\[1\], got -1"),
        ([1, 2, 3], "node must have one entry per sample of X, got 3 for 2 samples"),
        (1.0, "node must be an int or hold one int per tree, got 1.0"),
        (True, "node must be an int or hold one int per tree, got True"),
        ("all", "node must be an int or hold one int per tree, got 'all'"),
        ([[1], [2]], "node must be an int or hold one int per tree, got"),
    ],
)
def test_invalid_nodes_are_named_with_their_rule(phrases, node, message):
    with pytest.raises(ValueError, match=message):
        phrases.explain(PARSES[:2], node=node)


@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_nodes_come_in_any_container(phrases, container):
    assert phrases.explain(PARSES[:2], node=container([3, 6])).nodes.tolist() == [3, 6]


def test_other_samples_have_no_nodes():
    pairs = pd.DataFrame({"a": PARSES, "b": PARSES})
    for cls, X in ((RNNClassifier, TEXTS), (RecursiveNetClassifier, TABLE), (RecursiveNetClassifier, pairs)):
        explainer = fit_explainer(cls(**QUICK).fit(X, Y[: len(X)]), X)
        with pytest.raises(ValueError, match="node must be None for a net that does not read single trees"):
            explainer.explain(X[:2], node=0)


def test_methods_that_predict_all_nodes_refuse_single_ones(phrases):
    explainer = fit_explainer(phrases.estimator_, PARSES, method="node_prediction")
    with pytest.raises(ValueError, match="node must be None for method='node_prediction': it predicts every"):
        explainer.explain(PARSES[:1], node=3)
    assert explained_nodes.name_nodes(explainer.explain(PARSES[:1]).samples, np.array([6])) == [
        "Node 6 'good'"
    ]


def test_all_classes_of_a_node_are_explained(phrases):
    found = phrases.explain(PARSES[:2], target="all", node=[3, 0])
    assert found.nodes.tolist() == np.repeat([3, 0], len(found) // 2).tolist()
    alone = phrases.explain(PARSES[:1], node=3)
    assert found.captions[0].split(": ")[0] == alone.captions[0].split(": ")[0]
