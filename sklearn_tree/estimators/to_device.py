"""Transformer that puts data on a device."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.callbacks import CallbackSupportMixin, fit_context, with_callbacks
from sklearn_tree.containers import as_known, is_tensor, without_arrow
from sklearn_tree.device import resolve_device
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.estimators.plain import TorchStateMixin
from sklearn_tree.kinds import KINDS, Kind
from sklearn_tree.kinds.numbers import check_numbers
from sklearn_tree.preprocessing.output import NoTableMixin
from sklearn_tree.validation import COLUMN_ATTRIBUTES, Hidden, check_columns, check_n_features


class ToDevice(
    DocumentationLinkMixin,
    TorchStateMixin,
    NoTableMixin,
    OneToOneFeatureMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Put data on a device once, so that later steps and epochs work there without copying.

    Use it as a step before an estimator in a pipeline. It pays off if all data fit into the memory of
    the accelerator. Without this step, the estimators move each batch to their device.

    Parameters
    ----------
    device : str or torch.device, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps", "xpu": see :func:`resolve_device`.
    dtype : {"float32", "float64"}, default=None
        Type that floating-point numbers are converted to; None keeps their type.

    Attributes
    ----------
    device_ : torch.device
        The device.
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (only for tables with string names).

    Examples
    --------
    >>> from sklearn_tree import ToDevice
    >>> ToDevice("cpu", dtype="float32").fit_transform([[1.0, 2.0], [3.0, 4.0]])
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "device": [str, Hidden(torch.device)],
        "dtype": [str, Hidden(torch.dtype), None],
    }

    def __init__(
        self, device: str | torch.device = "auto", *, dtype: str | torch.dtype | None = None
    ) -> None:
        self.device = device
        self.dtype = dtype

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> ToDevice:
        """Find the device and check the data.

        Parameters
        ----------
        X : TreeArray or RaggedArray of ids or numbers; or array, tensor or DataFrame of numbers
            Samples; arrays of shape (n_samples, ...).
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is invalid, the device is not available or X holds numbers that are not finite.
        TypeError
            If X holds text, which must be vectorized first.
        """
        self._validate_params()
        _resolve_dtype(self.dtype)
        fitted = SimpleNamespace(device_=resolve_device(self.device))
        with fit_context(self, X, y):
            self._check(X, fitted, reset=True)
            self.__dict__.update(vars(fitted))
            for name in set(COLUMN_ATTRIBUTES) - set(vars(fitted)):
                self.__dict__.pop(name, None)
        return self

    def transform(self, X: Any) -> Any:
        """Return X on the device.

        Parameters
        ----------
        X : same as in ``fit``
            Samples.

        Returns
        -------
        TreeArray, RaggedArray, Tensor or ndarray
            Arrays become tensors, and so do the columns of a TreeArray or RaggedArray. On the CPU, numpy
            arrays are returned, and only ``dtype`` has an effect.
        """
        check_is_fitted(self, "device_")
        X, kind = self._check(X, self, reset=False)
        moved = kind.to(X, self.device_, _resolve_dtype(self.dtype))
        return kind.to_host(moved) if self.device_.type == "cpu" else moved

    def _check(self, X: Any, owner: Any, *, reset: bool) -> tuple[Any, type[Kind]]:
        """Return the checked X and its kind; ``owner`` holds the columns, see ``check_columns``."""
        X = without_arrow(X)
        for kind in KINDS:
            if kind.container is not None and isinstance(X, kind.container):
                if getattr(X, "vocabulary", None) is not None:
                    raise TypeError(
                        f"X must hold ids or numbers, got a {type(X).__name__} of text: vectorize it first"
                    )
                return X, kind
        X = as_known(X)
        if isinstance(X, (list, tuple)):
            X = np.asarray(X)
        if getattr(X, "ndim", 2) == 2 and not is_tensor(X):
            reader = type(self).__name__
            return check_columns(X, owner, reader=reader, reset=reset, skip_check_array=False), Kind
        if X.ndim == 2:
            check_n_features(owner, X, reset=reset)
        if "float" in str(X.dtype):  # integers are finite
            check_numbers(X, X.ndim)
        return X, Kind


def _resolve_dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    resolved = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if dtype is not None and resolved not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be 'float32', 'float64' or None, got {dtype!r}")
    return resolved
