"""``ToDevice``: data put on a device once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import _check_n_features, check_is_fitted, validate_data

from sklearn_tree.device import resolve_device
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.estimators.sequence_input import checked_numbers
from sklearn_tree.preprocessing.output import NoTableMixin
from sklearn_tree.trees import RaggedArray, TreeArray
from sklearn_tree.validation import Hidden


class ToDevice(DocumentationLinkMixin, NoTableMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Put data on a device once, so that every later step and epoch works there without copying.

    A step before an estimator in a pipeline. Worth it on an accelerator whose memory holds all
    data; the estimators put batches on their device by themselves.

    Parameters
    ----------
    device : str or torch.device, default="auto"
        "auto", "cpu", "cuda", "cuda:1", "mps", "xpu": see :func:`resolve_device`.
    dtype : {"float32", "float64"}, default=None
        Type that floats are turned into; None keeps theirs.

    Attributes
    ----------
    device_ : torch.device
        The device.
    n_features_in_ : int
        Number of columns (tables only).
    feature_names_in_ : ndarray of str
        Names of the columns (tables only, when they have string names).

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
            If a parameter is invalid, the device is not there or X holds no finite numbers.
        TypeError
            If X holds text: it must be vectorized first.
        """
        self._validate_params()
        _dtype_of(self.dtype)
        self.device_ = resolve_device(self.device)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        self._check(X, reset=True)
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
            Arrays become tensors, and the content of a TreeArray or RaggedArray too. On the CPU,
            where numpy is at home, only ``dtype`` is seen to.
        """
        check_is_fitted(self, "device_")
        X = self._check(X, reset=False)
        placed = placed_on(X, self.device_, _dtype_of(self.dtype))
        return in_numpy(placed) if self.device_.type == "cpu" else placed

    def _check(self, X: Any, *, reset: bool) -> Any:
        if isinstance(X, (TreeArray, RaggedArray)):
            if X.vocabulary is not None:
                raise TypeError(f"X must hold ids or numbers, got a {type(X).__name__} of text: vectorize it")
            return X
        if isinstance(X, (list, tuple)):
            X = np.asarray(X)
        if getattr(X, "ndim", 2) == 2 and not isinstance(X, torch.Tensor):
            return validate_data(self, X, reset=reset)
        if X.ndim == 2:
            _check_n_features(self, X, reset=reset)
        if "float" in str(X.dtype):  # integers are finite
            checked_numbers(X, X.ndim)
        return X


def placed_on(X: Any, device: torch.device, dtype: torch.dtype | None = None) -> Any:
    """Return an array as a tensor on a device, a TreeArray or RaggedArray with its content there.

    The shape of trees stays where it is: schedules are made from it in main memory.
    """
    if isinstance(X, (TreeArray, RaggedArray)):
        return X.replace(**{name: placed_on(c, device, dtype) for name, c in _content(X).items()})
    tensor = X if isinstance(X, torch.Tensor) else torch.from_numpy(np.array(X))  # a writable copy
    if not tensor.is_floating_point():
        dtype = None
    elif device.type == "mps":  # which has no doubles
        dtype = torch.float32
    return tensor.to(device, dtype)


def in_numpy(X: Any) -> Any:
    """Return tensors as arrays again."""
    if isinstance(X, (TreeArray, RaggedArray)):
        return X.replace(**{name: in_numpy(c) for name, c in _content(X).items()})
    return X.cpu().numpy()


def _content(X: TreeArray | RaggedArray) -> dict[str, Any]:
    columns = {name: getattr(X, name, None) for name in ("labels", "values", "edges")}
    return {name: column for name, column in columns.items() if column is not None}


def _dtype_of(dtype: str | torch.dtype | None) -> torch.dtype | None:
    resolved = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
    if dtype is not None and resolved not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be 'float32', 'float64' or None, got {dtype!r}")
    return resolved
