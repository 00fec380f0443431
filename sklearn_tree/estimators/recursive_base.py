"""Base class of the recursive nets: parameters, kinds of samples and module."""

from __future__ import annotations

import os
from typing import Any

import torch

from sklearn_tree.callbacks import with_callbacks
from sklearn_tree.estimators.base import BaseNet
from sklearn_tree.estimators.node_targets import NodeLabels
from sklearn_tree.estimators.parameters import SHARED_CONSTRAINTS
from sklearn_tree.kinds import Pairs, StarTable, Trees
from sklearn_tree.nn import CELLS, POOLINGS, RecursiveNet, TreeCell
from sklearn_tree.validation import POSITIVE_INT, StrOptions, SubclassOf, check_arguments


class BaseRecursiveNet(BaseNet):
    """Base class of the recursive nets."""

    _kinds = (Pairs, Trees, StarTable)
    _module = RecursiveNet
    cell: str | type[TreeCell]
    pooling: str
    bidirectional: bool
    max_arity: int | None
    max_batch_nodes: int | None
    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        "cell": [StrOptions({"auto", *CELLS}), SubclassOf(TreeCell)],
        "pooling": [StrOptions(set(POOLINGS))],
        "bidirectional": ["boolean"],
        "max_arity": [POSITIVE_INT, None],
        "input_kind": [StrOptions({"auto", "trees", "table", "pairs"})],
        "max_batch_nodes": [POSITIVE_INT, None],
    }

    def __init__(
        self,
        cell: str | type[TreeCell] = "auto",
        *,
        pooling: str = "root",
        bidirectional: bool = False,
        max_arity: int | None = None,
        input_kind: str = "auto",
        hidden_size: int = 64,
        embedding_dim: int | None = None,
        embeddings: Any = None,
        freeze_embeddings: bool = False,
        embedding_lr: float | None = None,
        dropout: float | str = "auto",
        word_dropout: float = 0.0,
        linear_path: bool | str = "auto",
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float | str = "auto",
        weight_decay: float = 0.01,
        lr_schedule: str | None = "auto",
        weight_averaging: str | None = None,
        gradient_clip: float | None = None,
        max_epochs: int | None = None,
        batch_size: int = 64,
        max_batch_nodes: int | None = 50_000,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        warm_start: bool = False,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: Any = None,
        callbacks: list | None = None,
        checkpoint_dir: str | os.PathLike | None = None,
        net_params: dict | None = None,
        verbose: int = 0,
    ) -> None:
        self._store(locals())

    @with_callbacks
    @check_arguments
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        node_y: Any = None,
        node_sample_weight: Any = None,
        node_y_val: Any = None,
    ) -> BaseNet:
        """Fit the net.

        Parameters
        ----------
        X : list, Series, array or one-column DataFrame of samples; TreeArray; or table
            Training samples: trees of any registered format, or a table of floats, shape (n_samples,
            n_features). The guide "Trees and their formats" lists all forms.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets of the samples, which are those of the roots.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples in the loss, which are divided by their mean; None for equal weights. The
            weight of a sample multiplies those of its nodes.
        X_val, y_val : same as X, y, default=None
            Validation samples. ``history_`` records their loss and score; with ``early_stopping=True`` or
            ``calibrate`` they replace the internal split.
        node_y : RaggedArray, or list, Series or array of sequences, default=None
            Targets of the nodes: for each sample, a sequence with one label per node in the order of
            ``Tree.nodes``, or None. A flat container with one label per node of all trees is also accepted.
            None, NaN and, for classifiers without the class -1, -1 mean that a node has no label. The label
            of a root must be missing or equal ``y``. For several outputs, a label is a sequence of
            n_outputs. The loss of a sample is the sum of the losses of its root and its labelled nodes, each
            predicted from its subtree, with ``bidirectional=True`` in its context.
        node_sample_weight : same as ``node_y``, of float, default=None
            Weights of the nodes in the loss; None for a node, a tree or all nodes means 1. The products of
            the weights of a node, of its sample and of its class are divided by their mean over the roots and
            labelled nodes.
        node_y_val : same as ``node_y``, default=None
            Targets of the nodes of ``X_val``. With them, the validation loss and score are those of all
            labelled nodes, without them those of the roots. Samples that early stopping holds out keep
            their node labels.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter, a sample (the message gives its row), a target or the label or weight of a node
            (the message gives its row and node) is invalid, or the training diverges: the loss or a weight
            is infinite or NaN. The estimator then keeps the result of the previous fit.
        KeyboardInterrupt
            After Ctrl-C. The estimator then keeps the result of the previous fit. In a first fit, it has the
            complete epochs, if there are any; its weights also include batches of the interrupted epoch.
        """
        self._validate_params()
        nodes = _make_node_labels(node_y, node_sample_weight, node_y_val)
        if node_y_val is not None and X_val is None:
            raise ValueError("node_y_val must be given together with X_val and y_val")
        return self._fit(X, y, sample_weight, (X_val, y_val), reset=not self._continues_net(), nodes=nodes)

    @with_callbacks
    @check_arguments
    def partial_fit(
        self,
        X: Any,
        y: Any,
        classes: Any = None,
        sample_weight: Any = None,
        node_y: Any = None,
        node_sample_weight: Any = None,
    ) -> BaseNet:
        """Train for one epoch on some samples; the first call builds the net.

        It ignores ``lr_schedule``, ``early_stopping`` and ``calibrate``, and uses weights as they are.

        Parameters
        ----------
        X : same as in ``fit``
            Samples. The vocabulary is learned in the first call.
        y : array-like, shape (n_samples,)
            Targets.
        classes : array-like, shape (n_classes,), default=None
            All classes that will ever occur; None uses the classes in ``y`` and ``node_y`` of the first
            call.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples in the loss.
        node_y, node_sample_weight : same as in ``fit``, default=None
            Targets and weights of the nodes.

        Returns
        -------
        self
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            As in ``fit``.
        """
        return self._partial_fit(X, y, classes, sample_weight, _make_node_labels(node_y, node_sample_weight))

    def _architecture(self) -> dict[str, Any]:
        arity = {} if self.max_arity is None else {"max_arity": self.max_arity}
        return {
            **super()._architecture(),
            "cell": self._resolve("cell"),
            "pooling": self.pooling,
            "bidirectional": self.bidirectional,
            **arity,
        }

    def _run_params(self) -> dict[str, Any]:
        return {
            **super()._run_params(),
            "iterator_train__max_nodes": self.max_batch_nodes,
            "iterator_valid__max_nodes": self.max_batch_nodes,
            # Dropout makes equal subtrees unequal; in a single prediction, the search does not pay off.
            "iterator_train__share_subtrees": not self._resolve("dropout") and not self.word_dropout,
        }


def _make_node_labels(y: Any, weight: Any, y_val: Any = None) -> NodeLabels | None:
    if y is None and (weight is not None or y_val is not None):
        name = "node_y_val" if weight is None else "node_sample_weight"
        raise ValueError(f"{name} must be given together with node_y")
    return None if y is None else NodeLabels(y=y, weight=weight, y_val=y_val)
