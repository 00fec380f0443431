"""Fitted attributes of explainers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.estimators.wrapped import find_net
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.features import Features
from sklearn_tree.explain.request import Attributions
from sklearn_tree.explain.rows.kind import Rows
from sklearn_tree.explain.rows.model import ExplainedModel
from sklearn_tree.explain.state import features_from_state, features_to_state
from sklearn_tree.explain.views import find_view
from sklearn_tree.kinds import Kind
from sklearn_tree.validation import check_feature_names_in, is_fitted

N_FOR_IMPORTANCES = 1000  # samples of `fit` that the importances are computed from


class ExplainerAttributesMixin:
    """Fitted attributes that are read from the estimator and the output columns, or computed on demand.

    Attributes
    ----------
    estimator_ : estimator
        The fitted estimator.
    """

    estimator: Any
    dtype: str
    estimator_: Any
    _kind: Kind | None  # kind of the net in `fit`; None in a copy of an explainer whose net was fitted again
    _features: Features
    _samples: Any  # encoded samples for the importances; None once these are computed
    _importances: np.ndarray
    _is_displayed = False  # set in a copy, whose importances are not computed

    if TYPE_CHECKING:

        def _validate_params(self) -> None: ...

    @property
    def feature_importances_(self) -> np.ndarray:
        """Mean absolute value of each column of ``transform`` over the first 1,000 samples of ``fit``."""
        check_is_fitted(self, "estimator_")
        samples = self._samples
        if samples is not None:
            if self._is_displayed:
                raise AttributeError("feature_importances_ is not displayed before it is computed")
            columns = self._compute_columns(self._explained_net(), samples)
            self._importances = np.abs(columns).mean(axis=0)
            self._samples = None
        return self._importances

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        """Return scikit-learn's table of fitted attributes, for which it reads every attribute.

        Importances that are not computed yet are left out: they may take hours.
        """
        displayed: Any = copy.copy(self)
        displayed._is_displayed = True
        parent: Any = super(ExplainerAttributesMixin, displayed)
        return parent._get_fitted_attr_html(doc_link)

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Output column of each word (trees and texts only)."""
        if self._features.vocabulary is None:
            raise AttributeError("vocabulary_ is available for trees and texts only")
        return self._features.vocabulary

    @property
    def n_features_in_(self) -> int:
        """Number of columns (tables, and columns of texts or trees, only)."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns (only if all are strings)."""
        return self.estimator_.feature_names_in_

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns of ``transform``.

        Parameters
        ----------
        input_features : array-like of str, shape (n_columns,), default=None
            Names of the columns of a table that had no names in ``fit``; ignored for other kinds.

        Returns
        -------
        ndarray of str objects, shape (n_features_out,)

        Raises
        ------
        ValueError
            If the names differ from those in ``fit`` or their number is wrong.
        """
        check_is_fitted(self, "estimator_")
        if input_features is None:
            return self._features.names
        return self._features.rename(self.estimator_, check_feature_names_in(self, input_features))

    def _set_estimator(self, X: Any, y: Any) -> None:
        """Set the estimator, and fit a clone if it is not fitted."""
        self.estimator_ = self.estimator
        if not is_fitted(self.estimator):
            if y is None:
                raise ValueError(
                    f"{type(self).__name__} requires y to be passed, but the target y is None: "
                    "the estimator is not fitted yet"
                )
            self.estimator_ = clone(self.estimator).fit(X, y)
        net = find_net(self.estimator_)
        if net is None:
            rows = Rows(self.estimator_)
            rows.fit(X)
        self._kind = rows if net is None else net.kind_

    def _pack(self, attributes: dict[str, Any]) -> dict[str, Any]:
        if "estimator_" not in attributes:
            return attributes
        net = find_net(self.estimator_)
        kind = self._kind if net is None else net.kind_ is self._kind
        return {**attributes, "_kind": kind, "_features": features_to_state(self._features)}

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        if "estimator_" not in state:
            return state
        net, kind = find_net(state["estimator_"]), state["_kind"]
        if net is None:
            kind.attach(state["estimator_"])
        features = features_from_state(state["_features"], find_view(kind if net is None else net.kind_))
        if net is not None:
            kind = net.kind_ if kind else None
        return {**state, "_kind": kind, "_features": features}

    def _ready_net(self) -> ExplainedNet:
        """Return the net after checks of the parameters."""
        check_is_fitted(self, "estimator_")
        self._validate_params()
        return self._explained_net()

    def _explained_net(self) -> Any:
        """Return the net, or the model that contains it, unless it was fitted again."""
        if isinstance(self._kind, Rows):
            net: Any = ExplainedModel(self._kind)
            is_current = self._kind.is_kind_of(self.estimator_)
        else:
            net = ExplainedNet(self.estimator_, getattr(torch, self.dtype))
            is_current = net.kind is self._kind
        if not is_current:  # the ids of words may be others
            raise ValueError(
                f"estimator was fitted again after this {type(self).__name__}, whose baseline and output "
                "columns are those of the previous fit: fit the explainer again"
            )
        return net

    def _compute_columns(self, net: ExplainedNet, encoded: Any) -> np.ndarray:
        own = self._features.merge(self._attribute(net, encoded).own)
        return self._features.aggregate(own, encoded)

    def _attribute(self, net: ExplainedNet, encoded: Any) -> Attributions:
        raise NotImplementedError
