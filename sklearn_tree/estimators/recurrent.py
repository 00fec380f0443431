"""Recurrent nets: estimators for texts, token sequences, series and tables."""

from __future__ import annotations

import os
from typing import Any

import torch

from sklearn_tree.estimators.classifier import CLASSIFIER_CONSTRAINTS, NetClassifierMixin
from sklearn_tree.estimators.recurrent_base import BaseRNN
from sklearn_tree.estimators.regressor import NetRegressorMixin


class RNNClassifier(NetClassifierMixin, BaseRNN):
    """Classify texts, token sequences or series with a recurrent net.

    Sequences are read step by step, by default in both directions. A prediction does not depend on the other
    sequences of its batch, nor on ``batch_size``.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Recurrent cell: long short-term memory [1]_, gated recurrent unit or Elman network.
    n_layers : int, default=1
        Number of recurrent layers.
    bidirectional : bool, default=True
        Whether each layer reads sequences in both directions.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the states of a sequence's steps become one vector: the last state of each direction, the mean,
        the maximum, or a mean with learned weights.
    input_kind : {"auto", "text", "tokens", "series", "table", "pairs"}, default="auto"
        Kind of the samples, for containers that are ambiguous: lists of ints of equal length are read as a
        table unless ``input_kind="tokens"``. Two columns of texts or sequences are pairs.
    channels : {"last", "first"}, default="last"
        Axis of the channels: "last" for series of shape (steps, channels) and images of shape (height, width,
        channels), "first" for (channels, steps) and (channels, height, width), as in torch and aeon. It is
        remembered from ``fit``. Explanations have the channels last.
    hidden_size : int, default=64
        Size of a step's state in each direction.
    embedding_dim : int, default=None
        Size of a token's vector. None takes the size of the pretrained vectors, or 64 without them.
    embeddings : str, path, pair, mapping or object, default=None
        Pretrained vectors of words: "glove.6B.50d" or "wordllama" (of installed packages), the path of a text
        file, a pair ``(words, vectors)``, a mapping of words to vectors, gensim's ``KeyedVectors``, an object
        with ``encode``, or spaCy's ``Vocab``. Words without a vector start at random. Words that first occur
        at prediction have the vectors of ``embeddings``. None learns all vectors.
    freeze_embeddings : bool, default=False
        Whether training leaves all vectors of words unchanged. Ignored without ``embeddings``.
    embedding_lr : float, default=None
        Learning rate of the vectors of words; None takes ``lr``.
    dropout : float or "auto", default="auto"
        Fraction of features set to zero in training, at the inputs, between layers and before the output
        layer. "auto" is 0.5 for an open vocabulary, 0.2 for an open vocabulary of pairs and 0 otherwise. A
        vocabulary is open if at least a third of its tokens occur in a single training sample.
    word_dropout : float, default=0.0
        Fraction of tokens replaced by "unknown" in training.
    linear_path : bool or "auto", default="auto"
        Whether a linear model over tokens and bigrams adds its logits to those of the net. ``fit`` fits it
        first, with a cross-validated L2 penalty; ``partial_fit`` does not. Ignored for pairs and samples
        without tokens. "auto" fits it for an open vocabulary, see ``dropout``.
    optimizer : str or torch.optim.Optimizer subclass, default="adamw"
        "adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam", "rmsprop", "sgd" or a class.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 0.001 for single sequences of tokens with an open vocabulary, see
        ``dropout``, and 0.005 otherwise.
    weight_decay : float, default=0.01
        Weight decay.
    lr_schedule : {"auto", "cosine", "exponential", "linear", "one_cycle"}, default="auto"
        Schedule of the learning rate over the epochs: "cosine" decays to 0, "exponential" to a hundredth,
        "linear" to a thousandth of ``lr``. "one_cycle" changes it with each batch: it rises linearly to
        ``lr`` over 30 % of all batches, then decays to 0 as a cosine. None keeps it constant. "auto" is
        "cosine" for an open vocabulary, see ``dropout``, "one_cycle" for the default CNNs on series and
        images, and None otherwise. Every ``fit`` restarts the schedule.
    weight_averaging : {"ema"}, default=None
        "ema" validates, stops and predicts with an exponential moving average of the weights, while the
        training goes on with the weights of the last step. After step t, the decay is
        ``min(0.999, t / (t + 9))``: the average spans about the last tenth of the training. None uses the
        weights of the last step.
    gradient_clip : float, default=None
        Maximum norm of the gradient; None does not clip gradients.
    max_epochs : int, default=None
        Number of passes over the training samples. None trains for 6 epochs on single sequences of tokens
        with an open vocabulary, see ``dropout``, for 20 on other tokens and for 10 on series, tables and
        pairs; on small data for more, to at least 100 batches. With an open vocabulary, no epoch after the
        third begins once 300 batches (250 of pairs) are done.
    batch_size : int, default=64
        Number of samples in a batch.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for ``patience`` epochs, and to restore the
        weights of the best epoch.
    validation_fraction : float, default=0.1
        Fraction of the training samples that early stopping and calibration hold out, stratified by class.
        Ignored if ``fit`` receives ``X_val``.
    patience : int, default=None
        Epochs without improvement after which early stopping stops; None: a fifth of all epochs, at least 5.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss; "balanced" weights them inversely to their frequencies.
    label_smoothing : float, default=0.0
        Share of each training target that is spread evenly over all classes, in [0, 1). The targets of labels
        become ``label_smoothing / 2`` and ``1 - label_smoothing / 2``. ``valid_loss`` is not smoothed.
    calibrate : {"temperature"}, default=None
        "temperature" divides the logits by a number that minimises the log loss of held-out samples, one for
        each label or column of classes. These are ``X_val`` or else ``validation_fraction`` of the training
        samples, with the weights of the loss. Predicted classes do not change. ``partial_fit`` keeps the
        temperature. None does not calibrate.
    warm_start : bool, default=False
        Whether ``fit`` continues to train the net of the previous ``fit``.
    device : str or torch.device, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps", "xpu": see :func:`resolve_device`.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        "float32" computes in full precision; "bfloat16" rounds the operands of matrix products and
        convolutions to bfloat16, in training and prediction, which is faster on hardware with such products;
        "auto" does so only on such hardware, and on CPUs not for recursive nets whose encoder has fewer than
        250,000 weights. Weights stay in single precision, and tables of doubles are never rounded.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights, of dropout and of the order of the samples. An int gives the same result
        in every fit and leaves all global generators unchanged; None draws a seed from numpy's global
        generator, as everywhere in scikit-learn.
    callbacks : list of skorch callbacks, default=None
        Callbacks of skorch, used without copying them. Set scikit-learn's own callbacks with
        ``set_callbacks``.
    checkpoint_dir : str or path, default=None
        Folder in which ``fit`` saves its state after every epoch. After a crash, the same ``fit`` on the same
        samples continues from there, with the same result to the bit. "{digest}" in the path becomes a digest
        of the parameters and the samples, so that the fits of a search have folders of their own.
    net_params : dict, default=None
        Further parameters of the skorch net, for example ``{"optimizer__betas": (0.9, 0.98)}``.
    verbose : int, default=0
        1 prints one line per epoch.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,), or list of ndarray
        Class labels, sorted; for several columns of classes, one array per column.
    n_classes_ : int or list of int
        Number of classes.
    temperature_ : float or list of float
        Temperature that divides the logits, 1.0 without ``calibrate``; for several labels or columns of
        classes, one for each.
    net_ : skorch.NeuralNetClassifier
        Fitted net; its module is ``net_.module_``.
    kind_ : Kind
        Fitted kind of the samples, which reads and batches them.
    target_ : Target
        Fitted target, which encodes y and decodes predictions.
    vectorizer_ : SequenceVectorizer
        Vectorizer fitted on texts; absent for all other samples.
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Device of the net.
    input_kind_ : str
        Name of the kind of the samples: "tokens", "series", "table" or "pairs".
    n_channels_in_ : int
        Number of channels (series only).
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

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
        **BaseRNN._parameter_constraints,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        cell: str = "lstm",
        *,
        n_layers: int = 1,
        bidirectional: bool = True,
        pooling: str = "last",
        input_kind: str = "auto",
        channels: str = "last",
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
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int | None = None,
        class_weight: dict | str | None = None,
        label_smoothing: float = 0.0,
        calibrate: str | None = None,
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


class RNNRegressor(NetRegressorMixin, BaseRNN):
    """Predict numbers from texts, token sequences or series with a recurrent net.

    Sequences are read step by step, by default in both directions. A prediction does not depend on the other
    sequences of its batch, nor on ``batch_size``.

    Targets are standardised internally, so the losses in ``history_`` are in units of the variance of the
    targets.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn"}, default="lstm"
        Recurrent cell: long short-term memory [1]_, gated recurrent unit or Elman network.
    n_layers : int, default=1
        Number of recurrent layers.
    bidirectional : bool, default=True
        Whether each layer reads sequences in both directions.
    pooling : {"last", "mean", "max", "attention"}, default="last"
        How the states of a sequence's steps become one vector: the last state of each direction, the mean,
        the maximum, or a mean with learned weights.
    input_kind : {"auto", "text", "tokens", "series", "table", "pairs"}, default="auto"
        Kind of the samples, for containers that are ambiguous: lists of ints of equal length are read as a
        table unless ``input_kind="tokens"``. Two columns of texts or sequences are pairs.
    channels : {"last", "first"}, default="last"
        Axis of the channels: "last" for series of shape (steps, channels) and images of shape (height, width,
        channels), "first" for (channels, steps) and (channels, height, width), as in torch and aeon. It is
        remembered from ``fit``. Explanations have the channels last.
    hidden_size : int, default=64
        Size of a step's state in each direction.
    embedding_dim : int, default=None
        Size of a token's vector. None takes the size of the pretrained vectors, or 64 without them.
    embeddings : str, path, pair, mapping or object, default=None
        Pretrained vectors of words: "glove.6B.50d" or "wordllama" (of installed packages), the path of a text
        file, a pair ``(words, vectors)``, a mapping of words to vectors, gensim's ``KeyedVectors``, an object
        with ``encode``, or spaCy's ``Vocab``. Words without a vector start at random. Words that first occur
        at prediction have the vectors of ``embeddings``. None learns all vectors.
    freeze_embeddings : bool, default=False
        Whether training leaves all vectors of words unchanged. Ignored without ``embeddings``.
    embedding_lr : float, default=None
        Learning rate of the vectors of words; None takes ``lr``.
    dropout : float or "auto", default="auto"
        Fraction of features set to zero in training, at the inputs, between layers and before the output
        layer. "auto" is 0.5 for an open vocabulary, 0.2 for an open vocabulary of pairs and 0 otherwise. A
        vocabulary is open if at least a third of its tokens occur in a single training sample.
    word_dropout : float, default=0.0
        Fraction of tokens replaced by "unknown" in training.
    linear_path : bool or "auto", default="auto"
        Whether a linear model over tokens and bigrams adds its logits to those of the net. ``fit`` fits it
        first, with a cross-validated L2 penalty; ``partial_fit`` does not. Ignored for pairs and samples
        without tokens. "auto" fits it for an open vocabulary, see ``dropout``.
    optimizer : str or torch.optim.Optimizer subclass, default="adamw"
        "adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam", "rmsprop", "sgd" or a class.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 0.001 for single sequences of tokens with an open vocabulary, see
        ``dropout``, and 0.005 otherwise.
    weight_decay : float, default=0.01
        Weight decay.
    lr_schedule : {"auto", "cosine", "exponential", "linear", "one_cycle"}, default="auto"
        Schedule of the learning rate over the epochs: "cosine" decays to 0, "exponential" to a hundredth,
        "linear" to a thousandth of ``lr``. "one_cycle" changes it with each batch: it rises linearly to
        ``lr`` over 30 % of all batches, then decays to 0 as a cosine. None keeps it constant. "auto" is
        "cosine" for an open vocabulary, see ``dropout``, "one_cycle" for the default CNNs on series and
        images, and None otherwise. Every ``fit`` restarts the schedule.
    weight_averaging : {"ema"}, default=None
        "ema" validates, stops and predicts with an exponential moving average of the weights, while the
        training goes on with the weights of the last step. After step t, the decay is
        ``min(0.999, t / (t + 9))``: the average spans about the last tenth of the training. None uses the
        weights of the last step.
    gradient_clip : float, default=None
        Maximum norm of the gradient; None does not clip gradients.
    max_epochs : int, default=None
        Number of passes over the training samples. None trains for 6 epochs on single sequences of tokens
        with an open vocabulary, see ``dropout``, for 20 on other tokens and for 10 on series, tables and
        pairs; on small data for more, to at least 100 batches. With an open vocabulary, no epoch after the
        third begins once 300 batches (250 of pairs) are done.
    batch_size : int, default=64
        Number of samples in a batch.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for ``patience`` epochs, and to restore the
        weights of the best epoch.
    validation_fraction : float, default=0.1
        Fraction of the training samples that early stopping and calibration hold out, stratified by class.
        Ignored if ``fit`` receives ``X_val``.
    patience : int, default=None
        Epochs without improvement after which early stopping stops; None: a fifth of all epochs, at least 5.
    warm_start : bool, default=False
        Whether ``fit`` continues to train the net of the previous ``fit``.
    device : str or torch.device, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps", "xpu": see :func:`resolve_device`.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        "float32" computes in full precision; "bfloat16" rounds the operands of matrix products and
        convolutions to bfloat16, in training and prediction, which is faster on hardware with such products;
        "auto" does so only on such hardware, and on CPUs not for recursive nets whose encoder has fewer than
        250,000 weights. Weights stay in single precision, and tables of doubles are never rounded.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights, of dropout and of the order of the samples. An int gives the same result
        in every fit and leaves all global generators unchanged; None draws a seed from numpy's global
        generator, as everywhere in scikit-learn.
    callbacks : list of skorch callbacks, default=None
        Callbacks of skorch, used without copying them. Set scikit-learn's own callbacks with
        ``set_callbacks``.
    checkpoint_dir : str or path, default=None
        Folder in which ``fit`` saves its state after every epoch. After a crash, the same ``fit`` on the same
        samples continues from there, with the same result to the bit. "{digest}" in the path becomes a digest
        of the parameters and the samples, so that the fits of a search have folders of their own.
    net_params : dict, default=None
        Further parameters of the skorch net, for example ``{"optimizer__betas": (0.9, 0.98)}``.
    verbose : int, default=0
        1 prints one line per epoch.

    Attributes
    ----------
    net_ : skorch.NeuralNetRegressor
        Fitted net; its module is ``net_.module_``.
    kind_ : Kind
        Fitted kind of the samples, which reads and batches them.
    target_ : Target
        Fitted target, which encodes y and decodes predictions.
    vectorizer_ : SequenceVectorizer
        Vectorizer fitted on texts; absent for all other samples.
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Device of the net.
    input_kind_ : str
        Name of the kind of the samples: "tokens", "series", "table" or "pairs".
    n_channels_in_ : int
        Number of channels (series only).
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

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
