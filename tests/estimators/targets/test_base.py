"""Laws of every kind of targets."""

import copy
import pickle
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from samples import TEXTS, Y, quick
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, hamming_loss, r2_score

from sklearn_tree import RNNClassifier
from sklearn_tree.estimators.targets import (
    MultiLabel,
    MultiOutput,
    Numbers,
    OneClass,
    Target,
    read_classes,
    read_numbers,
)
from sklearn_tree.estimators.targets.base import check_y

N = 40
RNG = np.random.RandomState(0)
CODES = RNG.randint(3, size=(N, 3))
CODES[:3] = np.arange(3)[:, None]  # every class occurs


@pytest.mark.parametrize("read", [read_classes, read_numbers])
@pytest.mark.parametrize(
    ("y", "name"), [("abc", "str"), (3, "int"), ({"a": 1}, "dict"), (iter([1]), "list_iterator")]
)
def test_targets_that_are_not_array_like_are_rejected(read, y, name):
    with pytest.raises(TypeError, match=f"y must be array-like, with one entry per sample, got {name}"):
        read(y)
    assert read([1, 2])[0].tolist() == [1, 2]  # the control


def mixed_columns():
    """Return columns of str, int and bool in one object array."""
    y = np.empty((N, 3), dtype=object)
    y[:, 0], y[:, 1], y[:, 2] = np.array(list("cab"))[CODES[:, 0]], CODES[:, 1] * 10, CODES[:, 2] > 0
    return y


class Case(NamedTuple):
    """Targets, the function that reads them and the expected kind."""

    y: Any
    read: Any
    target: type[Target]
    n_outputs: int


CASES = {
    "str": Case(np.array(list("cab"))[CODES[:, 0]], read_classes, OneClass, 3),
    "int": Case(CODES[:, 0] * 10 - 5, read_classes, OneClass, 3),
    "bool": Case(CODES[:, 0] > 0, read_classes, OneClass, 2),
    "float": Case(CODES[:, 0].astype(float), read_classes, OneClass, 3),
    "object": Case(np.array(list("cab"), dtype=object)[CODES[:, 0]], read_classes, OneClass, 3),
    "list": Case(list("abc" * 13 + "a"), read_classes, OneClass, 3),
    "labels": Case((CODES > 0).astype(int), read_classes, MultiLabel, 3),
    "columns": Case(CODES * 2, read_classes, MultiOutput, 9),
    "mixed columns": Case(mixed_columns(), read_classes, MultiOutput, 8),
    "numbers": Case(RNG.randn(N) * 100 + 1e4, read_numbers, Numbers, 1),
    "one column": Case(RNG.randn(N, 1), read_numbers, Numbers, 1),
    "columns of numbers": Case(RNG.randn(N, 3) * [1, 1e6, 1e-3], read_numbers, Numbers, 3),
}
parametrized = pytest.mark.parametrize("name", CASES)
CLASSES = pytest.mark.parametrize("name", [name for name in CASES if CASES[name].read is read_classes])


def fit(name, **kwargs):
    """Return the targets as they were read, their fitted kind and the encoded targets."""
    case = CASES[name]
    y, target_class = case.read(case.y)
    target = target_class()
    return y, target, target.fit(y, **kwargs)


def random_outputs(target, n=N):
    return RNG.randn(n, target.n_outputs) * 3


def certain_outputs(name):
    """Return outputs of a net that is certain of the true targets."""
    _, target, encoded = fit(name)
    if isinstance(target, Numbers):
        return encoded
    if isinstance(target, MultiLabel):
        return 50.0 * (2 * encoded - 1)
    columns = encoded.reshape(N, -1)
    offsets = np.cumsum([0, *np.atleast_1d(target.n_classes)])[:-1]
    outputs = np.zeros((N, target.n_outputs))
    np.put_along_axis(outputs, columns + offsets, 50.0, axis=1)
    return outputs


def heads(target, outputs):
    """Return the outputs of each column of classes."""
    sizes = np.atleast_1d(target.n_classes)
    return np.split(outputs, np.cumsum(sizes)[:-1], axis=1)


@parametrized
def test_the_kind_of_the_targets_is_recognized(name):
    case = CASES[name]
    y, target, _ = fit(name)
    assert type(target) is case.target
    assert target.n_outputs == case.n_outputs
    assert y.tolist() == np.asarray(case.y).tolist()


@parametrized
def test_encode_agrees_with_fit(name):
    y, target, encoded = fit(name)
    np.testing.assert_array_equal(target.encode(y), encoded)
    np.testing.assert_array_equal(target.encode(y[5:9]), encoded[5:9])
    assert not np.array_equal(target.encode(y[::-1]), encoded)  # the control


@parametrized
def test_certain_outputs_predict_the_targets(name):
    y, target, _ = fit(name)
    predicted = target.predict(certain_outputs(name))
    assert predicted.shape == y.shape
    if isinstance(target, Numbers):
        np.testing.assert_allclose(predicted, y, rtol=1e-12)
    else:
        assert predicted.tolist() == y.tolist()
    assert predicted.tolist() != target.predict(-certain_outputs(name)).tolist()  # the control


@CLASSES
def test_labels_invert_encode(name):
    y, target, encoded = fit(name)
    assert target.labels(encoded).tolist() == y.tolist()


@parametrized
def test_copies_are_equal(name):
    y, target, encoded = fit(name)
    for copied in (pickle.loads(pickle.dumps(target)), copy.deepcopy(target)):
        np.testing.assert_array_equal(copied.encode(y), encoded)
        outputs = random_outputs(target)
        assert copied.predict(outputs).tolist() == target.predict(outputs).tolist()


@parametrized
def test_the_criterion_is_smallest_for_certain_outputs(name):
    _, target, encoded = fit(name)
    criterion = target.criterion(**target.criterion_params)
    certain, random = (torch.tensor(outputs) for outputs in (certain_outputs(name), random_outputs(target)))
    expected = torch.tensor(encoded)
    expected = expected.double() if expected.is_floating_point() else expected
    assert criterion(certain, expected) < 1e-12 < criterion(random, expected)


@CLASSES
def test_proba_is_softmax_or_sigmoid_and_agrees_with_predict(name):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    proba, predicted = target.proba(outputs), target.predict(outputs)
    if isinstance(target, MultiLabel):
        np.testing.assert_allclose(proba, expit(outputs))
        np.testing.assert_array_equal(predicted, proba > 0.5)
        return
    for i, head in enumerate(heads(target, outputs)):
        column = proba[i] if isinstance(proba, list) else proba
        classes = target.classes[i] if isinstance(proba, list) else target.classes
        np.testing.assert_allclose(column, softmax(head, axis=1))
        assert classes[column.argmax(axis=1)].tolist() == predicted.reshape(N, -1)[:, i].tolist()


@CLASSES
def test_margins_are_logits_and_for_two_classes_log_odds(name):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    margins, probas = target.margin(outputs), target.proba(outputs)
    pairs = zip(margins, probas) if isinstance(margins, list) else [(margins, probas)]
    for margin, proba in pairs:
        if margin.ndim == 1:
            np.testing.assert_allclose(expit(margin), proba[:, 1])
        elif isinstance(target, MultiLabel):
            np.testing.assert_allclose(expit(margin), proba)
        else:
            np.testing.assert_allclose(softmax(margin, axis=1), proba)


def metric(target, y, outputs):
    """Return scikit-learn's metric of predictions, averaged over the columns."""
    predicted = target.predict(outputs)
    if isinstance(target, Numbers):
        return r2_score(y, predicted)
    if isinstance(target, MultiLabel):
        return 1 - hamming_loss(y, predicted)
    columns = zip(y.reshape(N, -1).T, predicted.reshape(N, -1).T)
    return np.mean([accuracy_score(list(a), list(b)) for a, b in columns])


@parametrized
def test_score_equals_the_metric_of_scikit_learn(name):
    y, target, encoded = fit(name)
    outputs = certain_outputs(name)
    outputs[::2] = random_outputs(target)[::2]
    score = target.score(torch.tensor(outputs), torch.tensor(encoded))
    assert score == pytest.approx(metric(target, y, outputs))
    assert target.score(torch.tensor(certain_outputs(name)), torch.tensor(encoded)) == pytest.approx(1.0)
    assert score < 1  # the control


@CLASSES
@pytest.mark.parametrize("weight", [None, RNG.rand(N)])
def test_accuracy_counts_samples_that_are_correct_in_all_columns(name, weight):
    y, target, _ = fit(name)
    outputs = certain_outputs(name)
    outputs[::2] = random_outputs(target)[::2]
    predicted = target.predict(outputs)
    is_right = [a == b for a, b in zip(predicted.tolist(), y.tolist())]
    assert target.accuracy(predicted, y, weight) == pytest.approx(np.average(is_right, weights=weight))
    if not isinstance(target, MultiOutput):  # scikit-learn has no accuracy of several columns of classes
        assert target.accuracy(predicted, y, weight) == accuracy_score(y, predicted, sample_weight=weight)


@parametrized
def test_only_single_classes_stratify_a_split(name):
    _, target, encoded = fit(name)
    strata = target.strata(encoded)
    assert (strata is encoded) if isinstance(target, OneClass) else strata is None


def explanations(target):
    """Return pairs of a target to explain and the position of its output."""
    if isinstance(target, OneClass):
        return list(zip(target.classes.tolist(), range(target.n_classes)))
    if isinstance(target, MultiOutput):
        starts = np.cumsum([0, *target.n_classes])
        return [
            ((i, label), starts[i] + k)
            for i, classes in enumerate(target.classes)
            for k, label in enumerate(classes.tolist())
        ]
    return [(i, i) for i in range(target.n_outputs)]


def head_of(target, wanted):
    """Return the first output and the number of outputs of the head of a target to explain."""
    if not isinstance(target, MultiOutput):
        return 0, target.n_outputs
    starts = np.cumsum([0, *target.n_classes])
    return starts[wanted[0]], target.n_classes[wanted[0]]


@CLASSES
def test_the_explained_logit_is_the_output_of_the_class(name):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    for wanted, position in explanations(target):
        objective = target.explained(torch.tensor(outputs), wanted, "logit")
        np.testing.assert_allclose(objective(torch.tensor(outputs)), outputs[:, position])


@CLASSES
def test_the_explained_margin_is_the_logit_minus_the_mean_of_the_others(name):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    for wanted, position in explanations(target):
        first, n = head_of(target, wanted)
        others = [k for k in range(first, first + n) if k != position]
        expected = outputs[:, position]
        if not isinstance(target, MultiLabel):
            expected = expected - outputs[:, others].mean(axis=1)
        objective = target.explained(torch.tensor(outputs), wanted, "margin")
        np.testing.assert_allclose(objective(torch.tensor(outputs)), expected)


@pytest.mark.parametrize("name", ["bool"])
def test_for_two_classes_the_explained_margin_is_the_decision_function(name):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    for wanted, sign in ((True, 1), (False, -1)):
        objective = target.explained(torch.tensor(outputs), wanted, "margin")
        np.testing.assert_allclose(objective(torch.tensor(outputs)), sign * target.margin(outputs))


@CLASSES
def test_the_explained_probability_equals_predict_proba(name):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    proba = target.proba(outputs)
    columns = np.hstack(proba) if isinstance(proba, list) else proba
    for wanted, position in explanations(target):
        objective = target.explained(torch.tensor(outputs), wanted, "probability")
        np.testing.assert_allclose(objective(torch.tensor(outputs)), columns[:, position])


@parametrized
@pytest.mark.parametrize("output", ["logit", "margin"])
def test_the_predicted_target_has_the_largest_output(name, output):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    objective = target.explained(torch.tensor(outputs), "predicted", output)
    if isinstance(target, Numbers):
        expected = [0] * N
    elif isinstance(target, MultiLabel):
        expected = outputs.argmax(axis=1).tolist()
    else:
        expected = target.predict(outputs).reshape(N, -1)[:, 0].tolist()
    assert objective.names.tolist() == expected


@pytest.mark.parametrize("name", ["numbers", "one column", "columns of numbers"])
@pytest.mark.parametrize("output", ["logit", "margin", "probability"])
def test_the_explained_number_and_its_offset_add_up_to_the_prediction(name, output):
    _, target, _ = fit(name)
    outputs = random_outputs(target)
    for wanted, position in explanations(target):
        objective = target.explained(torch.tensor(outputs), wanted, output)
        values = objective(torch.tensor(outputs)).numpy() + target.offset(objective.names)
        np.testing.assert_allclose(values, target.predict(outputs).reshape(N, -1)[:, position])


@CLASSES
def test_classes_have_no_offset(name):
    _, target, _ = fit(name)
    assert target.offset(np.arange(4)).tolist() == [0.0] * 4


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("str", "d", r"target must be 'predicted' or one of the classes \['a', 'b', 'c'\], got 'd'"),
        ("str", 0, r"one of the classes \['a', 'b', 'c'\], got 0"),
        ("int", 7, r"one of the classes \[-5, 5, 15\], got 7"),
        ("str", np.array(["a"]), "target must be 'predicted' or one of the classes"),
        ("labels", 3, r"target must be 'predicted', \(output, class\) or an int in \[0, 2\], got 3"),
        ("labels", -1, r"an int in \[0, 2\], got -1"),
        ("labels", "a", r"an int in \[0, 2\], got 'a'"),
        ("mixed columns", "a", r"target must be 'predicted' or \(output, class\) for 3 outputs, got 'a'"),
        ("mixed columns", (3, "a"), r"target\[0\] must be an int in \[0, 2\], got 3"),
        ("mixed columns", (0, 10), r"one of the classes \['a', 'b', 'c'\], got 10"),
        ("numbers", 1, r"target must be 'predicted' or an int in \[0, 0\], got 1"),
        ("columns of numbers", 1.0, r"an int in \[0, 2\], got 1\.0"),
    ],
)
def test_a_target_to_explain_must_exist(name, wanted, message):
    _, target, _ = fit(name)
    outputs = torch.tensor(random_outputs(target))
    with pytest.raises(ValueError, match=message):
        target.explained(outputs, wanted, "margin")
    wanted, _ = explanations(target)[0]  # the control
    assert len(target.explained(outputs, wanted, "margin")(outputs)) == N


@pytest.mark.parametrize("name", ["y", "sample_weight"])
def test_masked_targets_and_weights_are_refused(name):
    arguments = {"y": Y, "sample_weight": np.ones(len(Y))}
    unmasked = np.ma.masked_array(arguments[name])
    assert quick(RNNClassifier).fit(TEXTS, **{**arguments, name: unmasked}).n_iter_ == 2
    masked = np.ma.masked_array(arguments[name], mask=np.arange(len(Y)) == 3)
    with pytest.raises(ValueError, match=rf"{name} must not have masked entries, got one in {name}\[3\]"):
        quick(RNNClassifier).fit(TEXTS, **{**arguments, name: masked})


def test_texts_of_numpys_string_type_are_classes():
    y = np.where(Y > 0, "good", "bad")
    np.testing.assert_array_equal(check_y(np.array(y, dtype=np.dtypes.StringDType())), y)
