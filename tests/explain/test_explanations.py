"""Explanations are a sequence of samples, become frames and pictures, and know no bound of memory."""

import pickle

import numpy as np
import pandas as pd
import pytest
from explaining import IMAGES, NAMES, QUICK, SERIES, TABLE, TEXTS, TREES, Y, explained, ragged_series

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
)

# -- what explanations can do


KINDS = {
    "trees": (RecursiveNetClassifier, TREES, "token"),
    "tokens": (RNNClassifier, TEXTS, "token"),
    "series": (RNNClassifier, SERIES, "channel"),
    "ragged series": (RNNClassifier, ragged_series(), "channel"),
    "images": (CNNClassifier, IMAGES[..., None], "channel"),
    "table": (RNNClassifier, TABLE, "column"),
    "table of a recursive net": (RecursiveNetClassifier, TABLE, "column"),
}


@pytest.fixture(scope="module", params=list(KINDS))
def found(request):
    cls, X, name = KINDS[request.param]
    explainer = CaptumExplainer(cls(**QUICK), "saliency", random_state=0).fit(X, NAMES)
    return explainer.explain(X[:5]), name


def test_explanations_are_a_sequence(found):
    explanations, _ = found
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


def test_frames_have_a_row_per_attribution(found):
    explanations, name = found
    frame = explanations.to_frame()
    assert len(frame) == sum(part.size for part in explanations.attributions)
    assert frame.index.tolist() == list(range(len(frame)))
    assert frame.attribution.dtype == frame.delta.dtype == float
    assert frame["sample"].dtype.kind == "i"
    assert frame["sample"].is_monotonic_increasing
    assert frame[name].map(type).eq(str).all()
    assert set(frame.target) <= {"good", "bad"}
    assert not frame.isna().any(axis=None)
    assert frame.columns[-3:].tolist() == (
        ["own", "target", "delta"] if explanations.kind == "trees" else ["attribution", "target", "delta"]
    )
    deltas = frame.groupby("sample").delta.first()
    np.testing.assert_array_equal(deltas, explanations.completeness_error[deltas.index])


def test_pictures_need_nothing_else(found, tmp_path):
    explanations, _ = found
    html = explanations._repr_html_()
    assert "good" in html or "bad" in html
    for text in (html, explanations.plot(max_samples=2).html):
        assert "<script" not in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "3 more samples are not drawn" in explanations.plot(max_samples=2).html
    path = explanations.save_html(tmp_path / "why.html")
    assert path == tmp_path / "why.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(ValueError, match=r"path must end in .html"):
        explanations.save_html(tmp_path / "why.png")


def test_explanations_can_be_pickled(found):
    explanations, _ = found
    again = pickle.loads(pickle.dumps(explanations))
    pd.testing.assert_frame_equal(again.to_frame(), explanations.to_frame())


def test_what_users_wrote_is_escaped():
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


def test_no_samples_give_no_explanations():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    with pytest.raises(ValueError, match=r"X must hold .*at least one, got 0 samples"):
        explained(clf, TEXTS).explain([])


# -- limits and progress


METHODS = [
    (
        RecursiveNetClassifier,
        TREES,
        ["occlusion", "integrated_gradients", "shapley", "saliency", "interaction"],
    ),
    (RecursiveNetClassifier, TABLE, ["integrated_gradients", "occlusion", "shapley"]),
    (RNNClassifier, TEXTS, ["occlusion", "integrated_gradients", "shapley", "kernel_shap", "gradient_shap"]),
    (RNNClassifier, TABLE, ["integrated_gradients", "feature_ablation", "noise_tunnel(saliency)"]),
    (CNNClassifier, SERIES, ["integrated_gradients", "occlusion", "shapley", "grad_cam", "lime"]),
    (CNNClassifier, IMAGES[..., None], ["occlusion", "grad_cam", "shapley", "saliency"]),
]


@pytest.mark.parametrize(
    ("cls", "X", "method"), [(cls, X, method) for cls, X, methods in METHODS for method in methods]
)
def test_the_bound_of_memory_changes_nothing(cls, X, method):
    clf = cls(**QUICK).fit(X, Y)
    params = (
        {"n_samples": 4}
        if method.split("(")[0] in ("shapley", "kernel_shap", "gradient_shap", "lime")
        else None
    )
    params = {"n_steps": 4, "max_steps": 8, "dtype": "float64", "method_params": params}
    few = X[:3]
    one, all_ = (
        explained(clf, few, method=method, max_rows=rows, **params).explain(few) for rows in (1, 100_000)
    )
    for a, b in zip(one.attributions, all_.attributions):
        np.testing.assert_allclose(a, b, atol=1e-7)
    np.testing.assert_allclose(one.values, all_.values, atol=1e-7)
    np.testing.assert_allclose(one.baseline_values, all_.baseline_values, atol=1e-7)


def test_progress_is_shown_on_demand_alone(capfd):
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    explainer = explained(clf, TEXTS)
    explainer.explain(TEXTS)
    assert capfd.readouterr() == ("", "")
    explainer.set_params(verbose=1).explain(TEXTS)
    shown = capfd.readouterr()
    assert "24/24" in shown.err
    assert shown.out == ""


def test_what_phrases_say_by_themselves_is_not_summed_up():
    trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 3
    net = RecursiveNetClassifier(hidden_size=4, max_epochs=1, random_state=0).fit(trees, [0, 1] * 3)
    explained = CaptumExplainer(net, "node_prediction").fit(trees).explain(trees)
    assert np.isnan(explained.completeness_error).all()
    assert "error" not in explained._repr_html_()
    assert "error" in CaptumExplainer(net).fit(trees).explain(trees)._repr_html_()  # the control


def test_interactions_add_up_to_the_whole_difference():
    trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 3
    net = RecursiveNetClassifier(hidden_size=4, max_epochs=1, random_state=0).fit(trees, [0, 1] * 3)
    explained = CaptumExplainer(net, "interaction").fit(trees).explain(trees)
    assert np.abs(explained.completeness_error).max() < 1e-5
    occluded = CaptumExplainer(net, "occlusion").fit(trees).explain(trees)
    assert np.abs(occluded.completeness_error).max() > 1e-3  # the control
