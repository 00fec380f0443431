"""Validation helpers of scikit-learn, private ones included; no other file imports those."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import _safe_indexing
from sklearn.utils._indexing import _get_column_indices
from sklearn.utils._param_validation import (
    HasMethods,
    Hidden,
    Options,
    RealNotInt,
    StrOptions,
)
from sklearn.utils._param_validation import (
    Interval as _Interval,
)
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_n_features,
    _check_sample_weight,
    check_array,
    check_is_fitted,
    validate_data,
)

__all__ = [
    "NON_NEGATIVE",
    "POSITIVE",
    "POSITIVE_INT",
    "RANDOM_STATE",
    "SHARE",
    "HasMethods",
    "Hidden",
    "Integral",
    "Interval",
    "Options",
    "Real",
    "RealNotInt",
    "StrOptions",
    "SubclassOf",
    "check_arguments",
    "check_columns",
    "check_feature_names_in",
    "check_n_features",
    "check_sample_weight",
    "check_table",
    "get_column_indices",
    "is_fitted",
    "renamed_in_errors",
    "safe_indexing",
    "validate_data",
]


_Method = TypeVar("_Method", bound=Callable[..., Any])


class Interval(_Interval):
    """Constraint satisfied by the numbers in an interval; True and False are not numbers."""

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether a value is a number in the interval."""
        return not isinstance(val, bool) and super().is_satisfied_by(val)


class SubclassOf(HasMethods):
    """Constraint satisfied by a class and its subclasses."""

    def __init__(self, parent: type) -> None:
        super().__init__("mro")
        self.parent = parent

    def is_satisfied_by(self, val: Any) -> bool:
        """Return whether a value is a subclass."""
        return isinstance(val, type) and issubclass(val, self.parent)

    def __str__(self) -> str:
        return f"a subclass of {self.parent.__qualname__}"


POSITIVE_INT = Interval(Integral, 1, None, closed="left")
POSITIVE = Interval(Real, 0.0, None, closed="neither")
NON_NEGATIVE = Interval(Real, 0.0, None, closed="left")
SHARE = Interval(Real, 0.0, 1.0, closed="left")
# scikit-learn's "random_state" also accepts True and False.
RANDOM_STATE = [Interval(Integral, 0, 2**32 - 1, closed="both"), np.random.RandomState, None]

check_feature_names_in = _check_feature_names_in
check_n_features = _check_n_features
check_sample_weight = _check_sample_weight
safe_indexing = _safe_indexing
get_column_indices = _get_column_indices


def is_fitted(estimator: Any) -> bool:
    """Return whether scikit-learn considers an estimator fitted."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def check_arguments(method: _Method) -> _Method:
    """Make the errors of missing and unknown arguments name the class of the estimator.

    Python's own errors name the base class that defines the method.
    """
    signature = inspect.signature(method)

    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}.{method.__name__}() {error}") from None
        return method(self, *args, **kwargs)

    return checked  # type: ignore[return-value]


@cache
def _stand_in_class(name: str) -> type[BaseEstimator]:
    """Return a class of estimators with a name that scikit-learn quotes in its messages."""
    return type(name, (BaseEstimator,), {})


COLUMN_ATTRIBUTES = ("n_features_in_", "feature_names_in_")


def check_columns(
    X: Any, owner: Any, *, reader: str, reset: bool, skip_check_array: bool = True, **params: Any
) -> Any:
    """Check the number and names of the columns of X, and return X.

    Parameters
    ----------
    X : array or DataFrame, shape (n_samples, n_features)
        The columns.
    owner, reader, reset
        See :func:`check_table`.
    skip_check_array : bool, default=True
        Whether to check the columns only, not the entries.
    **params : dict
        Parameters of scikit-learn's ``validate_data``.

    Raises
    ------
    ValueError
        If X has other columns than in ``fit``.
    """
    stand_in = _stand_in_class(reader)()
    if not reset:
        vars(stand_in).update({k: vars(owner)[k] for k in COLUMN_ATTRIBUTES if k in vars(owner)})
    checked = validate_data(stand_in, X, reset=reset, skip_check_array=skip_check_array, **params)
    for name in COLUMN_ATTRIBUTES if reset else ():
        vars(owner).pop(name, None)
        if name in vars(stand_in):
            setattr(owner, name, getattr(stand_in, name))
    return checked


def check_table(X: Any, owner: Any, *, reader: str, reset: bool) -> np.ndarray:
    """Check a table of floats and its columns.

    Parameters
    ----------
    X : array-like or DataFrame, shape (n_samples, n_features)
        The table.
    owner : object
        Holds ``n_features_in_`` and, for tables with string column names, ``feature_names_in_``. Both
        are set if ``reset`` and compared with the table otherwise.
    reader : str
        Class name of the estimator that reads the table, for error messages.
    reset : bool
        Whether this is the table that the estimator is fitted on.

    Returns
    -------
    ndarray of float64 or float32, shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If the table is not 2-D, holds missing or infinite values (the message gives the row) or has other
        columns than in ``fit``.
    """
    dtypes = [np.float64, np.float32]
    try:
        return check_columns(
            X, owner, reader=reader, reset=reset, skip_check_array=False, dtype=dtypes, order="C"
        )
    except ValueError as error:
        if (entry := _find_invalid(X)) is None:
            raise
        raise ValueError(f"{entry}: {error}") from error


@contextmanager
def renamed_in_errors(names: dict[str, str]) -> Iterator[None]:
    """Replace the name of the argument with which the message of a ValueError or TypeError begins.

    Parameters
    ----------
    names : dict of str to str
        Names of the arguments in the user's call, by the names in the messages.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        begin = re.match(rf"(Input )?({'|'.join(names)})\b", str(error))
        if begin is not None and error.args == (str(error),):
            error.args = (f"{begin[1] or ''}{names[begin[2]]}{str(error)[begin.end() :]}",)
        raise


def _find_invalid(X: Any) -> str | None:
    """Describe the first entry of a table that is not finite or of type bytes; None if there is none."""
    try:
        table = check_array(X, dtype=[np.float64, np.float32], ensure_all_finite=False)
    except (TypeError, ValueError):
        return _find_bytes(X)
    for row, column in np.argwhere(~np.isfinite(table))[:1]:
        return f"X[{row}] must hold finite numbers, got {table[row, column]} in column {column}"
    return None


def _find_bytes(X: Any) -> str | None:
    try:
        entries = np.asarray(X, dtype=object)
    except ValueError:  # rows of unequal length
        return None
    rows = (i[0] for i, entry in np.ndenumerate(entries) if isinstance(entry, bytes))
    return next((f"X[{row}] must be a str or hold numbers, got bytes, so decode it" for row in rows), None)
