"""Checks of values that are read from a file."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable, Collection
from typing import Any

Check = Callable[[Any, str], None]

MAX_COLUMNS = 2**24
_MAX_NUMBER = sys.float_info.max


def check_record(value: Any, name: str, fields: dict[str, Check]) -> None:
    """Check that a value is a dict with exactly some fields.

    Parameters
    ----------
    value : any
        Value.
    name : str
        Name of the value, for error messages.
    fields : dict of str to callable
        Check of each field, ``check(value, name)``.

    Raises
    ------
    ValueError
        If the value or a field is invalid.
    """
    if not isinstance(value, dict) or value.keys() != fields.keys():
        raise ValueError(f"{name} must have the fields {sorted(fields)}, got {_show(value)}")
    for field, check in fields.items():
        check(value[field], f"{name}.{field}")


def is_one_of(choices: Collection[Any]) -> Check:
    """Return a check that a value is one of some values of its type."""

    def check(value: Any, name: str) -> None:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise ValueError(f"{name} must be one of {sorted(choices, key=str)}, got {_show(value)}")

    return check


def is_int(low: int, high: int = 2**31) -> Check:
    """Return a check that a value is an int in ``[low, high)``."""

    def check(value: Any, name: str) -> None:
        if type(value) is not int or not low <= value < high:
            raise ValueError(f"{name} must be an int in [{low}, {high}), got {_show(value)}")

    return check


def is_list_of(check_item: Check, n: int | None = None) -> Check:
    """Return a check that a value is a list of ``n`` valid items; None for any number."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, list) or n not in (None, len(value)):
            raise ValueError(f"{name} must be a list of {n or 'any'} items, got {_show(value)}")
        for i, item in enumerate(value):
            check_item(item, f"{name}[{i}]")

    return check


def or_none(check_value: Check) -> Check:
    """Return a check that a value is None or valid."""

    def check(value: Any, name: str) -> None:
        if value is not None:
            check_value(value, name)

    return check


def has_fields(fields: dict[str, Check]) -> Check:
    """Return a check that a value is a dict with exactly some fields."""
    return lambda value, name: check_record(value, name, fields)


def is_str(value: Any, name: str) -> None:
    """Check that a value is a str."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a str, got {_show(value)}")


def is_bool(value: Any, name: str) -> None:
    """Check that a value is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, got {_show(value)}")


def is_finite(value: Any, name: str) -> None:
    """Check that a value is a finite number."""
    if type(value) not in (int, float) or not -_MAX_NUMBER <= value <= _MAX_NUMBER:
        raise ValueError(f"{name} must be a finite number, got {_show(value)}")


def is_positive(value: Any, name: str) -> None:
    """Check that a value is a finite number > 0."""
    is_finite(value, name)
    if value <= 0:
        raise ValueError(f"{name} must be > 0, got {_show(value)}")


def is_vocabulary(value: Any, name: str) -> None:
    """Check that a value is a list of distinct str, of which the first two are reserved."""
    is_list_of(is_str)(value, name)
    if len(value) < 2 or len(set(value)) < len(value):
        raise ValueError(f"{name} must hold at least two str, all different")


def accept_any(value: Any, name: str) -> None:
    """Accept a value that is checked when it is used."""


def _show(value: Any) -> str:
    return f"{reprlib.repr(value):.60}"  # of limited depth


# Number and names of the columns of X.
COLUMN_CHECKS: dict[str, Check] = {
    "n_columns": or_none(is_int(1, MAX_COLUMNS)),
    "names": or_none(is_list_of(is_str)),
}
