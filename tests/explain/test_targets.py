"""Which number is explained: classes, outputs and labels, margins, logits and probabilities."""

import numpy as np
import pytest
from explaining import LEARNS, NAMES, NUMBERS, QUICK, SERIES, TABLE, TEXTS, N, Y, adds_up, explained

from sklearn_tree import (
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
)


def test_the_predicted_class_is_explained_unless_another_is_named():
    clf = RNNClassifier(**LEARNS).fit(TEXTS, NAMES)
    explanations = explained(clf, TEXTS, method="integrated_gradients").explain(TEXTS)
    assert explanations.targets.tolist() == clf.predict(TEXTS).tolist()
    good = explained(clf, TEXTS, method="integrated_gradients", target="good").explain(TEXTS)
    assert set(good.targets) == {"good"}
    margin = clf.decision_function(TEXTS) * np.where(clf.classes_[1] == "good", 1, -1)
    np.testing.assert_allclose(good.values, margin, rtol=1e-4)
    np.testing.assert_allclose(explanations.values, np.abs(margin), rtol=1e-4)
    assert adds_up(good)
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
        explanations = explained(clf, TABLE, method="input_x_gradient", target=target).explain(TABLE)
        assert explanations.targets.tolist() == [target] * N
        assert explanations.to_frame().target.tolist()[0] == target
    assert explained(clf, TABLE).explain(TABLE).targets.dtype == clf.classes_.dtype


@pytest.mark.parametrize("output", ["margin", "logit", "probability"])
def test_margin_logit_and_probability_of_three_classes(output):
    y = np.arange(N) % 3
    clf = RNNClassifier(**QUICK).fit(TABLE, y)
    explanations = explained(clf, TABLE, target=2, output=output).explain(TABLE)
    logits = clf.decision_function(TABLE)
    expected = {
        "margin": logits[:, 2] - logits[:, :2].mean(axis=1),
        "logit": logits[:, 2],
        "probability": clf.predict_proba(TABLE)[:, 2],
    }[output]
    np.testing.assert_allclose(explanations.values, expected, rtol=1e-4, atol=1e-6)
    assert adds_up(explanations)


@pytest.mark.parametrize("cls", [RNNClassifier, RecursiveNetClassifier])
def test_several_outputs_are_explained_by_output_and_class(cls):
    Y2 = np.array([[i % 2, ["a", "b", "c"][i % 3]] for i in range(N)], dtype=object)
    clf = cls(**QUICK).fit(TABLE, Y2)
    for target in [(0, 1), (1, "c"), (1, "predicted"), "predicted"]:
        explanations = explained(clf, TABLE, target=target, output="probability").explain(TABLE)
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
        (1, r"target must be \(output, class\) for 2 outputs, got 1"),
        ((0, 1, 2), r"target must be \(output, class\) for 2 outputs, got \(0, 1, 2\)"),
        ((2, 0), r"target\[0\] must be an int from 0 to 1, got 2"),
        ((1, "d"), r"target must be .*\['a', 'b', 'c'\], got 'd'"),
    ]:
        with pytest.raises(ValueError, match=message):
            explained(clf, TABLE, target=target)


def test_labels_that_hold_or_not_are_explained_by_number():
    labels = np.stack([Y, 1 - Y, np.arange(N) % 3 == 0], axis=1).astype(int)
    clf = RNNClassifier(**QUICK).fit(TEXTS, labels)
    explanations = explained(clf, TEXTS, target=1, output="probability").explain(TEXTS)
    np.testing.assert_allclose(explanations.values, clf.predict_proba(TEXTS)[:, 1], rtol=1e-4)
    predicted = explained(clf, TEXTS).explain(TEXTS)
    assert predicted.targets.tolist() == clf.predict_proba(TEXTS).argmax(axis=1).tolist()
    with pytest.raises(ValueError, match="target must be 'predicted' or an int from 0 to 2, got 3"):
        explained(clf, TEXTS, target=3)


@pytest.mark.parametrize("cls", [RNNRegressor, CNNRegressor, RecursiveNetRegressor])
def test_regressors_are_explained_in_their_own_units(cls):
    reg = cls(**QUICK).fit(TABLE, NUMBERS * 1000)
    explanations = explained(reg, TABLE, method="shapley").explain(TABLE)
    np.testing.assert_allclose(explanations.values, reg.predict(TABLE), rtol=1e-3)
    assert set(explanations.targets) == {0}
    assert adds_up(explanations, 1e-3)
    two = cls(**QUICK).fit(TABLE, np.stack([NUMBERS, -NUMBERS * 7 + 3], axis=1))
    explanations = explained(two, TABLE, method="saliency", target=1).explain(TABLE)
    np.testing.assert_allclose(explanations.values, two.predict(TABLE)[:, 1], rtol=1e-3, atol=1e-4)
    assert set(explanations.targets) == {1}
    with pytest.raises(ValueError, match="target must be 'predicted' or an int from 0 to 1, got 2"):
        explained(two, TABLE, target=2)


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**20])
def test_integrals_take_as_many_steps_whatever_the_unit_of_the_targets(unit):
    reg, scaled = (RNNRegressor(**LEARNS).fit(SERIES, SERIES.sum((1, 2)) * u) for u in (1, unit))
    of_one, of_other = (
        explained(net, SERIES, n_steps=1, tol=0.001).explain(SERIES).to_frame().attribution
        for net in (reg, scaled)
    )
    np.testing.assert_allclose(of_other / unit, of_one, atol=1e-4)
    rough = explained(reg, SERIES, n_steps=1, max_steps=1).explain(SERIES).to_frame().attribution
    assert np.abs(rough - of_one).max() > 1e-3  # the control
