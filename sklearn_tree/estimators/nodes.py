"""Predictions for all nodes of trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import softmax

from sklearn_tree.estimators.modes import default_modes
from sklearn_tree.estimators.targets import OneClass
from sklearn_tree.kinds.trees import TreeKind
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.reduction import reduce_subtrees

if TYPE_CHECKING:
    import pandas as pd

    from sklearn_tree.nn import TreeBatch


@default_modes()
def node_table(classifier: Any, X: Any) -> pd.DataFrame:
    """Classify every subtree with a fitted recursive net, see ``RecursiveNetClassifier.predict_nodes``."""
    import pandas as pd

    target, kind = classifier.target_, classifier.kind_
    if not isinstance(target, OneClass):
        raise ValueError(f"predict_nodes requires one class per sample, got {target.name}")
    assert isinstance(kind, TreeKind)
    encoded, labelled = kind.encode_with_labels(X)
    probabilities = softmax(_node_logits(classifier, encoded), axis=1)
    labels = labelled.labels if labelled.vocabulary is None else labelled.vocabulary[labelled.labels]
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


def _node_logits(classifier: Any, encoded: TreeArray) -> np.ndarray:
    module = classifier.net_.module_

    def vectors_and_weights(batch: TreeBatch) -> torch.Tensor:
        h = module.encode_nodes(batch)
        return torch.cat([h, module.pool.weights(h)], dim=1).index_select(0, batch.order)

    nodes = classifier._run_encoded(encoded, vectors_and_weights, is_per_sample=False)
    pooled = torch.from_numpy(pool_subtrees(nodes, encoded, classifier.pooling))
    weight = module.head.weight
    with torch.no_grad():
        return module.head(pooled.to(weight.device, weight.dtype)).cpu().numpy()


def pool_subtrees(nodes: np.ndarray, trees: TreeArray, pooling: str) -> np.ndarray:
    """Pool the vectors of each subtree, from the deepest nodes up.

    Parameters
    ----------
    nodes : ndarray of float, shape (n_nodes, size + 1)
        Vector of each node, in the order of ``trees``, and its weight in a mean.
    trees : TreeArray
        The trees.
    pooling : {"root", "mean", "max", "attention"}
        How the vectors of a subtree become one.

    Returns
    -------
    ndarray of float, shape (n_nodes, size)
        Result of pooling the subtree of each node as a separate tree.
    """
    vectors, weights = nodes[:, :-1], nodes[:, -1:]
    if pooling == "root":
        return vectors
    is_max = pooling == "max"
    pooled = vectors.copy() if is_max else np.hstack([weights * vectors, weights])
    pooled = reduce_subtrees(pooled, trees.depths, np.maximum if is_max else np.add)
    return pooled if is_max else pooled[:, :-1] / pooled[:, -1:]
