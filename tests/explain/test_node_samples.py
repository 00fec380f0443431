"""Explanations of single nodes of trees."""

import numpy as np
import pytest
from explain_helpers import NAMES, QUICK, TEXTS, TREES, Y, fit_explainer
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    TreeArray,
    TreeVectorizer,
)
from sklearn_tree.estimators import predict_nodes

ARRAY = TreeArray.from_trees(TREES)
NODE_Y = [np.array(["good", "bad"])[(np.arange(n) + i) % 2] for i, n in enumerate(ARRAY.sizes)]
NODES = [3, 1, 0, 1]
BOTTOM_UP = ["occlusion", "shapley", "integrated_gradients", "saliency", "node_prediction"]


@pytest.fixture(scope="module")
def net():
    return RecursiveNetClassifier(**QUICK).fit(TREES, NAMES, node_y=NODE_Y)


@pytest.mark.parametrize("method", BOTTOM_UP)
@pytest.mark.parametrize("target", ["predicted", "bad"])
def test_a_node_is_explained_as_its_subtree(net, method, target):
    explainer = fit_explainer(net, TREES, method=method)
    found = explainer.explain(TREES[:4], target=target, node=NODES)
    for i, node in enumerate(NODES):
        subtree = ARRAY[i].subtree(node)
        alone = explainer.explain([subtree], target=target)
        inside = slice(node, node + subtree.n_nodes)
        assert np.allclose(found.attributions[i][inside], alone.attributions[0], atol=1e-6)
        assert np.allclose(found.own[i][inside], alone.own[0], atol=1e-6)
        outside = np.delete(found.attributions[i], np.arange(node, node + subtree.n_nodes))
        assert len(outside) == ARRAY.sizes[i] - subtree.n_nodes
        assert (outside == 0).all()
        assert found.values[i] == pytest.approx(alone.values[0], abs=1e-6)
    whole = explainer.explain(TREES[:4], target=target)
    assert not np.allclose(found.attributions[0], whole.attributions[0], atol=1e-4)  # the control


def test_the_explained_number_is_that_of_predict_nodes(net):
    pipe = make_pipeline(TreeVectorizer(), RecursiveNetClassifier(**QUICK)).fit(TREES, NAMES)
    for estimator in (net, pipe):
        table = predict_nodes(estimator, TREES[:4])
        rows = table[table.node == np.array(NODES)[table["sample"]]]
        found = fit_explainer(estimator, TREES, output="probability", target="good").explain(
            TREES[:4], node=NODES
        )
        assert np.allclose(found.values, rows.good, atol=1e-6)
        assert found.predictions.values.tolist() == rows.prediction.tolist()
        root = table[table.node == 0]
        assert not np.allclose(root.good, rows.good, atol=1e-4)  # the control


def test_shapley_values_of_a_node_are_complete(net):
    found = fit_explainer(net, TREES, method="shapley").explain(TREES[:4], node=NODES)
    assert np.allclose(found.completeness_error, 0, atol=1e-5)


def test_one_number_selects_a_node_of_all_trees(net):
    explainer = fit_explainer(net, TREES)
    both = explainer.explain(TREES[:4], node=1), explainer.explain(TREES[:4], node=[1, 1, 1, 1])
    for a, b in zip(both[0].own, both[1].own, strict=True):
        assert np.array_equal(a, b)


def test_captions_name_the_node_and_its_phrase(net):
    found = fit_explainer(net, TREES).explain(TREES[:2], ["good", "bad"], node=[3, 1])
    assert found.captions[0].startswith("Node 3, works: predicted ")
    assert found.captions[1].startswith("Node 1, it: predicted ")
    assert found.captions[1].endswith("true bad") or "true bad" in found.captions[1]
    assert "Node 3, works" in repr(found)
    assert "Node 3, works" in found._repr_html_()
    assert found[1].captions == found.captions[1:]
    every = fit_explainer(net, TREES).explain(TREES[:2], target="all", node=[3, 1])
    assert len(every) == 4
    assert [caption.split(":")[0] for caption in every.captions] == ["Node 3, works"] * 2 + ["Node 1, it"] * 2


def test_nodes_of_regressors_are_explained_in_their_units():
    reg = RecursiveNetRegressor(**QUICK).fit(TREES, Y * 50.0)
    found = fit_explainer(reg, TREES).explain(TREES[:4], node=NODES)
    subtrees = [ARRAY[i].subtree(node) for i, node in enumerate(NODES)]
    assert np.allclose(found.values, reg.predict(subtrees), atol=1e-3)


def test_edges_of_explained_nodes_are_kept():
    trees = [{"name": "a", "children": [{"name": "b", "edge": e}, {"name": "c"}]} for e in ("x", "y")] * 12
    net = RecursiveNetClassifier(**QUICK).fit(trees, NAMES)
    found = fit_explainer(net, trees, output="probability", target="good").explain(trees[:2], node=1)
    table = predict_nodes(net, trees[:2])
    assert np.allclose(found.values, table[table.node == 1].good, atol=1e-6)
    assert abs(np.diff(found.values)) > 1e-6  # the edge above the node is read


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (5, r"node of X\[0\] must be an int in \[0, 4\], got 5"),
        ([0, 0, 0, 3], r"node of X\[3\] must be an int in \[0, 2\], got 3"),
        (-1, r"node of X\[0\] must be an int in \[0, 4\], got -1"),
        ([0, 1], r"node must be an int or an array of 4 int, one for each sample, got \[0, 1\]"),
        (1.0, "node must be an int or an array of 4 int"),
        ("works", "node must be an int or an array of 4 int"),
    ],
)
def test_nodes_that_do_not_exist_are_refused(net, node, message):
    with pytest.raises(ValueError, match=message):
        fit_explainer(net, TREES).explain(TREES[:4], node=node)


def test_samples_without_nodes_and_bidirectional_nets_are_refused():
    texts = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    with pytest.raises(ValueError, match="node must be None for samples of the kind 'tokens', got 1"):
        fit_explainer(texts, TEXTS).explain(TEXTS[:1], node=1)
    both = RecursiveNetClassifier(bidirectional=True, **QUICK).fit(TREES, NAMES)
    with pytest.raises(ValueError, match="node must be None for a RecursiveNetClassifier with bidirectional"):
        fit_explainer(both, TREES).explain(TREES[:1], node=1)
