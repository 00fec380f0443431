"""Explanations as images in SVG: well-formed, self-contained, escaped and limited in size."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from explain_helpers import KINDS, NAMES, QUICK, fit_example

from sklearn_tree import CaptumExplainer, CNNClassifier, RecursiveNetClassifier, RNNClassifier, Tree

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert(1)</script>]]>\"'&\x01"


def draw(explanations):
    return explanations._repr_mimebundle_()["image/svg+xml"]


def read_texts(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def assert_self_contained(svg):
    rest = re.sub(r'href="data:image/png;base64,[^"]*"', "", svg.replace(f'xmlns="{SVG[1:-1]}"', ""))
    for name in ("http", "href", "<script", "<style", "url(", "<foreignObject", "@import"):
        assert name not in rest, name


@pytest.mark.parametrize("kind", list(KINDS))
def test_images_are_well_formed_and_show_the_first_samples(kind):
    net, X = fit_example(kind)
    found = CaptumExplainer(net, "saliency").fit(X).explain(X[:5])
    svg = draw(found)
    assert_self_contained(svg)
    texts = read_texts(svg)
    assert [text for text in texts if text in found.captions] == found.captions[:3]
    assert "2 more samples are not drawn." in texts
    assert any("for" in text for text in texts[:3])  # the legend
    assert len(svg) < 500_000
    with pytest.raises(AssertionError):  # the control
        assert_self_contained(svg + '<image href="http://example.org/a.png"/>')


def test_pairs_are_drawn_below_each_other():
    pairs = pd.DataFrame({"premise": ["a good film", "bad"] * 12, "<b>": ["a good play", ""] * 12})
    net = RNNClassifier(**QUICK).fit(pairs, NAMES)
    texts = read_texts(draw(CaptumExplainer(net, "saliency").fit(pairs).explain(pairs[:2])))
    assert texts.count("premise") == texts.count("<b>") == 2
    assert "play" in texts
    assert "\u2205" in texts


@pytest.mark.parametrize(
    ("net", "X"),
    [
        (RecursiveNetClassifier(**QUICK), [Tree(["S", EVIL, "b"], [-1, 0, 0])] * 24),
        (RNNClassifier(**QUICK), [["a", EVIL, "b"]] * 24),
        (RNNClassifier(**QUICK), pd.DataFrame({EVIL: np.arange(24.0), "a": np.arange(24.0) % 2})),
    ],
)
def test_hostile_labels_and_classes_are_escaped(net, X):
    net.fit(X, [EVIL, "good"] * 12)
    found = CaptumExplainer(net, "saliency", target=EVIL).fit(X).explain(X[:2])
    svg = draw(found)
    assert "<script" not in svg
    assert "\x01" not in svg
    texts = read_texts(svg)
    shown = EVIL.replace("\x01", "\ufffd")
    assert any(shown[:8] in text for text in texts[5:])
    assert any("<script>alert(1)</script>]]>" in text for text in texts)  # a class in a caption


def test_long_texts_are_cut_with_a_count():
    texts = ["w " * 3000, "good"] * 12
    net = RNNClassifier(max_epochs=1, hidden_size=4, random_state=0).fit(texts, NAMES)
    svg = draw(CaptumExplainer(net, "saliency").fit(texts).explain(texts[:1]))
    assert "\u2026 2,600 more tokens" in read_texts(svg)
    assert len(svg) < 200_000


def test_samples_beyond_the_size_of_an_image_are_left_out():
    images = np.random.default_rng(0).random((24, 300, 300, 3)).astype(np.float32)
    net = CNNClassifier(max_epochs=1, n_filters=2, random_state=0).fit(images[:8], NAMES[:8])
    found = CaptumExplainer(net, "saliency").fit(images[:4]).explain(images[:4])
    svg = draw(found)
    assert len(svg) < 600_000
    assert "more samples are not drawn." in " ".join(read_texts(svg))
    assert draw(found[:0])  # nothing to draw is an image too


def test_images_are_saved(tmp_path):
    net, X = fit_example("texts")
    picture = CaptumExplainer(net, "saliency").fit(X).explain(X[:5]).plot(max_samples=4)
    texts = read_texts(picture.save(tmp_path / "a.svg").read_text(encoding="utf-8"))
    assert sum(text.startswith("Predicted") for text in texts) == 4
    assert "1 more sample is not drawn." in texts
