"""Output columns of ``CaptumExplainer.transform``."""

import numpy as np
import pandas as pd
import pytest
from explain_helpers import (
    IMAGES,
    LEARNS,
    NAMES,
    QUICK,
    SERIES,
    TABLE,
    TEXTS,
    N,
    Y,
    fit_explainer,
    make_ragged_series,
)

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
)


def test_min_df_and_max_features_limit_the_words():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    all_words = fit_explainer(clf, TEXTS)
    assert sorted(all_words.get_feature_names_out()) == [",", "a", "bad", "film", "good", "really"]
    assert sorted(fit_explainer(clf, TEXTS, min_df=7).vocabulary_) == ["a", "bad", "film", "good"]
    assert sorted(fit_explainer(clf, TEXTS, min_df=0.3).vocabulary_) == ["a", "bad", "film", "good"]
    few = fit_explainer(clf, TEXTS, max_features=2)
    assert len(few.vocabulary_) == 2
    assert few.transform(TEXTS).shape == (N, 2) == (N, len(few.feature_importances_))
    column = few.get_feature_names_out()[0]
    np.testing.assert_array_equal(
        few.transform(TEXTS)[:, 0], all_words.transform(TEXTS)[:, all_words.vocabulary_[column]]
    )


def test_recurring_words_are_summed_or_averaged():
    clf = RNNClassifier(**QUICK).fit(TEXTS, NAMES)
    summed, mean = (fit_explainer(clf, TEXTS, aggregate=how) for how in ("sum", "mean"))
    text = "good , really good"
    frame = summed.explain([text]).to_frame()
    column = summed.vocabulary_["good"]
    goods = frame[frame.token == "good"].attribution
    assert summed.transform([text])[0, column] == pytest.approx(goods.sum(), abs=1e-6)
    assert mean.transform([text])[0, column] == pytest.approx(goods.mean(), abs=1e-6)


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
def test_series_of_equal_length_have_a_column_per_number(cls):
    clf = cls(**QUICK).fit(SERIES, Y)
    explainer = fit_explainer(clf, SERIES, n_steps=8, max_steps=8)
    names = explainer.get_feature_names_out()
    assert names[:3].tolist() == ["ch0_t0", "ch1_t0", "ch0_t1"]
    assert explainer.transform(SERIES).shape == (N, 12)
    explanations = explainer.explain(SERIES[:2])
    np.testing.assert_allclose(
        explanations.attributions[1].ravel(), explainer.transform(SERIES)[1], rtol=1e-4, atol=1e-6
    )
    frame = explanations.to_frame()
    assert frame.columns.tolist() == [
        "sample",
        "step",
        "channel",
        "value",
        "attribution",
        "predicted",
        "target",
        "delta",
    ]
    np.testing.assert_allclose(frame.value, SERIES[:2].ravel())
    assert frame.channel[:3].tolist() == ["ch0", "ch1", "ch0"]
    with pytest.raises(ValueError, match=r"X must have samples of shape \(6, 2\), as in fit, got \(5, 2\)"):
        explainer.transform(SERIES[:, :5])
    assert len(explainer.explain(SERIES[:2, :5]).to_frame()) == 20


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier])
@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "shapley"])
def test_series_of_unequal_length_have_a_column_per_channel(cls, method):
    series = make_ragged_series()
    clf = cls(**QUICK).fit(series, Y)
    params = {
        "n_steps": 4,
        "max_steps": 4,
        "method_params": {"n_samples": 4} if method == "shapley" else None,
    }
    explainer = fit_explainer(clf, series, method=method, **params)
    assert explainer.get_feature_names_out().tolist() == ["ch0", "ch1"]
    explanations = explainer.explain(series)
    assert [part.shape for part in explanations.attributions] == [s.shape for s in series]
    np.testing.assert_allclose(
        explainer.transform(series), [part.sum(axis=0) for part in explanations.attributions], atol=1e-6
    )
    mean = fit_explainer(clf, series, method=method, aggregate="mean", **params)
    np.testing.assert_allclose(
        mean.transform(series), [part.mean(axis=0) for part in explanations.attributions], atol=1e-6
    )
    frame = explanations.to_frame()
    np.testing.assert_allclose(frame.value, np.concatenate(series).ravel())
    assert explainer.transform([np.random.RandomState(0).rand(20, 2)]).shape == (1, 2)


@pytest.mark.parametrize("cls", [RNNClassifier, CNNClassifier, RecursiveNetClassifier])
def test_tables_have_a_column_per_column(cls):
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    y = np.where(TABLE[:, 1] > 0.5, "high", "low")
    clf = cls(**LEARNS).fit(frame, y)
    explainer = fit_explainer(clf, frame, target="high", n_steps=8, max_steps=64)
    assert explainer.method_ == "integrated_gradients"
    assert explainer.get_feature_names_out().tolist() == ["a", "b", "c"]
    assert explainer.feature_importances_.argmax() == 1
    assert np.corrcoef(explainer.transform(frame)[:, 1], TABLE[:, 1])[0, 1] > 0.7
    shown = explainer.explain(frame[:2]).to_frame()
    assert shown.column.tolist() == ["a", "b", "c"] * 2
    np.testing.assert_allclose(shown.value, TABLE[:2].ravel())
    clf_of_array = cls(**LEARNS).fit(TABLE, y)
    of_array = fit_explainer(clf_of_array, TABLE, target="high", n_steps=8, max_steps=64)
    np.testing.assert_allclose(of_array.transform(TABLE), explainer.transform(frame), atol=1e-5)
    assert of_array.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    np.testing.assert_array_equal(of_array.transform(TABLE.tolist()), of_array.transform(TABLE))


@pytest.mark.parametrize("how", ["gray", "one channel", "colour", "uint8"])
def test_images_have_a_column_per_number(how):
    images = {
        "gray": IMAGES,
        "one channel": IMAGES[..., None],
        "colour": np.stack([IMAGES, IMAGES / 2, 1 - IMAGES], axis=-1),
        "uint8": (IMAGES * 255).astype(np.uint8),
    }[how]
    clf = CNNClassifier(**QUICK, input_kind="image").fit(images, Y)
    explainer = fit_explainer(clf, images)
    assert explainer.method_ == "occlusion"
    n_channels = 3 if how == "colour" else 1
    names = explainer.get_feature_names_out()
    assert len(names) == 8 * 6 * n_channels
    assert names[0] == "y0_x0_ch0"
    assert names[-1] == f"y7_x5_ch{n_channels - 1}"
    assert explainer.transform(images).shape == (N, len(names))
    explanations = explainer.explain(images[:2])
    assert explanations.attributions[0].shape == (8, 6, n_channels)
    frame = explanations.to_frame()
    assert frame.columns.tolist() == [
        "sample", "y", "x", "channel", "value", "attribution", "predicted", "target", "delta",
    ]  # fmt: skip
    np.testing.assert_allclose(frame.value, images[:2].ravel())
    assert "<svg" in explanations._repr_html_() or "<img" in explanations._repr_html_()
    with pytest.raises(ValueError, match=rf"shape \(8, 6, {n_channels}\), as in fit, got \(8, 5, "):
        explainer.transform(images[:, :, :5])
