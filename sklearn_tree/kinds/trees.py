"""Trees, and everything else that is encoded as a ``TreeArray``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sklearn_tree.containers import holds_trees, to_numpy
from sklearn_tree.kinds.base import Kind, to_tensor
from sklearn_tree.kinds.columns import OneColumnMixin
from sklearn_tree.kinds.encoding import NotEncodedError, warn_of_unknown
from sklearn_tree.kinds.ids import refuse_sparse_ids
from sklearn_tree.kinds.statistics import value_statistics
from sklearn_tree.kinds.training import TrainingDefaults
from sklearn_tree.preprocessing import TreeVectorizer
from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.levels import make_level_tables
from sklearn_tree.trees.subtrees import heights_of, number_subtrees

if TYPE_CHECKING:
    import torch

    from sklearn_tree.nn import TreeBatch

_MIN_NODES_PER_LEVEL = 8  # on average; in chains, the search for equal subtrees does not pay off
_MAX_DISTINCT_SHARE = 0.9  # of a batch's inner nodes; above it, sharing equal subtrees does not pay off
_MAX_DEFAULT_ARITY = 8  # the weights of an N-ary cell grow with the square of its arity


class TreeKind(Kind):
    """Base class of the kinds that are encoded as a :class:`TreeArray`."""

    container = TreeArray
    sort_windows = (8, 4)
    is_batched_on_host = True
    text_remedy = "pass one column of trees, such as X[:, 0]"

    def encode_with_labels(self, X: Any) -> tuple[TreeArray, TreeArray]:
        """Return the encoded samples, and the same trees with their original labels."""
        encoded = self.encode(X)
        return encoded, encoded

    def module_params(self, encoded: TreeArray, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the numbers of labels, the largest arity (at most 8) and the value statistics."""
        if encoded.n_labels is None:
            refuse_sparse_ids(encoded.labels, encoded.offsets)
        if encoded.edges is not None and encoded.n_edge_labels is None:
            refuse_sparse_ids(encoded.edges, encoded.offsets, "n_edge_labels")
        shift, scale = value_statistics(encoded, sample_weight)
        return {
            "n_labels": encoded.n_labels,
            "n_edge_labels": encoded.n_edge_labels or 0,
            "max_arity": min(max(int(encoded.arities.max(initial=1)), 1), _MAX_DEFAULT_ARITY),
            "value_shift": shift,
            "value_scale": scale,
        }

    def batch(self, encoded: TreeArray, rows: np.ndarray) -> TreeBatch:
        """Return the trees in the given rows as a batch."""
        from sklearn_tree.nn import TreeBatch

        return TreeBatch.from_array(encoded[rows])

    def inputs(self, encoded: TreeArray, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the distinct nodes and the tables of :func:`make_level_tables`.

        Nodes with equal labels and edge labels share a row of ``labels``, ``edges`` and ``values``, unless
        they have values; ``rows`` has the row of each node in batch order.
        """
        trees = encoded[rows]
        tables = make_level_tables(trees)
        order = tables.pop("order")
        labels = trees.labels[order].astype(np.int64)
        edges = np.zeros_like(labels) if trees.edges is None else trees.edges[order].astype(np.int64)
        if trees.values is None:
            pairs = labels * (int(edges.max(initial=0)) + 1) + edges
            _, first, index = np.unique(pairs, return_index=True, return_inverse=True)
            values = np.full(len(first), np.nan)
        else:
            first = index = np.arange(len(order))
            values = trees.values[order].astype(np.float64)
        return {"labels": labels[first], "edges": edges[first], "values": values, "rows": index, **tables}

    def share_repeats(self, encoded: TreeArray, batch_size: int) -> TreeArray:
        """Number equal subtrees if a batch has enough of them.

        Trees with node values are returned unchanged: subtrees with equal labels may differ in their values.
        """
        if encoded.values is not None or not len(encoded):
            return encoded
        if encoded.n_nodes < _MIN_NODES_PER_LEVEL * (int(encoded.depths.max()) + 1):
            return encoded
        rows = np.linspace(0, len(encoded) - 1, min(batch_size, len(encoded))).astype(np.int64)
        numbers = _number_subtrees(encoded[rows])
        inner = numbers[heights_of(numbers) > 0]
        if len(np.unique(inner)) > _MAX_DISTINCT_SHARE * len(inner):
            return encoded
        return encoded.replace(subtrees=_number_subtrees(encoded))

    def n_positions(self, encoded: TreeArray) -> np.ndarray:
        """Return the number of nodes of each tree."""
        return encoded.sizes

    def cost(self, encoded: TreeArray) -> np.ndarray | None:
        """Return the height of each tree; None if all are equal."""
        if not len(encoded):
            return None
        heights = np.maximum.reduceat(encoded.depths, encoded.offsets[:-1])
        return heights if (heights != heights[0]).any() else None

    def magnitude(self, encoded: TreeArray, row: int) -> float | None:
        """Return the largest absolute value of a tree's nodes; None if they have no values."""
        if encoded.values is None:
            return None
        values = to_numpy(encoded.values)[encoded.offsets[row] : encoded.offsets[row + 1]]
        values = np.abs(values[~np.isnan(values)])
        return float(values.max()) if values.size else None

    def n_bytes(self, encoded: TreeArray) -> int:
        """Return the size of the columns of the nodes."""
        return sum(column.nbytes for column in _columns(encoded).values())

    @classmethod
    def to(cls, encoded: TreeArray, device: torch.device, dtype: torch.dtype | None = None) -> TreeArray:
        """Return trees with their labels, values and edge labels on a device.

        Parents and depths stay in main memory, where batches are built from them.
        """
        columns = {name: to_tensor(c, device, dtype) for name, c in _columns(encoded).items()}
        return encoded.replace(**columns)

    @classmethod
    def to_host(cls, encoded: TreeArray) -> TreeArray:
        """Return trees with all columns as arrays."""
        return encoded.replace(**{name: to_numpy(column) for name, column in _columns(encoded).items()})


class Trees(OneColumnMixin, TreeKind):
    """Trees of any registered format, or trees that a :class:`TreeVectorizer` has encoded.

    Attributes
    ----------
    vectorizer : TreeVectorizer or None
        Vectorizer fitted on raw trees; None if the training trees were encoded already.
    is_binary : bool
        Whether every inner node of the training trees has two children.
    """

    name: ClassVar[str] = "trees"
    has_labels = True
    is_binary = False

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether X holds trees rather than rows of numbers."""
        return holds_trees(X)

    def fit(self, X: Any) -> TreeArray:
        """Read the trees and learn the vocabulary of raw ones."""
        self._learn_column(X)
        trees = to_tree_array(X)
        self.vectorizer = None
        if trees.vocabulary is None:
            return trees
        self.vectorizer = TreeVectorizer()
        return self.vectorizer.fit_transform(trees)

    def encode(self, X: Any) -> TreeArray:
        """Read trees, encoding raw ones."""
        trees = to_tree_array(X)
        if (trees.vocabulary is None) != (self.vectorizer is None):
            if self.vectorizer is None:
                raise NotEncodedError("X must hold encoded trees, as in fit, got raw trees")
            raise ValueError("X must hold raw trees, as in fit, got encoded trees")
        return trees if self.vectorizer is None else self._vectorize(trees)

    def _warn_of_encoded(self, encoded: TreeArray, is_training: bool) -> None:
        if self.vectorizer is not None and not is_training:
            warn_of_unknown(encoded.labels, encoded.offsets)

    def encode_with_labels(self, X: Any) -> tuple[TreeArray, TreeArray]:
        """Return the encoded samples, and the trees as they were read."""
        trees = to_tree_array(X)
        return self.encode(trees), trees

    def label_ids(self, encoded: TreeArray) -> Any:
        """Return the labels of all nodes."""
        return encoded.labels

    def learn_defaults(self, encoded: TreeArray) -> None:
        """Find out whether the vocabulary is open and whether all trees are binary."""
        super().learn_defaults(encoded)
        inner = encoded.arities[encoded.arities > 0]
        self.is_binary = bool(len(inner)) and bool((inner == 2).all())

    @property
    def training_defaults(self) -> TrainingDefaults:
        """Default parameters, for an open or a closed vocabulary."""
        cell = "nary_lstm" if self.is_binary else "child_sum_lstm"
        if not self.is_open:
            return TrainingDefaults(cell=cell, n_epochs=20)
        return TrainingDefaults(
            dropout=0.5,
            lr=0.003,
            lr_schedule="cosine",
            linear_path=True,
            cell=cell,
            n_epochs=12,
            max_batches=600,
        )

    def dtype(self, encoded: TreeArray) -> torch.dtype:
        """Return float32: node values are standardised in double precision before they are rounded."""
        import torch

        return torch.float32

    def to_state(self) -> dict[str, Any]:
        """Return the vocabularies as lists, None for encoded trees; and the name of the column."""
        names, vectorizer = ("labels", "edge_labels"), self.vectorizer
        state = {"is_open": self.is_open, "is_binary": self.is_binary, **self._columns_state()}
        if vectorizer is None:
            return {**dict.fromkeys(names), **state}
        vocabularies = map(list, (vectorizer.vocabulary_, vectorizer.edge_vocabulary_))
        return {**dict(zip(names, vocabularies, strict=True)), **state}

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Trees:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        kind = cls(reader)
        kind._restore_columns(state)
        kind.is_open, kind.is_binary = state["is_open"], state["is_binary"]
        if state["labels"] is not None:
            kind.vectorizer = TreeVectorizer()
            kind.vectorizer.vocabulary_ = {label: i for i, label in enumerate(state["labels"])}
            kind.vectorizer.edge_vocabulary_ = {label: i for i, label in enumerate(state["edge_labels"])}
        return kind


def _columns(trees: TreeArray) -> dict[str, Any]:
    columns = {"labels": trees.labels, "values": trees.values, "edges": trees.edges}
    return {name: column for name, column in columns.items() if column is not None}


def _number_subtrees(encoded: TreeArray) -> np.ndarray:
    edges = None if encoded.edges is None else to_numpy(encoded.edges)
    return number_subtrees(encoded, to_numpy(encoded.labels), edges)
