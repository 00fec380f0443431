"""States of fitted kinds of samples with their pretrained vectors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn_tree.kinds.base import Kind
from sklearn_tree.trees.flat import N_RESERVED_IDS
from sklearn_tree.vectors import WordVectors


def kind_to_state(kind: Kind, embeddings: Any = None) -> dict[str, Any]:
    """Return a fitted kind as plain values.

    Parameters
    ----------
    kind : Kind
        Fitted kind.
    embeddings : any, default=None
        Parameter of the estimator; the state does not repeat it.

    Returns
    -------
    dict
        State.
    """
    vectors: Any = None
    if kind.word_vectors is not None:
        is_param = kind.word_vectors.is_from(embeddings)
        source = None if is_param else kind.word_vectors.embeddings
        vectors = {"size": kind.word_vectors.size, "is_param": is_param, "embeddings": source}
    return {
        "name": kind.name,
        "channels": kind.channels,
        "input_kind": kind.input_kind,
        "state": kind.to_state(),
        "vectors": vectors,
    }


def kind_from_state(
    state: dict[str, Any], kinds: Iterable[type[Kind]], reader: str, embeddings: Any = None
) -> Any:
    """Rebuild a fitted kind from the return value of :func:`kind_to_state`.

    Parameters
    ----------
    state : dict
        State.
    kinds : iterable of Kind subclasses
        Kinds that the estimator reads.
    reader : str
        Class name of the estimator.
    embeddings : any, default=None
        Parameter of the estimator.

    Raises
    ------
    ValueError
        If the estimator reads no kind of this name.
    """
    candidates = tuple(kinds)
    cls = next((kind for kind in candidates if kind.name == state["name"]), None)
    if cls is None:
        names = [kind.name for kind in candidates]
        raise ValueError(f"the kind of the samples must be one of {names}, got {state['name']!r:.60}")
    kind = cls.from_state(state["state"], reader)
    kind.candidates, kind.channels, kind.input_kind = candidates, state["channels"], state["input_kind"]
    vectors = state["vectors"]
    if vectors is not None:
        source = embeddings if vectors["is_param"] else vectors["embeddings"]
        words = list(kind.vectorizer.vocabulary_)[N_RESERVED_IDS:]
        kind.set_vectors(WordVectors.restore(source, words, vectors["size"]))
    return kind
