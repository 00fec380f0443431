"""Nets inside a fitted model, and the columns that they read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import Pipeline

from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.wrapped import find_net, split_estimator
from sklearn_tree.kinds import Kind, StarTable, Table, Tokens, Trees
from sklearn_tree.preprocessing import TreeParser
from sklearn_tree.preprocessing.vectorizer import BaseVectorizer
from sklearn_tree.validation import get_column_indices, is_fitted

_PARTS = {Trees: "nodes", Tokens: "words", Table: "cells", StarTable: "cells"}


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Part of a model that reads columns of the user's rows.

    Attributes
    ----------
    part : {"nodes", "words", "cells"}
        What it reads the columns as.
    columns : tuple of int, or None
        Positions of the columns; None for whole rows.
    names : tuple
        Names of all columns of the rows; empty if they are not known.
    steps : list of transformers
        Fitted steps before the net.
    kind : Kind or None
        Kind of the samples of the net; None for other parts.
    """

    part: str
    columns: tuple[int, ...] | None = None
    names: tuple[Any, ...] = ()
    steps: list[Any] = field(default_factory=list)
    kind: Kind | None = None

    @property
    def n_columns(self) -> int | None:
        """Number of columns that it reads as whole rows; None for any number."""
        if self.part == "cells":
            return None
        return 1 if self.kind is None or self.kind.item_kind is None else 2

    @property
    def item_kind(self) -> Kind | None:
        """Kind of the items of a column."""
        return None if self.kind is None else self.kind.item_kind or self.kind


def find_readers(part: Any, steps: list[Any] | None = None) -> list[Reader]:
    """Return the nets and vectorizers of texts inside a fitted model, with the columns that they read.

    Columns that a ``ColumnTransformer`` passes to other transformers are read as cells.

    Parameters
    ----------
    part : estimator
        Any fitted estimator.
    steps : list of transformers, default=None
        Fitted steps before it that read texts or trees.

    Raises
    ------
    TypeError
        If a net inside reads series or images.
    """
    steps = steps or []
    net = find_net(part)
    if net is not None and is_fitted(net):
        steps, kind = steps + split_estimator(part)[0], net.kind_
        name = "words" if any(map(_is_vectorizer, steps)) else _name_part(kind.item_kind or kind)
        return [Reader(part=name, steps=steps, kind=kind)]
    if _is_vectorizer(part):
        return [Reader(part="words")]
    if isinstance(part, ColumnTransformer):
        return _find_column_readers(part, steps)
    if isinstance(part, Pipeline):
        before = list(steps)  # what other steps do to the rows is not known
        for step in (step for _, step in part.steps if hasattr(step, "fit")):
            readers = find_readers(step, before)
            if readers:
                return readers
            before += [step] if isinstance(step, (BaseVectorizer, TreeParser)) else []
        return []
    return [reader for inner in _list_parts(part) for reader in find_readers(inner, steps)]


def _find_column_readers(transformer: ColumnTransformer, steps: list[Any]) -> list[Reader]:
    names = tuple(getattr(transformer, "feature_names_in_", ()))
    width = transformer.n_features_in_
    frame = pd.DataFrame(np.empty((0, width)), columns=list(names or range(width)))
    readers = []
    for _, part, selected in transformer.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        columns = tuple(get_column_indices(frame, selected))
        inner = [Reader(part="cells"), *([] if isinstance(part, str) else find_readers(part, steps))]
        readers += [replace(reader, columns=columns, names=names) for reader in inner]
    return readers


def _is_vectorizer(part: Any) -> bool:
    return isinstance(part, (CountVectorizer, HashingVectorizer))


def _name_part(kind: Kind) -> str:
    name = next((_PARTS[base] for base in type(kind).__mro__ if base in _PARTS), None)
    if name is None:
        raise TypeError(
            "estimator must end in its net or contain nets for trees, texts and tables only, got one for "
            f"{kind.name} inside it: explain that net itself"
        )
    return name


def _list_parts(part: Any) -> list[Any]:
    """Return the fitted estimators inside an estimator, which read what it reads."""
    if isinstance(part, BaseNet) or not isinstance(part, BaseEstimator):
        return []
    found: dict[int, Any] = {}
    for value in vars(part).values():
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for item in items:
            for inner in item if isinstance(item, tuple) else (item,):  # (name, estimator)
                estimator = inner if isinstance(inner, BaseEstimator) else getattr(inner, "estimator", None)
                if hasattr(estimator, "fit") and is_fitted(estimator):
                    found[id(estimator)] = estimator
    return list(found.values())
