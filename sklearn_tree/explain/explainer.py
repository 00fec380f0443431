"""``CaptumExplainer``: attributions of a fitted net's predictions, as a transformer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.estimators.opened import few_threads
from sklearn_tree.estimators.training import torch_seed as seeded
from sklearn_tree.explain.columns import columns_of
from sklearn_tree.explain.explanations import Explanations
from sklearn_tree.explain.features import learn_features
from sklearn_tree.explain.gradients import Budget
from sklearn_tree.explain.inputs import BASELINES
from sklearn_tree.explain.methods import Task, attribute, check_method, check_params, default_method
from sklearn_tree.explain.objective import OUTPUTS, make_objective, offset_of
from sklearn_tree.explain.subject import Subject, is_fitted, steps_and_net
from sklearn_tree.preprocessing.vocabulary import VOCABULARY_CONSTRAINTS
from sklearn_tree.trees.flat import PAD_ID, UNKNOWN_ID
from sklearn_tree.validation import HasMethods, Interval, StrOptions, check_feature_names_in

_MOST_SAMPLES = 1000  # whose attributions make the importances


class CaptumExplainer(DocumentationLinkMixin, TransformerMixin, BaseEstimator):
    """Say why a net predicted what it did, in terms of what went in.

    Nodes of trees and their phrases, words, time steps, pixels and columns get an attribution: by how much
    the explained number (the margin of the predicted class over the other classes) is higher because of
    them. An estimator that is fitted is explained as it is; one that is not is cloned and fitted.

    Parameters
    ----------
    estimator : estimator
        A net of this package, or a pipeline, search or ``FrozenEstimator`` that ends in one.
    method : str, default="auto"
        "auto" takes "occlusion", and "integrated_gradients" for series and tables.

        - "occlusion": by how much the number falls without it. On trees every subtree is taken away in
          turn; on series and images a window slides.
        - "integrated_gradients": gradients along the way from the baseline [1]_; on trees the attribution
          of a phrase is the sum over its nodes.
        - "shapley": the mean fall over all orders of taking away, exact for up to 10 nodes, words, columns,
          windows or patches, otherwise over random orders.
        - "saliency", "input_x_gradient", "gradient_shap", "noise_tunnel(saliency)" (or of another).
        - On trees also "interaction", what the occlusion of a phrase is more than those of its parts, and
          "node_prediction", what the phrase says by itself.
        - On all else also "feature_ablation", "kernel_shap", "lime"; "grad_cam" for convolutional nets.
    target : "predicted" or class, default="predicted"
        Which class; of a regressor with several outputs the number of the output, for several outputs
        of a classifier ``(output, class)``. "predicted" takes the first of several outputs.
    baseline : {"auto", "zero", "unknown", "mean"}, default="auto"
        What stands for "not there". Of words and nodes: a vector of zeros, that of an unknown word, or the
        mean one; of numbers: 0, or the training's mean. "auto" takes the unknown word if the net was
        trained with ``word_dropout``, else the mean; for the occlusion of subtrees, states of zero, as if
        the edge above were cut.
    output : {"margin", "logit", "probability"}, default="margin"
        What is explained of the target: its logit minus the mean of the others, or itself. Regressors'
        predictions are explained in their own units.
    n_steps : int, default=32
        Steps of integrated gradients at first.
    max_steps : int, default=512
        The most steps: they are doubled for samples whose completeness error is above ``tol``.
    tol : float, default=0.01
        Largest completeness error, beside ``max(1, |f(x) - f(baseline)|)``; of regressors the standard
        deviation of the targets stands for the 1.
    max_rows : int, default=8192
        The most nodes, steps or pixels that are computed at once, which bounds the memory.
    aggregate : {"sum", "mean"}, default="sum"
        How ``transform`` joins the attributions of one word (or channel of a ragged series) in a sample.
    min_df : int or float, default=1
        Words in fewer samples of ``fit`` get no column: a count, or a share if a float.
    max_features : int, default=None
        The most columns for words.
    random_state : int, RandomState or None, default=None
        Seed of the methods that draw; each sample is drawn for by itself.
    dtype : {"float32", "float64"}, default="float32"
        Precision of all that is computed.
    method_params : dict, default=None
        ``n_samples`` of "shapley" (25), "kernel_shap" and "lime" (256), "gradient_shap" and
        "noise_tunnel" (25); ``stdevs`` of noise; ``window`` on series and images, and the ``stride`` of
        "occlusion", at most the window.
    verbose : int, default=0
        1 shows the progress.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    method_ : str
        The method that "auto" stands for.
    baseline_ : ndarray of float, shape (embedding_dim,), or str
        The vector that stands for an absent word or node, or the name of the baseline of numbers.
    vocabulary_ : dict of str to int
        The column of each word (trees and texts only).
    feature_importances_ : ndarray of float, shape (n_features_out,)
        The mean size of ``transform``'s columns over the first 1,000 samples of ``fit``.
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

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
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "estimator": [HasMethods("fit")],
        "method": [str],
        "target": "no_validation",
        "baseline": [StrOptions(set(BASELINES))],
        "output": [StrOptions(set(OUTPUTS))],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "max_steps": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="neither")],
        "max_rows": [Interval(Integral, 1, None, closed="left")],
        "aggregate": [StrOptions({"mean", "sum"})],
        "min_df": VOCABULARY_CONSTRAINTS["min_df"],
        "max_features": VOCABULARY_CONSTRAINTS["max_features"],
        "random_state": ["random_state"],
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
        self.aggregate = aggregate
        self.min_df = min_df
        self.max_features = max_features
        self.random_state = random_state
        self.dtype = dtype
        self.method_params = method_params
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> CaptumExplainer:
        """Fit the estimator if it is not, and set the baseline, the names and the importances.

        Parameters
        ----------
        X : samples
            What the estimator takes. The mean baseline, the words of ``transform`` and the importances
            are those of these samples.
        y : array-like, shape (n_samples,), default=None
            Targets, for an estimator that is not fitted.

        Returns
        -------
        self
            The fitted explainer.

        Raises
        ------
        ValueError
            If a parameter is invalid, the method is wrong for the net, or ``y`` is missing.
        TypeError
            If there is no net of this package at the end of the estimator.
        """
        self._validate_params()
        self._seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        self.estimator_ = self._fitted(X, y)
        subject = self._subject()
        self.method_ = default_method(subject) if self.method == "auto" else self.method
        check_method(self.method_, subject)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        encoded, shown = subject.encode(X)
        self.baseline_ = self._choose_baseline(subject, encoded)
        self._by_state = self.baseline in ("auto", "zero")
        self._learned = learn_features(subject, encoded, self.aggregate, self.min_df, self.max_features)
        few = slice(_MOST_SAMPLES)
        explanations = self._explained(subject, encoded[few], shown[few], _first(X))
        self.feature_importances_ = np.abs(self._learned.of(explanations, encoded[few])).mean(axis=0)
        return self

    def _validate_params(self) -> None:
        super()._validate_params()
        check_params(self.method_params or {})

    def _fitted(self, X: Any, y: Any) -> Any:
        if is_fitted(self.estimator):
            return self.estimator
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: "
                "the estimator is not fitted yet"
            )
        return clone(self.estimator).fit(X, y)

    def _subject(self) -> Subject:
        return Subject(self.estimator_, getattr(torch, self.dtype))

    def _choose_baseline(self, subject: Subject, encoded: Any) -> np.ndarray | str:
        name = self.baseline
        if subject.kind not in ("trees", "tokens"):
            if name == "unknown":
                raise ValueError(f"baseline='unknown' is for words and labels, not for {subject.kind}")
            return "mean" if name == "auto" else name
        weight = subject.module.embedding.labels.weight.cpu().numpy()
        if name == "zero":
            return np.zeros_like(weight[0])
        if name == "unknown" or (name == "auto" and subject.net.word_dropout):
            return weight[UNKNOWN_ID].copy()
        ids = np.asarray(encoded.labels if subject.kind == "trees" else encoded.values)
        ids = np.where(ids < len(weight), ids, UNKNOWN_ID)
        counts = np.bincount(ids[ids != PAD_ID], minlength=len(weight))
        return counts @ weight / max(counts.sum(), 1)

    def explain(self, X: Any) -> Explanations:
        """Explain the predictions of samples.

        Parameters
        ----------
        X : samples
            What the estimator takes.

        Returns
        -------
        Explanations
            Notebooks show them as pictures; ``to_frame()`` gives the numbers.
        """
        check_is_fitted(self, "estimator_")
        self._validate_params()
        return self._explain(X, self._subject())[0]

    def transform(self, X: Any) -> np.ndarray:
        """Return attributions as columns.

        With ``target="predicted"`` a column may speak of another class in each row: set ``target`` to a
        class before another model learns from the columns.

        Parameters
        ----------
        X : samples
            What the estimator takes.

        Returns
        -------
        ndarray of float, shape (n_samples, n_features_out)
            Of tables a column per column (one-hot columns summed), of trees and texts a column per
            word of ``vocabulary_``, of series and images of one size a column per number, of series of
            unequal length a column per channel.
        """
        check_is_fitted(self, "estimator_")
        self._validate_params()
        features = self._learned.of(*self._explain(X, self._subject()))
        is_double = getattr(X, "dtype", None) == np.float64 or self.dtype == "float64"
        return features.astype(np.float64 if is_double else np.float32)

    @property
    def vocabulary_(self) -> dict[str, int]:
        """The column of each word (trees and texts only)."""
        if self._learned.vocabulary is None:
            raise AttributeError("vocabulary_ is for trees and texts only")
        return self._learned.vocabulary

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of ``transform``'s columns.

        Parameters
        ----------
        input_features : array-like of str, shape (n_columns,), default=None
            Names of the columns of tables that came without; ignored for all else.

        Returns
        -------
        ndarray of str objects, shape (n_features_out,)

        Raises
        ------
        ValueError
            If the names are not those of ``fit``, or not one per column.
        """
        check_is_fitted(self, "estimator_")
        if input_features is None or self._learned.columns is None:
            return self._learned.names
        return columns_of(*steps_and_net(self.estimator_), check_feature_names_in(self, input_features)).names

    def _explain(self, X: Any, subject: Subject) -> tuple[Explanations, Any]:
        encoded, shown = subject.encode(X)
        return self._explained(subject, encoded, shown, X), encoded

    def _explained(self, subject: Subject, encoded: Any, shown: Any, X: Any) -> Explanations:
        with self._undisturbed(subject, encoded):
            return self._collected(self._task(subject, encoded, self.output), shown, X)

    def _task(self, subject: Subject, encoded: Any, output: str) -> Task:
        """Say what is explained of encoded samples."""
        return Task(
            subject,
            encoded,
            lambda outputs: make_objective(subject.net, outputs, self.target, output),
            self.method_,
            self.baseline_ if isinstance(self.baseline_, str) else torch.from_numpy(self.baseline_),
            self._by_state,
            Budget(self.n_steps, self.max_steps, self.tol, self.max_rows),
            self.method_params or {},
            self._seed,
        )

    def _collected(self, task: Task, shown: Any, X: Any) -> Explanations:
        n = len(task.encoded)
        attributions: list = [None] * n
        own: list = [None] * n
        targets: list = [None] * n
        values, without = np.empty(n), np.empty(n)
        for found in _with_progress(attribute(task), n, self.verbose):
            for i, *of_sample in zip(found.rows, found.attributions, found.own, found.targets, strict=True):
                attributions[i], own[i], targets[i] = of_sample
            values[found.rows], without[found.rows] = found.values, found.baseline_values
        named = np.array(targets)
        offset = offset_of(task.subject.net, named)
        if task.subject.kind == "table":
            columns = self._learned.columns
            attributions = own = list(columns.summed(np.array(attributions)))
            shown = columns.shown(X, shown)
        return Explanations(
            task.subject.kind,
            shown,
            attributions,
            own,
            named,
            values + offset,
            without + offset,
            self._learned.channels,
            task.method,
        )

    @contextmanager
    def _undisturbed(self, subject: Subject, encoded: Any) -> Iterator[None]:
        """Leave torch's generators as they are, and do without cuDNN: it has gradients in training only."""
        with ExitStack() as stack:
            stack.enter_context(few_threads(subject.net, encoded))
            stack.enter_context(seeded(self._seed, subject.device))
            if subject.device.type == "cuda":
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            yield

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        tags.target_tags.required = True
        return tags


def _first(X: Any) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:_MOST_SAMPLES]
    return X[:_MOST_SAMPLES] if hasattr(X, "__getitem__") else X


def _with_progress(found: Iterator, n: int, verbose: int) -> Iterator:
    if not verbose:
        yield from found
        return
    from tqdm.auto import tqdm

    with tqdm(total=n, desc="explaining", unit="sample") as bar:
        for part in found:
            bar.update(len(part.rows))
            yield part
