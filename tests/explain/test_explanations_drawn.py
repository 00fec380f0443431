"""Pages are self-contained and escaped, and trees of any size are drawn."""

import html
import re

import numpy as np
import pandas as pd
import pytest
from explain_helpers import (
    KINDS,
    fit_example,
    make_classifier,
)

from sklearn_tree import (
    CaptumExplainer,
    RNNClassifier,
    Tree,
)

EVIL = "<img src=x onerror=alert(1)>&\"'"


def save_page(explanations, tmp_path):
    text = explanations.save_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert explanations._repr_html_() in text
    return text.replace('xmlns="http://www.w3.org/2000/svg"', "")  # names a language, nothing is loaded


def assert_self_contained(page):
    for name in ("http", "//", "<script", "<link", "<iframe", "@import", "url("):
        assert name not in page, name


@pytest.mark.parametrize("kind", list(KINDS))
def test_pages_are_self_contained(kind, tmp_path):
    net, X = fit_example(kind)
    page = save_page(CaptumExplainer(net, "saliency").fit(X).explain(X[:3]), tmp_path)
    assert page.count("<svg") >= 1
    assert_self_contained(page if kind != "images" else _remove_pixels(page))
    with pytest.raises(AssertionError):  # the control
        assert_self_contained(page + "<script src='http://example.org'>")


def _remove_pixels(page):
    before, *parts = page.split('src="data:image/png;base64,')
    assert len(parts) >= 3
    return before + "".join(part.split('"', 1)[1] for part in parts)


def make_evil_trees():
    return [Tree(["S", EVIL, "b"], [-1, 0, 0]), Tree([EVIL, "a"], [-1, 0])] * 6


def make_evil_texts():
    return [["a", EVIL, "b"], ["b", EVIL]] * 6


def make_evil_table():
    return pd.DataFrame({EVIL: np.arange(12.0), "a": np.arange(12.0) % 2})


@pytest.mark.parametrize(
    ("net", "make"),
    [
        (make_classifier(), make_evil_trees),
        (make_classifier(RNNClassifier), make_evil_texts),
        (make_classifier(RNNClassifier), make_evil_table),
    ],
)
def test_labels_words_columns_and_classes_are_escaped(net, make, tmp_path):
    X = make()
    net.fit(X, [EVIL, "good"] * 6)
    page = save_page(CaptumExplainer(net, target=EVIL).fit(X).explain(X[:4]), tmp_path)
    assert "<img" not in page
    assert page.count(html.escape(EVIL)) >= 8  # four classes, four labels: the control
    assert EVIL in html.unescape(page)


@pytest.fixture(scope="module")
def net():
    trees = ["(S (A p) (B q))", "(S (A q) (B p q))"] * 10
    return make_classifier(embedding_dim=4, hidden_size=4, pooling="mean").fit(trees, [0, 1] * 10)


def explain_and_draw(net, tree, method, **params):
    explainer = CaptumExplainer(net, method, random_state=0, **params).fit(["(S (A p) (B q))"])
    found = explainer.explain([tree])
    assert len(found.to_frame()) == tree.n_nodes
    assert found._repr_html_().count("<text") < 400  # small subtrees are folded
    assert np.isfinite(found.attributions[0]).all()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients"])
def test_a_chain_of_5000_nodes_is_explained_and_drawn(net, method):
    words = ["A" if i % 500 == 0 else "" for i in range(4999)]
    chain = Tree([*words, "p"], list(range(-1, 4999)))
    found = explain_and_draw(net, chain, method, n_steps=4, max_steps=4, max_rows=20_000)
    difference = found.values[0] - found.baseline_values[0]
    tolerance = 1e-5 if method == "occlusion" else 1e-3
    assert found.attributions[0][0] == pytest.approx(difference, abs=tolerance)


@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients", "node_prediction"])
def test_a_star_of_2000_leaves_is_explained_and_drawn(net, method):
    star = Tree(["S", *["p", "q"] * 1000], [-1] + [0] * 2000)
    leaves = explain_and_draw(net, star, method, dtype="float64").attributions[0][1:]
    np.testing.assert_allclose(leaves[::2], leaves[0], rtol=0, atol=1e-9)  # equal words, equal siblings
    np.testing.assert_allclose(leaves[1::2], leaves[1], rtol=0, atol=1e-9)
    assert abs(leaves[0] - leaves[1]) > 1e-6


@pytest.mark.parametrize("kind", ["trees", "texts", "series"])
def test_the_legend_shows_the_largest_number_if_its_colour_is_clipped(kind):
    net, X = fit_example(kind)
    explained = CaptumExplainer(net, "saliency").fit(X).explain(X[5:6])
    explained.attributions[0][:] = 1e-3
    assert "(max" not in explained._repr_html_()  # the control
    explained.attributions[0].flat[-1] = 50
    assert re.search(r"≥ \+[\d.]+ for \(max \+50\)", explained._repr_html_())


def test_noise_of_a_long_text_has_almost_no_colour():
    texts = [" ".join(["w"] * 1131 + ["great"]), "w"] * 4
    net = RNNClassifier(max_epochs=1, hidden_size=4, random_state=0).fit(texts, [1, 0] * 4)
    explained = CaptumExplainer(net, "saliency").fit(texts).explain(texts[:1])
    explained.attributions[0][:] = [1e-4] * 1131 + [3.31]
    page = explained._repr_html_()
    assert "≥ +0.166 for (max +3.31)" in page
    assert page.count("background: rgba(230, 120, 20, 0.00)") == 1131
