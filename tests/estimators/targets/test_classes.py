"""Targets of classifiers."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from samples import quick, tree_classifier
from sklearn.base import clone

from sklearn_tree import RNNClassifier
from sklearn_tree.estimators.targets import MultiLabel, MultiOutput, OneClass, read_classes

classifier = partial(tree_classifier, max_epochs=25)


def test_multi_label_targets_have_a_probability_per_label(words_counted):
    X, counts = words_counted
    y = (counts > 0).astype(int)
    clf = classifier().fit(X, y)
    assert clf.score(X, y) > 0.95
    assert clf.predict_proba(X).shape == clf.decision_function(X).shape == (120, 3)
    np.testing.assert_array_equal(clf.predict(X), clf.predict_proba(X) > 0.5)
    assert clf.classes_.tolist() == [0, 1, 2]
    two = classifier(max_epochs=1).fit(X, y[:, :2])
    assert two.decision_function(X).shape == (120, 2)
    with pytest.raises(ValueError, match="y must have 3 columns, got 2"):
        clf.partial_fit(X, y[:, :2])
    with pytest.raises(ValueError, match="y must hold labels per sample, as in the first fit, got one class"):
        clf.partial_fit(X, y[:, 0])


def test_multi_output_targets_have_a_head_per_column_of_any_type(words_counted, small_trees):
    X, counts = words_counted
    y = np.empty((120, 3), dtype=object)
    y[:, 0] = small_trees[1]
    y[:, 1] = np.minimum(counts[:, 0], 2)
    y[:, 2] = counts[:, 1] > 0
    clf = classifier(max_epochs=40).fit(X, y)
    assert clf.n_classes_ == [2, 3, 2]
    assert [c.tolist() for c in clf.classes_] == [["one", "two"], [0, 1, 2], [False, True]]
    assert clf.score(X, y) > 0.9
    assert [p.shape for p in clf.predict_proba(X)] == [(120, 2), (120, 3), (120, 2)]
    assert [d.shape for d in clf.decision_function(X)] == [(120,), (120, 3), (120,)]
    assert clf.predict(X)[0].tolist() == y[0].tolist()
    assert clone(clf).set_params(class_weight="balanced", max_epochs=1).fit(X, y).n_iter_ == 1
    checked = classifier(max_epochs=2).fit(X, y, X_val=X, y_val=y)
    assert 0 < checked.history_.valid_score.iloc[-1] <= 1
    with pytest.raises(ValueError, match="got 'three' in row 0"):
        clf.partial_fit(X[:1], np.array([["three", 0, False]], dtype=object))


def test_a_column_of_noise_does_not_disturb_the_other_column(words_counted):
    """A column that is pure noise leaves the other column's prediction right."""
    X, counts = words_counted
    noise = np.random.RandomState(0).randint(3, size=120)
    y = np.stack([np.minimum(counts[:, 0], 2), noise], axis=1)
    predicted = classifier(max_epochs=40).fit(X, y).predict(X)
    assert (predicted[:, 0] == y[:, 0]).mean() > 0.95


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        ([0, 1, 2], OneClass),
        ([[0], [1], [2]], OneClass),
        ([[0, 1], [1, 1], [0, 0]], MultiLabel),
        ([[0, 2], [1, 1], [0, 0]], MultiOutput),
        (np.array([["a", 1], ["b", 0]], dtype=object), MultiOutput),
        (pd.DataFrame({"a": ["x", "y"], "b": [0, 1]}), MultiOutput),
    ],
)
def test_the_kind_of_targets_follows_from_their_values(y, expected):
    assert read_classes(y)[1] is expected


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.5, 1.5], "Unknown label type: continuous"),
        (np.array([["a", 0.5], ["b", 1.5]], dtype=object), "Unknown label type: continuous"),
        ([1.0, np.nan], r"y\[1\] is missing"),
        (pd.Series([0, 1, pd.NA], dtype="Int64"), r"y\[2\] is missing: drop samples without a target"),
        (pd.Series(["a", pd.NA], dtype="string"), r"y\[1\] is missing"),
        (np.array([["a", 1], [None, 2]], dtype=object), r"y\[1, 0\] is missing"),
        (pd.Series([0, "a"], dtype=object), r"y must hold str or numbers, not both, got 'a' in y\[1\]"),
        (np.array([["a", 1], ["b", "c"]], dtype=object), r"not both, got 'c' in y\[1\]"),
        ([{1}, {2}], r"y must hold str or numbers, not both, got \{1\} in y\[0\]"),
        ([(1,), (2, 3)], "y must have rows of equal length"),
        ([], "minimum of 1 is required"),
    ],
)
def test_targets_that_are_not_classes_are_rejected(y, message):
    with pytest.raises(ValueError, match=message):
        read_classes(y)


def test_labels_of_one_type_are_read_from_columns_of_objects():  # the control
    for labels in ([0, 1, 0], ["a", "b", "a"], [True, False, True]):
        y, target = read_classes(pd.Series(labels, dtype=object))
        assert target is OneClass
        assert y.tolist() == labels
        assert target().fit(y).tolist() == target().fit(np.array(labels)).tolist()


@pytest.mark.parametrize(
    ("target", "fitted_on", "y", "message"),
    [
        (OneClass, ["a", "b"], ["a", "b", "c"], r"y must hold only the classes \['a', 'b'\], got 'c' in row 2"),
        (OneClass, [1, 2], [0], r"y must hold only the classes \[1, 2\], got 0 in row 0"),
        (MultiOutput, [[0, 2], [1, 3]], [[0, 3], [1, 4]], r"y must hold only the classes \[2, 3\], got 4 in row 1"),
        (MultiOutput, [[0, 2], [1, 3]], [[0], [1]], "y must have 2 columns, got 1"),
        (MultiLabel, [[0, 1], [1, 0]], [[0, 1, 1]], "y must have 2 columns, got 3"),
    ],
)  # fmt: skip
def test_errors_name_the_row_the_rule_and_the_value(target, fitted_on, y, message):
    fitted = target()
    fitted.fit(np.array(fitted_on))
    with pytest.raises(ValueError, match=message):
        fitted.encode(np.array(y))


@pytest.mark.parametrize(
    ("target", "y", "classes", "other"),
    [
        (OneClass, ["a", "b"], ["c", "b", "a"], ["a", "b"]),
        (MultiOutput, [[0, 2], [1, 3]], [[0, 1], [2, 3, 4]], [[0, 1], [2, 3]]),
        (MultiOutput, [[0, 2], [1, 3]], [[0, 1], [2, 3]], [[0, 1]]),
        (MultiLabel, [[0, 1], [1, 0]], [0, 1], [0, 1, 2]),
    ],
)
def test_the_classes_of_partial_fit_are_fixed_by_the_first_call(target, y, classes, other):
    fitted = target()
    encoded = fitted.fit(np.array(y), classes=classes)
    np.testing.assert_array_equal(fitted.encode(np.array(y)), encoded)
    fitted.check_classes(classes[::-1] if target is OneClass else classes)
    with pytest.raises(ValueError, match=r"classes must be those of the first call of partial_fit, .* got"):
        fitted.check_classes(other)


@pytest.mark.parametrize("y", [[0, 1], [[0, 1], [1, 0]], [[0, 2], [1, 3]]])
@pytest.mark.parametrize(
    ("classes", "name"), [({0, 1}, "set"), (5, "int"), ("01", "str"), ({0: 1}, "dict"), (iter([0]), "list_iterator")]
)  # fmt: skip
def test_classes_that_are_not_array_like_are_refused(y, classes, name):
    message = f"classes must be array-like, got {name}: pass a list"
    with pytest.raises(TypeError, match=message):
        fit_classes(y, classes)
    with pytest.raises(TypeError, match=message):
        fit_classes(y, None).check_classes(classes)


def test_the_classes_of_each_column_must_be_array_like():
    with pytest.raises(TypeError, match=r"classes\[1\] must be array-like, got set: pass a list"):
        fit_classes([[0, 2], [1, 3]], [[0, 1], {2, 3}])
    fitted = fit_classes([[0, 2], [1, 3]], [range(2), pd.array([2, 3], dtype="Int64")])
    assert [known.tolist() for known in fitted.classes] == [[0, 1], [2, 3]]  # the control


def fit_classes(y, classes):
    """Return the fitted target of y if the user has named the classes."""
    read, target = read_classes(np.array(y), classes)
    fitted = target()
    fitted.fit(read, classes=classes)
    return fitted


NULLABLE = {"Int64": "int64", "UInt8": "uint8", "boolean": "bool", "Float64": "float64"}


@pytest.mark.parametrize(("nullable", "numpy_type"), NULLABLE.items())
@pytest.mark.parametrize("n_columns", [None, 2])
def test_nullable_classes_of_pandas_are_those_of_numpy(nullable, numpy_type, n_columns):
    y = pd.Series([0, 1, 1, 0]).astype(numpy_type)
    y = y if n_columns is None else pd.DataFrame({"a": y, "b": y[::-1].to_numpy()})
    (read, target), (plain, expected) = read_classes(y.astype(nullable)), read_classes(y)
    assert target is expected
    fitted, control = target(), expected()
    assert fitted.fit(read).tolist() == control.fit(plain).tolist()
    assert fitted.classes.dtype == control.classes.dtype
    with pytest.raises(ValueError, match=r"y\[4(, \d)?\] is missing"):
        read_classes(pd.concat([y.astype(nullable), y.astype(nullable)[:1] * pd.NA]))


def test_nullable_integers_above_2_to_53_are_distinct_classes():
    y = pd.Series([2**62, 2**62 + 1], dtype="Int64")
    read, target = read_classes(y)
    fitted = target()
    assert fitted.fit(read).tolist() == [0, 1]
    assert fitted.accuracy(fitted.classes[::-1], read) == 0.0  # scikit-learn reads y as equal floats
    assert fitted.accuracy(fitted.classes, y) == 1.0  # the control


def test_classes_may_be_absent_from_y():
    fitted = OneClass()
    assert fitted.fit(np.array(["b", "c"]), classes=["c", "a", "b"]).tolist() == [1, 2]
    assert fitted.classes.tolist() == ["a", "b", "c"]
    assert fitted.n_outputs == 3


def test_columns_of_mixed_types_keep_their_types():
    y = np.array([["a", 1, True], ["b", 0, False]], dtype=object)
    fitted = MultiOutput()
    encoded = fitted.fit(y)
    assert [type(value) for value in fitted.labels(encoded)[0].tolist()] == [str, int, bool]
    same = MultiOutput()
    assert same.labels(same.fit(np.array([[0, 2], [1, 3]]))).dtype == np.int64  # the control


def test_a_batch_of_zeros_and_ones_continues_a_fit_on_several_columns(words_counted):
    X, counts = words_counted
    y, part = np.minimum(counts[:, :2], 2), np.array([[0, 1], [1, 0]])
    assert read_classes(part)[1] is MultiLabel  # the control: two rows alone look like labels
    expected = classifier(max_epochs=1).partial_fit(X, y).partial_fit(X[:2], part.astype(float))
    clf = classifier(max_epochs=1).partial_fit(X, y).partial_fit(X[:2], part)
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    checked = classifier(max_epochs=1).fit(X, y, X_val=X[:2], y_val=part)
    assert np.isfinite(checked.history_.valid_loss).all()
    with pytest.raises(ValueError, match=r"y must hold columns of classes per sample, .* got one class"):
        clf.partial_fit(X[:2], part[:, 0])


def test_classes_that_are_neither_zero_nor_one_make_columns_of_classes(words_counted):
    X, counts = words_counted
    y = np.minimum(counts[:, :2], 1)
    clf = classifier().partial_fit(X, y, classes=[[0, 1, 2], [0, 1]])
    assert [known.tolist() for known in clf.classes_] == [[0, 1, 2], [0, 1]]
    assert clf.partial_fit(X[:1], [[2, 0]]).n_iter_ == 2
    for classes in (None, [0, 1], [[0, 1], [0, 1]]):  # the control: nothing contradicts labels
        assert classifier().partial_fit(X, y, classes=classes).classes_.tolist() == [0, 1]


@pytest.fixture(scope="module")
def columns_of_two_types():
    X = np.random.RandomState(0).randn(30, 3)
    y = pd.DataFrame({"number": np.arange(30) % 3, "text": np.array(["no", "yes"])[(X[:, 0] > 0) * 1]})
    return X, y, quick(RNNClassifier, max_epochs=5).fit(X, y)


def test_score_reads_y_as_fit_does(columns_of_two_types):
    X, y, clf = columns_of_two_types
    is_right = (clf.predict(X) == y.to_numpy()).all(axis=1)
    assert 0 < is_right.mean() < 1
    for same in (y, y.to_numpy(), y.to_numpy().tolist(), [tuple(row) for row in y.itertuples(index=False)]):
        assert clf.score(X, same) == is_right.mean()
        assert [c.tolist() for c in clone(clf).fit(X, same).classes_] == [[0, 1, 2], ["no", "yes"]]
    assert clf.score(X, y.astype(str)) == 0.0  # the control: other labels
    for column in (y["number"], y["text"]):
        one = quick(RNNClassifier, max_epochs=5).fit(X, column)
        expected = np.mean(one.predict(X) == column)
        for same in (
            column.astype(object),
            column.to_numpy(dtype=object),
            column.tolist(),
            column.to_frame(),
        ):
            assert one.score(X, same) == pytest.approx(expected)


def test_score_refuses_a_y_that_fit_would_refuse(columns_of_two_types):
    X, y, clf = columns_of_two_types
    numbers = np.stack([y.number, y.number], axis=1)
    labels = quick(RNNClassifier).fit(X, numbers > 1)
    columns = quick(RNNClassifier).fit(X, numbers)
    cases = [
        (columns, numbers[:1], "y must have one entry per sample of X, got 1 for 30 samples"),
        (columns, numbers[:-1], "y must have one entry per sample of X, got 29 for 30 samples"),
        (columns, numbers[:, :1], "y must hold columns of classes per sample, as in the first fit, got one"),
        (columns, numbers[:, [0, 1, 1]], "y must have 2 columns, got 3"),
        (labels, (numbers > 1)[:, [0, 1, 1]], "y must have 2 columns, got 3"),
        (clf, y.number, "y must hold columns of classes per sample, as in the first fit, got one class"),
        (clf, y.where(y.number > 0), r"y\[0, 0\] is missing"),
    ]
    for estimator, wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            estimator.score(X, wrong)
    assert columns.score(X[:1], numbers[:1]) in (0.0, 1.0)  # the control


@pytest.mark.parametrize("y", [["a", 1, "b"], ["a", True, "b"]])
def test_lists_of_texts_and_numbers_are_refused(y):
    with pytest.raises(ValueError, match=r"y must hold str or numbers, not both, got .* in y\[1\]"):
        read_classes(y)
    with pytest.raises(ValueError, match=r"y\[1\] is missing"):
        read_classes(["a", np.nan, "b"])
    assert read_classes(["a", "1", "b"])[0].dtype.kind == "U"  # the control


def test_the_classes_of_labels_may_be_0_and_1_for_each(words_counted):
    X, counts = words_counted
    y = np.minimum(counts, 1)
    for classes in ([[0, 1]] * 3, [0, 1, 2]):
        clf = classifier().partial_fit(X, y, classes=classes)
        assert clf.partial_fit(X, y, classes=classes).n_iter_ == 2
        for wrong in ([[0, 1]] * 2, [[0]] * 3, [0, 1]):
            with pytest.raises(
                ValueError, match=r"classes must be those of the first call .*\[0, 1, 2\], got"
            ):
                clf.partial_fit(X, y, classes=wrong)


@pytest.mark.parametrize("classes", [[], [[0, 1], []]])
def test_empty_classes_are_refused(words_counted, classes):
    X, counts = words_counted
    y = counts[:, 0] if not classes else counts[:, :2]
    with pytest.raises(ValueError, match=r"classes(\[1\])? must hold at least one class, got \[\]"):
        classifier().partial_fit(X, y, classes=classes)
    classes = [0, 1, 2, 3] if not classes else [[0, 1, 2, 3]] * 2  # the control
    assert classifier().partial_fit(X, y, classes=classes).n_iter_ == 1
