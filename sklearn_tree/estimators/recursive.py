"""Recursive nets: estimators whose samples are trees."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import sparse
from scipy.special import softmax
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_tree.estimators.base import SHARED_CONSTRAINTS, BaseNet
from sklearn_tree.estimators.classifier import NetClassifierMixin
from sklearn_tree.nn import CELLS, POOLINGS, RecursiveNet, TreeBatch, TreeCell
from sklearn_tree.preprocessing import TreeVectorizer
from sklearn_tree.preprocessing.columns import to_tree_array
from sklearn_tree.trees import TreeArray

if TYPE_CHECKING:
    import pandas as pd

# With max_arity=None an N-ary cell tells at most so many children apart: its weights grow with
# the square of their number.
_MOST_CHILDREN = 8


class RecursiveInputMixin:
    """The tree half of an estimator: X to a ``TreeArray`` of ids, and the recursive module."""

    _module = RecursiveNet

    def _encode(self, X: Any, *, reset: bool) -> TreeArray:
        kind = kind_of(X)
        if reset:
            for name in ("vectorizer_", "n_features_in_", "feature_names_in_"):
                self.__dict__.pop(name, None)
            self.input_kind_ = kind
        elif kind != self.input_kind_:
            raise ValueError(f"X must be {self.input_kind_}, as in fit, got {kind}")
        if kind == "a table":
            X = validate_data(self, X, dtype=[np.float64, np.float32], reset=reset)
            return TreeArray.from_table(X)
        array = to_tree_array(X)
        if kind == "encoded trees":
            return array
        if reset:
            self.vectorizer_ = TreeVectorizer()
            return self.vectorizer_.fit_transform(array)
        return self.vectorizer_.transform(array)

    def _module_params(self, X: TreeArray, weight: np.ndarray | None) -> dict[str, Any]:
        if not isinstance(self.cell, str) and not (
            isinstance(self.cell, type) and issubclass(self.cell, TreeCell)
        ):
            raise TypeError(
                f"cell must be one of {sorted(CELLS)} or a subclass of TreeCell, got {self.cell!r}"
            )
        arity = self.max_arity or min(max(int(X.arities.max(initial=1)), 1), _MOST_CHILDREN)
        shift, scale = value_statistics(X, weight)
        return {
            "n_labels": X.n_labels,
            "n_edge_labels": X.n_edge_labels or 0,
            "cell": self.cell,
            "pooling": self.pooling,
            "hidden_size": self.hidden_size,
            "embedding_dim": self.embedding_dim,
            "max_arity": arity,
            "dropout": self.dropout,
            "word_dropout": self.word_dropout,
            "value_shift": shift,
            "value_scale": scale,
            "dtype": self._dtype(X),
        }

    def _dtype(self, X: TreeArray) -> torch.dtype:
        # A table of doubles trains in doubles where the device has them, all else in floats.
        is_double = self.input_kind_ == "a table" and X.values.dtype == np.float64  # type: ignore[union-attr]
        return torch.float64 if is_double and self.device_.type != "mps" else torch.float32

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.string = True
        return tags


def kind_of(X: Any) -> str:
    """Say what X is: "a table", "encoded trees" or "raw trees"."""
    if isinstance(X, TreeArray):
        return "encoded trees" if X.vocabulary is None else "raw trees"
    if sparse.issparse(X):
        return "a table"
    if hasattr(X, "iloc"):  # pandas
        kinds = [dtype.kind for dtype in (X.dtypes if X.ndim == 2 else [X.dtype])]
        is_column = len(kinds) == 1 and (kinds[0] in "OSUT" or not isinstance(X.dtypes, np.dtype))
        return "raw trees" if is_column and not _is_number(_first(X)) else "a table"
    if not isinstance(X, (list, tuple)) and hasattr(X, "__array__"):
        X = np.asarray(X)
    if isinstance(X, np.ndarray):
        is_column = X.ndim == 1 or (X.ndim == 2 and X.shape[1] == 1)
        return (
            "raw trees"
            if is_column and X.dtype.kind in "OSU" and len(X) and not _is_number(_first(X))
            else "a table"
        )
    if isinstance(X, (list, tuple)) and len(X):
        row = X[0]
        is_row = isinstance(row, (list, tuple, np.ndarray)) and len(row) and all(_is_number(x) for x in row)
        return "a table" if is_row or _is_number(row) else "raw trees"
    return "raw trees"


def _first(X: Any) -> Any:
    return np.asarray(X[:1] if not hasattr(X, "iloc") else X.iloc[:1], dtype=object).ravel()[0]


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, complex, np.number, np.bool_))


def value_statistics(
    X: TreeArray, weight: np.ndarray | None
) -> tuple[list[float] | None, list[float] | None]:
    """Return mean and standard deviation of the values of each label.

    Parameters
    ----------
    X : TreeArray
        Encoded trees.
    weight : array of float, shape (n_trees,), or None
        Weights of the trees.

    Returns
    -------
    shift, scale : list of float, length n_labels, or None
        0 and 1 for labels without values, scale 1 where the values are constant; None for trees
        without values.
    """
    if X.values is None:
        return None, None
    with_value = ~np.isnan(X.values)
    labels, values = X.labels[with_value], X.values[with_value].astype(np.float64)
    w = np.repeat(np.ones(len(X)) if weight is None else weight, X.sizes)[with_value]

    def total(x: np.ndarray) -> np.ndarray:
        return np.bincount(labels, weights=x, minlength=X.n_labels)

    mass = np.maximum(total(w), np.finfo(float).tiny)
    mean = total(w * values) / mass
    scale = np.sqrt(total(w * (values - mean[labels]) ** 2) / mass)
    constant = scale <= 1e-12 * (1 + np.abs(mean))
    return mean.tolist(), np.where(constant, 1.0, scale).tolist()


class RecursiveNetClassifier(NetClassifierMixin, RecursiveInputMixin, BaseNet):
    """Classify trees with a recursive net (Tree-LSTM).

    The vector of a node is computed from its label and its children's vectors, from the leaves
    up; the root's vector decides. All nodes of one depth in a batch are computed together.

    Parameters
    ----------
    cell : {"child_sum_lstm", "nary_lstm"} or TreeCell subclass, default="child_sum_lstm"
        What is computed at a node. "child_sum_lstm" takes any number of children and ignores
        their order; "nary_lstm" has weights of their own for the first, second, ... child.
    pooling : {"root", "mean", "max"}, default="root"
        How the vectors of a tree's nodes become one.
    max_arity : int, default=None
        Number of children that "nary_lstm" tells apart; further ones share the last place. None
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
    max_epochs : int, default=20
        Passes over the training samples.
    batch_size : int, default=64
        Samples in a batch.
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
    classes_ : ndarray, shape (n_classes,)
        The class labels, sorted.
    n_classes_ : int
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
        "cell": [StrOptions(set(CELLS)), callable],
        "pooling": [StrOptions(set(POOLINGS))],
        "max_arity": [Interval(Integral, 1, None, closed="left"), None],
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
        max_epochs: int = 20,
        batch_size: int = 64,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 5,
        class_weight: dict | str | None = None,
        warm_start: bool = False,
        device: str | torch.device = "auto",
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
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.device = device
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
        array = self._encode(X, reset=False)
        module = self.net_.module_

        def nodes(batch: TreeBatch) -> torch.Tensor:
            return module.head(module.encode_nodes(batch)).index_select(0, batch.order)

        probabilities = softmax(self._run_encoded(array, nodes), axis=1)
        shown = to_tree_array(X) if self.input_kind_ == "raw trees" else array
        labels = shown.labels if shown.vocabulary is None else shown.vocabulary[shown.labels]
        frame = pd.DataFrame(
            {
                "sample": np.repeat(np.arange(len(array)), array.sizes),
                "node": np.arange(array.n_nodes) - np.repeat(array.offsets[:-1], array.sizes),
                "parent": array.parents,
                "label": labels,
                "depth": array.depths,
                "prediction": self.classes_[probabilities.argmax(axis=1)],
            }
        )
        classes = pd.DataFrame(probabilities, columns=list(self.classes_))
        return pd.concat([frame, classes], axis=1)
