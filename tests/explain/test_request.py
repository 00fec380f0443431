"""Requests choose the explained number and bound the memory."""

import numpy as np
import pytest
from explain_helpers import (
    IMAGES,
    LEARNS,
    NAMES,
    NUMBERS,
    QUICK,
    SERIES,
    TABLE,
    TEXTS,
    TREES,
    N,
    Y,
    fit_explainer,
    fit_tree_net,
    is_complete,
    make_batch,
    make_trees,
)

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
)
from sklearn_tree.explain.limits import Limits


def test_the_predicted_class_is_explained_by_default():
    clf = RNNClassifier(**LEARNS).fit(TEXTS, NAMES)
    explanations = fit_explainer(clf, TEXTS, method="integrated_gradients").explain(TEXTS)
    assert explanations.targets.tolist() == clf.predict(TEXTS).tolist()
    good = fit_explainer(clf, TEXTS, method="integrated_gradients", target="good").explain(TEXTS)
    assert set(good.targets) == {"good"}
    margin = clf.decision_function(TEXTS) * np.where(clf.classes_[1] == "good", 1, -1)
    np.testing.assert_allclose(good.values, margin, rtol=1e-4)
    np.testing.assert_allclose(explanations.values, np.abs(margin), rtol=1e-4)
    assert is_complete(good)
    tokens = good.to_frame().groupby("token").attribution.mean()
    assert tokens.idxmax() == "good"
    assert tokens.idxmin() == "bad"


@pytest.mark.parametrize(
    "classes",
    [["x", "y", "z"], [10, 20, 30], [1.0, 2.0, 3.0], [False, True], [-1, 1], ["no", "yes"], [7]],
)
def test_classes_of_any_type_are_targets(classes):
    y = np.array(classes)[np.arange(N) % len(classes)]
    clf = RNNClassifier(**QUICK).fit(TABLE, y)
    for target in [*classes, *np.array(classes)]:
        explanations = fit_explainer(clf, TABLE, method="input_x_gradient", target=target).explain(TABLE)
        assert explanations.targets.tolist() == [target] * N
        assert explanations.to_frame().target.tolist()[0] == target
    assert fit_explainer(clf, TABLE).explain(TABLE).targets.dtype == clf.classes_.dtype


@pytest.mark.parametrize("output", ["margin", "logit", "probability"])
def test_the_output_is_a_margin_logit_or_probability(output):
    y = np.arange(N) % 3
    clf = RNNClassifier(**QUICK).fit(TABLE, y)
    explanations = fit_explainer(clf, TABLE, target=2, output=output).explain(TABLE)
    logits = clf.decision_function(TABLE)
    expected = {
        "margin": logits[:, 2] - logits[:, :2].mean(axis=1),
        "logit": logits[:, 2],
        "probability": clf.predict_proba(TABLE)[:, 2],
    }[output]
    np.testing.assert_allclose(explanations.values, expected, rtol=1e-4, atol=1e-6)
    assert is_complete(explanations)


@pytest.mark.parametrize("cls", [RNNClassifier, RecursiveNetClassifier])
def test_several_outputs_are_explained_by_output_and_class(cls):
    Y2 = np.array([[i % 2, ["a", "b", "c"][i % 3]] for i in range(N)], dtype=object)
    clf = cls(**QUICK).fit(TABLE, Y2)
    for target in [(0, 1), (1, "c"), (1, "predicted"), "predicted"]:
        explanations = fit_explainer(clf, TABLE, target=target, output="probability").explain(TABLE)
        column, wanted = (0, "predicted") if target == "predicted" else target
        probabilities = clf.predict_proba(TABLE)[column]
        if wanted == "predicted":
            assert explanations.targets.tolist() == clf.predict(TABLE)[:, column].tolist()
            expected = probabilities.max(axis=1)
        else:
            assert set(explanations.targets) == {wanted}
            expected = probabilities[:, list(clf.classes_[column]).index(wanted)]
        np.testing.assert_allclose(explanations.values, expected, rtol=1e-4)
    for target, message in [
        (1, r"target must be 'predicted' or \(output, class\) for 2 outputs, got 1"),
        ((0, 1, 2), r"target must be 'predicted' or \(output, class\) for 2 outputs, got \(0, 1, 2\)"),
        ((2, 0), r"target\[0\] must be an int in \[0, 1\], got 2"),
        ((1, "d"), r"target\[1\] must be .*\['a', 'b', 'c'\], got 'd'"),
    ]:
        with pytest.raises(ValueError, match=message):
            fit_explainer(clf, TABLE, target=target)


def test_multi_label_targets_are_explained_by_index():
    labels = np.stack([Y, 1 - Y, np.arange(N) % 3 == 0], axis=1).astype(int)
    clf = RNNClassifier(**QUICK).fit(TEXTS, labels)
    explanations = fit_explainer(clf, TEXTS, target=1, output="probability").explain(TEXTS)
    np.testing.assert_allclose(explanations.values, clf.predict_proba(TEXTS)[:, 1], rtol=1e-4)
    present, absent = (
        fit_explainer(clf, TEXTS, method="shapley", target=(1, label)).explain(TEXTS) for label in (1, 0)
    )
    for a, b in zip(present.own, absent.own, strict=True):
        np.testing.assert_allclose(a, -b, rtol=0, atol=1e-6)
    assert np.abs(np.concatenate(absent.own)).max() > 1e-4  # the control
    for target, expected in [((1, 0), 1 - explanations.values), ((1, 1), explanations.values)]:
        found = fit_explainer(clf, TEXTS, target=target, output="probability").explain(TEXTS)
        np.testing.assert_allclose(found.values, expected, rtol=1e-4)
        np.testing.assert_allclose(found.predictions.explained_probabilities, expected, rtol=1e-4)
        values = found.predictions.values
        assert [f"; explained: {target[1]} (p" in caption for caption in found.captions] == [
            value != target[1] for value in values
        ]
    found = fit_explainer(clf, TEXTS, target=(1, "predicted"), output="probability").explain(TEXTS)
    np.testing.assert_allclose(found.values, np.maximum(expected, 1 - expected), rtol=1e-4)
    assert not any("explained" in caption for caption in found.captions)
    predicted = fit_explainer(clf, TEXTS).explain(TEXTS)
    assert predicted.targets.tolist() == clf.predict_proba(TEXTS).argmax(axis=1).tolist()
    with pytest.raises(
        ValueError, match=r"target must be 'predicted', \(output, class\) or an int in \[0, 2\], got 3"
    ):
        fit_explainer(clf, TEXTS, target=3)
    with pytest.raises(ValueError, match=r"target\[0\] must be an int in \[0, 2\], got 3"):
        fit_explainer(clf, TEXTS, target=(3, 1))
    with pytest.raises(ValueError, match=r"target\[1\] must be .* one of the classes \[0, 1\], got 2"):
        fit_explainer(clf, TEXTS, target=(1, 2))


@pytest.mark.parametrize("cls", [RNNRegressor, CNNRegressor, RecursiveNetRegressor])
def test_regressors_are_explained_in_the_units_of_the_targets(cls):
    reg = cls(**QUICK).fit(TABLE, NUMBERS * 1000)
    explanations = fit_explainer(reg, TABLE, method="shapley").explain(TABLE)
    np.testing.assert_allclose(explanations.values, reg.predict(TABLE), rtol=1e-3)
    assert set(explanations.targets) == {0}
    assert is_complete(explanations, 1e-3)
    two = cls(**QUICK).fit(TABLE, np.stack([NUMBERS, -NUMBERS * 7 + 3], axis=1))
    explanations = fit_explainer(two, TABLE, method="saliency", target=1).explain(TABLE)
    np.testing.assert_allclose(explanations.values, two.predict(TABLE)[:, 1], rtol=1e-3, atol=1e-4)
    assert set(explanations.targets) == {1}
    with pytest.raises(ValueError, match=r"target must be 'predicted' or an int in \[0, 1\], got 2"):
        fit_explainer(two, TABLE, target=2)


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
def test_results_do_not_depend_on_the_limit_of_memory(cls, X, method):
    clf = cls(**QUICK).fit(X, Y)
    has_samples = method in ("shapley", "kernel_shap", "gradient_shap", "lime")
    method_params = {"n_samples": 4} if has_samples else None
    params = {"n_steps": 4, "max_steps": 8, "dtype": "float64", "method_params": method_params}
    few = X[:3]
    small, large = (
        fit_explainer(clf, few, method=method, max_rows=rows, **params).explain(few) for rows in (1, 100_000)
    )
    for a, b in zip(small.attributions, large.attributions):
        np.testing.assert_allclose(a, b, atol=1e-7)
    np.testing.assert_allclose(small.values, large.values, atol=1e-7)
    np.testing.assert_allclose(small.baseline_values, large.baseline_values, atol=1e-7)


def test_chunks_hold_samples_of_similar_size_within_the_limit():
    trees = make_trees(20, max_nodes=12)
    request = make_batch(fit_tree_net(), trees, target=0, limits=Limits(max_rows=30)).request
    sizes = request.encoded.sizes
    chunks = request.chunks()
    assert sorted(np.concatenate(chunks)) == list(range(len(trees)))
    assert all(sizes[rows].sum() <= 30 for rows in chunks)
    assert (np.diff(sizes[np.concatenate(chunks)]) >= 0).all()
    assert 1 < len(chunks) < len(trees)
    assert [len(rows) for rows in request.chunks(one_by_one=True)] == [1] * len(trees)
