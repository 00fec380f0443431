"""Registered kinds of samples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn_tree.kinds.base import Kind
from sklearn_tree.kinds.images import Images
from sklearn_tree.kinds.pairs import Pairs
from sklearn_tree.kinds.series import Series
from sklearn_tree.kinds.table import Table
from sklearn_tree.kinds.tokens import Tokens
from sklearn_tree.kinds.trees import Trees

# A new kind is added here, before kinds that would recognize its samples too.
KINDS: list[type[Kind]] = [Pairs, Trees, Images, Series, Table, Tokens]


def find_kind(X: Any, kinds: Iterable[type[Kind]], input_kind: str = "auto") -> type[Kind]:
    """Return the kind of the samples in X.

    Parameters
    ----------
    X : samples
        The samples in any container.
    kinds : iterable of Kind subclasses
        Candidates, in order of precedence.
    input_kind : str, default="auto"
        Name or alias of the kind, or of the samples of pairs if :attr:`Kind.is_paired_by_name`; "auto"
        returns the first kind that recognizes X.

    Raises
    ------
    ValueError
        If none of the candidates recognizes X.
    """
    kinds = list(kinds)
    for kind in kinds:
        if input_kind == "auto" and kind.recognizes(X):
            return kind
        if input_kind != "auto" and kind.is_named(input_kind):
            are_pairs = kind.is_paired_by_name and Pairs in kinds and Pairs.recognizes(X)
            return Pairs if are_pairs else kind
    names = " or ".join(repr(kind.name) for kind in kinds)
    found = next((kind for kind in KINDS if kind.recognizes(X)), None)
    got = type(X).__name__ if found is None else repr(found.name) + found.reader_hint
    raise ValueError(f"X must be of the kind {names}, got {got}")
