"""Summaries: the words, phrases and other pieces that push each class."""

import html
import pickle

import numpy as np
import pandas as pd
import pytest
from explain_helpers import IMAGES, LEARNS, NAMES, QUICK, SERIES, TABLE, TEXTS, TREES, Y
from samples import object_array

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_tree.datasets import make_negation
from sklearn_tree.explain.pieces import Pieces, find_ngrams

EDGES = [("S", ("@kind", "x"), ("b", "y", "z")), ("S", ("@kind", "w"), ("b", "y"))] * 12


def explain(cls, X, y=NAMES, method="occlusion", **params):
    return CaptumExplainer(cls(**QUICK, **params), method, random_state=0).fit(X, y).explain(X, y)


@pytest.fixture(scope="module")
def texts():
    return explain(RNNClassifier, TEXTS)


def naive_groups(explanations, sample_pieces):
    """Return count, mean and standard deviation by class and name, in plain Python."""
    groups = {}
    for i, one in enumerate(explanations):
        for name, value in sample_pieces(one):
            groups.setdefault((explanations.targets[i], name), []).append(value)
    return {
        key: (len(values), np.mean(values), np.std(values, ddof=1) if len(values) > 1 else 0.0)
        for key, values in groups.items()
    }


def ngrams(n):
    def pieces(one):
        tokens, values = one.samples[0], one.own[0]
        for i in range(len(tokens) - n + 1):
            yield " ".join(tokens[i : i + n]), values[i : i + n].sum()

    return pieces


def phrases(one):
    tree, values = one.samples[0], one.attributions[0]
    for node in range(tree.n_nodes):
        stack, leaves = [node], []
        while stack:
            i = stack.pop()
            stack += tree.children(i)[::-1]
            leaves += [tree.labels[i]] if not tree.children(i) else []
        if 2 <= len(leaves) <= 6:
            yield " ".join(leaves), values[node]


def productions(one):
    tree, values = one.samples[0], one.attributions[0]
    for node in range(tree.n_nodes):
        children = tree.children(node)
        if len(children) > 1:
            rule = f"{tree.labels[node]} \u2192 {' '.join(tree.labels[i] for i in children)}"
            yield rule, values[node] - values[children].sum()


CASES = {
    "word": (RNNClassifier, TEXTS, ngrams(1)),
    "2-gram": (RNNClassifier, TEXTS, ngrams(2)),
    "3-gram": (RNNClassifier, TEXTS, ngrams(3)),
    "phrase": (RecursiveNetClassifier, TREES, phrases),
    "production": (RecursiveNetClassifier, TREES, productions),
}


@pytest.mark.parametrize("feature", CASES)
def test_numbers_are_those_of_plain_loops(feature):
    cls, X, pieces = CASES[feature]
    explanations = explain(cls, X)
    expected = naive_groups(explanations, pieces)
    frame = explanations.summary(features=feature, min_count=1).to_frame()
    assert set(zip(frame.target, frame.name)) == set(expected)
    for row in frame.itertuples():
        count, mean, std = expected[row.target, row.name]
        assert row.count == count
        assert (row.mean, row.std) == pytest.approx((mean, std), abs=1e-6)
        assert row.strength == pytest.approx(mean * count**0.5, abs=1e-5)
        example = explanations[row.example]
        values = [value for name, value in pieces(example) if name == row.name]
        assert example.targets[0] == row.target
        assert max(np.sign(mean) * np.array(values)) >= abs(mean) - 1e-6
    for _, rows in frame.groupby("target"):
        assert rows.strength.is_monotonic_decreasing


KINDS = {
    "trees": (RecursiveNetClassifier, TREES, {"word", "label", "phrase", "production"}),
    "trees with edges": (RecursiveNetClassifier, EDGES, {"word", "label", "phrase", "production"}),
    "texts": (RNNClassifier, TEXTS, {"word", "2-gram", "3-gram"}),
    "series": (RNNClassifier, SERIES, {"channel", "span"}),
    "images": (CNNClassifier, IMAGES[..., None], {"patch"}),
    "table": (RNNClassifier, TABLE, {"column"}),
    "pairs of texts": (
        RNNClassifier,
        np.stack([object_array(TEXTS), object_array(TEXTS[::-1])], axis=1),
        {"word", "2-gram", "3-gram"},
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_all_kinds_are_summarized(name, tmp_path):
    cls, X, features = KINDS[name]
    explanations = explain(cls, X, method="saliency")
    summary = explanations.summary()
    frame = summary.to_frame()
    assert set(frame.feature) <= features
    assert len(set(frame.feature)) > len(features) / 2
    assert set(frame.target) == set(explanations.targets)
    assert summary._repr_html_().count("<details open") == len(set(frame.target))
    assert repr(summary).startswith(f"Summary({len(frame)} pieces, saliency, {len(X)} ")
    assert pickle.loads(pickle.dumps(summary)).to_frame().equals(frame)
    single = next(name for name in ("word", "column", "patch", "channel") if name in features)
    totals = explanations.summary(features=single, min_count=1).to_frame()
    if name not in ("trees", "trees with edges"):
        total = sum(part.sum() for part in explanations.own)
        assert (totals["mean"] * totals["count"]).sum() == pytest.approx(total, rel=1e-5)


def test_the_grammar_of_negation_is_found():
    data, test = make_negation(800, random_state=0), make_negation(800, random_state=1)
    net = RecursiveNetClassifier(random_state=0, hidden_size=16, max_epochs=20).fit(data.data, data.target)
    signs = {}
    for tree, scores in zip(test.data, test.phrase_scores):
        ends = [
            next((j for j in range(i + 1, tree.n_nodes) if tree.depths[j] <= tree.depths[i]), tree.n_nodes)
            for i in range(tree.n_nodes)
        ]
        for i, end in enumerate(ends):
            words = [tree.labels[j] for j in range(i, end) if ends[j] == j + 1]
            signs[" ".join(words)] = np.sign(scores[i])
    precision = {}
    for method in ("node_prediction", "interaction"):
        explanations = CaptumExplainer(net, method).fit(data.data).explain(test.data)
        top = explanations.summary("phrase", min_count=3).top(20).to_frame()
        wanted = top.target.map({"positive": 1, "negative": -1})
        precision[method] = (top.name.map(signs) == wanted).mean()
        assert top.groupby("target").size().min() > 5
    assert precision["node_prediction"] >= 0.95
    assert precision["interaction"] < 0.8  # the control: what a combination adds is not what a phrase means


def test_the_strongest_pieces_come_first_without_overlaps(texts):
    summary = texts.summary()
    for against in (False, True):
        top = summary.top(2, against=against).to_frame()
        assert ((top["mean"] < 0) == against).all()
        for _, rows in top.groupby(["target", "feature"]):
            assert len(rows) <= 2
            assert (rows.strength.abs().diff().dropna() <= 0).all()
            names = [f" {name} " for name in rows.name if " " in name]
            assert not any(a in b for a in names for b in names if a is not b)
    with pytest.raises(ValueError, match="n must be an int >= 1, got 0"):
        summary.top(0)


def test_runs_stay_inside_samples():
    names = np.array(["a", "b", "c", "d"], dtype=object)
    words = Pieces(feature="word", names=names, samples=np.array([0, 0, 0, 1]), values=np.arange(4.0))
    for n, expected in ((1, "abcd"), (2, ["a b", "b c"]), (3, ["a b c"]), (4, []), (9, [])):
        runs = find_ngrams(words, n)
        assert list(runs.names) == list(expected)
        assert len(runs.values) == len(runs.samples) == len(expected)
    assert find_ngrams(words, 3).values.tolist() == [3.0]


def test_a_learned_word_is_found():
    texts, y = ["a good film", "a bad film", "the good play", "the bad play"] * 10, ["yes", "no"] * 20
    explanations = CaptumExplainer(RNNClassifier(**LEARNS)).fit(texts, y).explain(texts)
    top = explanations.summary("word").top(1).to_frame().set_index("target")["name"]
    assert top.to_dict() == {"yes": "good", "no": "bad"}
    contrast = explanations.contrast("yes", "no", features="word").set_index("name")
    assert contrast.index[0] == "good"
    assert contrast.index[-1] == "bad"
    assert contrast.loc["good", ["count_a", "count_b"]].tolist() == [20, 0]
    assert contrast.loc["good", "z"] > 3 > -3 > contrast.loc["bad", "z"]


def test_a_contrast_compares_pushes_per_sample(texts):
    a, b = np.arange(len(texts)) % 3 == 0, [1, 2, 4]
    found = texts.contrast(a, b, features="word", min_count=1).set_index("name")
    frame = texts.to_frame()
    for name, row in found.iterrows():
        values = [
            [frame.attribution[(frame["sample"] == i) & (frame.token == name)].sum() for i in group]
            for group in (np.flatnonzero(a), b)
        ]
        assert row.difference == pytest.approx(np.mean(values[0]) - np.mean(values[1]), abs=1e-6)
    assert found.difference.is_monotonic_decreasing
    same = texts.contrast(a, a)
    assert (same.difference == 0).all()
    pd.testing.assert_series_equal(
        texts.contrast(b, a, features="word", min_count=1).set_index("name").difference.sort_index(),
        -found.difference.sort_index(),
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda e: e.summary("phrase"),
            r"features must be names among \['word', '2-gram', '3-gram'\], got 'phrase'",
        ),
        (lambda e: e.summary(min_count=0), "min_count must be an int >= 1, got 0"),
        (lambda e: e.contrast("good", "ugly"), "b must select samples, got 'ugly': no sample has this class"),
        (lambda e: e.contrast([], "good"), r"a must select samples, got \[\]"),
        (lambda e: e.summary().beeswarm(target="ugly"), "target must be one of the classes"),
    ],
)
def test_bad_arguments_are_named(texts, call, message):
    with pytest.raises(ValueError, match=message):
        call(texts)


def test_a_beeswarm_has_a_row_of_dots_per_piece(texts):
    import matplotlib.pyplot as plt

    summary = texts.summary("word")
    for target in summary.frame.target.unique():
        ax = summary.beeswarm(3, target=target)
        top = summary.top(3).to_frame()
        top = top[top.target == target]
        assert [label.get_text() for label in ax.get_yticklabels()] == [
            f"{name} ({count})" for name, count in zip(top.name, top["count"])
        ][::-1]
        dots = sum(len(dots.get_offsets()) for dots in ax.collections)
        assert dots == top["count"].sum()
        assert ax.get_title() == target
        plt.close(ax.figure)
    fig, ax = plt.subplots()
    assert summary.beeswarm(ax=ax) is ax
    plt.close(fig)


def test_regressors_and_empty_summaries():
    numbers = 10.0 * Y
    explanations = explain(RNNRegressor, TEXTS, numbers)
    assert set(explanations.summary().to_frame().target) == {0}
    empty = explanations.summary(min_count=10_000)
    assert len(empty) == len(empty.to_frame()) == 0
    assert "No pieces" in empty._repr_html_()
    assert repr(empty).startswith("Summary(0 pieces")


def test_hostile_names_are_escaped():
    evil = "<img src=x onerror=alert(1)>"
    X = [("S", (evil, "a"), "b"), ("S", (evil, "c"), evil)] * 12
    summary = explain(RecursiveNetClassifier, X, [evil, "good"] * 12, method="saliency").summary()
    page = summary._repr_html_()
    assert "<img" not in page
    assert html.escape(evil) in page or "&lt;img" in page
