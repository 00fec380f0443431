"""Captions: the prediction, the truth and the explained class of each sample."""

import html
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from explain_helpers import IMAGES, NAMES, QUICK, SERIES, TABLE, TEXTS, TREES, Y

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_tree.estimators.targets.predictions import Predictions
from sklearn_tree.explain.captions import write_captions
from sklearn_tree.plot.tokens import draw_tokens, find_gaps

CLASSES = np.array(NAMES)


@pytest.fixture(scope="module")
def explainer():
    net = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    return CaptumExplainer(net, "saliency").fit(TEXTS)


def test_captions_hold_predictions_probabilities_and_truths(explainer):
    net = explainer.estimator_
    proba, predicted = net.predict_proba(TEXTS), net.predict(TEXTS)
    found = explainer.explain(TEXTS, NAMES)
    np.testing.assert_array_equal(found.predictions.values, predicted)
    np.testing.assert_allclose(found.predictions.probabilities, proba.max(axis=1), rtol=1e-6)
    for caption, name, truth, p in zip(found.captions, predicted, NAMES, proba.max(axis=1)):
        assert caption.startswith(f"Predicted {name} (p ")
        assert caption.endswith(f"), true {truth}")
        if 0.51 < p < 0.99:
            assert f"= {p:.2f}".replace("0.", ".") in caption
    assert "true" not in explainer.explain(TEXTS).captions[0]
    assert all(caption in found._repr_html_() for caption in found.captions)
    part = pickle.loads(pickle.dumps(found))[3:5]
    assert part.captions == found.captions[3:5]
    np.testing.assert_array_equal(part.to_frame().groupby("sample")["true"].first(), NAMES[3:5])


def test_truths_do_not_change_attributions(explainer):
    plain, other = explainer.explain(TEXTS), explainer.explain(TEXTS, NAMES[::-1])
    for a, b in zip(plain.attributions, other.attributions, strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_class_is_explained_without_another_explainer(explainer):
    net, name = explainer.estimator_, explainer.estimator_.classes_[0]
    found = explainer.explain(TEXTS, target=name)
    expected = CaptumExplainer(net, "saliency", target=name).fit(TEXTS).explain(TEXTS)
    np.testing.assert_array_equal(found.targets, expected.targets)
    np.testing.assert_array_equal(found.values, expected.values)
    assert explainer.target == "predicted"
    for caption, predicted in zip(found.captions, net.predict(TEXTS), strict=True):
        assert (f"; explained: {name} (p" in caption) == (predicted != name)
    with pytest.raises(ValueError, match="target must be 'predicted' or one of the classes"):
        explainer.explain(TEXTS, target="other")


def test_wrong_truths_are_refused(explainer):
    with pytest.raises(ValueError, match="y must have one entry per sample of X, got 3 for"):
        explainer.explain(TEXTS, NAMES[:3])
    with pytest.raises(ValueError, match=r"y\[1\] is missing"):
        explainer.explain(TEXTS[:2], ["good", None])


def test_regressors_compare_with_the_average():
    y = 20 + 5.0 * Y
    net = RNNRegressor(**QUICK).fit(TABLE, y)
    found = CaptumExplainer(net).fit(TABLE).explain(TABLE[:4], y[:4])
    for caption, value, truth in zip(found.captions, net.predict(TABLE[:4]), y[:4], strict=True):
        assert caption == f"Predicted {value:.4g} (average {y.mean():.4g}), true {truth:.4g}"
    page = found._repr_html_()
    assert "lowers" in page
    assert "raises" in page
    assert "against" not in page


TARGETS = {
    "numbers": (
        RNNRegressor,
        np.stack([Y, 10.0 * Y], 1),
        1,
        "Output 1: predicted {:.4g} (average 5), true {:.4g}",
    ),
    "labels": (RNNClassifier, np.stack([Y, 1 - Y], 1), 1, "Output 1: predicted {} (p"),
    "columns of classes": (
        RNNClassifier,
        np.stack([CLASSES, np.array(["x", "y"])[Y]], 1),
        (1, "y"),
        "Output 1: predicted {} (p",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_with_several_outputs_name_the_output(name):
    cls, y, target, template = TARGETS[name]
    net = cls(**QUICK).fit(TEXTS, y)
    found = CaptumExplainer(net, "saliency", target=target).fit(TEXTS).explain(TEXTS, y)
    predicted = net.predict(TEXTS)[:, 1]
    for caption, value, truth in zip(found.captions, predicted, y[:, 1], strict=True):
        assert caption.startswith(template.format(value, truth))
        assert f", true {truth:.4g}" in caption if name == "numbers" else f", true {truth}" in caption
    with pytest.raises(ValueError, match="y must have one column per output, got 1 for output 1"):
        CaptumExplainer(net, "saliency", target=target).fit(TEXTS).explain(TEXTS, y[:, 0])


def test_probabilities_near_the_bounds_are_not_rounded_to_certainty():
    captions = write_captions(
        Predictions(
            outputs=None,
            values=np.array(["a", "a", "a"]),
            probabilities=np.array([0.9999, 0.5, 0.98]),
            explained=np.array(["b", "a", "b"]),
            explained_probabilities=np.array([0.0001, 0.5, 0.02]),
        ),
        None,
    )
    assert captions == [
        "Predicted a (p > .99); explained: b (p < .01)",
        "Predicted a (p = .50)",
        "Predicted a (p = .98); explained: b (p = .02)",
    ]


def test_values_and_errors_are_shown_on_demand(explainer):
    net = explainer.estimator_
    for method, has_error in (("occlusion", False), ("integrated_gradients", True)):
        found = CaptumExplainer(net, method).fit(TEXTS).explain(TEXTS[:2])
        assert "<small>f = " not in found._repr_html_()
        page = found.plot(show_values=True).html
        assert page.count("<small>f = ") == 2
        assert (", error " in page) == has_error


def test_the_root_does_not_set_the_scale():
    net = RecursiveNetClassifier(**QUICK).fit(TREES, NAMES)
    found = CaptumExplainer(net).fit(TREES).explain(TREES[:5])
    large = [part.copy() for part in found.attributions]
    for part in large:
        part[0] *= 100
    scaled = found.view.scaled(found.samples, found.attributions)
    np.testing.assert_array_equal(found.view.scaled(found.samples, large), scaled)
    assert len(scaled) == sum(map(len, large)) - 5


SAMPLES = {
    "trees": (RecursiveNetClassifier, TREES),
    "texts": (RNNClassifier, TEXTS),
    "series": (RNNClassifier, SERIES),
    "images": (CNNClassifier, IMAGES[..., None]),
    "rows": (RNNClassifier, TABLE),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_all_kinds_are_written_as_text(name):
    cls, X = SAMPLES[name]
    found = CaptumExplainer(cls(**QUICK), "saliency").fit(X, NAMES).explain(X[:5])
    text = repr(found)
    assert text.startswith(f"Explanations(5 {name}, method='saliency')")
    assert all(caption in text for caption in found.captions[:3])
    assert text.endswith("2 more samples are not shown.")
    assert repr(found[0]).startswith(f"Explanations(1 {name.removesuffix('s')}, ")
    assert max(map(len, text.splitlines())) <= 110
    assert found.plot().html.count("<svg viewBox") == 1  # one legend


def test_a_written_text_shows_the_largest_attributions():
    net = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    found = CaptumExplainer(net).fit(TEXTS).explain(TEXTS[:1])
    part = found.attributions[0]
    top = int(np.abs(part).argmax())
    assert f"{found.to_frame().token[top]}({part[top]:+.2g})" in repr(found)


def test_states_of_earlier_versions_have_captions_without_probabilities(explainer):
    found = explainer.explain(TEXTS[:2])
    state = {
        name: value for name, value in found.__getstate__().items() if name not in ("predictions", "truths")
    }
    other = object.__new__(type(found))
    other.__setstate__(state)
    assert other.captions == [f"Predicted {name}" for name in found.targets]
    for forged in (
        {},
        [1],
        {**vars(found.predictions), "values": np.zeros(3)},
        {**vars(found.predictions), "values": None},
    ):
        with pytest.raises(ValueError, match="predictions"):
            other.__setstate__({**state, "predictions": forged})


def test_texts_keep_their_case_and_spaces(explainer):
    texts = ["A  good\nfilm!", "bad,BAD film (really)", "", "film"]
    for X in (texts, pd.Series(texts), pd.DataFrame({"text": texts}), np.array(texts, dtype=object)):
        found = (
            explainer.explain(X)
            if not hasattr(X, "columns")
            else CaptumExplainer(RNNClassifier(**QUICK).fit(pd.DataFrame({"text": TEXTS}), NAMES), "saliency")
            .fit(pd.DataFrame({"text": TEXTS}))
            .explain(X)
        )
        shown = re.sub(r"<[^>]*>", "", found.plot().html.partition("<details>")[0])
        for text in texts:
            assert html.escape(text) in shown.replace("\u2205", "")
    part = pickle.loads(pickle.dumps(found))[[1, 0]]
    assert part.texts == [texts[1], texts[0]]
    assert "bad,BAD film (really)" in html.unescape(re.sub(r"<[^>]*>", "", part._repr_html_()))


def test_tokens_that_are_not_in_the_text_are_separated_by_spaces():
    assert find_gaps("a  b.", ["a", "b"]) == ["", "  ", "."]
    assert find_gaps("a b", ["b", "a"]) is None
    assert find_gaps("", []) == [""]
    drawn = draw_tokens(["a", "<b>"], [1, 0], legend=False, gaps=["<", "&", ">"])
    assert html.unescape(re.sub(r"<[^>]*>", "", drawn)) == "<a&<b>>"
    with pytest.raises(ValueError, match="gaps must have one entry more than tokens: 3, got 2"):
        draw_tokens(["a", "b"], [1, 0], gaps=["", ""])
    tokens = [text.split() for text in TEXTS]
    assert (
        CaptumExplainer(RNNClassifier(**QUICK).fit(tokens, NAMES), "saliency")
        .fit(tokens)
        .explain(tokens)
        .texts
        is None
    )
