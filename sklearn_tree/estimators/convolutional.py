"""Convolutional nets: estimators whose samples are texts, token sequences, series, tables or images."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch

from sklearn_tree.estimators.base import SHARED_CONSTRAINTS, BaseNet
from sklearn_tree.estimators.classifier import NetClassifierMixin
from sklearn_tree.estimators.image_input import ImageInputMixin
from sklearn_tree.estimators.regressor import NetRegressorMixin
from sklearn_tree.estimators.sequence_input import KINDS
from sklearn_tree.nn import CONVOLUTION_POOLINGS, ConvolutionalNet
from sklearn_tree.validation import Interval, StrOptions

_POSITIVE_INT = Interval(Integral, 1, None, closed="left")
CNN_CONSTRAINTS: dict = {
    "kernel_sizes": ["array-like", None],
    "n_filters": [_POSITIVE_INT],
    "n_blocks": [_POSITIVE_INT],
    "pooling": [StrOptions(set(CONVOLUTION_POOLINGS))],
    "input_kind": [StrOptions({"auto", *KINDS})],
}
# What kernel_sizes=None means. Series: the widths of InceptionTime, odd.
_KERNEL_SIZES = {"series": (9, 19, 39), "images": (3, 5)}
_KERNEL_SIZES_OF_TOKENS = (3, 4, 5)  # Kim's


class ConvolutionalInputMixin(ImageInputMixin):
    """The parameters of the convolutional module."""

    _module = ConvolutionalNet

    def _module_params(self, X: Any, weight: Any) -> dict[str, Any]:
        names = ("n_filters", "n_blocks", "pooling", "hidden_size", "embedding_dim", "dropout")
        return {
            "kernel_sizes": self._widths(),
            "is_image": self.input_kind_ == "images",
            **{name: getattr(self, name) for name in (*names, "word_dropout")},
            **self._input_params(X, weight),
            "dtype": self._precision(X),
        }

    def _widths(self) -> tuple[int, ...]:
        if self.kernel_sizes is None:
            return _KERNEL_SIZES.get(self.input_kind_, _KERNEL_SIZES_OF_TOKENS)
        try:
            sizes = np.asarray(self.kernel_sizes)
        except ValueError:  # lists of unequal length
            sizes = np.zeros(())
        if sizes.ndim != 1 or not len(sizes) or sizes.dtype.kind not in "iu" or np.any(sizes < 1):
            raise ValueError(f"kernel_sizes must hold positive ints, at least one, got {self.kernel_sizes!r}")
        return tuple(sizes.tolist())


class CNNClassifier(NetClassifierMixin, ConvolutionalInputMixin, BaseNet):
    """Classify texts, token sequences, series or images with a convolutional net.

    Filters of several widths are slid over each sample, and their largest answers decide [1]_;
    further blocks make a residual net [2]_. A prediction does not depend on what a sample is
    batched with, nor on ``batch_size``.

    Parameters
    ----------
    kernel_sizes : sequence of int, default=None
        Widths of the filters, in tokens, steps or pixels (over images they are square). None takes
        (3, 4, 5) for texts, tokens and tables, (9, 19, 39) for series and (3, 5) for images.
    n_filters : int, default=64
        Number of filters of each width.
    n_blocks : int, default=1
        Number of blocks of filters; each after the first adds to what goes in. Images are halved
        between blocks.
    pooling : {"max", "mean", "attention"}, default="max"
        How the filters' answers at all positions become one vector: the maximum, the average, or
        an average with learned weights.
    input_kind : {"auto", "text", "tokens", "series", "table", "image"}, default="auto"
        What X is, where that is ambiguous: an array of shape (n, height, width) is read as series
        unless this says "image", lists of ints of equal length as a table unless it says "tokens".
    hidden_size : int, default=64
        Size of the layer between the filters and the output.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Share of features dropped in training, at the inputs, between blocks and before both
        layers behind them.
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
        "texts", "token ids", "series", "a table" or "images".
    n_channels_in_ : int
        Number of channels (series and images only).
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

    See Also
    --------
    SequenceVectorizer : Encodes texts as a step of a pipeline.

    References
    ----------
    .. [1] Y. Kim (2014). Convolutional Neural Networks for Sentence Classification. EMNLP.
    .. [2] K. He et al. (2016). Identity Mappings in Deep Residual Networks. ECCV.

    Examples
    --------
    >>> from sklearn_tree import CNNClassifier
    >>> texts = ["a great film", "not a great film", "great", "not great"] * 20
    >>> clf = CNNClassifier(random_state=0).fit(texts, ["good", "bad", "good", "bad"] * 20)
    >>> print(clf.predict(["not a great"])[0])
    bad
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        **CNN_CONSTRAINTS,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        kernel_sizes: Sequence[int] | None = None,
        *,
        n_filters: int = 64,
        n_blocks: int = 1,
        pooling: str = "max",
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
        self.kernel_sizes = kernel_sizes
        self.n_filters = n_filters
        self.n_blocks = n_blocks
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


class CNNRegressor(NetRegressorMixin, ConvolutionalInputMixin, BaseNet):
    """Predict numbers from texts, token sequences, series or images with a convolutional net.

    Filters of several widths are slid over each sample, and their largest answers decide [1]_;
    further blocks make a residual net [2]_. A prediction does not depend on what a sample is
    batched with, nor on ``batch_size``.

    Targets are standardised inside, so losses in ``history_`` are in units of their variance.

    Parameters
    ----------
    kernel_sizes : sequence of int, default=None
        Widths of the filters, in tokens, steps or pixels (over images they are square). None takes
        (3, 4, 5) for texts, tokens and tables, (9, 19, 39) for series and (3, 5) for images.
    n_filters : int, default=64
        Number of filters of each width.
    n_blocks : int, default=1
        Number of blocks of filters; each after the first adds to what goes in. Images are halved
        between blocks.
    pooling : {"max", "mean", "attention"}, default="max"
        How the filters' answers at all positions become one vector: the maximum, the average, or
        an average with learned weights.
    input_kind : {"auto", "text", "tokens", "series", "table", "image"}, default="auto"
        What X is, where that is ambiguous: an array of shape (n, height, width) is read as series
        unless this says "image", lists of ints of equal length as a table unless it says "tokens".
    hidden_size : int, default=64
        Size of the layer between the filters and the output.
    embedding_dim : int, default=64
        Size of a token's vector.
    dropout : float, default=0.0
        Share of features dropped in training, at the inputs, between blocks and before both
        layers behind them.
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
        "texts", "token ids", "series", "a table" or "images".
    n_channels_in_ : int
        Number of channels (series and images only).
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

    See Also
    --------
    SequenceVectorizer : Encodes texts as a step of a pipeline.

    References
    ----------
    .. [1] Y. Kim (2014). Convolutional Neural Networks for Sentence Classification. EMNLP.
    .. [2] K. He et al. (2016). Identity Mappings in Deep Residual Networks. ECCV.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree import CNNRegressor
    >>> waves = [np.sin(np.arange(20 + i) / (2 + i % 5)) for i in range(100)]
    >>> reg = CNNRegressor(random_state=0).fit(waves, [2.0 + i % 5 for i in range(100)])
    >>> reg.predict(waves[:5]).round().tolist()
    [2.0, 3.0, 4.0, 5.0, 6.0]
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **SHARED_CONSTRAINTS,
        **CNN_CONSTRAINTS,
    }

    def __init__(
        self,
        kernel_sizes: Sequence[int] | None = None,
        *,
        n_filters: int = 64,
        n_blocks: int = 1,
        pooling: str = "max",
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
        self.kernel_sizes = kernel_sizes
        self.n_filters = n_filters
        self.n_blocks = n_blocks
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
