"""States of the transformers before a net as values of JSON, and the transformers rebuilt from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sklearn_tree.preprocessing import SequenceVectorizer, TreeParser, TreeVectorizer
from sklearn_tree.preprocessing.tree_parser import TEXT_FORMATS
from sklearn_tree.serve.checks import COLUMN_CHECKS, Check, check_record, has_fields, is_one_of, is_vocabulary

STEPS: dict[str, type[Any]] = {cls.__name__: cls for cls in (SequenceVectorizer, TreeParser, TreeVectorizer)}
VOCABULARIES = ("vocabulary_", "edge_vocabulary_")
COLUMNS = ("n_features_in_", "feature_names_in_")
# Parameters that name models or concern the run only get their default values.
DEFAULT_PARAMS = ("model", "n_process", "verbose")


def restore_step(state: Any) -> Any:
    """Rebuild a fitted transformer.

    Parameters
    ----------
    state : dict
        Fields ``name``, ``params``, ``vocabularies`` and ``columns``.

    Raises
    ------
    ValueError
        If a value is invalid.
    """
    fields: dict[str, Check] = {"name": is_one_of(STEPS.keys()), "params": _check_params}
    fields |= {
        "vocabularies": lambda value, name: _check_optional(
            value, name, dict.fromkeys(VOCABULARIES, is_vocabulary)
        ),
        "columns": has_fields(COLUMN_CHECKS),
    }
    check_record(state, "step", fields)
    cls, params = STEPS[state["name"]], state["params"]
    known = set(cls._get_param_names()) - set(DEFAULT_PARAMS)
    if params.keys() != known:
        raise ValueError(f"step.params must have the fields {sorted(known)}, got {sorted(params)!r:.60}")
    if cls is TreeParser:
        is_one_of(TEXT_FORMATS - {"spacy"})(params["format"], "step.params.format")
    step = cls(**params)
    step._validate_params()
    for name, words in state["vocabularies"].items():
        setattr(step, name, {word: i for i, word in enumerate(words)})
    if state["columns"]["n_columns"] is not None:
        step.n_features_in_ = state["columns"]["n_columns"]
    if state["columns"]["names"] is not None:
        step.feature_names_in_ = np.array(state["columns"]["names"], dtype=object)
    return step


def _check_params(value: Any, name: str) -> None:
    if not isinstance(value, dict) or any(isinstance(item, (dict, list)) for item in value.values()):
        raise ValueError(f"{name} must be a dict of str, numbers, bools and None, got {value!r:.60}")


def _check_optional(value: Any, name: str, fields: dict[str, Check]) -> None:
    """Check that a value is a dict with some of the fields."""
    if not isinstance(value, dict) or value.keys() - fields.keys():
        raise ValueError(f"{name} must have some of the fields {sorted(fields)}, got {value!r:.60}")
    for field in value:
        fields[field](value[field], f"{name}.{field}")
