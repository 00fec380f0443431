"""Explanations are sequences of samples, with frames and pictures."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from explain_helpers import (
    IMAGES,
    NAMES,
    QUICK,
    SERIES,
    TABLE,
    TEXTS,
    TREES,
    Y,
    fit_explainer,
    make_ragged_series,
)

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
)

SAMPLES = {
    "trees": (RecursiveNetClassifier, TREES, "token"),
    "tokens": (RNNClassifier, TEXTS, "token"),
    "series": (RNNClassifier, SERIES, "channel"),
    "ragged series": (RNNClassifier, make_ragged_series(), "channel"),
    "images": (CNNClassifier, IMAGES[..., None], "channel"),
    "table": (RNNClassifier, TABLE, "column"),
    "table of a recursive net": (RecursiveNetClassifier, TABLE, "column"),
}


@pytest.fixture(scope="module", params=list(SAMPLES))
def explained(request):
    cls, X, name = SAMPLES[request.param]
    explainer = CaptumExplainer(cls(**QUICK), "saliency", random_state=0).fit(X, NAMES)
    return explainer.explain(X[:5]), name


def test_explanations_are_a_sequence(explained):
    explanations, _ = explained
    assert len(explanations) == 5
    assert len(list(explanations)) == 5
    assert [len(one) for one in explanations] == [1] * 5
    frame = explanations.to_frame()
    for key, rows in [
        (2, [2]), (-1, [4]), (np.int64(0), [0]), (slice(1, 3), [1, 2]), (slice(None, None, -1), [4, 3, 2, 1, 0]),
        ([3, 0], [3, 0]), (np.array([False, True, False, True, False]), [1, 3]),
        ([True, False, False, False, False], [0]), (slice(0, 0), []),
    ]:  # fmt: skip
        part = explanations[key]
        assert len(part) == len(rows)
        assert part.kind == explanations.kind
        assert part.method == explanations.method
        assert part.targets.tolist() == explanations.targets[rows].tolist()
        np.testing.assert_array_equal(part.completeness_error, explanations.completeness_error[rows])
        shown = part.to_frame()
        assert shown.columns.tolist() == frame.columns.tolist()
        pieces = [frame[frame["sample"] == i].assign(sample=k) for k, i in enumerate(rows)]
        expected = pd.concat(pieces, ignore_index=True) if pieces else frame[:0]
        pd.testing.assert_frame_equal(shown, expected, check_dtype=bool(rows))
        assert "<div" in part._repr_html_()
    with pytest.raises(IndexError):
        explanations[5]
    assert repr(explanations).startswith("Explanations(5 ")


def test_frames_have_a_row_per_attribution(explained):
    explanations, name = explained
    frame = explanations.to_frame()
    assert len(frame) == sum(part.size for part in explanations.attributions)
    assert frame.index.tolist() == list(range(len(frame)))
    assert frame.attribution.dtype == frame.delta.dtype == float
    assert frame["sample"].dtype.kind == "i"
    assert frame["sample"].is_monotonic_increasing
    assert frame[name].map(type).eq(str).all()
    assert set(frame.target) <= {"good", "bad"}
    assert not frame.isna().any(axis=None)
    last = "own" if explanations.kind == "trees" else "attribution"
    assert frame.columns[-4:].tolist() == [last, "predicted", "target", "delta"]
    deltas = frame.groupby("sample").delta.first()
    np.testing.assert_array_equal(deltas, explanations.completeness_error[deltas.index])


def test_pictures_are_self_contained(explained, tmp_path):
    explanations, _ = explained
    html = explanations._repr_html_()
    assert "good" in html or "bad" in html
    for text in (html, explanations.plot(max_samples=2).html):
        assert "<script" not in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "3 more samples are not drawn" in explanations.plot(max_samples=2).html
    path = explanations.save_html(tmp_path / "page.html")
    assert path == tmp_path / "page.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(ValueError, match=r"path must end in .html"):
        explanations.save_html(tmp_path / "page.png")


def test_explanations_can_be_pickled(explained):
    explanations, _ = explained
    unpickled = pickle.loads(pickle.dumps(explanations))
    pd.testing.assert_frame_equal(unpickled.to_frame(), explanations.to_frame())


def test_labels_of_the_user_are_escaped():
    bad = "<img/src=x>"
    texts = [f"a {bad}", "a film"] * 12
    explainer = CaptumExplainer(RNNClassifier(**QUICK)).fit(texts, [bad, "b"] * 12)
    assert "<img" not in explainer.explain(texts[:2])._repr_html_()
    trees = [("<img>", bad), ("b", "<script>")] * 12
    explainer = CaptumExplainer(RecursiveNetClassifier(**QUICK)).fit(trees, [bad, "b"] * 12)
    html = explainer.explain(trees[:2])._repr_html_()
    assert "<img" not in html
    assert "<script" not in html
    frame = pd.DataFrame(TABLE, columns=["a", bad, "c"])
    explainer = CaptumExplainer(RNNClassifier(**QUICK)).fit(frame, Y)
    assert "<img" not in explainer.explain(frame[:2])._repr_html_()


def test_at_least_one_sample_is_required():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    with pytest.raises(ValueError, match=r"X must contain at least one sample, .*got 0 samples"):
        fit_explainer(clf, TEXTS).explain([])


def test_explanations_are_immutable(explained):
    explanations, _ = explained
    with pytest.raises(dataclasses.FrozenInstanceError):
        explanations.method = "other"
