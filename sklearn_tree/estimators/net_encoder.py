"""Transformer that turns samples into columns of a table with a net that it trains."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.linalg import orthogonal_procrustes
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone, is_classifier
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.utils import check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.containers import as_reusable
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.state import StateMixin
from sklearn_tree.validation import (
    RANDOM_STATE,
    HasMethods,
    Integral,
    Interval,
    StrOptions,
    check_arguments,
    safe_indexing,
)

_METHODS = ("predict_proba", "predict", "transform")


class NetEncoder(DocumentationLinkMixin, StateMixin, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Encode texts, trees, series or images as columns of a table with a net that is trained on the targets.

    With it, a column of texts or trees joins the numbers of a table in a ``ColumnTransformer``, for example
    before gradient boosting. A net knows the targets of its training samples, so a model that is trained on
    its outputs for these samples would trust them too much. Therefore ``fit_transform`` splits the training
    samples into folds, and encodes the samples of each fold with a net that was trained on the other folds;
    ``transform`` encodes further samples with a net that was trained on all. scikit-learn's
    ``TargetEncoder`` works in the same way.

    ``fit_transform(X, y)`` thus differs from ``fit(X, y).transform(X)``.

    Parameters
    ----------
    estimator : estimator
        Net, or pipeline that ends in one. It is cloned.
    cv : int, splitter or iterable of (train, test), default=5
        Number of folds, which are shuffled and for classes stratified; or a splitter of scikit-learn that
        tests each sample once.
    method : {"auto", "predict_proba", "predict", "transform"}, default="auto"
        Outputs of the net. "auto" gives the probabilities of a classifier, of which those of the first of two
        classes are left out, and the predictions of a regressor. "transform" gives the vectors of the
        encoder, those of each fold rotated to be similar to those of the net of all samples (orthogonal
        Procrustes problem), because the columns of different nets have different meanings.
    n_jobs : int, default=None
        Number of nets that are trained at the same time, see scikit-learn's glossary.
    random_state : int, RandomState or None, default=None
        Shuffles the samples before they are split into folds, if ``cv`` is an int.

    Attributes
    ----------
    estimator_ : estimator
        Net that was trained on all samples.
    method_ : str
        Outputs of the net.
    classes_ : ndarray or list of ndarray
        Classes, for classifiers.
    n_features_out_ : int
        Number of columns.

    See Also
    --------
    sklearn.preprocessing.TargetEncoder : Encodes categories.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_tree import CNNClassifier, NetEncoder
    >>> texts = ["good film", "bad film", "good play", "bad play"] * 25
    >>> frame = pd.DataFrame({"text": texts, "price": np.arange(100)})
    >>> columns = make_column_transformer(
    ...     (NetEncoder(CNNClassifier(random_state=0), random_state=0), "text"), ("passthrough", ["price"])
    ... )
    >>> pipe = make_pipeline(columns, HistGradientBoostingClassifier()).fit(frame, [1, 0] * 50)
    >>> pipe.predict(pd.DataFrame({"text": ["good play"], "price": [3]}))
    array([1])
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "get_params"])],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods("split"), "cv_object"],
        "method": [StrOptions({"auto", *_METHODS})],
        "n_jobs": [Integral, None],
        "random_state": RANDOM_STATE,
    }

    def __init__(
        self,
        estimator: Any,
        *,
        cv: Any = 5,
        method: str = "auto",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.method = method
        self.n_jobs = n_jobs
        self.random_state = random_state

    @check_arguments
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetEncoder:
        """Train the net on all samples.

        Parameters
        ----------
        X : samples
            Samples that the estimator reads.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        self
            The fitted encoder.

        Raises
        ------
        ValueError, TypeError
            As in ``fit`` of the estimator.
        """
        self._validate_params()
        X, y, method = self._check(X, y, sample_weight)
        self._keep(_fit(self.estimator, X, y, sample_weight, np.arange(len(y))), X, y, method)
        return self

    @check_arguments
    def fit_transform(self, X: Any, y: Any, sample_weight: Any = None) -> np.ndarray:
        """Train the net on all samples, and encode each sample with a net that has not seen its target.

        Parameters
        ----------
        X : samples
            Samples that the estimator reads.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of float, shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_columns)
            Columns for the training of a further model.

        Raises
        ------
        ValueError, TypeError
            As in ``fit`` of the estimator, and if ``cv`` does not test each sample exactly once.
        """
        self._validate_params()
        X, y, method = self._check(X, y, sample_weight)
        splits = self._split(len(y), y)
        parts = [np.arange(len(y)), *(train for train, _ in splits)]
        whole, *folds = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit)(self.estimator, X, y, sample_weight, rows) for rows in parts
        )
        self._keep(whole, X, y, method)
        encoded = np.empty((len(y), self.n_features_out_))
        for (train, test), fold in zip(splits, folds, strict=True):
            columns = self._encode(fold, safe_indexing(X, test))
            if self.method_ == "transform":
                seen = safe_indexing(X, train)
                columns = _align(columns, self._encode(fold, seen), self._encode(whole, seen))
            encoded[test] = columns
        return encoded

    def transform(self, X: Any) -> np.ndarray:
        """Encode samples with the net that was trained on all training samples.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        ndarray of float, shape (n_samples, n_columns)
            Columns.
        """
        check_is_fitted(self)
        return self._encode(self.estimator_, as_reusable(X))

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        ndarray of str, shape (n_columns,)
            ``netencoder_<class>`` for probabilities, ``netencoder_<output>_<class>`` for several columns of
            classes, and ``netencoder0``, ``netencoder1``, ... for other outputs.
        """
        check_is_fitted(self)
        prefix = type(self).__name__.lower()
        if self.method_ != "predict_proba":
            return np.array([f"{prefix}{i}" for i in range(self.n_features_out_)], dtype=object)
        if not isinstance(self.classes_, list):
            names = [f"{prefix}_{name}" for name in self.classes_]
        else:
            names = [f"{prefix}_{i}_{name}" for i, part in enumerate(self.classes_) for name in part]
        return np.array(names[int(self._is_binary) :], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_")

    def _check(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, str]:
        """Return X and y as containers whose rows can be selected, and the method."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        method = self.method
        if method == "auto":
            method = "predict_proba" if is_classifier(self.estimator) else "predict"
        if not hasattr(self.estimator, method):
            name = type(self.estimator).__name__
            raise ValueError(f"method must be a method of the estimator, got {method!r} for {name}")
        if method == "predict" and is_classifier(self.estimator):
            raise ValueError("method must be 'predict_proba' or 'transform' for a classifier, got 'predict'")
        X, y = as_reusable(X), y if hasattr(y, "shape") else np.asarray(y)
        check_consistent_length(X, y, sample_weight)
        if is_classifier(self.estimator) and getattr(y.dtype, "kind", "O") == "f":
            check_classification_targets(y)
        return X, y, method

    def _keep(self, estimator: Any, X: Any, y: Any, method: str) -> None:
        """Set the fitted attributes."""
        self.estimator_, self.method_ = estimator, method
        self.__dict__.pop("classes_", None)
        if is_classifier(estimator):
            self.classes_ = estimator.classes_
        self._is_binary = method == "predict_proba" and np.ndim(y) == 1 and len(self.classes_) == 2
        self.n_features_out_ = self._encode(estimator, safe_indexing(X, [0])).shape[1]

    def _encode(self, estimator: Any, X: Any) -> np.ndarray:
        """Return the outputs of a net as columns, those for classes that it does not know as zeros."""
        outputs: Any = getattr(estimator, self.method_)(X)
        if self.method_ != "predict_proba":
            return np.asarray(outputs, dtype=np.float64).reshape(len(outputs), -1)
        is_single = not isinstance(outputs, list)
        parts, known, classes = (
            [value] if is_single else value for value in (outputs, estimator.classes_, self.classes_)
        )
        columns = [np.zeros((len(part), len(names))) for part, names in zip(parts, classes, strict=True)]
        for column, part, own, names in zip(columns, parts, known, classes, strict=True):
            column[:, np.searchsorted(names, own)] = part
        return np.hstack(columns)[:, int(self._is_binary) :]

    def _split(self, n: int, y: Any) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the rows of the training and of the test samples of each fold."""
        if isinstance(self.cv, Integral):
            is_stratified = is_classifier(self.estimator) and np.ndim(y) == 1
            cls = StratifiedKFold if is_stratified else KFold
            cv = cls(int(self.cv), shuffle=True, random_state=self.random_state)
            y = pd.factorize(np.asarray(y, dtype=object))[0] if is_stratified else y
        else:
            cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        rows = np.arange(n)
        splits = [(rows[train], rows[test]) for train, test in cv.split(np.zeros(n), y)]  # also of masks
        counts = np.bincount(np.concatenate([test for _, test in splits]), minlength=n)
        for row in np.flatnonzero(counts != 1)[:1]:
            raise ValueError(f"cv must test each sample once, got sample {row} {counts[row]} times")
        return splits


def _fit(estimator: Any, X: Any, y: Any, sample_weight: Any, rows: np.ndarray) -> Any:
    """Fit a copy of an estimator to some of the samples."""
    params = {} if sample_weight is None else {"sample_weight": np.asarray(sample_weight)[rows]}
    return clone(estimator).fit(safe_indexing(X, rows), safe_indexing(y, rows), **params)


def _align(columns: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Apply the rotation and shift to columns that maps the source as closely as possible to the target."""
    mean = source.mean(0)
    rotation, _ = orthogonal_procrustes(source - mean, target - target.mean(0))
    return (columns - mean) @ rotation + target.mean(0)
