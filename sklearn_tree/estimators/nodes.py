"""Predictions for all nodes of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.containers import to_numpy
from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.estimators.targets import OneClass
from sklearn_tree.estimators.wrapped import apply_steps, split_estimator
from sklearn_tree.kinds.trees import TreeKind
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.reduction import reduce_subtrees

if TYPE_CHECKING:
    import pandas as pd

    from sklearn_tree.nn import TreeBatch


@default_modes()
def predict_nodes(estimator: Any, X: Any) -> pd.DataFrame:
    """Classify every subtree of some trees as a separate tree.

    A bidirectional net classifies every subtree in its context: the second walk starts at the root of the
    whole tree.

    Parameters
    ----------
    estimator : estimator
        Fitted :class:`RecursiveNetClassifier`, or fitted pipeline, search or ``FrozenEstimator`` that ends in
        one.
    X : samples
        Trees that the whole estimator accepts.

    Returns
    -------
    DataFrame
        One row per node in preorder: sample, node, parent, label, depth, prediction, and one column with the
        probability of each class. The labels are those of the trees that the vectorizer reads; without a
        vectorizer, they are ids.

    Raises
    ------
    TypeError
        If the estimator does not end in a ``RecursiveNetClassifier``.
    ValueError
        If the targets are not one class per sample, or a class has the name of one of these columns.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_tree import RecursiveNetClassifier, TreeVectorizer, predict_nodes
    >>> trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 20
    >>> pipe = make_pipeline(TreeVectorizer(), RecursiveNetClassifier(random_state=0))
    >>> nodes = predict_nodes(pipe.fit(trees, ["good", "bad"] * 20), trees[:1])
    >>> nodes.label.tolist()
    ['S', 'NP', 'it', 'VP', 'works']
    """
    import pandas as pd

    check_is_fitted(estimator)
    steps, net = split_estimator(estimator)
    if not hasattr(net, "predict_nodes"):
        raise TypeError(f"estimator must end in a RecursiveNetClassifier, got {type(net).__name__}")
    target = net.target_
    if not isinstance(target, OneClass):
        raise ValueError(f"predict_nodes requires one class per sample, got {target.name}")
    if not isinstance(net.kind_, TreeKind):
        raise ValueError(
            f"predict_nodes requires single trees, got {net.kind_.name}: CaptumExplainer(estimator, "
            "'node_prediction') explains each phrase of a pair"
        )
    encoded, labels = _encode(steps, net.kind_, X)
    probabilities: Any = target.proba(node_logits(net, encoded))
    columns = {
        "sample": np.repeat(np.arange(len(encoded)), encoded.sizes),
        "node": np.arange(encoded.n_nodes) - np.repeat(encoded.offsets[:-1], encoded.sizes),
        "parent": encoded.parents,
        "label": labels,
        "depth": encoded.depths,
        "prediction": target.classes[probabilities.argmax(axis=1)],
    }
    duplicates = set(columns) & set(target.classes.tolist())
    if duplicates:
        raise ValueError(f"classes must not be named like columns of the table, got {sorted(duplicates)}")
    classes = pd.DataFrame(probabilities, columns=list(target.classes))
    return pd.concat([pd.DataFrame(columns), classes], axis=1)


class NodePredictionMixin:
    """Method of classifiers that predict the nodes of trees."""

    def predict_nodes(self, X: Any) -> pd.DataFrame:
        """Classify every subtree as a separate tree; with ``bidirectional=True``, in its context.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        DataFrame
            One row per node in preorder: sample, node, parent, label, depth, prediction, and one column with
            the probability of each class.

        Raises
        ------
        ValueError
            If the targets are not one class per sample, or a class has the name of one of these columns.

        See Also
        --------
        sklearn_tree.predict_nodes : The same for a pipeline or search that ends in this estimator.
        """
        return predict_nodes(self, X)


def _encode(steps: list[Any], kind: Any, X: Any) -> tuple[TreeArray, np.ndarray]:
    """Return the encoded trees, and the label of each node."""
    assert isinstance(kind, TreeKind)
    X, raw = apply_steps(steps, X)
    encoded, labelled = kind.encode_with_labels(X)
    if raw is not None and np.array_equal(raw.offsets, encoded.offsets):
        labelled = raw
    vocabulary, labels = labelled.vocabulary, to_numpy(labelled.labels)
    return encoded, labels if vocabulary is None else vocabulary[labels]


def node_logits(estimator: Any, encoded: TreeArray) -> np.ndarray:
    """Compute the outputs of the net for each subtree as a separate tree, or in its context.

    Parameters
    ----------
    estimator : BaseNet
        Fitted recursive net.
    encoded : TreeArray
        Encoded trees.

    Returns
    -------
    ndarray of float, shape (n_nodes, n_outputs)
    """
    module = estimator.net_.module_

    def vectors_and_weights(batch: TreeBatch) -> torch.Tensor:
        h = module.encode_nodes(batch)
        return torch.cat([h, module.pool.weights(h)], dim=1).index_select(0, batch.order)

    def linear_logits(batch: TreeBatch) -> torch.Tensor:
        return module.active_linear.score_subtrees(batch, batch.order)

    nodes = estimator._run_encoded(encoded, vectors_and_weights, is_per_sample=False)
    pooled = torch.from_numpy(pool_subtrees(nodes, encoded, module.pool.how))
    weight = module.head.weight
    with torch.no_grad():
        logits = module.head(pooled.to(weight.device, weight.dtype)).cpu().numpy()
    if module.active_linear is None:
        return logits
    return logits + estimator._run_encoded(encoded, linear_logits, is_per_sample=False)


def pool_subtrees(nodes: np.ndarray, trees: TreeArray, pooling: str) -> np.ndarray:
    """Pool the vectors of each subtree, from the deepest nodes up.

    Parameters
    ----------
    nodes : ndarray of float, shape (n_nodes, size + 1)
        Vector of each node, in the order of ``trees``, and its weight in a mean.
    trees : TreeArray
        The trees.
    pooling : {"root", "ends", "mean", "max", "attention"}
        How the vectors of a subtree become one, see :class:`~sklearn_tree.nn.TreePooling`.

    Returns
    -------
    ndarray of float, shape (n_nodes, size)
        Result of pooling the subtree of each node as a separate tree.
    """
    vectors, weights = nodes[:, :-1], nodes[:, -1:]
    if pooling == "root":
        return vectors
    if pooling == "ends":
        up, down = np.split(vectors, 2, axis=1)
        leaves = np.hstack([down, (trees.arities == 0)[:, None].astype(down.dtype)])
        return np.hstack([up, pool_subtrees(leaves, trees, "mean")])
    is_max = pooling == "max"
    pooled = vectors.copy() if is_max else np.hstack([weights * vectors, weights])
    pooled = reduce_subtrees(pooled, trees.depths, np.maximum if is_max else np.add)
    return pooled if is_max else pooled[:, :-1] / pooled[:, -1:]
