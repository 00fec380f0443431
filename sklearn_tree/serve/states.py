"""States of kinds and targets as values of JSON, and the objects rebuilt from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree import kinds
from sklearn_tree.decoding import (
    ClassDecoder,
    MultiLabelDecoder,
    MultiOutputDecoder,
    NumbersDecoder,
    OneClassDecoder,
)
from sklearn_tree.serve.checks import (
    COLUMN_CHECKS,
    MAX_COLUMNS,
    Check,
    accept_any,
    check_record,
    has_fields,
    is_bool,
    is_finite,
    is_int,
    is_list_of,
    is_one_of,
    is_positive,
    is_str,
    is_vocabulary,
    or_none,
)

# Kinds.

KIND_CLASSES: dict[str, type[kinds.Kind]] = {
    cls.__name__: cls
    for cls in (
        kinds.Images,
        kinds.Pairs,
        kinds.Series,
        kinds.StarTable,
        kinds.Table,
        kinds.Tokens,
        kinds.Trees,
    )
}

# Kinds that the estimators read, by the beginnings of their names.
FAMILIES: dict[str, tuple[type[kinds.Kind], ...]] = {
    "CNN": (kinds.Pairs, kinds.Tokens, kinds.Series, kinds.Table, kinds.Images),
    "RNN": (kinds.Pairs, kinds.Tokens, kinds.Series, kinds.Table),
    "RecursiveNet": (kinds.Pairs, kinds.Trees, kinds.StarTable),
}


def _check_pairs(value: Any, name: str) -> None:
    items = {
        cls.name: KIND_CHECKS[cls.__name__] for cls in (kinds.Images, kinds.Series, kinds.Tokens, kinds.Trees)
    }
    fields = {"item_kind": is_one_of(items.keys()), "items": accept_any, **COLUMN_CHECKS}
    check_record(value, name, fields)
    items[value["item_kind"]](value["items"], f"{name}.items")


def _check_trees(value: Any, name: str) -> None:
    fields = {"labels": _LABELS, "edge_labels": _LABELS, "is_open": is_bool, "is_binary": is_bool}
    check_record(value, name, {**fields, **COLUMN_CHECKS})
    if (value["labels"] is None) != (value["edge_labels"] is None):
        raise ValueError(f"{name} must have labels and edge_labels, or neither")


_CHANNELS: dict[str, Check] = {
    "n_channels": is_int(1, MAX_COLUMNS),
    "channels": is_one_of({"first", "last"}),
}
_LABELS = or_none(is_vocabulary)
_TABLE = has_fields({"n_columns": is_int(1, MAX_COLUMNS), "names": COLUMN_CHECKS["names"]})
KIND_CHECKS: dict[str, Check] = {
    "Images": has_fields({**_CHANNELS, "range": is_list_of(is_finite, 2)}),
    "Pairs": _check_pairs,
    "Series": has_fields(_CHANNELS),
    "StarTable": _TABLE,
    "Table": _TABLE,
    "Tokens": has_fields({"tokens": _LABELS, "is_open": is_bool, **COLUMN_CHECKS}),
    "Trees": _check_trees,
}


def restore_kind(state: dict[str, Any], reader: str) -> kinds.Kind:
    """Rebuild a kind from its checked state."""
    kind = KIND_CLASSES[state["name"]].from_state(state["state"], reader)
    family = next((name for name in FAMILIES if reader.startswith(name)), None)
    candidates = FAMILIES.get(family or "", ())
    kind.candidates = candidates
    if kind.item_kind is not None:
        kind.item_kind.candidates = candidates
    return kind


# Targets.

_MAX_CLASSES_SIZE = 10**6  # characters
_ITEMS: dict[str, Check] = {
    "bool": is_bool,
    "str": is_str,
    "object": is_str,
    **dict.fromkeys(("float16", "float32", "float64"), is_finite),
    **{f"int{n}": is_int(-(2 ** (n - 1)), 2 ** (n - 1)) for n in (8, 16, 32, 64)},
    **{f"uint{n}": is_int(0, 2**n) for n in (8, 16, 32, 64)},
}
_DECODERS: dict[str, type[Any]] = {
    decoder.name: decoder
    for decoder in (OneClassDecoder, MultiLabelDecoder, MultiOutputDecoder, NumbersDecoder)
}


def encode_classes(classes: np.ndarray) -> dict[str, Any]:
    """Return classes as values of JSON.

    Parameters
    ----------
    classes : ndarray, shape (n_classes,)
        Classes of type str, bool, int or float.

    Raises
    ------
    ValueError
        If the classes are of another type.
    """
    dtype = "str" if classes.dtype.kind == "U" else classes.dtype.name
    values = [str(value) if isinstance(value, np.str_) else value for value in classes.tolist()]
    if dtype not in _ITEMS or (dtype == "object" and not all(type(value) is str for value in values)):
        raise ValueError(f"classes must be of type str, bool, int or float, got {classes.dtype}")
    return {"dtype": dtype, "values": values}


def _decode_classes(state: Any, name: str) -> np.ndarray:
    check_record(state, name, {"dtype": is_one_of(_ITEMS.keys()), "values": is_list_of(accept_any)})
    is_list_of(_ITEMS[state["dtype"]])(state["values"], f"{name}.values")
    if not state["values"]:
        raise ValueError(f"{name} must hold at least one class")
    if state["dtype"] == "str":  # numpy gives all classes the length of the longest
        lengths = list(map(len, state["values"]))
        if len(lengths) * max(lengths) > 2 * sum(lengths) + _MAX_CLASSES_SIZE:
            raise ValueError(
                f"{name} must not hold a class of {max(lengths)} characters among {len(lengths)}"
            )
    return np.array(state["values"], dtype=state["dtype"])


def decode_target(state: Any) -> Any:
    """Rebuild the decoder of a target.

    Parameters
    ----------
    state : dict
        Fields ``name``; for classifiers ``classes``, a list with the return value of :func:`encode_classes`
        for each column, and ``temperatures``; for regressors ``mean``, ``scale`` and ``n_columns``.

    Raises
    ------
    ValueError
        If a value is invalid.
    """
    name: Any = state.get("name") if isinstance(state, dict) else None
    is_one_of(_DECODERS.keys())(name, "target.name")
    decoder = _DECODERS[name]()
    restore = _restore_numbers if isinstance(decoder, NumbersDecoder) else _restore_classes
    restore(decoder, state)
    return decoder


def _restore_numbers(decoder: NumbersDecoder, state: Any) -> None:
    fields: dict[str, Check] = {"mean": is_list_of(is_finite), "scale": is_list_of(is_positive)}
    fields |= {"name": is_str, "n_columns": or_none(is_int(1, MAX_COLUMNS))}
    check_record(state, "target", fields)
    decoder.n_columns = state["n_columns"]
    for field in ("mean", "scale"):
        is_list_of(accept_any, decoder.n_outputs)(state[field], f"target.{field}")
        setattr(decoder, field, np.array(state[field], dtype=np.float64))


def _restore_classes(decoder: ClassDecoder, state: Any) -> None:
    is_single = not isinstance(decoder, MultiOutputDecoder)
    columns_check = is_list_of(accept_any, 1 if is_single else None)
    fields: dict[str, Check] = {"classes": columns_check, "temperatures": or_none(is_list_of(is_positive))}
    check_record(state, "target", {**fields, "name": is_str})
    columns = [_decode_classes(column, f"target.classes[{i}]") for i, column in enumerate(state["classes"])]
    decoder.classes = columns[0] if is_single else columns
    decoder.n_classes = len(columns[0]) if is_single else list(map(len, columns))
    if state["temperatures"] is not None:
        is_list_of(accept_any, len(decoder.head_sizes))(state["temperatures"], "target.temperatures")
        decoder.temperatures = np.array(state["temperatures"], dtype=np.float64)
