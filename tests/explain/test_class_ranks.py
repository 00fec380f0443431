"""Explanations of several classes of each sample."""

import json
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from explain_helpers import NUMBERS, QUICK, TABLE, TEXTS, fit_example, fit_explainer

from sklearn_tree import RNNClassifier, RNNRegressor

KINDS = ["trees", "texts", "series", "a table", "images"]


@pytest.fixture(params=KINDS)
def case(request):
    net, X = fit_example(request.param)
    return fit_explainer(net, X[:6], method="input_x_gradient"), X[:4]


@pytest.fixture(scope="module")
def texts():
    net, X = fit_example("texts")
    return fit_explainer(net, X, method="saliency")


@pytest.fixture(scope="module")
def samples():
    return fit_example("texts")[1][:4]


def test_all_classes_equal_explanations_of_one_class(case):
    explainer, X = case
    found = explainer.explain(X, target="all")
    assert len(found) == 3 * len(X)
    assert found.sample_index.tolist() == np.repeat(range(len(X)), 3).tolist()
    for name in ("x", "y", "z"):
        one, rows = explainer.explain(X, target=name), np.flatnonzero(found.targets == name)
        assert (rows // 3).tolist() == list(range(len(X)))
        part = found[rows]
        np.testing.assert_array_equal(part.values, one.values)
        np.testing.assert_array_equal(part.baseline_values, one.baseline_values)
        for a, b in zip(part.attributions + part.own, one.attributions + one.own, strict=True):
            np.testing.assert_array_equal(a, b)
        assert part.captions == one.captions
        pd.testing.assert_frame_equal(part.to_frame(), one.to_frame())


def test_the_most_probable_class_is_first(case):
    explainer, X = case
    found = explainer.explain(X, target="all")
    assert found.targets[::3].tolist() == explainer.explain(X).targets.tolist()
    p = found.predictions.explained_probabilities.reshape(-1, 3)
    assert (np.diff(p, axis=1) <= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


def test_frames_and_json_number_the_samples(texts, samples):
    found = texts.explain(samples[:2], y=["x", "y"], target="all")
    frame = found.to_frame()
    assert frame.groupby("sample").target.nunique().tolist() == [3, 3]
    assert frame.groupby("sample").true.unique().map(list).tolist() == [["x"], ["y"]]
    assert len(json.loads(found.to_json())["samples"]) == 6
    assert repr(found).startswith("Explanations(6 explanations of 2 texts, method='saliency')")
    assert "not shown" not in repr(found)
    assert "1 more sample is not shown" in repr(texts.explain(samples, target="all"))


def test_slices_keep_the_classes_of_a_sample_together(texts, samples):
    found = texts.explain(samples[:3], target="all")
    part = pickle.loads(pickle.dumps(found))[2:7]
    assert part.sample_index.tolist() == [0, 1, 1, 1, 2]
    assert part.n_samples == 3
    assert found[:0].n_samples == 0
    assert part._repr_html_().count('<div class="sklt-switch">') == 1
    assert [len(one.captions) for one in found.head(2)] == [1] * 6


def test_pictures_have_a_switch_per_sample(case):
    explainer, X = case
    found = explainer.explain(X, target="all")
    page = found._repr_html_() + found._repr_html_()  # shown twice on one page
    assert page.count('<div class="sklt-switch">') == 2 * len(X)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids) == 6 * len(X)
    assert page.count(" checked") == 2 * len(X)
    assert page.count("<section>") == 6 * len(X)
    assert "sklt-switch" not in explainer.explain(X)._repr_html_()  # the control
    assert "2 more samples are not drawn" in found.plot(max_samples=2).html
    assert found.plot(max_samples=2).html.count("<section>") == 6


def test_pages_without_styles_and_forms_show_all_classes(texts, samples):
    found = texts.explain(samples[:2], target="all")
    page = re.sub(r"<style>.*?</style>|<input[^>]*>|<svg.*?</svg>|style=\"[^\"]*\"", "", found._repr_html_())
    for caption in found.captions:
        assert f"<b>{caption.replace('<', '&lt;').replace('>', '&gt;')}</b>" in page


def test_many_classes_are_limited_to_the_five_most_probable():
    names = [f"class {i}" for i in range(8)]
    X = [f"word{i}" for i in range(8)] * 3
    explainer = fit_explainer(RNNClassifier(**QUICK).fit(X, names * 3), X, method="saliency")
    found = explainer.explain(X[:2], target="all")
    probabilities = explainer.estimator_.predict_proba(X[:2])
    for i in range(2):
        best = np.argsort(-probabilities[i], kind="stable")[:5]
        assert found.targets[5 * i : 5 * i + 5].tolist() == [names[k] for k in best]
    for picture in (found._repr_html_(), found._repr_mimebundle_()["image/svg+xml"]):
        assert "the most probable of 8 classes" in picture


def test_only_classifiers_with_one_class_per_sample_have_all_classes(texts, samples):
    regressor = fit_explainer(RNNRegressor(**QUICK).fit(TABLE, NUMBERS), TABLE, method="saliency")
    with pytest.raises(ValueError, match=r"target='all' is for classifiers with one class per sample"):
        regressor.explain(TABLE[:2], target="all")
    labels = np.array([[0, 1], [1, 1], [1, 0]] * 8)
    multilabel = fit_explainer(RNNClassifier(**QUICK).fit(TEXTS, labels), TEXTS, method="saliency")
    with pytest.raises(ValueError, match=r"target='all' is for classifiers with one class per sample"):
        multilabel.explain(TEXTS[:2], target="all")
    with pytest.raises(ValueError, match="target must be 'predicted' or one of the classes"):
        fit_explainer(texts.estimator, samples, target="all")


def test_the_explainer_is_not_changed(texts, samples):
    texts.explain(samples[:1], target="all")
    assert texts.target == "predicted"
