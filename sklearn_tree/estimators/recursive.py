"""Recursive nets: estimators whose samples are trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import softmax
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.estimators.base import SHARED_CONSTRAINTS, BaseNet
from sklearn_tree.estimators.classifier import NetClassifierMixin
from sklearn_tree.estimators.regressor import NetRegressorMixin
from sklearn_tree.estimators.tree_input import TREE_CONSTRAINTS, RecursiveInputMixin
from sklearn_tree.nn import TreeBatch, TreeCell
from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.array import nodes_by_depth
from sklearn_tree.validation import StrOptions

if TYPE_CHECKING:
    import pandas as pd


class RecursiveNetClassifier(NetClassifierMixin, RecursiveInputMixin, BaseNet):
    """Classify trees with a recursive net (Tree-LSTM).

    The vector of a node is computed from its label and its children's vectors, from the leaves
    up; the root's vector decides. All nodes of one depth in a batch are computed together.

    Parameters
    ----------
    cell : {"child_sum_lstm", "nary_lstm", "child_sum_gru", "nary_gru", "rnn", "rntn"} or TreeCell \
subclass, default="child_sum_lstm"
        What is computed at a node. The "child_sum" cells take any number of children and ignore
        their order; all others have weights of their own for the first, second, ... child. "rnn"
        is one plain layer, "rntn" the same with a tensor between the children: keep
        ``hidden_size`` small there.
    pooling : {"root", "mean", "max", "attention"}, default="root"
        How the vectors of a tree's nodes become one; "attention" is an average with learned
        weights.
    max_arity : int, default=None
        Number of children that are told apart by the cells that do; further ones share the last place. None
        takes the largest number in the training trees, at most 8.
    hidden_size : int, default=64
        Size of a node's vector.
    embedding_dim : int, default=64
        Size of a label's vector.
    dropout : float, default=0.0
        Share of features dropped in training, at the nodes' inputs and before the output.
    word_dropout : float, default=0.0
        Share of labels replaced by "unknown" in training.
    optimizer : str or torch.optim.Optimizer subclass, default="adamw"
        One of "adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam", "rmsprop",
        "sgd", or a class.
    lr : float, default=0.005
        Learning rate.
    weight_decay : float, default=0.01
        Weight decay.
    lr_schedule : {"cosine", "exponential", "linear"}, default=None
        How the learning rate falls over the epochs: to 0, to a hundredth, to a thousandth; None
        keeps it.
    gradient_clip : float, default=None
        Largest norm of the gradient; None for no limit.
    max_epochs : int, default=None
        Passes over the training samples. None makes 10, and on small data as many as give 100
        batches.
    batch_size : int, default=64
        Samples in a batch.
    max_batch_nodes : int, default=50000
        The most nodes that are computed together, which bounds the memory: a batch of more is split
        into parts whose gradients add up to the same step. A tree with more is a part by itself;
        None for no limit.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for ``patience`` epochs, and go
        back to the best epoch.
    validation_fraction : float, default=0.1
        Share of the training samples held out for early stopping, stratified; used when ``fit``
        gets no ``X_val``.
    patience : int, default=5
        Epochs without improvement before an early stop.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on with the net of the one before.
    device : str or torch.device, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps", "xpu": see :func:`resolve_device`.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        "bfloat16" rounds the factors of matrix products and convolutions to 8 bits of mantissa, in
        training and prediction, which is faster where the hardware has such products; "auto" does
        so there alone. Weights stay in single precision; tables of doubles are not rounded.
    random_state : int, RandomState or None, default=None
        Seed of the weights, of dropout and of the order of the samples. An int gives the same
        result at each fit and leaves all global generators as they were; None draws the seed
        from numpy's, as everywhere in scikit-learn.
    callbacks : list of skorch callbacks, default=None
        Copied for each fit. scikit-learn's own callbacks are set by ``set_callbacks``.
    net_params : dict, default=None
        Further parameters of the skorch net, ``{"optimizer__betas": (0.9, 0.98)}`` say.
    verbose : int, default=0
        1 prints a line per epoch.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,), or list of ndarray
        The class labels, sorted; for multi-output targets an array per output.
    n_classes_ : int or list of int
        Their number.
    net_ : skorch.NeuralNetClassifier
        The fitted net; its module is ``net_.module_``.
    vectorizer_ : TreeVectorizer
        The vectorizer fitted on raw trees (absent for encoded trees and tables).
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Where the net is.
    input_kind_ : str
        "raw trees", "encoded trees" or "a table".
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

    See Also
    --------
    TreeVectorizer : Encodes trees as a step of a pipeline.

    References
    ----------
    .. [1] K. S. Tai, R. Socher, C. D. Manning (2015). Improved Semantic Representations From
       Tree-Structured Long Short-Term Memory Networks. ACL.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetClassifier
    >>> trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 20
    >>> clf = RecursiveNetClassifier(random_state=0).fit(trees, ["good", "bad"] * 20)
    >>> clf.predict(["(S (NP she) (VP works))"])
    array(['good'], dtype='<U4')
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        **TREE_CONSTRAINTS,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        cell: str | type[TreeCell] = "child_sum_lstm",
        *,
        pooling: str = "root",
        max_arity: int | None = None,
        hidden_size: int = 64,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 0.005,
        weight_decay: float = 0.01,
        lr_schedule: str | None = None,
        gradient_clip: float | None = None,
        max_epochs: int | None = None,
        batch_size: int = 64,
        max_batch_nodes: int | None = 50_000,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        class_weight: dict | str | None = None,
        warm_start: bool = False,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: Any = None,
        callbacks: list | None = None,
        net_params: dict | None = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.pooling = pooling
        self.max_arity = max_arity
        self.hidden_size = hidden_size
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.gradient_clip = gradient_clip
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.max_batch_nodes = max_batch_nodes
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.callbacks = callbacks
        self.net_params = net_params
        self.verbose = verbose

    def predict_nodes(self, X: Any) -> pd.DataFrame:
        """Classify every subtree as if it were a tree of its own.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        DataFrame
            One row per node in preorder: sample, node, parent, label, depth, prediction, and one
            column with the probability of each class.
        """
        import pandas as pd

        check_is_fitted(self, "net_")
        if self._target_kind != "one class":
            raise ValueError(f"predict_nodes needs one class per sample, got {self._target_kind}")
        shown = X if self.input_kind_ == "a table" else to_tree_array(X)  # reads an iterator once
        array = self._encode(shown, reset=False)
        shown = array if shown is X else shown
        module = self.net_.module_

        def node_vectors(batch: TreeBatch) -> torch.Tensor:
            h = module.encode_nodes(batch)
            return torch.cat([h, module.pool.weights(h)], dim=1).index_select(0, batch.order)

        vectors = pool_subtrees(self._run_encoded(array, node_vectors, per_sample=False), array, self.pooling)
        with torch.no_grad():
            weight = module.head.weight
            logits = module.head(torch.from_numpy(vectors).to(weight.device, weight.dtype)).cpu().numpy()
        probabilities = softmax(logits, axis=1)
        columns = {
            "sample": np.repeat(np.arange(len(array)), array.sizes),
            "node": np.arange(array.n_nodes) - np.repeat(array.offsets[:-1], array.sizes),
            "parent": array.parents,
            "label": shown.labels if shown.vocabulary is None else shown.vocabulary[shown.labels],
            "depth": array.depths,
            "prediction": self.classes_[probabilities.argmax(axis=1)],
        }
        both = set(columns) & set(self.classes_.tolist())
        if both:
            raise ValueError(f"predict_nodes has columns of its own named {sorted(both)}: rename the classes")
        classes = pd.DataFrame(probabilities, columns=list(self.classes_))
        return pd.concat([pd.DataFrame(columns), classes], axis=1)


def pool_subtrees(nodes: np.ndarray, array: TreeArray, pooling: str) -> np.ndarray:
    """Pool the vectors below each node, from the deepest nodes up.

    Parameters
    ----------
    nodes : ndarray of float, shape (n_nodes, size + 1)
        A vector per node, in the order of ``array``, and its weight in an average.
    array : TreeArray
        The trees.
    pooling : {"root", "mean", "max", "attention"}
        How a subtree's vectors become one.

    Returns
    -------
    ndarray of float, shape (n_nodes, size)
        What pooling the subtree of each node alone would give.
    """
    vectors, weights = nodes[:, :-1], nodes[:, -1:]
    if pooling == "root":
        return vectors
    is_max = pooling == "max"
    pooled = vectors.copy() if is_max else np.hstack([weights * vectors, weights])
    parents = array.absolute_parents
    for level in nodes_by_depth(array.depths)[:0:-1]:
        (np.maximum if is_max else np.add).at(pooled, parents[level], pooled[level])
    return pooled if is_max else pooled[:, :-1] / pooled[:, -1:]


class RecursiveNetRegressor(NetRegressorMixin, RecursiveInputMixin, BaseNet):
    """Predict numbers from trees with a recursive net (Tree-LSTM).

    The vector of a node is computed from its label and its children's vectors, from the leaves
    up; the root's vector gives the prediction. Targets are standardised inside, so losses in
    ``history_`` are in units of the targets' variance.

    Parameters
    ----------
    cell : {"child_sum_lstm", "nary_lstm", "child_sum_gru", "nary_gru", "rnn", "rntn"} or TreeCell \
subclass, default="child_sum_lstm"
        What is computed at a node. The "child_sum" cells take any number of children and ignore
        their order; all others have weights of their own for the first, second, ... child. "rnn"
        is one plain layer, "rntn" the same with a tensor between the children: keep
        ``hidden_size`` small there.
    pooling : {"root", "mean", "max", "attention"}, default="root"
        How the vectors of a tree's nodes become one; "attention" is an average with learned
        weights.
    max_arity : int, default=None
        Number of children that are told apart by the cells that do; further ones share the last place. None
        takes the largest number in the training trees, at most 8.
    hidden_size : int, default=64
        Size of a node's vector.
    embedding_dim : int, default=64
        Size of a label's vector.
    dropout : float, default=0.0
        Share of features dropped in training, at the nodes' inputs and before the output.
    word_dropout : float, default=0.0
        Share of labels replaced by "unknown" in training.
    optimizer : str or torch.optim.Optimizer subclass, default="adamw"
        One of "adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam", "rmsprop",
        "sgd", or a class.
    lr : float, default=0.005
        Learning rate.
    weight_decay : float, default=0.01
        Weight decay.
    lr_schedule : {"cosine", "exponential", "linear"}, default=None
        How the learning rate falls over the epochs: to 0, to a hundredth, to a thousandth; None
        keeps it.
    gradient_clip : float, default=None
        Largest norm of the gradient; None for no limit.
    max_epochs : int, default=None
        Passes over the training samples. None makes 10, and on small data as many as give 100
        batches.
    batch_size : int, default=64
        Samples in a batch.
    max_batch_nodes : int, default=50000
        The most nodes that are computed together, which bounds the memory: a batch of more is split
        into parts whose gradients add up to the same step. A tree with more is a part by itself;
        None for no limit.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for ``patience`` epochs, and go
        back to the best epoch.
    validation_fraction : float, default=0.1
        Share of the training samples held out for early stopping, stratified; used when ``fit``
        gets no ``X_val``.
    patience : int, default=5
        Epochs without improvement before an early stop.
    warm_start : bool, default=False
        Whether a further ``fit`` goes on with the net of the one before.
    device : str or torch.device, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps", "xpu": see :func:`resolve_device`.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        "bfloat16" rounds the factors of matrix products and convolutions to 8 bits of mantissa, in
        training and prediction, which is faster where the hardware has such products; "auto" does
        so there alone. Weights stay in single precision; tables of doubles are not rounded.
    random_state : int, RandomState or None, default=None
        Seed of the weights, of dropout and of the order of the samples. An int gives the same
        result at each fit and leaves all global generators as they were; None draws the seed
        from numpy's, as everywhere in scikit-learn.
    callbacks : list of skorch callbacks, default=None
        Copied for each fit. scikit-learn's own callbacks are set by ``set_callbacks``.
    net_params : dict, default=None
        Further parameters of the skorch net, ``{"optimizer__betas": (0.9, 0.98)}`` say.
    verbose : int, default=0
        1 prints a line per epoch.

    Attributes
    ----------
    net_ : skorch.NeuralNetRegressor
        The fitted net; its module is ``net_.module_``.
    vectorizer_ : TreeVectorizer
        The vectorizer fitted on raw trees (absent for encoded trees and tables).
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Where the net is.
    input_kind_ : str
        "raw trees", "encoded trees" or "a table".
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

    See Also
    --------
    RecursiveNetClassifier : The same for classes.
    TreeVectorizer : Encodes trees as a step of a pipeline.

    References
    ----------
    .. [1] K. S. Tai, R. Socher, C. D. Manning (2015). Improved Semantic Representations From
       Tree-Structured Long Short-Term Memory Networks. ACL.

    Examples
    --------
    >>> from sklearn_tree import RecursiveNetRegressor
    >>> trees = ["(add 1 2)", "(add 2 2)", "(add 1 1)", "(add (add 1 1) 2)"] * 10
    >>> reg = RecursiveNetRegressor(random_state=0).fit(trees, [3.0, 4.0, 2.0, 4.0] * 10)
    >>> reg.predict(["(add 2 1)"]).round()
    array([3.])
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        **TREE_CONSTRAINTS,
    }

    def __init__(
        self,
        cell: str | type[TreeCell] = "child_sum_lstm",
        *,
        pooling: str = "root",
        max_arity: int | None = None,
        hidden_size: int = 64,
        embedding_dim: int = 64,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        optimizer: str | type[torch.optim.Optimizer] = "adamw",
        lr: float = 0.005,
        weight_decay: float = 0.01,
        lr_schedule: str | None = None,
        gradient_clip: float | None = None,
        max_epochs: int | None = None,
        batch_size: int = 64,
        max_batch_nodes: int | None = 50_000,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        warm_start: bool = False,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: Any = None,
        callbacks: list | None = None,
        net_params: dict | None = None,
        verbose: int = 0,
    ) -> None:
        self.cell = cell
        self.pooling = pooling
        self.max_arity = max_arity
        self.hidden_size = hidden_size
        self.embedding_dim = embedding_dim
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.gradient_clip = gradient_clip
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.max_batch_nodes = max_batch_nodes
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.callbacks = callbacks
        self.net_params = net_params
        self.verbose = verbose
