"""Explanations of pairs."""

import html
import json
import pickle
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from explain_helpers import FEW_PARAMS, METHODS, QUICK, fit_explainer, is_complete

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
)
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.methods import method_names
from sklearn_tree.explain.metrics import deletion_curve
from sklearn_tree.kinds import PairArray

RNG = np.random.RandomState(0)
Y = np.arange(12) % 2
TEXTS = pd.DataFrame(
    {
        "p": ["a good film", "bad", "good , really good", ""] * 3,
        "h": ["good film", "a bad bad film", "bad", "good"] * 3,
    }
)
TREES = TEXTS.map(lambda text: f"(S {' '.join(f'(W {word})' for word in text.split() or ['none'])})")
SERIES = pd.DataFrame({name: [RNG.rand(n, 2) for n in RNG.randint(2, 13, size=12)] for name in "ab"})
IMAGES = pd.DataFrame({name: list(RNG.rand(12, 6, 5, 1)) for name in "ab"})
NETS = {
    "trees": (RecursiveNetClassifier, TREES, {}),
    "pooled": (RecursiveNetClassifier, TREES, {"pooling": "attention", "cell": "nary_gru"}),
    "texts": (RNNClassifier, TEXTS, {}),
    "series": (CNNClassifier, SERIES, {}),
    "images": (CNNClassifier, IMAGES, {}),
}
ALL_METHODS = [(name, method) for name in NETS for method in METHODS]


@cache
def fit(name):
    cls, X, params = NETS[name]
    return cls(**QUICK, **params).fit(X, Y), X


@cache
def fit_single(name):
    cls, X, params = NETS[name]
    return cls(**QUICK, **params).fit(X.iloc[:, 0], Y)


@pytest.mark.parametrize(("name", "method"), ALL_METHODS)
def test_every_method_explains_both_sides_or_is_refused_as_for_single_samples(name, method):
    net, X = fit(name)
    single = fit_single(name)
    known = method_names(ExplainedNet(net))
    assert known == method_names(ExplainedNet(single))
    if method not in known and "noise_tunnel" not in method:
        with pytest.raises(ValueError, match="method must be one of"):
            fit_explainer(net, X, method=method)
        return
    explainer = fit_explainer(net, X, method=method, method_params=FEW_PARAMS)
    explanations = explainer.explain(X[:4])
    assert explanations.kind == "pairs"
    frame = explanations.to_frame()
    assert set(frame.side) == set(X)
    assert np.isfinite(frame.attribution).all()
    single_frame = fit_explainer(single, X.iloc[:, 0], method=method, method_params=FEW_PARAMS).explain(
        X.iloc[:4, 0]
    )
    assert list(frame.columns.drop("side")) == list(single_frame.to_frame().columns)
    if method in ("shapley", "integrated_gradients", "kernel_shap"):
        assert is_complete(explanations)
    one = pd.concat([explainer.explain(X[i : i + 1]).to_frame() for i in range(4)])
    np.testing.assert_allclose(frame.attribution, one.attribution, atol=2e-4)


@pytest.mark.parametrize("name", NETS)
def test_columns_and_pictures_have_both_sides(name):
    net, X = fit(name)
    explainer = fit_explainer(net, X, method="saliency" if name == "images" else "auto")
    names = explainer.get_feature_names_out()
    columns = explainer.transform(X)
    assert columns.shape == (12, len(names))
    n = len(names) // 2
    assert [name.removeprefix(X.columns[0]) for name in names[:n]] == [
        name.removeprefix(X.columns[1]) for name in names[n:]
    ]
    own = explainer.explain(X).own
    np.testing.assert_allclose(columns.sum(axis=1), [part.sum() for part in own], rtol=1e-3, atol=1e-4)
    html = explainer.explain(X[:2])._repr_html_()
    assert all(f"<small>{side}</small>" in html for side in X.columns)


def test_occlusion_of_a_word_is_the_change_of_the_pair_without_it():
    net, X = fit("texts")
    explanations = fit_explainer(
        net, X, target=1, output="logit", baseline="unknown", dtype="float64"
    ).explain(X[:3])
    frame = explanations.to_frame()
    margins = net.decision_function(X[:3])
    removed = X[:3].assign(
        h=["zzz film", *X.h[1:3]]
    )  # an unknown word replaces the first word of the first row
    with pytest.warns(UserWarning, match="unknown"):
        change = margins - net.decision_function(removed)
    row = frame[(frame["sample"] == 0) & (frame.side == "h") & (frame.position == 0)]
    other = (
        fit_explainer(net, X, target=0, output="logit", baseline="unknown", dtype="float64")
        .explain(X[:1])
        .to_frame()
    )
    other_row = other[(other.side == "h") & (other.position == 0)]
    assert row.attribution.item() - other_row.attribution.item() == pytest.approx(change[0], abs=1e-5)


@pytest.mark.parametrize("name", ["trees", "pooled"])
def test_node_predictions_pair_each_phrase_with_the_whole_other_tree(name):
    net, X = fit(name)
    explainer = fit_explainer(net, X, method="node_prediction", target=1, output="margin", dtype="float64")
    frame = explainer.explain(X[:1]).to_frame()
    part = frame[(frame.side == "p") & (frame.token == "W")].iloc[1]
    phrase = X[:1].assign(p="(W good)")
    assert part.attribution == pytest.approx(net.decision_function(phrase)[0], abs=1e-5)


@pytest.mark.parametrize("name", ["trees", "pooled"])
@pytest.mark.parametrize("baseline", ["zero", "mean"])
def test_the_baseline_of_occluded_trees_has_both_trees_removed(name, baseline):
    net, X = fit(name)
    explanations = fit_explainer(net, X, target=1, baseline=baseline, dtype="float64").explain(X)
    swapped = fit_explainer(net, X, target=1, baseline=baseline).explain(X[::-1])
    np.testing.assert_allclose(explanations.baseline_values[::-1], swapped.baseline_values, atol=1e-5)
    if baseline == "zero":
        module = net.net_.module_
        with torch.no_grad():
            bias = (module.head.bias + module.hidden(torch.zeros(module.head.in_features))).numpy()
        np.testing.assert_allclose(explanations.baseline_values, bias[1] - bias[0], atol=1e-6)


def test_explanations_of_regressors_are_complete_and_measured():
    net = RNNRegressor(**QUICK).fit(SERIES, Y)
    explainer = fit_explainer(net, SERIES, method="integrated_gradients")
    assert is_complete(explainer.explain(SERIES[:3]))
    curve = deletion_curve(explainer, SERIES[:2])
    assert np.isfinite(curve.values).all()


WRITTEN = pd.DataFrame(
    {"p": ["A  GOOD film!", "Bad\tfilm", ""] * 4, "h": ["good   Film", "a <b>Bad</b>", "Good"] * 4}
)
CONTAINERS = {
    "frame": WRITTEN,
    "array": WRITTEN.to_numpy(dtype=object),
    "frame of strings": WRITTEN.astype("string"),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_texts_of_pairs_are_shown_as_written(name):
    X = CONTAINERS[name]
    explainer = fit_explainer(RNNClassifier(**QUICK).fit(X, Y), X)
    found = explainer.explain(X[:3])
    assert found.texts == list(WRITTEN[:3].itertuples(index=False, name=None))
    shown = [re.sub("<[^>]*>", "", html.unescape(found[i : i + 1]._repr_html_())) for i in range(2)]
    assert "A  GOOD film!" in shown[0]
    assert "good   Film" in shown[0]
    assert "Bad\tfilm" in shown[1]
    assert pickle.loads(pickle.dumps(found))._repr_html_() == found._repr_html_()
    tokens = [["A", "GOOD", "film"], ["good", "film"]]
    rows = pd.DataFrame({side: [part] * 12 for side, part in zip("ph", tokens, strict=True)})
    of_tokens = fit_explainer(RNNClassifier(**QUICK).fit(rows, Y), rows).explain(rows[:1])
    assert of_tokens.texts is None  # the control
    assert "GOOD" in of_tokens._repr_html_()


def test_pairs_of_vectorized_texts_have_no_texts():
    vectorizer = SequenceVectorizer().fit([*WRITTEN.p, *WRITTEN.h])
    X = PairArray.from_columns(*(vectorizer.transform(WRITTEN[side]) for side in "ph"))
    found = fit_explainer(RNNClassifier(**QUICK).fit(X, Y), X).explain(X[[0, 1]])
    assert found.texts is None
    assert "<small>first</small>" in found._repr_html_()


def test_markdown_of_pairs_names_the_sides_and_keeps_the_marks_of_words():
    found = fit_explainer(RNNClassifier(**QUICK).fit(WRITTEN, Y), WRITTEN).explain(WRITTEN[:3])
    text = found.to_markdown()
    assert text.count("\n\np:\n\n") == text.count("\n\nh:\n\n") == 3
    assert re.search(r"\*GOOD\*+ \([+-]", text)
    assert "\n\np:\n\n\u2205\n\n" in text
    trees = fit_explainer(RecursiveNetClassifier(**QUICK).fit(TREES, Y), TREES).explain(TREES[:1])
    assert re.search(r"p:\n\n {4,}[+-][0-9.]+  S\n", trees.to_markdown())


@pytest.mark.parametrize("name", NETS)
def test_summaries_contrasts_and_json_hold_both_sides(name):
    net, X = fit(name)
    explainer = fit_explainer(net, X, method="input_x_gradient")
    found = explainer.explain(X, np.roll(Y, 1))
    names = found.summary(min_count=1).to_frame().name
    assert {piece.split(":")[0] for piece in names} == set(X)
    groups = found.contrast(range(6), range(6, 12), min_count=1)
    assert {piece.split(":")[0] for piece in groups.name} == set(X)
    samples = json.loads(found.to_json())["samples"]
    assert len(samples) == 12
    assert {part["side"] for part in samples[0]["parts"]} == set(X)
    assert sum(len(sample["parts"]) for sample in samples) == len(found.to_frame())
    assert [sample["true"] for sample in samples] == np.roll(Y, 1).tolist()
    assert repr(found).startswith("Explanations(12 pairs, method='input_x_gradient')")
