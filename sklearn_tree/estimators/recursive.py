"""Recursive nets: estimators for trees."""

from __future__ import annotations

import os
from typing import Any

import torch

from sklearn_tree.estimators.classifier import CLASSIFIER_CONSTRAINTS, NetClassifierMixin
from sklearn_tree.estimators.nodes import NodePredictionMixin
from sklearn_tree.estimators.recursive_base import BaseRecursiveNet
from sklearn_tree.estimators.regressor import NetRegressorMixin
from sklearn_tree.nn import TreeCell


class RecursiveNetClassifier(NodePredictionMixin, NetClassifierMixin, BaseRecursiveNet):
    """Classify trees with a recursive net (Tree-LSTM [1]_).

    The vector of a node is computed from its label and the vectors of its children, from the leaves to the
    root; the class is predicted from the vector of the root. All nodes of one depth in a batch are computed
    together.

    Parameters
    ----------
    cell : {"auto", "child_sum_lstm", "nary_lstm", "child_sum_gru", "nary_gru", "rnn", "rntn"} or TreeCell \
subclass, default="auto"
        Cell that computes a node from its label and its children. The "child_sum" cells accept any number of
        children and ignore their order; the others have separate weights for the first, second, ... child.
        "auto" is "nary_lstm" if every inner node of the training trees has two children, else
        "child_sum_lstm". "rnn" is a single layer; "rntn" adds a tensor product of the children, so
        ``hidden_size`` should be small.
    pooling : {"root", "mean", "max", "attention"}, default="root"
        How the vectors of a tree's nodes become one vector: the root's vector, the mean, the maximum, or a
        mean with learned weights. With ``bidirectional=True``, "root" takes the final vectors of both walks:
        the root's of the first and the mean of the leaves' of the second.
    bidirectional : bool, default=False
        Whether a second walk from the root to the leaves follows the walk from the leaves to the root. A
        node then has two vectors of ``hidden_size``, and the second depends on the whole tree.
    max_arity : int, default=None
        Number of children with separate weights, for cells that order children; further children share the
        weights of the last one. None takes the largest number of children in the training trees, at most 8.
    input_kind : {"auto", "trees", "table", "pairs"}, default="auto"
        Kind of the samples; "auto" reads rows of numbers as a table, two columns of trees as pairs and all
        else as trees.
    hidden_size : int, default=64
        Size of a node's vector.
    embedding_dim : int, default=None
        Size of a label's vector. None takes the size of the pretrained vectors, or 64 without them.
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
        Fraction of features set to zero in training, at the inputs of the nodes and before the output layer.
        "auto" is 0.5 for an open vocabulary, 0.2 for an open vocabulary of pairs and 0 otherwise. A
        vocabulary is open if at least a third of its labels occur in a single training sample.
    word_dropout : float, default=0.0
        Fraction of labels replaced by "unknown" in training.
    linear_path : bool or "auto", default="auto"
        Whether a linear model over the bag of labels adds its logits to those of the net. ``fit`` fits it
        first, with a cross-validated L2 penalty; ``partial_fit`` and ``node_y`` do not. Ignored for pairs and
        samples without labels. "auto" fits it for an open vocabulary, see ``dropout``.
    optimizer : str or torch.optim.Optimizer subclass, default="adamw"
        "adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam", "rmsprop", "sgd" or a class.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 0.003 for single trees with an open vocabulary, see ``dropout``, and 0.005
        otherwise.
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
        Number of passes over the training samples. None trains for 12 epochs on single trees with an open
        vocabulary, see ``dropout``, for 20 on other trees and for 10 on tables and pairs; on small data for
        more, to at least 100 batches. With an open vocabulary, no epoch after the third begins once 600
        batches (250 of pairs) are done.
    batch_size : int, default=64
        Number of samples in a batch.
    max_batch_nodes : int, default=50000
        Maximum number of nodes that are computed together, which bounds the memory. A batch with more nodes
        is split into parts whose gradients add up to the same step; a larger tree forms a part of its own.
        None sets no limit.
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
    vectorizer_ : TreeVectorizer
        Vectorizer fitted on raw trees; absent for encoded trees and tables.
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Device of the net.
    input_kind_ : str
        Name of the kind of the samples: "trees", "table" or "pairs".
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

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
        **BaseRecursiveNet._parameter_constraints,
        **CLASSIFIER_CONSTRAINTS,
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


class RecursiveNetRegressor(NetRegressorMixin, BaseRecursiveNet):
    """Predict numbers from trees with a recursive net (Tree-LSTM [1]_).

    The vector of a node is computed from its label and the vectors of its children, from the leaves to the
    root; the number is predicted from the vector of the root. Targets are standardised internally, so the
    losses in ``history_`` are in units of the variance of the targets.

    Parameters
    ----------
    cell : {"auto", "child_sum_lstm", "nary_lstm", "child_sum_gru", "nary_gru", "rnn", "rntn"} or TreeCell \
subclass, default="auto"
        Cell that computes a node from its label and its children. The "child_sum" cells accept any number of
        children and ignore their order; the others have separate weights for the first, second, ... child.
        "auto" is "nary_lstm" if every inner node of the training trees has two children, else
        "child_sum_lstm". "rnn" is a single layer; "rntn" adds a tensor product of the children, so
        ``hidden_size`` should be small.
    pooling : {"root", "mean", "max", "attention"}, default="root"
        How the vectors of a tree's nodes become one vector: the root's vector, the mean, the maximum, or a
        mean with learned weights. With ``bidirectional=True``, "root" takes the final vectors of both walks:
        the root's of the first and the mean of the leaves' of the second.
    bidirectional : bool, default=False
        Whether a second walk from the root to the leaves follows the walk from the leaves to the root. A
        node then has two vectors of ``hidden_size``, and the second depends on the whole tree.
    max_arity : int, default=None
        Number of children with separate weights, for cells that order children; further children share the
        weights of the last one. None takes the largest number of children in the training trees, at most 8.
    input_kind : {"auto", "trees", "table", "pairs"}, default="auto"
        Kind of the samples; "auto" reads rows of numbers as a table, two columns of trees as pairs and all
        else as trees.
    hidden_size : int, default=64
        Size of a node's vector.
    embedding_dim : int, default=None
        Size of a label's vector. None takes the size of the pretrained vectors, or 64 without them.
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
        Fraction of features set to zero in training, at the inputs of the nodes and before the output layer.
        "auto" is 0.5 for an open vocabulary, 0.2 for an open vocabulary of pairs and 0 otherwise. A
        vocabulary is open if at least a third of its labels occur in a single training sample.
    word_dropout : float, default=0.0
        Fraction of labels replaced by "unknown" in training.
    linear_path : bool or "auto", default="auto"
        Whether a linear model over the bag of labels adds its logits to those of the net. ``fit`` fits it
        first, with a cross-validated L2 penalty; ``partial_fit`` and ``node_y`` do not. Ignored for pairs and
        samples without labels. "auto" fits it for an open vocabulary, see ``dropout``.
    optimizer : str or torch.optim.Optimizer subclass, default="adamw"
        "adadelta", "adagrad", "adam", "adamax", "adamw", "nadam", "radam", "rmsprop", "sgd" or a class.
    lr : float or "auto", default="auto"
        Learning rate. "auto" is 0.003 for single trees with an open vocabulary, see ``dropout``, and 0.005
        otherwise.
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
        Number of passes over the training samples. None trains for 12 epochs on single trees with an open
        vocabulary, see ``dropout``, for 20 on other trees and for 10 on tables and pairs; on small data for
        more, to at least 100 batches. With an open vocabulary, no epoch after the third begins once 600
        batches (250 of pairs) are done.
    batch_size : int, default=64
        Number of samples in a batch.
    max_batch_nodes : int, default=50000
        Maximum number of nodes that are computed together, which bounds the memory. A batch with more nodes
        is split into parts whose gradients add up to the same step; a larger tree forms a part of its own.
        None sets no limit.
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
    vectorizer_ : TreeVectorizer
        Vectorizer fitted on raw trees; absent for encoded trees and tables.
    history_ : DataFrame
        One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s.
    n_iter_ : int
        Number of epochs trained.
    device_ : torch.device
        Device of the net.
    input_kind_ : str
        Name of the kind of the samples: "trees", "table" or "pairs".
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

    See Also
    --------
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
