"""Explanations as Markdown, JSON and bundles of types for notebooks."""

import json
import re

import numpy as np
import pytest
from explain_helpers import IMAGES, NAMES, QUICK, SERIES, TABLE, TEXTS, TREES, Y

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_tree.plot.text import escape_markdown, write_markdown_tokens, write_tokens, write_tree
from sklearn_tree.trees import Tree

KINDS = {
    "trees": (RecursiveNetClassifier, TREES, NAMES),
    "texts": (RNNClassifier, TEXTS, NAMES),
    "series": (RNNClassifier, SERIES, NAMES),
    "images": (CNNClassifier, IMAGES[..., None], NAMES),
    "table": (RNNRegressor, TABLE, 10.0 * Y),
}


@pytest.fixture(params=list(KINDS))
def explanations(request):
    cls, X, y = KINDS[request.param]
    return CaptumExplainer(cls(**QUICK), "saliency").fit(X, y).explain(X[:4], y[:4])


def test_json_holds_all_numbers(explanations):
    content = json.loads(explanations.to_json())
    assert (content["kind"], content["method"]) == (explanations.kind, "saliency")
    assert [sample["caption"] for sample in content["samples"]] == explanations.captions
    for sample, part, value in zip(content["samples"], explanations.attributions, explanations.values):
        found = [row["attribution"] for row in sample["parts"]]
        np.testing.assert_allclose(found, part.ravel(), rtol=1e-6)
        assert sample["value"] == pytest.approx(value)
        assert (sample["probability"] is None) == (explanations.kind == "table")
        assert "true" in sample
    assert "true" not in json.loads(explanations[:0].to_json())["samples"]


def test_markdown_and_text_show_each_sample(explanations):
    markdown = explanations.to_markdown()
    for caption in explanations.captions:
        assert f"**{escape_markdown(caption)}**" in markdown
    bundle = explanations._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/markdown", "text/plain"}
    assert bundle["text/plain"] == repr(explanations)
    assert "<details><summary><small>as text</small></summary><pre>" in bundle["text/html"]
    without_pictures = re.sub(
        r"<svg.*?</svg>|<img[^>]*>|style=\"[^\"]*\"", "", bundle["text/html"], flags=re.DOTALL
    )
    assert all(caption.replace(">", "&gt;") in without_pictures for caption in explanations.captions)


def test_markup_in_words_is_escaped():
    tokens = ["*a*", "<b>", "[x](y)", "`c`", "|", "a\nb"]
    text = write_markdown_tokens(tokens, np.array([1.0, -1, 0, 0, 0, 0]))
    assert text == r"**\*a\*** (+1) *\<b\>* (-1) \[x\]\(y\) \`c\` \| a b"
    net = RNNClassifier(**QUICK).fit([tokens, ["good"]] * 12, NAMES)
    found = CaptumExplainer(net, "saliency").fit([tokens]).explain([tokens])
    assert "<b>" not in found._repr_html_().replace("<div title", "").replace("><b>Pred", "")
    assert r"\<b\>" in found.to_markdown()


def test_small_numbers_are_left_out_of_texts():
    assert write_tokens(["not", "a", "film"], np.array([2.0, 0.05, -1])) == "not(+2) a film(-1)"
    assert write_tokens([], np.zeros(0)) == ""
    assert max(map(len, write_tokens(["word"] * 100, np.zeros(100)).splitlines())) <= 100


def test_large_trees_are_folded_in_texts():
    tree = Tree.from_any(("S", *[("A", f"w{i}", "x") for i in range(200)]))
    values = np.zeros(tree.n_nodes)
    values[[0, 301, 302]] = 1.0, -0.5, 0.25
    lines = write_tree(tree, values, max_lines=3).splitlines()
    assert [line.split()[-1] for line in lines] == ["S", "\u2026", "A", tree.labels[302], "\u2026"][
        : len(lines)
    ] or len(lines) <= 6
    assert lines[0].split() == ["+1", "S"]
    assert any(line.split()[0] == "-0.5" for line in lines)
    assert len(write_tree(tree, values).splitlines()) < 60
    unlabelled = Tree.from_any(("", ("", "very", "good"), "film"))
    assert "[very good film]" in write_tree(unlabelled, np.arange(5.0))


def test_empty_samples_are_reported():
    net = RNNClassifier(**QUICK).fit([*TEXTS, "", ""], [*NAMES, "good", "bad"])
    found = CaptumExplainer(net, "saliency").fit(TEXTS).explain(["", "a film"])
    assert "\u2205" in repr(found)
    assert "\u2205" in found.to_markdown()
    assert json.loads(found.to_json())["samples"][0]["parts"] == []
    assert repr(found[:0]).startswith("Explanations(0 texts")
    assert json.loads(found[:0].to_json())["samples"] == []
