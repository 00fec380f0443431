"""Recurrent nets: estimators whose samples are texts, token sequences or series."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import torch

from sklearn_tree.estimators.base import SHARED_CONSTRAINTS, BaseNet
from sklearn_tree.estimators.classifier import NetClassifierMixin
from sklearn_tree.estimators.regressor import NetRegressorMixin
from sklearn_tree.estimators.sequence_input import SEQUENCE_CONSTRAINTS, SequenceInputMixin, step_counts
from sklearn_tree.nn import RECURRENT_CELLS, SEQUENCE_POOLINGS, RecurrentNet
from sklearn_tree.validation import Interval, StrOptions

RNN_CONSTRAINTS: dict = {
    **SEQUENCE_CONSTRAINTS,
    "cell": [StrOptions(set(RECURRENT_CELLS))],
    "n_layers": [Interval(Integral, 1, None, closed="left")],
    "bidirectional": ["boolean"],
    "pooling": [StrOptions(set(SEQUENCE_POOLINGS))],
}


class RecurrentInputMixin(SequenceInputMixin):
    """The parameters of the recurrent module."""

    _module = RecurrentNet

    def _module_params(self, X: Any, weight: Any) -> dict[str, Any]:
        names = ("cell", "n_layers", "bidirectional", "pooling", "hidden_size", "embedding_dim", "dropout")
        params = {name: getattr(self, name) for name in (*names, "word_dropout")}
        if self.input_kind_ == "series":  # what matters may be far from the end
            params["memory"] = 2 * float(np.average(step_counts(X), weights=weight))
        return {**params, **self._input_params(X, weight), "dtype": self._precision(X)}


class RNNClassifier(NetClassifierMixin, RecurrentInputMixin, BaseNet):
    """Classify texts, token sequences or series with a recurrent net.

    Sequences are read step by step, in both directions unless told otherwise. A prediction does
    not depend on what a sequence is batched with, nor on ``batch_size``.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        The recurrent cell: long short-term memory, gated recurrent unit or Elman network.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Whether each layer reads both directions.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the states of a sequence's steps become one vector: where each direction ends, the
        average, the maximum, or an average with learned weights.
    input_kind : {"auto", "text", "tokens", "series", "table"}, default="auto"
        What X is, where that is ambiguous: lists of ints of equal length are a table unless this
        says "tokens".
    hidden_size : int, default=64
        Size of a step's state in each direction.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Share of features dropped in training, at the inputs, between layers and before the output.
    word_dropout : float, default=0.0
        Share of tokens replaced by "unknown" in training.
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
    vectorizer_ : SequenceVectorizer
        The vectorizer fitted on texts (absent for all else).
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Where the net is.
    input_kind_ : str
        "texts", "token ids", "series" or "a table".
    n_channels_in_ : int
        Number of channels (series only).
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

    See Also
    --------
    SequenceVectorizer : Encodes texts as a step of a pipeline.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber (1997). Long Short-Term Memory. Neural Computation 9(8).

    Examples
    --------
    >>> from sklearn_tree import RNNClassifier
    >>> texts = ["a great film", "not a great film", "great", "not great"] * 20
    >>> clf = RNNClassifier(random_state=0).fit(texts, ["good", "bad", "good", "bad"] * 20)
    >>> print(clf.predict(["not a great"])[0])
    bad
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        **RNN_CONSTRAINTS,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        cell: str = "lstm",
        *,
        n_layers: int = 1,
        bidirectional: bool = True,
        pooling: str = "last",
        input_kind: str = "auto",
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
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.input_kind = input_kind
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
        self.precision = precision
        self.random_state = random_state
        self.callbacks = callbacks
        self.net_params = net_params
        self.verbose = verbose


class RNNRegressor(NetRegressorMixin, RecurrentInputMixin, BaseNet):
    """Predict numbers from texts, token sequences or series with a recurrent net.

    Sequences are read step by step, in both directions unless told otherwise. A prediction does
    not depend on what a sequence is batched with, nor on ``batch_size``.

    Targets are standardised inside, so losses in ``history_`` are in units of their variance.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        The recurrent cell: long short-term memory, gated recurrent unit or Elman network.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=True
        Whether each layer reads both directions.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the states of a sequence's steps become one vector: where each direction ends, the
        average, the maximum, or an average with learned weights.
    input_kind : {"auto", "text", "tokens", "series", "table"}, default="auto"
        What X is, where that is ambiguous: lists of ints of equal length are a table unless this
        says "tokens".
    hidden_size : int, default=64
        Size of a step's state in each direction.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Share of features dropped in training, at the inputs, between layers and before the output.
    word_dropout : float, default=0.0
        Share of tokens replaced by "unknown" in training.
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
    vectorizer_ : SequenceVectorizer
        The vectorizer fitted on texts (absent for all else).
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Where the net is.
    input_kind_ : str
        "texts", "token ids", "series" or "a table".
    n_channels_in_ : int
        Number of channels (series only).
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

    See Also
    --------
    SequenceVectorizer : Encodes texts as a step of a pipeline.

    References
    ----------
    .. [1] S. Hochreiter, J. Schmidhuber (1997). Long Short-Term Memory. Neural Computation 9(8).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree import RNNRegressor
    >>> waves = [np.sin(np.arange(20 + i) / (2 + i % 5)) for i in range(100)]
    >>> reg = RNNRegressor(random_state=0).fit(waves, [2.0 + i % 5 for i in range(100)])
    >>> reg.predict(waves[:5]).round().tolist()
    [2.0, 3.0, 4.0, 5.0, 6.0]
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        **RNN_CONSTRAINTS,
    }

    def __init__(
        self,
        cell: str = "lstm",
        *,
        n_layers: int = 1,
        bidirectional: bool = True,
        pooling: str = "last",
        input_kind: str = "auto",
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
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.input_kind = input_kind
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
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.callbacks = callbacks
        self.net_params = net_params
        self.verbose = verbose
