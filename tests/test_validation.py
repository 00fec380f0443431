"""Laws of validation: errors and column names equal those of scikit-learn's own estimators."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from samples import ESTIMATORS
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.utils.validation import validate_data

from sklearn_tree import CaptumExplainer, SequenceVectorizer, ToDevice, TreeParser, TreeVectorizer
from sklearn_tree.validation import (
    NON_NEGATIVE,
    POSITIVE,
    POSITIVE_INT,
    SHARE,
    Interval,
    SubclassOf,
    check_arguments,
    check_columns,
    check_table,
    is_fitted,
    renamed_in_errors,
)

TABLE = np.arange(6.0).reshape(3, 2)
FRAME = pd.DataFrame(TABLE, columns=["a", "b"])


class Reader(BaseEstimator):
    """An estimator whose errors are scikit-learn's own."""


def check(X, owner=None, reader="Reader"):
    """Check a table, as in fit without an owner and as in predict with one."""
    holder = SimpleNamespace() if owner is None else owner
    return check_table(X, holder, reader=reader, reset=owner is None), holder


def sklearn_error(X, fitted_on=None):
    """Return the error of scikit-learn's own validation of X."""
    estimator = Reader()
    dtype = [np.float64, np.float32]
    if fitted_on is not None:
        validate_data(estimator, fitted_on, dtype=dtype)
    with pytest.raises(ValueError, match=r"\w") as caught:
        validate_data(estimator, X, dtype=dtype, reset=fitted_on is None)
    return str(caught.value)


@pytest.mark.parametrize(
    "X",
    [
        np.zeros(3),
        np.zeros((0, 2)),
        np.zeros((3, 0)),
        np.zeros((3, 2, 2)),
        np.array([["a", "b"]]),
        np.zeros((3, 2), dtype=complex),
        [[1.0, 2.0], [3.0]],
        pd.DataFrame([[1, 2]], columns=["a", 1]),
    ],
    ids=lambda X: f"{type(X).__name__}-{np.shape(np.asarray(X, dtype=object))}",
)
def test_invalid_tables_give_the_errors_of_scikit_learn(X):
    kind = TypeError if isinstance(X, pd.DataFrame) else ValueError
    with pytest.raises(kind) as ours:
        check(X)
    with pytest.raises(kind) as theirs:
        validate_data(Reader(), X, dtype=[np.float64, np.float32])
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("fitted_on", "X"),
    [
        (TABLE, np.zeros((3, 3))),
        (FRAME, FRAME.assign(c=1.0)),
        (FRAME, FRAME.rename(columns={"b": "c"})),
        (FRAME, FRAME[["b", "a"]]),
    ],
)
def test_other_columns_than_in_fit_give_the_errors_of_scikit_learn(fitted_on, X):
    _, owner = check(fitted_on)
    with pytest.raises(ValueError, match=r"feature names|3 features, but Reader is expecting 2") as ours:
        check(X, owner)
    assert str(ours.value) == sklearn_error(X, fitted_on)


@pytest.mark.parametrize(("fitted_on", "X"), [(TABLE, FRAME), (FRAME, TABLE)])
def test_missing_names_give_the_warning_of_scikit_learn(fitted_on, X):
    _, owner = check(fitted_on)
    with pytest.warns(UserWarning, match="X .* feature names, but Reader was fitted with"):
        check(X, owner)


def test_errors_name_the_reader():
    _, owner = check(TABLE)
    with pytest.raises(ValueError, match="X has 3 features, but RNNClassifier is expecting 2 features"):
        check(np.zeros((3, 3)), owner, "RNNClassifier")


@pytest.mark.parametrize(
    ("X", "names"),
    [
        (TABLE, None),
        (FRAME, ["a", "b"]),
        (pl.DataFrame(FRAME.to_dict("list")), ["a", "b"]),
        (pd.DataFrame(TABLE), None),
    ],
)
def test_the_owner_receives_the_columns_that_scikit_learn_finds(X, names):
    checked, owner = check(X)
    np.testing.assert_array_equal(checked, TABLE)
    theirs = LinearRegression().fit(X, [0, 1, 2])
    assert owner.n_features_in_ == theirs.n_features_in_ == 2
    assert vars(owner).get("feature_names_in_", pd.Series()).tolist() == (names or [])
    assert hasattr(theirs, "feature_names_in_") == (names is not None)


def test_a_second_fit_replaces_the_names_and_a_prediction_keeps_them():
    _, owner = check(FRAME)
    check(FRAME, owner)
    assert owner.feature_names_in_.tolist() == ["a", "b"]
    check_table(np.zeros((1, 5)), owner, reader="Reader", reset=True)
    assert vars(owner) == {"n_features_in_": 5}


@pytest.mark.parametrize(("dtype", "expected"), [("f4", "f4"), ("f8", "f8"), ("i8", "f8"), ("?", "f8")])
def test_floats_keep_their_precision_and_other_numbers_become_doubles(dtype, expected):
    assert check(TABLE.astype(dtype))[0].dtype == np.dtype(expected)


def test_is_fitted_agrees_with_scikit_learn():
    assert not is_fitted(LinearRegression())
    assert is_fitted(LinearRegression().fit(TABLE, [0, 1, 2]))


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        (POSITIVE_INT, [1, np.int64(7)], [0, -1, 1.0, "1"]),
        (POSITIVE, [1e-9, 3], [0, -1.0, np.nan]),
        (NON_NEGATIVE, [0, 0.5], [-1e-9, np.nan]),
        (SHARE, [0, 0.999], [1, 1.0, -0.1]),
    ],
)
def test_intervals_have_the_documented_bounds(interval, inside, outside):
    assert all(map(interval.is_satisfied_by, inside))
    assert not any(map(interval.is_satisfied_by, outside))


PUBLIC = [*ESTIMATORS, CaptumExplainer, SequenceVectorizer, ToDevice, TreeParser, TreeVectorizer]
REQUIRED = {CaptumExplainer: {"estimator": LinearRegression()}, TreeParser: {"format": "json"}}
NUMBERS = [
    (cls, name)
    for cls in PUBLIC
    for name, constraints in cls._parameter_constraints.items()
    if any(isinstance(constraint, Interval) for constraint in constraints)
]


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
def test_booleans_are_refused_as_numbers(cls, name):
    for value in (True, False, np.True_, np.False_):
        estimator = cls(**REQUIRED.get(cls, {}), **{name: value})
        with pytest.raises(
            ValueError, match=rf"'{name}' parameter of {cls.__name__} must be .* Got .*{value}"
        ):
            estimator._validate_params()
    cls(**REQUIRED.get(cls, {}))._validate_params()  # the control


def test_every_parameter_that_defaults_to_a_number_or_a_seed_is_checked():
    checked = {cls: {name for other, name in NUMBERS if other is cls} for cls in PUBLIC}
    for cls in PUBLIC:
        defaults = cls(**REQUIRED.get(cls, {})).get_params(deep=False)
        numbers = {name for name, value in defaults.items() if type(value) in (int, float)} - {"verbose"}
        assert numbers | ({"random_state"} & set(defaults)) <= checked[cls]
    assert len(NUMBERS) > 80


def test_integers_of_numpy_are_numbers():
    assert POSITIVE_INT.is_satisfied_by(np.int8(1))
    assert not POSITIVE_INT.is_satisfied_by(np.True_)


def test_a_subclass_satisfies_the_constraint_of_its_parent():
    constraint = SubclassOf(BaseEstimator)
    assert constraint.is_satisfied_by(Reader)
    assert constraint.is_satisfied_by(BaseEstimator)
    assert not any(map(constraint.is_satisfied_by, [Reader(), int, "Reader", lambda: Reader, None]))
    assert str(constraint) == "a subclass of BaseEstimator"


class Base:
    @check_arguments
    def add(self, x, *, y=0):
        return x + y


class Derived(Base):
    """A class whose name the errors give."""


def test_errors_of_missing_arguments_name_the_class_of_the_instance():
    assert Derived().add(1, y=2) == 3
    with pytest.raises(TypeError, match=r"^Derived.add\(\) missing a required argument: 'x'"):
        Derived().add()
    with pytest.raises(TypeError, match=r"^Derived.add\(\) got an unexpected keyword argument 'z'"):
        Derived().add(1, z=2)
    with pytest.raises(TypeError, match="unsupported operand"):  # an error inside the method is unchanged
        Derived().add(1, y=None)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, pl.DataFrame, np.ndarray.tolist])
def test_the_row_and_column_of_a_number_that_is_not_finite_precede_the_error_of_scikit_learn(bad, make):
    X = TABLE.copy()
    X[1, 1] = bad
    with pytest.raises(
        ValueError, match=rf"^X\[1\] must hold finite numbers, got {bad} in column 1: "
    ) as ours:
        check(make(X))
    assert str(ours.value).endswith(sklearn_error(X))
    assert len(check(make(TABLE))[0]) == 3  # the control


def test_the_columns_of_objects_are_checked_as_by_scikit_learn():
    owner = SimpleNamespace()
    column = pd.DataFrame({"text": ["a", "b"]})
    assert check_columns(column, owner, reader="Reader", reset=True) is column
    assert (owner.n_features_in_, owner.feature_names_in_.tolist()) == (1, ["text"])
    for X in (column.rename(columns={"text": "other"}), column.assign(b=1)):
        with pytest.raises(ValueError, match=r"feature names should match|expecting 1 features"):
            check_columns(X, owner, reader="Reader", reset=False)
    assert check_columns(column, owner, reader="Reader", reset=False) is column  # the control


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("X[1] is missing", "X_val[1] is missing"),
        ("y must be 1-D", "y_val must be 1-D"),
        ("Input X contains NaN", "Input X_val contains NaN"),
        ("Xs and y must be lists", "Xs and y must be lists"),
    ],
)
def test_errors_name_the_argument_of_the_call(message, expected):
    match = f"^{re.escape(expected)}$"
    with pytest.raises(ValueError, match=match), renamed_in_errors({"X": "X_val", "y": "y_val"}):
        raise ValueError(message)
    with pytest.raises(UnicodeDecodeError, match="X"), renamed_in_errors({"X": "X_val"}):
        raise UnicodeDecodeError("X", b"", 0, 1, "")  # its message is made of several arguments
