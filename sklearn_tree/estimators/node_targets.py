"""Targets of the nodes of trees."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import InitVar, dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from sklearn_tree.containers import is_number
from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.targets import check_length
from sklearn_tree.nn.tensors import as_tensor
from sklearn_tree.preprocessing.node_labels import find_missing, flatten_nodes
from sklearn_tree.trees.flat import FlatArray

_UNLABELLED = -1  # in the labels of classifiers, unless it is a class


@dataclass(frozen=True, kw_only=True)
class NodeLabels:
    """Labels and weights of nodes as the user passes them to ``fit``.

    Attributes
    ----------
    y : sequences of labels
        Labels of the nodes of the training trees, see
        :func:`~sklearn_tree.preprocessing.node_labels.flatten_nodes`.
    weight : sequences of float, or None
        Weights of the nodes in the same form.
    y_val : sequences of labels, or None
        Labels of the nodes of the validation trees.
    """

    y: Any
    weight: Any = None
    y_val: Any = None

    def encode(
        self, net: Any, encoded: Any, y: Any, sample_weight: np.ndarray | None, **options: Any
    ) -> NodeDataset:
        """Return the training trees with the targets and weights of their roots and labelled nodes.

        Parameters
        ----------
        net : BaseNet
            The estimator.
        encoded : encoded samples
            The trees.
        y : array-like, shape (n_trees,) or (n_trees, n_outputs)
            Targets of the roots.
        sample_weight : ndarray of float, shape (n_trees,), or None
            Weights of the trees, which multiply those of their nodes.
        **options : dict
            ``reset`` and ``classes``, see ``BaseNet._encode_target``.

        Raises
        ------
        ValueError, TypeError
            If a label or a weight is invalid; the message gives the row and the node.
        """
        nodes = _LabelledNodes(self.y, net, encoded, y, **options)
        weight = nodes.join_weights(self.weight, sample_weight)
        target = nodes.encode(weight)
        return nodes.to_dataset(target, net._weigh(target, weight))

    def encode_held_out(self, net: Any, encoded: Any, y: Any) -> NodeDataset:
        """Return the validation trees with the targets of their roots and labelled nodes, unweighted."""
        nodes = _LabelledNodes(
            self.y_val, net, encoded, y, names=("node_y_val", "X_val", "y_val"), reset=False
        )
        return nodes.to_dataset(nodes.encode(None), None)


@dataclass(frozen=True, eq=False)
class NodeTargets(FlatArray):
    """Encoded targets of some nodes of each tree.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n_trees + 1,)
        Tree ``i`` has the targets ``offsets[i]`` to ``offsets[i + 1] - 1``.
    nodes : ndarray of int64, shape (n_targets,)
        Number of each node in its tree, in preorder.
    y : ndarray, shape (n_targets,) or (n_targets, n_outputs)
        Encoded targets.
    weight : ndarray of float, shape (n_targets,), or None
        Weights in the loss.
    """

    _columns = ("nodes", "y", "weight")

    offsets: np.ndarray
    nodes: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    validate: InitVar[bool] = True


class NodeDataset(EncodedDataset):
    """Encoded trees with targets for the root and the labelled nodes of each tree.

    Parameters
    ----------
    X : encoded samples
        The trees.
    targets : NodeTargets
        The targets; those of the root come first in each tree.
    kind : Kind
        Kind of the samples.
    """

    def __init__(self, X: Any, targets: NodeTargets, *, kind: Any) -> None:
        first, weight = targets.offsets[:-1], targets.weight
        if weight is not None:  # of a tree: the mean over its targets
            weight = np.add.reduceat(weight, first) / targets.sizes
        super().__init__(X, targets.y[first], weight, kind=kind)
        self.targets = targets

    @property
    def y_weight(self) -> np.ndarray | None:
        """Weights of the roots in the loss, float, shape (n_trees,)."""
        weight = self.targets.weight
        return None if weight is None else weight[self.targets.offsets[:-1]]

    def take(self, rows: np.ndarray) -> NodeDataset:
        """Return a dataset with the given rows."""
        return NodeDataset(self.X[rows], self.targets[rows], kind=self.kind)

    def normalize(self) -> NodeDataset:
        """Return the dataset with node weights that are 1 on average."""
        weight = self.targets.weight
        if weight is None:
            return self
        return NodeDataset(self.X, self.targets.replace(weight=weight / weight.mean()), kind=self.kind)

    def batch(self, rows: np.ndarray, max_nodes: int | None = None, samples: Any = None) -> tuple[Any, Any]:
        """Return the given rows as a batch, and the targets of their nodes, shape (n_targets, ...)."""
        batch, _ = super().batch(rows, max_nodes, samples)
        return batch, as_tensor(self.targets[rows].y)

    def _part(self, samples: Any, rows: np.ndarray) -> Any:
        batch: Any = self.kind.batch(samples, rows)
        targets = self.targets[rows]
        sizes = self.n_positions[rows]
        places = np.repeat(np.cumsum(sizes) - sizes, targets.sizes) + targets.nodes
        return replace(
            batch,
            output_nodes=batch.order[as_tensor(places)],
            sample_weight=None if targets.weight is None else as_tensor(targets.weight),
        )


class _LabelledNodes:
    """Roots of all trees, followed by the labelled nodes below the roots.

    Parameters
    ----------
    labels : sequences of labels
        Labels of the nodes.
    net, encoded, y
        See :meth:`NodeLabels.encode`.
    names : tuple of str
        Names of the labels, the trees and the targets, for error messages.
    **options : dict
        ``reset`` and ``classes``.
    """

    def __init__(
        self,
        labels: Any,
        net: Any,
        encoded: Any,
        y: Any,
        names: tuple[str, str, str] = ("node_y", "X", "y"),
        **options: Any,
    ) -> None:
        self.net, self.encoded, self.names, self.options = net, encoded, names, options
        if net.kind_.item_kind is not None:
            raise ValueError(f"{names[0]} must be None if {names[1]} holds pairs, which have one target each")
        self.y = net._read_y(y)[0]
        check_length(self.y, encoded, names=(names[2], names[1]))
        self.sizes = net.kind_.n_positions(encoded)
        self.offsets = np.r_[0, np.cumsum(self.sizes)]
        n_columns = self.y.shape[1] if self.y.ndim > 1 else None
        flat = flatten_nodes(labels, self.sizes, names=names[:2], n_columns=n_columns)
        places = self._find_labelled(flat)
        values = self._convert(flat[places], places)
        is_root = np.isin(places, self.offsets[:-1])
        self._check_roots(values[is_root], self._rows(places[is_root]))
        self.places = np.r_[self.offsets[:-1], places[~is_root]]
        self.labels = values[~is_root]

    def _rows(self, places: Any) -> Any:
        return np.searchsorted(self.offsets, places, side="right") - 1

    def _name(self, place: int, of: str = "") -> str:
        row = self._rows(place)
        return f"{of or self.names[0]}[{row}][{place - self.offsets[row]}]"

    def _find_labelled(self, flat: np.ndarray) -> np.ndarray:
        """Return the places of the nodes that have a label."""
        is_absent = find_missing(flat)
        if is_classifier(self.net) and not self._is_class(_UNLABELLED):
            is_absent[~is_absent] = (flat[~is_absent] == _UNLABELLED).astype(bool)
        is_absent = is_absent.reshape(len(flat), -1)
        for place in np.flatnonzero(is_absent.any(axis=1) & ~is_absent.all(axis=1))[:1]:
            raise ValueError(
                f"{self._name(place)} must be labelled in all columns or in none, got {flat[place].tolist()}"
            )
        return np.flatnonzero(~is_absent[:, 0])

    def _is_class(self, label: int) -> bool:
        known = [self.y, self.options.get("classes")]
        known += [] if self.options["reset"] else [self.net.classes_]
        flat = [
            np.asarray(part) for group in known for part in (group if isinstance(group, list) else [group])
        ]
        return any(np.any(part == label) for part in flat if part.dtype.kind in "ifO")

    def _convert(self, values: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return labels with the type of y if that loses nothing."""
        y = self.y
        if y.dtype == object or not len(values):
            return values.astype(y.dtype)
        is_text = y.dtype.kind in "US"
        if values.dtype == object or is_text:
            for i, label in enumerate(values.ravel()):
                if not (isinstance(label, str) if is_text else is_number(label)):
                    rule = f"{'a str' if is_text else 'a number'} like those in {self.names[2]}"
                    name = self._name(places[i * len(places) // values.size])
                    raise ValueError(f"{name} must be {rule} or None, got {label!r}")
            values = np.array(values.tolist())
        with np.errstate(invalid="ignore"):  # NaN and inf have no int
            converted = values.astype(y.dtype)
        return converted if np.array_equal(converted, values) else values

    def _check_roots(self, labels: np.ndarray, rows: np.ndarray) -> None:
        expected = self.y[rows]
        is_equal = labels == expected if is_classifier(self.net) else np.isclose(labels, expected)
        wrong = ~np.asarray(is_equal, dtype=bool).all(axis=tuple(range(1, expected.ndim)))
        for row, label in zip(rows[wrong][:1], labels[wrong].tolist(), strict=False):
            raise ValueError(
                f"{self.names[0]}[{row}][0] must equal {self.names[2]}[{row}] or be None: the root has the "
                f"target {self.y[row : row + 1].tolist()[0]!r}, got {label!r}"
            )

    def join_weights(self, weight: Any, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Return the product of node and sample weights for each target; None if there are none."""
        by_sample = None if sample_weight is None else sample_weight[self._rows(self.places)]
        if weight is None:
            return by_sample
        name = "node_sample_weight"
        by_node = flatten_nodes(weight, self.sizes, names=(name, "X"))[self.places].tolist()
        by_node = [1.0 if number is None else number for number in by_node]
        for place, number in zip(self.places, by_node, strict=True):
            if not (is_number(number) and np.isfinite(number) and number >= 0):
                rule = f"{self._name(place, name)} must be a finite number >= 0"
                raise ValueError(f"{rule}, got {number!r}")
        joint = np.array(by_node, dtype=np.float64) * (1.0 if by_sample is None else by_sample)
        if not joint.any():
            raise ValueError(f"{name} must not be zero at all labelled nodes: no node would count")
        return joint

    def encode(self, weight: np.ndarray | None) -> np.ndarray:
        """Return the encoded targets of the roots and labelled nodes, and fit the target if requested."""
        joint, n = np.concatenate([self.y, self.labels]), len(self.y)

        def encode(y: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
            return self.net._encode_target(y, y, weight, **self.options)

        try:
            return encode(joint, weight)
        except ValueError as error:
            i = bisect_left(range(len(self.labels) + 1), True, key=lambda i: _fails(encode, joint[: n + i]))
            if i == 0:  # y itself is invalid
                raise
            name, label = self._name(self.places[n + i - 1]), joint[n + i - 1 : n + i].tolist()[0]
            raise ValueError(
                f"{name} must be a target like those in {self.names[2]} or None, got {label!r}"
            ) from error

    def to_dataset(self, target: np.ndarray, weight: np.ndarray | None) -> NodeDataset:
        """Return the trees with their targets, in preorder."""
        order = np.argsort(self.places, kind="stable")
        places = self.places[order]
        rows = self._rows(places)
        targets = NodeTargets(
            offsets=np.r_[0, np.cumsum(np.bincount(rows, minlength=len(self.sizes)))],
            nodes=places - self.offsets[rows],
            y=target[order],
            weight=None if weight is None else weight[order],
        )
        return NodeDataset(self.encoded, targets, kind=self.net.kind_)


def _fails(function: Callable, y: np.ndarray) -> bool:
    try:
        function(y)
    except ValueError:
        return True
    return False
