"""A kind of samples that the package does not have: four files and two lines that register it."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from kinds.graphs.estimator import GraphClassifier
from kinds.graphs.kind import Graph, Graphs
from kinds.graphs.view import GraphsView
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_tree import CaptumExplainer, RNNClassifier, ToDevice
from sklearn_tree.explain.views import VIEWS, register_view
from sklearn_tree.kinds import KINDS, Pairs


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr("sklearn_tree.kinds.registry.KINDS", KINDS)
    KINDS.insert(0, Graphs)
    register_view(Graphs, GraphsView)
    yield
    KINDS.remove(Graphs)
    del VIEWS[Graphs]


@pytest.fixture
def graphs():
    """Graphs of marked and unmarked nodes, whose edges join equal nodes in class 1 and unequal ones in class 0."""
    rng = np.random.RandomState(0)
    X, y = [], np.arange(120) % 2
    for label in y:
        half = rng.randint(2, 5)
        marks = np.repeat([1.0, 0.0], half)
        equal = [(i, i + 1) for i in range(2 * half - 1) if marks[i] == marks[i + 1]]
        unequal = [(i, half + (i + k) % half) for i in range(half) for k in (0, 1)]
        X.append(Graph(np.c_[marks, rng.rand(2 * half)], equal if label else unequal))
    return X, y


def classifier(**params):
    return GraphClassifier(**{"hidden_size": 8, "max_epochs": 40, "lr": 0.02, "random_state": 0, **params})


def test_the_graph_example_has_four_files():
    assert len(list((Path(__file__).parent / "graphs").glob("*.py"))) == 4


def test_a_graph_classifier_can_be_fitted_validated_searched_and_pickled(graphs):
    X, y = graphs
    clf = classifier().fit(X, y)
    assert clf.input_kind_ == "graphs"
    assert clf.score(X, y) > 0.95
    assert cross_val_score(classifier(), X, y, cv=2).mean() > 0.9
    without_edges = [graph._replace(edges=[]) for graph in X]
    assert clf.score(without_edges, y) < 0.9  # the control
    search = GridSearchCV(classifier(max_epochs=2), {"hidden_size": [2, 4]}, cv=2).fit(X, y)
    assert search.best_estimator_.net_.module_.head.in_features in (2, 4)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_proba(X), clf.predict_proba(X))


def test_it_is_moved_by_to_device(graphs):
    X, y = graphs
    encoded = Graphs().fit(X)
    assert ToDevice("cpu").fit_transform(encoded).features.dtype == float
    assert Graphs.to(encoded, torch.device("meta")).features.device.type == "meta"
    reference = classifier(max_epochs=2).fit(X, y).predict_proba(X)
    pipe = make_pipeline(ToDevice("cpu", dtype="float32"), classifier(max_epochs=2)).fit(encoded, y)
    np.testing.assert_allclose(pipe.predict_proba(encoded), reference, atol=1e-5)


def test_other_kinds_are_refused(graphs):
    X, _ = graphs
    with pytest.raises(ValueError, match="X must be of the kind 'graphs', got 'images'"):
        classifier().fit(np.zeros((4, 5, 5, 1)), [0, 1] * 2)
    with pytest.raises(ValueError, match="got 'graphs'"):
        RNNClassifier(input_kind="auto")._fit_kind(X)


def test_pairs_of_graphs_need_no_further_code(graphs, monkeypatch):
    X, y = graphs
    monkeypatch.setattr(GraphClassifier, "_kinds", (Pairs, Graphs))
    pairs = np.empty((60, 2), dtype=object)
    for i in range(60):
        pairs[i] = X[2 * i], X[2 * i + i % 2 - 1]
    is_equal = (y[::2] == y[2 * np.arange(60) + np.arange(60) % 2 - 1]).astype(int)
    clf = classifier(max_epochs=80).fit(pairs, is_equal)
    assert clf.input_kind_ == "pairs"
    explanations = CaptumExplainer(clf, "shapley", random_state=0).fit(pairs).explain(pairs[:2])
    assert set(explanations.to_frame().side) == {"first", "second"}
    assert np.abs(explanations.completeness_error).max() < 1e-3
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(clf)).predict(pairs), clf.predict(pairs))


@pytest.mark.parametrize("method", ["auto", "integrated_gradients", "shapley", "saliency", "kernel_shap"])
def test_it_is_explained(method, graphs):
    X, y = graphs
    clf = classifier().fit(X, y)
    params = {"n_samples": 100} if method == "kernel_shap" else {}
    explainer = CaptumExplainer(clf, method, method_params=params, random_state=0).fit(X)
    explanations = explainer.explain(X[:5])
    assert explanations.kind == "graphs"
    assert [part.shape[0] for part in explanations.own] == [len(graph.features) for graph in X[:5]]
    frame = explanations.to_frame()
    assert {"sample", "position", "channel", "value", "attribution"} <= set(frame)
    assert len(frame) == sum(graph.features.size for graph in X[:5])
    assert "node 0" in explanations._repr_html_()
    assert explainer.transform(X[:20]).shape == (20, 2)
    if method in ("integrated_gradients", "shapley"):
        change = explanations.values - explanations.baseline_values
        assert (np.abs(explanations.completeness_error) < 0.02 * np.maximum(1, np.abs(change))).all()
