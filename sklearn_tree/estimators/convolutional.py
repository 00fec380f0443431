"""Convolutional nets: estimators for texts, token sequences, series, tables and images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch

from sklearn_tree.estimators.classifier import CLASSIFIER_CONSTRAINTS, NetClassifierMixin
from sklearn_tree.estimators.convolutional_base import BaseCNN
from sklearn_tree.estimators.regressor import NetRegressorMixin


class CNNClassifier(NetClassifierMixin, BaseCNN):
    """Classify texts, token sequences, series or images with a convolutional net.

    Filters of several widths slide over each text, and the maxima of their feature maps are classified [1]_;
    further blocks make a residual net [2]_. Series and images are read by residual nets. A prediction does
    not depend on the other samples of its batch, nor on ``batch_size``.

    Parameters
    ----------
    kernel_sizes : sequence of int, default=None
        Widths of the filters in tokens, steps or pixels; filters over images are square. None takes (3, 4, 5)
        for texts, tokens and tables, (9, 19, 39) for series, and for images (3,) or, with blocks, (3, 5).
    n_filters : int, default=None
        Number of filters of each width; on series and images with ``n_blocks=None``, of all widths together
        and of the first block. None takes 32 for these nets on series, 16 on images, and 64 otherwise.
    n_blocks : int, default=None
        Number of convolutional blocks; all after the first are residual. Images are downsampled by 2 between
        blocks. None takes one block for texts, tokens and tables, and a deeper net with batch normalization,
        :class:`~sklearn_tree.nn.ResidualEncoder`, for series and images.
    pooling : {"auto", "max", "mean", "attention"}, default="auto"
        How the feature maps become one vector: the maximum over all positions, the mean, or a mean with
        learned weights. "auto" is "mean" for series and images with ``n_blocks=None``, and "max" otherwise.
    input_kind : {"auto", "text", "tokens", "series", "table", "image", "pairs"}, default="auto"
        Kind of the samples, for containers that are ambiguous: an array of shape (n, height, width) and pairs
        of grey images are read as series unless ``input_kind="image"``, and lists of ints of equal length as
        a table unless ``input_kind="tokens"``. Two columns of texts, sequences or images are pairs.
    channels : {"last", "first"}, default="last"
        Axis of the channels: "last" for series of shape (steps, channels) and images of shape (height, width,
        channels), "first" for (channels, steps) and (channels, height, width), as in torch and aeon. It is
        remembered from ``fit``. Explanations have the channels last.
    hidden_size : int, default=64
        Size of the hidden layer before the output layer; the default nets of series and images have none.
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
        Fraction of features set to zero in training, at the inputs, between blocks and before the hidden and
        the output layer. "auto" is 0.5 for an open vocabulary, 0.2 for an open vocabulary of pairs and 0
        otherwise. A vocabulary is open if at least a third of its tokens occur in a single training sample.
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
        ``dropout``; if ``n_blocks=None``, 0.003 for series and 0.01 for images; and 0.005 otherwise.
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
        with an open vocabulary, see ``dropout``, for 20 on other tokens and for 10 otherwise; but at least
        100 batches, by default 300 on series, 200 on images. With an open vocabulary, no epoch after the
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
        Name of the kind of the samples: "tokens", "series", "images", "table" or "pairs".
    n_channels_in_ : int
        Number of channels (series and images only).
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

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
        **BaseCNN._parameter_constraints,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        kernel_sizes: Sequence[int] | None = None,
        *,
        n_filters: int | None = None,
        n_blocks: int | None = None,
        pooling: str = "auto",
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


class CNNRegressor(NetRegressorMixin, BaseCNN):
    """Predict numbers from texts, token sequences, series or images with a convolutional net.

    Filters of several widths slide over each text, and the maxima of their feature maps give the prediction
    [1]_; further blocks make a residual net [2]_. Series and images are read by residual nets. A prediction
    does not depend on the other samples of its batch, nor on ``batch_size``.

    Targets are standardised internally, so the losses in ``history_`` are in units of the variance of the
    targets.

    Parameters
    ----------
    kernel_sizes : sequence of int, default=None
        Widths of the filters in tokens, steps or pixels; filters over images are square. None takes (3, 4, 5)
        for texts, tokens and tables, (9, 19, 39) for series, and for images (3,) or, with blocks, (3, 5).
    n_filters : int, default=None
        Number of filters of each width; on series and images with ``n_blocks=None``, of all widths together
        and of the first block. None takes 32 for these nets on series, 16 on images, and 64 otherwise.
    n_blocks : int, default=None
        Number of convolutional blocks; all after the first are residual. Images are downsampled by 2 between
        blocks. None takes one block for texts, tokens and tables, and a deeper net with batch normalization,
        :class:`~sklearn_tree.nn.ResidualEncoder`, for series and images.
    pooling : {"auto", "max", "mean", "attention"}, default="auto"
        How the feature maps become one vector: the maximum over all positions, the mean, or a mean with
        learned weights. "auto" is "mean" for series and images with ``n_blocks=None``, and "max" otherwise.
    input_kind : {"auto", "text", "tokens", "series", "table", "image", "pairs"}, default="auto"
        Kind of the samples, for containers that are ambiguous: an array of shape (n, height, width) and pairs
        of grey images are read as series unless ``input_kind="image"``, and lists of ints of equal length as
        a table unless ``input_kind="tokens"``. Two columns of texts, sequences or images are pairs.
    channels : {"last", "first"}, default="last"
        Axis of the channels: "last" for series of shape (steps, channels) and images of shape (height, width,
        channels), "first" for (channels, steps) and (channels, height, width), as in torch and aeon. It is
        remembered from ``fit``. Explanations have the channels last.
    hidden_size : int, default=64
        Size of the hidden layer before the output layer; the default nets of series and images have none.
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
        Fraction of features set to zero in training, at the inputs, between blocks and before the hidden and
        the output layer. "auto" is 0.5 for an open vocabulary, 0.2 for an open vocabulary of pairs and 0
        otherwise. A vocabulary is open if at least a third of its tokens occur in a single training sample.
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
        ``dropout``; if ``n_blocks=None``, 0.003 for series and 0.01 for images; and 0.005 otherwise.
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
        with an open vocabulary, see ``dropout``, for 20 on other tokens and for 10 otherwise; but at least
        100 batches, by default 300 on series, 200 on images. With an open vocabulary, no epoch after the
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
        Name of the kind of the samples: "tokens", "series", "images", "table" or "pairs".
    n_channels_in_ : int
        Number of channels (series and images only).
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

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
