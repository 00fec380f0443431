"""View of trees."""

import ast
import pickle

import numpy as np
import pandas as pd
import pytest
from explain_helpers import (
    LEARNS,
    NAMES,
    QUICK,
    TREES,
    N,
    Y,
    fit_explainer,
    is_complete,
)
from nltk import Tree as NltkTree
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    TreeArray,
    TreeParser,
    TreeVectorizer,
    predict_nodes,
)
from sklearn_tree.trees.formats import TreeNode

TUPLES = [("S", ("NP", "it"), ("VP", "works")), ("S", ("NP", "it"), ("VP", "fails"))] * 12


def test_trees_of_all_formats_are_explained_alike():
    brackets = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 12
    clf = RecursiveNetClassifier(**QUICK).fit(brackets, NAMES)
    explainer = fit_explainer(clf, brackets)
    expected = explainer.explain(brackets).to_frame()
    assert expected.columns.tolist() == [
        "sample", "node", "parent", "position", "token", "is_leaf", "attribution", "own", "predicted", "target", "delta",
    ]  # fmt: skip
    formats = {
        "tuples": TUPLES,
        "nltk": [NltkTree.fromstring(text) for text in brackets],
        "TreeArray": TreeArray.from_trees(brackets),
        "Series": pd.Series(brackets),
        "frame": pd.DataFrame({"tree": brackets}),
        "Tree": list(TreeArray.from_trees(brackets)),
        "dicts": [
            {
                "label": "S",
                "children": [
                    {"label": "NP", "children": [{"label": "it"}]},
                    {"label": "VP", "children": [{"label": word}]},
                ],
            }
            for word in ["works", "fails"] * 12
        ],
    }
    for trees in formats.values():
        pd.testing.assert_frame_equal(fit_explainer(clf, trees).explain(trees).to_frame(), expected)


def test_frames_hold_the_sentence_of_a_tree():
    clf = RecursiveNetClassifier(**QUICK).fit(TREES, NAMES)
    frame = fit_explainer(clf, TREES).explain(["(S (NP it) (VP works))", "(VP fails not)"]).to_frame()
    first = frame[frame["sample"] == 0]
    assert first.node.tolist() == list(range(5))
    leaves = first[first.is_leaf].sort_values("position")
    assert leaves.token.tolist() == ["it", "works"]
    assert leaves.position.tolist() == [0, 1]
    assert (first[~first.is_leaf].position == -1).all()
    assert first.set_index("node").parent.value_counts().to_dict() == {-1: 1, 0: 2, 1: 1, 3: 1}
    assert frame[frame["sample"] == 1].token.tolist() == ["VP", "fails", "not"]


def test_programs_are_explained():
    sources = ["x = 1", "print(x)", "y = x + 1", "f(1, 2)"] * 6
    trees = [ast.parse(source) for source in sources]
    clf = RecursiveNetClassifier(**QUICK).fit(trees, Y)
    frame = fit_explainer(clf, trees).explain(trees[:2]).to_frame()
    assert {"Module", "Assign", "Call"} <= set(frame.token)
    pipe = make_pipeline(TreeParser("python"), TreeVectorizer(), RecursiveNetClassifier(**QUICK))
    parsed = fit_explainer(pipe.fit(sources, Y), sources).explain(["print(unseen)"]).to_frame()
    assert {"Call", "print", "unseen"} <= set(parsed.token)


def test_pieces_of_labels_are_explained_below_their_label():
    sources = ["getName(x)", "setName(x)"] * 12
    pipe = make_pipeline(TreeParser("python"), RecursiveNetClassifier(**QUICK)).fit(sources, [0, 1] * 12)
    explainer = fit_explainer(pipe, sources, method="integrated_gradients")
    frame = explainer.explain(["getName(x)"]).to_frame().set_index("node")
    label = frame.index[frame.token == ""].item()
    pieces = frame[frame.parent == label]
    assert pieces.token.tolist() == ["get", "Name"]
    assert frame.edge[label] == "id"
    total = frame.own[label] + pieces.attribution.sum()
    np.testing.assert_allclose(frame.attribution[label], total, atol=1e-6)
    assert abs(pieces.attribution.iloc[0]) > abs(pieces.attribution.iloc[1])  # "Name" is in all sources
    nodes = predict_nodes(pipe, ["getName(x)"])
    assert nodes.label.tolist() == frame.token.tolist()
    restored = pickle.loads(pickle.dumps(pipe))
    np.testing.assert_array_equal(restored.predict_proba(sources[:2]), pipe.predict_proba(sources[:2]))
    whole = make_pipeline(TreeParser("python", split=None), pipe[-1]).fit(sources, [0, 1] * 12)  # the control
    assert "getName" in predict_nodes(whole, ["getName(x)"]).label.tolist()


def test_vectorized_trees_are_shown_as_written():
    trees = [text.upper() if i % 2 else text for i, text in enumerate(TREES)]
    vectorizer = TreeVectorizer(lowercase=True, min_df=2)
    pipe = make_pipeline(vectorizer, RecursiveNetClassifier(**QUICK)).fit(trees, NAMES)
    explainer = fit_explainer(pipe, trees)
    assert set(explainer.vocabulary_) == {"s", "np", "vp", "it", "works", "fails", "not"}
    frame = explainer.explain(["(S (NP Rain) (VP Works))"]).to_frame()
    assert frame.token.tolist() == ["S", "NP", "Rain", "VP", "Works"]
    encoded = vectorizer.transform(trees)
    of_ids = fit_explainer(pipe[-1], encoded)
    np.testing.assert_array_equal(of_ids.transform(encoded), explainer.transform(trees))
    assert set(of_ids.explain(encoded[:1]).to_frame().token) <= {str(i) for i in range(2, 20)}


@pytest.mark.parametrize("options", [{"inner_labels": False}, {"edge_labels": False}])
def test_trees_changed_by_a_vectorizer_are_explained_as_the_net_reads_them(options):
    pipe = make_pipeline(TreeVectorizer(**options), RecursiveNetClassifier(**QUICK)).fit(TREES, NAMES)
    explanations = fit_explainer(pipe, TREES).explain(TREES[:2])
    sizes = pipe[0].transform(TREES[:2]).sizes
    assert [len(part) for part in explanations.attributions] == sizes.tolist()
    frame = explanations.to_frame()
    leaves = frame[frame.is_leaf & (frame["sample"] == 0)]
    assert leaves.token.tolist() == ["it", "works"]


@pytest.mark.parametrize(
    "method", ["occlusion", "integrated_gradients", "shapley", "interaction", "node_prediction"]
)
@pytest.mark.filterwarnings("ignore:at least half of the tokens are unknown")
def test_trees_of_one_node_and_unseen_labels_are_explained(method):
    clf = RecursiveNetClassifier(**QUICK).fit(TREES, NAMES)
    explainer = fit_explainer(clf, TREES, method=method)
    explanations = explainer.explain(["(works)", "(unseen)", "(unseen works)"])
    assert [len(part) for part in explanations.attributions] == [1, 1, 2]
    assert explanations.to_frame().token.tolist() == ["works", "unseen", "unseen", "works"]
    assert np.isfinite(explanations.to_frame().attribution).all()
    assert not explainer.transform(["(unseen)"]).any()
    assert "unseen" in explanations._repr_html_()


def make_valued_trees():
    """Return trees with values on some nodes and labels on some edges, and their targets, the values."""
    rng = np.random.RandomState(0)
    values = rng.rand(N)

    def leaf(value):
        return TreeNode("leaf", [], value=value, edge="left")

    trees = [
        TreeNode("root", [Node(leaf(v)), Node(TreeNode("other", [], edge="right"))]) for v in values.tolist()
    ]
    return [Node(tree) for tree in trees], values


class Node:
    """Custom type of tree."""

    def __init__(self, node):
        self.node = node


@pytest.fixture
def valued_trees():
    from sklearn_tree import register_tree_type

    register_tree_type(Node, _read_node)
    return make_valued_trees()


def _read_node(node):
    return node.node


@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients", "shapley"])
def test_values_of_nodes_are_explained_and_edges_are_shown(valued_trees, method):
    trees, values = valued_trees
    reg = RecursiveNetRegressor(**{**LEARNS, "max_epochs": 40}).fit(trees, values)
    explainer = fit_explainer(reg, trees, method=method)
    frame = explainer.explain(trees).to_frame()
    assert frame.token[:3].tolist() == ["root", "leaf", "other"]
    np.testing.assert_allclose(frame.value[frame.token == "leaf"], values)
    assert frame.value[frame.token != "leaf"].isna().all()
    own = frame[frame.token == "leaf"].own
    assert np.corrcoef(own, values)[0, 1] > 0.8
    assert np.isfinite(frame.attribution).all()
    assert explainer.explain(trees[:2])._repr_html_()


@pytest.mark.parametrize("pooling", ["root", "mean", "max", "attention"])
@pytest.mark.parametrize("cell", ["child_sum_lstm", "nary_lstm", "child_sum_gru", "nary_gru", "rnn", "rntn"])
def test_all_cells_and_poolings_are_explained(cell, pooling):
    clf = RecursiveNetClassifier(cell, pooling=pooling, **QUICK).fit(TREES, NAMES)
    for method in ("occlusion", "integrated_gradients"):
        explanations = fit_explainer(clf, TREES, method=method).explain(TREES[:4])
        assert np.isfinite(explanations.to_frame().attribution).all()
    assert is_complete(explanations)
