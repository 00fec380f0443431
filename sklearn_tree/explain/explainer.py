"""Attributions of the predictions of fitted nets, as a scikit-learn transformer."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state, get_tags

from sklearn_tree.containers import as_reusable
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.estimators.objective import OUTPUTS, is_all
from sklearn_tree.estimators.plain import TorchStateMixin
from sklearn_tree.estimators.targets import check_length, check_y
from sklearn_tree.explain.class_ranks import explain_classes
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.fitted import N_FOR_IMPORTANCES, ExplainerAttributesMixin
from sklearn_tree.explain.methods import check_params, find_method
from sklearn_tree.explain.nodes import check_nodes, explain_nodes
from sklearn_tree.explain.request import Attributions, Request, make_request
from sklearn_tree.explain.results import make_explanations
from sklearn_tree.explain.runtime import run
from sklearn_tree.explain.views import BASELINES, Samples, find_view
from sklearn_tree.preprocessing.vocabulary import VOCABULARY_CONSTRAINTS
from sklearn_tree.validation import (
    POSITIVE,
    POSITIVE_INT,
    RANDOM_STATE,
    HasMethods,
    StrOptions,
)


class CaptumExplainer(
    ExplainerAttributesMixin, DocumentationLinkMixin, TorchStateMixin, TransformerMixin, BaseEstimator
):
    """Attribute the predictions of a net to its inputs.

    The inputs are the nodes and phrases of trees, the words of texts, the steps of series, the pixels of
    images and the columns of tables. An attribution is the amount by which an input raises the explained
    number: by default the margin, which is the logit of the predicted class minus the mean logit of the other
    classes. A fitted estimator is used without refitting; an unfitted one is cloned and fitted.

    Parameters
    ----------
    estimator : estimator
        Net of this package, a pipeline, search or ``FrozenEstimator`` that ends in one, or another classifier
        or regressor with nets inside. Such a model is explained by perturbation of the user's rows: words and
        subtrees are deleted, and the cells of other columns are replaced.
    method : str, default="auto"
        Method of attribution. "auto" selects "integrated_gradients" for series and tables, "occlusion" for
        the other kinds.

        - "occlusion": decrease of the explained number if an input is replaced by the baseline. For trees,
          every subtree is removed in turn; for series and images, a window slides over the sample.
        - "integrated_gradients": integral of the gradient from the baseline to the sample [1]_. For trees,
          the attribution of a phrase is the sum over its nodes.
        - "shapley": Shapley values, exact for up to 10 nodes, words, columns, windows or patches, otherwise
          estimated from random orders.
        - "saliency", "input_x_gradient", "gradient_shap", and "noise_tunnel(...)" around "saliency",
          "input_x_gradient" or "integrated_gradients".
        - "interaction" (trees): how much the occlusion of a phrase exceeds the sum of its children's.
        - "node_prediction" (trees): explained number for each phrase as a separate tree.
        - "feature_ablation" (all but trees): like "occlusion", with windows that do not overlap.
        - "kernel_shap", "lime" (not for recursive nets): linear models fitted to random sets of inputs.
        - "grad_cam" (convolutional nets): last feature maps, weighted by their gradients.
        - Any method registered with :func:`sklearn_tree.explain.methods.register_method`.
    target : "predicted", class, int or tuple, default="predicted"
        Class to explain, or for several numbers or labels the index of one. For several columns of classes,
        ``(output, class)``; for labels too, with the classes 0 (absent) and 1 (present). The class in a tuple
        may be "predicted". "predicted" explains the predicted class of the first column, the most probable
        label, or the first number.
    baseline : {"auto", "zero", "unknown", "mean"}, default="auto"
        Replacement for a removed input. Words and nodes get a vector of zeros, the vector of unknown words,
        or the mean vector of the words in ``fit``; numbers get 0 or the training mean. "auto" selects
        the vector of unknown words if the net was trained with ``word_dropout``, otherwise the mean. For the
        occlusion of subtrees, "auto" and "zero" set the state of the subtree to zero, which for child-sum
        cells cuts the edge above it. Numbers in the rows of a model with nets inside are replaced by their
        median for "auto".
    output : {"margin", "logit", "probability"}, default="margin"
        Number to explain for the target: its logit minus the mean of the other logits, its logit, or its
        probability. Ignored for regressors, whose predictions are explained in the units of the targets.
    n_steps : int, default=32
        Initial number of steps of integrated gradients.
    max_steps : int, default=512
        Maximum number of steps. The steps are doubled for samples whose completeness error exceeds ``tol``.
    tol : float, default=0.01
        Largest completeness error relative to ``max(1, |f(x) - f(baseline)|)``; for regressors, the
        standard deviation of the targets replaces the 1.
    max_rows : int, default=8192
        Maximum number of nodes, steps or pixels that are computed at once, which bounds the memory.
    max_total_rows : int, default=1_000_000_000
        Maximum number of nodes, steps or pixels that "shapley", "kernel_shap" and "lime" compute for one
        sample in all evaluations of the net; the default takes about an hour on one core. A larger sample
        raises an error before anything is explained. A tenth of it, for all samples together, gives a
        warning.
    aggregate : {"sum", "mean"}, default="sum"
        How ``transform`` combines the attributions of a word, or of a channel of series of unequal length, in
        one sample.
    min_df : int or float, default=1
        Number (fraction if float) of samples in ``fit`` that must contain a word for it to get a column.
    max_features : int, default=None
        Maximum number of columns for words; the most frequent words are kept. None for no limit.
    random_state : int, RandomState or None, default=None
        Seed of the stochastic methods; each sample gets the same draws, whatever the other samples.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the computation.
    method_params : dict, default=None
        Parameters of the methods: ``n_samples`` of "shapley" (default 25), "kernel_shap" and "lime" (256),
        "gradient_shap" and "noise_tunnel" (25); ``stdevs``, the standard deviation of the noise; ``window``,
        the length of windows and patches of series and images; ``stride`` of "occlusion", at most the window.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    method_ : str
        Name of the method, with "auto" resolved.
    baseline_ : ndarray of float, shape (size,), or str
        Vector that replaces a removed word or node: ``embedding_dim`` numbers, followed by ``n_outputs``
        weights if the net has a linear path, and by the presence in bigrams if the path has bigrams. For
        numbers, the name of the baseline.
    vocabulary_ : dict of str to int
        Output column of each word (trees and texts only); for pairs of each side and word.
    feature_importances_ : ndarray of float, shape (n_features_out,)
        Mean absolute value of each column of ``transform`` over the first 1,000 samples of ``fit``. Computed
        when first read, with the parameters at that time, and kept until the next ``fit``.
    n_features_in_ : int
        Number of columns (tables, and columns of texts or trees, only).
    feature_names_in_ : ndarray of str
        Names of the columns (only if all are strings).

    See Also
    --------
    Explanations : Attributions as frames and pictures.
    sklearn_tree.explain.metrics : Quality of attributions.

    Notes
    -----
    Methods whose results would be silently wrong are refused with the reason: DeepLift, LRP and the guided
    methods of Captum have no rules for recurrent and recursive cells and for normalisation.

    Occlusion cannot see redundancy: if either of two words suffices, removing one of them changes nothing,
    and both get 0. Shapley values and integrated gradients give each of them half of the effect.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan (2017). Axiomatic Attribution for Deep Networks. ICML.

    Examples
    --------
    >>> from sklearn_tree import CaptumExplainer, RecursiveNetClassifier
    >>> trees = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))"] * 20
    >>> clf = RecursiveNetClassifier(random_state=0).fit(trees, ["good", "bad"] * 20)
    >>> explainer = CaptumExplainer(clf).fit(trees)
    >>> explanations = explainer.explain(["(S (NP she) (VP works))"])
    >>> explanations.to_frame().set_index("token").own.idxmax()
    'works'
    >>> explainer.transform(trees).shape
    (40, 6)

    With several columns of classes, the target is a column and one of its classes:

    >>> y = [["good", "long"], ["bad", "short"]] * 20
    >>> clf = RecursiveNetClassifier(random_state=0).fit(trees, y)
    >>> CaptumExplainer(clf, target=(1, "short")).fit(trees).explain(trees[:1]).targets.tolist()
    ['short']
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "estimator": [HasMethods("fit")],
        "method": [str],
        "target": "no_validation",
        "baseline": [StrOptions(set(BASELINES))],
        "output": [StrOptions(set(OUTPUTS))],
        "n_steps": [POSITIVE_INT],
        "max_steps": [POSITIVE_INT],
        "tol": [POSITIVE],
        "max_rows": [POSITIVE_INT],
        "max_total_rows": [POSITIVE_INT],
        "aggregate": [StrOptions({"mean", "sum"})],
        "min_df": VOCABULARY_CONSTRAINTS["min_df"],
        "max_features": VOCABULARY_CONSTRAINTS["max_features"],
        "random_state": RANDOM_STATE,
        "dtype": [StrOptions({"float32", "float64"})],
        "method_params": [dict, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any,
        method: str = "auto",
        *,
        target: Any = "predicted",
        baseline: str = "auto",
        output: str = "margin",
        n_steps: int = 32,
        max_steps: int = 512,
        tol: float = 0.01,
        max_rows: int = 8192,
        max_total_rows: int = 1_000_000_000,
        aggregate: str = "sum",
        min_df: int | float = 1,
        max_features: int | None = None,
        random_state: Any = None,
        dtype: str = "float32",
        method_params: dict | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.target = target
        self.baseline = baseline
        self.output = output
        self.n_steps = n_steps
        self.max_steps = max_steps
        self.tol = tol
        self.max_rows = max_rows
        self.max_total_rows = max_total_rows
        self.aggregate = aggregate
        self.min_df = min_df
        self.max_features = max_features
        self.random_state = random_state
        self.dtype = dtype
        self.method_params = method_params
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> CaptumExplainer:
        """Fit an unfitted estimator, and learn the baseline and the output columns.

        Nothing is explained yet, so a fitted estimator computes no predictions.

        Parameters
        ----------
        X : samples
            Samples that the estimator accepts. The mean vector of words and the output columns are computed
            from them. The first 1,000 encoded samples are kept until ``feature_importances_`` is computed.
        y : array-like, shape (n_samples,), default=None
            Targets; required if the estimator is not fitted.

        Returns
        -------
        self
            The fitted explainer.

        Raises
        ------
        ValueError
            If a parameter is invalid, the method is wrong for the net, or ``y`` is missing. The explainer
            then keeps the result of the previous fit.
        TypeError
            If the estimator neither is nor contains a net of this package.
        """
        self._validate_params()
        fitted = copy.copy(self)
        fitted._fit(as_reusable(X), y)
        self.__dict__.update(vars(fitted))
        return self

    def _fit(self, X: Any, y: Any) -> None:
        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self._set_estimator(X, y)
        net = self._explained_net()
        view = find_view(net.kind)
        self.method_ = view.default_method if self.method == "auto" else self.method
        find_method(self.method_, net)
        encoded, _ = net.encode(X)
        self.baseline_ = view.choose_baseline(net, encoded, self.baseline)
        self._zero_states = self.baseline in ("auto", "zero")
        outputs = torch.zeros(1, net.target.n_outputs, device="cpu")
        self._request(net, encoded, self.output).choose(outputs)  # checks the target
        self._features = view.learn_features(
            net,
            encoded,
            aggregate=self.aggregate,
            min_df=self.min_df,
            max_features=self.max_features,
        )
        self._samples = net.kind.to_host(encoded[:N_FOR_IMPORTANCES])

    def _validate_params(self) -> None:
        super()._validate_params()
        check_params(self.method_params or {})

    def explain(self, X: Any, y: Any = None, target: Any = None, *, node: Any = None) -> Explanations:
        """Explain the predictions for samples.

        Parameters
        ----------
        X : samples
            Samples that the estimator accepts.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs), default=None
            True classes or numbers, for captions and frames; they do not change the attributions.
        target : "predicted", "all", class, int or tuple, default=None
            Class to explain in this call; None uses the parameter ``target``. "all" explains the classes of
            each sample, at most the five most probable, one after the other, the most probable first.
        node : int or array-like of int, shape (n_samples,), default=None
            Node of each tree whose prediction is explained, numbered as by ``predict_nodes``; None for the
            root. Nodes outside its subtree get 0, unless the net is bidirectional. ``y`` then holds the
            truths of the nodes.

        Returns
        -------
        Explanations
            Attributions of each sample. Notebooks show them as pictures; ``to_frame()`` returns the numbers.

        Raises
        ------
        ValueError
            If ``y`` does not have one row per sample, ``target`` does not exist, images have another size
            than in ``fit``, a tree lacks the node, or the samples or the method have no nodes to explain.
        """
        net, explainer = self._ready_net(), copy.copy(self)
        explainer.target = self.target if target is None else target
        explain = explain_classes if is_all(target) else CaptumExplainer._explain
        samples = find_view(net.kind).read(net, X)
        nodes = None if node is None else check_nodes(node, net, samples.encoded)
        return explain(explainer, net, samples, y, nodes)

    def transform(self, X: Any) -> np.ndarray:
        """Return attributions in a fixed number of columns.

        With ``target="predicted"``, the columns of different rows refer to different classes; set ``target``
        to a class if another model learns from the columns.

        Parameters
        ----------
        X : samples
            Samples that the estimator accepts.

        Returns
        -------
        ndarray of float, shape (n_samples, n_features_out)
            One column per column of a table (one-hot columns are summed), per word of ``vocabulary_`` for
            trees and texts, per number for images and series of equal length, and per channel for series of
            unequal length. Pairs have these columns for each side. The columns are float64 if X or ``dtype``
            is, or if float32 does not hold numbers of the size of a regressor's targets.
        """
        net = self._ready_net()
        columns = self._compute_columns(net, net.encode(X)[0])
        is_double = getattr(X, "dtype", None) == np.float64 or self.dtype == "float64"
        is_double |= bool((net.target.units != 1).any())
        return columns.astype(np.float64 if is_double else np.float32)

    def _request(self, net: ExplainedNet, encoded: Any, output: str) -> Request:
        """Return the request to explain an output of the net for encoded samples."""
        return make_request(self, net, encoded, output)

    def _attribute(self, net: ExplainedNet, encoded: Any, nodes: np.ndarray | None = None) -> Attributions:
        method, request = find_method(self.method_, net), self._request(net, encoded, self.output)
        if nodes is not None:
            return explain_nodes(method, request, nodes, self.verbose)
        return run(method, request, self.verbose)

    def _explain(self, net: ExplainedNet, samples: Samples, y: Any, nodes: np.ndarray | None) -> Explanations:
        truths = None if y is None else check_y(y)
        if truths is not None:
            check_length(truths, samples.encoded)
        find_view(net.kind).check(self._features, samples.encoded)
        found, method = self._attribute(net, samples.encoded, nodes), find_method(self.method_, net)
        return make_explanations(net, samples, found, self._features, method, self.target, truths, nodes)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.required = True
        return tags
