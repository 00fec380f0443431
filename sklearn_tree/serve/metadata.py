"""Metadata of exported nets: the kind of the samples, the target and the steps before the net.

They are JSON in the file of the net, under one key. A digest covers the whole file, so a damaged file is
refused before anything in it is used. All names are looked up in closed tables, and no value is a path or
code.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sklearn_tree.kinds import Kind
from sklearn_tree.serve.checks import accept_any, check_record, is_list_of, is_one_of, is_str
from sklearn_tree.serve.states import KIND_CHECKS, decode_target, restore_kind
from sklearn_tree.serve.steps import restore_step

KEY = "sklearn_tree"
FORMAT = 1
_EMPTY_DIGEST = "0" * 64
_DIGEST = b'"digest": "'


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Metadata of an exported net.

    Attributes
    ----------
    estimator : str
        Class name of the estimator.
    kind : Kind
        Fitted kind of the samples.
    decoder : ClassDecoder or NumbersDecoder
        Decoder of the outputs.
    steps : tuple of transformers
        Fitted transformers before the net.
    """

    estimator: str
    kind: Kind
    decoder: Any
    steps: tuple[Any, ...]


def write_metadata(state: dict[str, Any]) -> str:
    """Return metadata as JSON with an empty digest.

    Parameters
    ----------
    state : dict
        Values of ``version``, ``estimator``, ``kind``, ``target`` and ``steps``.
    """
    return json.dumps({"format": FORMAT, **state, "digest": _EMPTY_DIGEST}, allow_nan=False)


def seal(content: bytes) -> bytes:
    """Return the content of a file with its digest.

    Parameters
    ----------
    content : bytes
        File with the return value of :func:`write_metadata`.
    """
    start = _find_digest(content)
    digest = hashlib.sha256(content).hexdigest().encode()
    return content[:start] + digest + content[start + len(digest) :]


def check_digest(content: bytes) -> None:
    """Check the digest of a file.

    Raises
    ------
    ValueError
        If the file has no digest, or another one.
    """
    start = _find_digest(content)
    found = content[start : start + len(_EMPTY_DIGEST)]
    empty = content[:start] + _EMPTY_DIGEST.encode() + content[start + len(_EMPTY_DIGEST) :]
    if hashlib.sha256(empty).hexdigest().encode() != found:
        raise ValueError("the file is damaged: its content differs from what was exported")


def read_metadata(text: str) -> Metadata:
    """Read metadata.

    Parameters
    ----------
    text : str
        JSON.

    Raises
    ------
    ValueError
        If a value is invalid.
    """
    try:
        state = json.loads(text)
    except RecursionError as error:
        raise ValueError("the metadata must be nested less deeply") from error
    if isinstance(state, dict) and state.get("format") != FORMAT:
        raise ValueError(
            f"the file must have the format {FORMAT}, got {state.get('format')!r:.20}: export the estimator "
            "with this version of sklearn_tree"
        )
    fields: dict[str, Any] = dict.fromkeys(("version", "estimator", "digest"), is_str)
    fields |= {
        "format": is_one_of({FORMAT}),
        "kind": _check_kind,
        "target": accept_any,
        "steps": is_list_of(accept_any),
    }
    check_record(state, "metadata", fields)
    return Metadata(
        estimator=state["estimator"],
        kind=restore_kind(state["kind"], state["estimator"]),
        decoder=decode_target(state["target"]),
        steps=tuple(restore_step(step) for step in state["steps"]),
    )


def _check_kind(value: Any, name: str) -> None:
    check_record(value, name, {"name": is_one_of(KIND_CHECKS.keys()), "state": accept_any})
    KIND_CHECKS[value["name"]](value["state"], f"{name}.state")


def _find_digest(content: bytes) -> int:
    """Return the position of the digest in a file."""
    if content.count(_DIGEST) != 1:
        is_saved = b"__metadata__" in content[:100_000]
        hint = ", such as those of sklearn_tree.save: use sklearn_tree.load" if is_saved else ""
        raise ValueError(
            f"the file must be written by sklearn_tree.export.to_onnx, got a file without a digest{hint}"
        )
    return content.index(_DIGEST) + len(_DIGEST)
