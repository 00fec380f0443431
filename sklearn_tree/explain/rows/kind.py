"""The kind of the rows of a model that contains nets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_classifier, is_regressor

from sklearn_tree.containers import as_column, as_reusable
from sklearn_tree.estimators.targets import Target
from sklearn_tree.explain.explained_net import encode
from sklearn_tree.explain.rows.array import RowArray, as_table
from sklearn_tree.explain.rows.outputs import find_function, fit_target, predict_rows
from sklearn_tree.explain.rows.parts import Cells, Nodes, Part, Words, take_column
from sklearn_tree.explain.rows.readers import Reader, find_readers
from sklearn_tree.explain.rows.replacements import find_replacements
from sklearn_tree.kinds import Kind


class Rows(Kind):
    """Kind of the rows of a model that contains nets: texts, trees, tables, or tables with such columns.

    Parameters
    ----------
    model : estimator
        Fitted estimator with nets inside.

    Attributes
    ----------
    readers : list of Reader
        Nets and vectorizers of texts inside the model.
    target : Target
        Kind of the predictions.
    function : {"decision_function", "predict_proba", "predict"}
        Method of the model whose outputs are explained.
    replacements : dict of str to dict of int to any
        For each baseline the value that replaces a removed cell of each column.

    Raises
    ------
    TypeError
        If the model contains no net, or one that reads series or images.
    """

    name: ClassVar[str] = "rows"
    target: Target
    function: str
    replacements: dict[str, dict[int, Any]]

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.attach(model)

    def attach(self, model: Any) -> None:
        """Set the fitted model, after its state was read."""
        self.model, self.readers = model, find_readers(model)
        if not any(reader.kind is not None for reader in self.readers):
            raise TypeError(
                f"estimator must be a net of sklearn_tree or contain one, got {type(model).__name__}"
            )
        if not is_classifier(model) and not is_regressor(model):
            raise TypeError(
                "estimator must end in a classifier or regressor, whose predictions are explained, got "
                f"{type(model).__name__}"
            )

    def is_kind_of(self, model: Any) -> bool:
        """Return whether the nets inside a model are those that this kind was made for."""
        return [reader.kind for reader in find_readers(model)] == [reader.kind for reader in self.readers]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("model", "readers")}

    def fit(self, X: Any) -> RowArray:
        """Learn the baselines of the cells and the kind of the predictions, and return the rows."""
        rows = self.encode(X)
        self.replacements = find_replacements(rows)
        X = rows.restore()
        predicted = predict_rows(self.model, X)
        self.target = fit_target(self.model, predicted)
        self.function = find_function(self.model, X, predicted)
        return rows

    def encode(self, X: Any) -> RowArray:
        """Divide rows into the parts that the model reads."""
        X = as_reusable(X)
        whole = {reader.part for reader in self.readers if reader.columns is None}
        is_table = getattr(X, "ndim", len(getattr(X, "shape", ()))) == 2
        if is_table or whole == {"cells"} or len(whole) < len({reader.part for reader in self.readers}):
            return self._encode_table(as_table(X))
        reader = next(reader for reader in self.readers if reader.part != "cells")
        values = as_column(X, "trees" if reader.part == "nodes" else "texts")
        return RowArray(parts=(_read_part(reader, "", None, values),))

    def _encode_table(self, X: Any) -> RowArray:
        labels = list(getattr(X, "columns", (f"column {i}" for i in range(X.shape[1]))))
        names, chosen = [str(name) for name in labels], dict[int, Reader]()
        for reader in self.readers:
            _check_columns(reader, labels)
            for column in range(len(names)) if reader.columns is None else reader.columns:
                if column not in chosen or chosen[column].part == "cells":
                    chosen[column] = reader
        readers = sorted(chosen.items())
        parts = [
            _read_part(reader, names[column], column, take_column(X, column))
            for column, reader in readers
            if reader.part != "cells"
        ]
        cells = [column for column, reader in readers if reader.part == "cells"]
        if cells:
            parts.append(Cells.read(cells, [names[column] for column in cells], X))
        return RowArray(parts=tuple(parts), X=X)

    def n_positions(self, encoded: RowArray) -> np.ndarray:
        """Return the number of words, nodes and cells of each row."""
        return encoded.sizes

    @classmethod
    def to_host(cls, encoded: RowArray) -> RowArray:
        """Return the rows, which are in main memory."""
        return encoded


def _read_part(reader: Reader, name: str, column: int | None, values: list[Any]) -> Part:
    """Read a column of texts or trees."""
    if reader.part == "words":
        return Words.read(name, column, values)
    assert reader.item_kind is not None
    _, trees = encode(reader.steps, reader.item_kind, values)
    if trees is None or trees.vocabulary is None:
        raise ValueError(f"X must hold trees with labels of type str, got {type(values[0]).__name__}")
    return Nodes(name=name, columns=(column,), shown=trees, values=values)


def _check_columns(reader: Reader, labels: list[Any]) -> None:
    """Raise ValueError if a part of the model does not read the columns of a table as they are."""
    if reader.columns is not None and reader.names and list(reader.names) != labels:
        raise ValueError(
            f"X must have the columns that the ColumnTransformer in the model was fitted to, "
            f"{list(reader.names)}, got {labels}"
        )
    n = reader.n_columns
    if reader.columns is None and n is not None and len(labels) != n:
        raise ValueError(
            f"X must have {n} column{'s' if n > 1 else ''}, unless a ColumnTransformer in the model selects "
            f"those of the net, got {len(labels)} columns"
        )
