"""Parser of JSON texts of any depth."""

from __future__ import annotations

import json
import re
from functools import partial
from json import JSONDecodeError
from typing import Any

from sklearn_tree.trees.formats import FlatTree, Part, flatten, read_json
from sklearn_tree.trees.formats.excerpt import excerpt
from sklearn_tree.trees.formats.leaves import Splitter, keep_label

_BLANKS = re.compile(r"[ \t\n\r]*")


def parse_json(text: str, split: Splitter = keep_label) -> FlatTree:
    """Parse one JSON value; if a key occurs several times in an object, the last member counts.

    ``split`` splits strings, but not keys.
    """
    try:
        value = loads(text)
    except JSONDecodeError as error:
        raise JSONDecodeError(f"{excerpt(text)} is not JSON: {error.msg}", text, error.pos) from None
    return flatten(Part(value, partial(read_json, split=split)))


def loads(text: str) -> Any:
    """Parse a JSON value as ``json.loads`` does, but at any depth and without NaN and infinity."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        return loads_deep(text)


def loads_deep(text: str) -> Any:
    """Parse a JSON value without recursion, about ten times as slowly as ``json.loads``.

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
        If the text is not valid JSON, with the message of ``json.loads``.
    """
    decoder: Any = json.JSONDecoder(parse_constant=_refuse_constant)
    scan = decoder.scan_once
    top: list = []
    containers: list[Any] = [top]  # the open ones; ``top`` receives the whole value
    keys = [""]  # of the next member of each open container
    at = _skip(text, 0)
    while True:
        value, at, is_open = _scan_value(scan, text, at)
        if type(containers[-1]) is dict:
            containers[-1][keys[-1]] = value
        else:
            containers[-1].append(value)
        if is_open:
            containers.append(value)
            keys.append("")
        else:
            at, is_continued = _close(text, _skip(text, at), containers, keys)
            if not is_continued:
                return top[0]
        if type(containers[-1]) is dict:
            keys[-1], at = _scan_key(scan, text, at)


def _scan_value(scan: Any, text: str, at: int) -> tuple[Any, int, bool]:
    """Scan a value, or the beginning of a container that is not empty.

    Returns
    -------
    value : object
        The value; a container is still empty.
    at : int
        Position of the first item of the container, or one past the value.
    is_open : bool
        Whether items of the container follow.
    """
    begin = text[at : at + 1]
    if begin not in ("{", "["):
        try:
            return *scan(text, at), False
        except StopIteration as stop:
            raise JSONDecodeError("Expecting value", text, stop.value) from None
    value: Any = {} if begin == "{" else []
    at = _skip(text, at + 1)
    is_empty = text[at : at + 1] == _get_end(value)
    return value, at + is_empty, not is_empty


def _close(text: str, at: int, containers: list, keys: list) -> tuple[int, bool]:
    """Close the containers that end after a value.

    Returns
    -------
    at : int
        Position of the next value or key, or the end of the text.
    is_continued : bool
        Whether a value or key follows.
    """
    while len(containers) > 1:
        char = text[at : at + 1]
        if char == ",":
            return _skip(text, at + 1), True
        if char != _get_end(containers[-1]):
            raise JSONDecodeError("Expecting ',' delimiter", text, at)
        containers.pop()
        keys.pop()
        at = _skip(text, at + 1)
    if at < len(text):
        raise JSONDecodeError("Extra data", text, at)
    return at, False


def _scan_key(scan: Any, text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    key, at = scan(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise JSONDecodeError("Expecting ':' delimiter", text, at)
    return key, _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """Return the position of the next character that is not whitespace."""
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _get_end(container: Any) -> str:
    return "}" if type(container) is dict else "]"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"a number in JSON must be finite, got {name}")
