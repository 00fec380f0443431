"""Sources of pretrained vectors: all values of the parameter ``embeddings``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sklearn_tree.vectors.packages import PACKAGES, index_words, open_package
from sklearn_tree.vectors.tables import VectorModel, VectorTable, read_rows
from sklearn_tree.vectors.text_file import open_text_file


def open_source(embeddings: Any) -> VectorTable | VectorModel:
    """Open the source of vectors that the parameter ``embeddings`` names or holds.

    Parameters
    ----------
    embeddings : str, path, pair, mapping or object
        See the parameter of the estimators.

    Raises
    ------
    ImportError
        If the package of the vectors is not installed.
    ValueError
        If the source cannot be read.
    """
    if isinstance(embeddings, (str, os.PathLike)):
        return _open_named(os.fspath(embeddings))
    if isinstance(embeddings, Mapping):
        return VectorTable(embeddings.get)
    if isinstance(embeddings, (tuple, list)):
        return _open_pair(embeddings)
    if hasattr(embeddings, "key_to_index"):  # gensim
        return _open_keyed(embeddings)
    if hasattr(embeddings, "has_vector"):  # spaCy
        return VectorTable(lambda word: embeddings.get_vector(word) if embeddings.has_vector(word) else None)
    return VectorModel(embeddings.encode)


def _open_named(name: str) -> VectorTable | VectorModel:
    if name in PACKAGES:
        return open_package(name)
    path = Path(name)
    if not path.is_file():
        raise ValueError(
            f"embeddings must be one of {sorted(PACKAGES)} or the path of a file of vectors, got {name!r}, "
            "which does not exist"
        )
    return VectorTable(open_text_file(path).get)


def _open_pair(pair: Any) -> VectorTable:
    rule = "embeddings must be a pair of n words and an array of shape (n, size)"
    if len(pair) != 2:
        raise ValueError(f"{rule}, got {len(pair)} items")
    for item in pair:
        if not hasattr(item, "__len__"):
            raise ValueError(f"{rule}, got an item of type {type(item).__name__}: pass a list or array")
    words = list(pair[0])
    return index_words(words, read_rows(pair[1], len(words), rule))


def _open_keyed(keyed: Any) -> VectorTable:
    def get(word: str) -> np.ndarray | None:
        return keyed.get_vector(word) if word in keyed.key_to_index else None

    return VectorTable(get)
