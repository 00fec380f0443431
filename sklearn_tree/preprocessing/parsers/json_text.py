"""JSON texts, nested as deeply as they like."""

from __future__ import annotations

import json
import re
from json import JSONDecodeError
from typing import Any

from sklearn_tree.trees.formats import FlatTree, Part, flatten, read_json

_BLANKS = re.compile(r"[ \t\n\r]*")


def parse_json(text: str) -> FlatTree:
    """Read one JSON value; of members with one key the last counts."""
    return flatten(Part(loads(text), read_json))


def loads(text: str) -> Any:
    """Do what ``json.loads`` does, but at any depth, and without NaN and infinity."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return loads_deep(text)


def loads_deep(text: str) -> Any:
    """Do the same without recursion, ten times as slowly.

    Parameters
    ----------
    text : str
        One JSON value.

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    json.JSONDecodeError
        With the messages of ``json.loads``.
    """
    scan = json.JSONDecoder(parse_constant=_refuse_constant).scan_once  # type: ignore[attr-defined]
    top: list = []
    open_boxes: list[Any] = [top]
    keys = [""]  # of the member that each open box waits for
    at = _skip(text, 0)
    while True:
        begins_box = text[at : at + 1] in ("{", "[")
        if begins_box:
            value: Any = {} if text[at] == "{" else []
            at = _skip(text, at + 1)
        else:
            value, at = _scan_atom(scan, text, at)
        box = open_boxes[-1]
        if type(box) is dict:
            box[keys[-1]] = value
        else:
            box.append(value)
        if begins_box and text[at : at + 1] != _end_of(value):
            open_boxes.append(value)
            keys.append("")
        elif begins_box:
            at = _skip(text, at + 1)
            at, goes_on = _close(text, at, open_boxes, keys)
            if not goes_on:
                return top[0]
        else:
            at, goes_on = _close(text, _skip(text, at), open_boxes, keys)
            if not goes_on:
                return top[0]
        if type(open_boxes[-1]) is dict:
            keys[-1], at = _scan_key(text, at)


def _close(text: str, at: int, open_boxes: list, keys: list) -> tuple[int, bool]:
    """Close what closes behind a value; the next value follows a comma, or nothing."""
    while len(open_boxes) > 1:
        sign = text[at : at + 1]
        if sign == ",":
            return _skip(text, at + 1), True
        if sign != _end_of(open_boxes[-1]):
            raise JSONDecodeError("Expecting ',' delimiter", text, at)
        open_boxes.pop()
        keys.pop()
        at = _skip(text, at + 1)
    if at < len(text):
        raise JSONDecodeError("Extra data", text, at)
    return at, False


def _scan_atom(scan: Any, text: str, at: int) -> tuple[Any, int]:
    try:
        return scan(text, at)
    except StopIteration as stop:
        raise JSONDecodeError("Expecting value", text, stop.value) from None


def _scan_key(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    key, at = json.decoder.scanstring(text, at + 1, True)  # type: ignore[attr-defined]
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise JSONDecodeError("Expecting ':' delimiter", text, at)
    return key, _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    return _BLANKS.match(text, at).end()  # type: ignore[union-attr]


def _end_of(box: Any) -> str:
    return "}" if type(box) is dict else "]"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"a number in JSON must be finite, got {name}")
