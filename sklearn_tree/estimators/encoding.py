"""Encoding of the samples and targets of an estimator."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.containers import as_known, refuse_unreadable
from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.fitted import FittedAttributesMixin
from sklearn_tree.estimators.parameters import NetParametersMixin
from sklearn_tree.estimators.targets import Target, check_length
from sklearn_tree.estimators.training import split_validation
from sklearn_tree.kinds import Kind, NotEncodedError, find_kind
from sklearn_tree.validation import check_sample_weight, renamed_in_errors


class EncodingMixin(NetParametersMixin, FittedAttributesMixin):
    """Methods that read samples and targets as numbers, and split off validation samples."""

    _kinds: ClassVar[tuple[type[Kind], ...]]

    def _fit_kind(self, X: Any) -> Any:
        """Find the kind of X, fit it and return the encoded samples."""
        X = as_known(X)
        kind = find_kind(X, self._kinds, self.input_kind)
        self.kind_ = kind(type(self).__name__, self._kinds, self.channels, self.input_kind)
        encoded = self.kind_.fit(X)
        self.kind_.learn_defaults(encoded)
        if self.embeddings is not None:
            self.kind_.add_vectors(self.embeddings)
        return encoded

    def _encode(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.kind_.read(X)

    def _read_y(self, y: Any, classes: Any = None) -> tuple[np.ndarray, type[Target]]:
        """Return the checked y and its target class, given all classes if the user has named them."""
        raise NotImplementedError

    def _encode_y(self, y: Any) -> np.ndarray:
        return self.target_.encode(self._read_more_y(y))

    def _read_more_y(self, y: Any) -> np.ndarray:
        """Return the checked y, which must be of the kind of target that was fitted."""
        y, target = self._read_y(y)
        if not self.target_.accepts(target):
            raise ValueError(
                f"y must hold {self.target_.name} per sample, as in the first fit, got {target.name}"
            )
        return y

    def _encode_all(
        self, X: Any, y: Any, sample_weight: Any, *, nodes: Any = None, **options: Any
    ) -> EncodedDataset:
        """Return the samples with targets and weights; ``options`` are those of ``_encode_target``."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        encoded = self._fit_kind(X) if options["reset"] else self.kind_.read(X, is_training=True)
        if sample_weight is not None:
            refuse_unreadable(sample_weight, "sample_weight")
            sample_weight = check_sample_weight(
                sample_weight, encoded, dtype=np.float64, ensure_non_negative=True
            )
            if not sample_weight.any():
                raise ValueError("sample_weight must not be all zero: no sample would count")
        if nodes is not None:
            return nodes.encode(self, encoded, y, sample_weight, **options)
        target = self._encode_target(y, encoded, sample_weight, **options)
        return EncodedDataset(encoded, target, self._weigh(target, sample_weight), kind=self.kind_)

    def _encode_target(
        self, y: Any, X: Any, sample_weight: np.ndarray | None, *, reset: bool, classes: Any = None
    ) -> np.ndarray:
        """Return the encoded targets, one per item of X; ``reset`` fits a new target first."""
        if reset:
            y, target_class = self._read_y(y, classes)
            check_length(y, X)
            self.target_ = target_class()
            return self.target_.fit(y, classes=classes, sample_weight=sample_weight)
        target = self._encode_y(y)
        check_length(target, X)
        if classes is not None:
            self.target_.check_classes(classes)
        return target

    def _weigh(self, target: np.ndarray, sample_weight: np.ndarray | None) -> np.ndarray | None:
        return sample_weight

    def _split(
        self, train: EncodedDataset, held_out: EncodedDataset | None, seed: int
    ) -> tuple[EncodedDataset, EncodedDataset | None]:
        """Return training and validation samples; ``held_out`` are those that the user has given."""
        reason = self._split_reason
        if held_out is not None or reason is None:
            return train, held_out
        strata = self.target_.strata(train.y.numpy())
        weight = None if train.sample_weight is None else train.sample_weight.numpy()
        rows = split_validation(len(train), strata, self.validation_fraction, seed, weight, reason=reason)
        return train.take(rows[0]), train.take(rows[1])

    def _read_held_out(self, validation: tuple, nodes: Any) -> EncodedDataset | None:
        """Return the validation samples that the user has given; None without any."""
        X_val, y_val = validation
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together")
        if X_val is None:
            return None
        with renamed_in_errors({"X": "X_val", "y": "y_val"}):
            return self._encode_held_out(X_val, y_val, nodes)

    def _encode_held_out(self, X: Any, y: Any, nodes: Any) -> EncodedDataset:
        try:
            encoded = self.kind_.read(X)
        except NotEncodedError as error:
            raise ValueError(
                'X has not passed the earlier steps: Pipeline(transform_input=["X_val"]), see Questions'
            ) from error
        if nodes is not None and nodes.y_val is not None:
            return nodes.encode_held_out(self, encoded, y)
        target = self._encode_y(y)
        check_length(target, encoded, names=("y_val", "X_val"))
        return EncodedDataset(encoded, target, kind=self.kind_)
