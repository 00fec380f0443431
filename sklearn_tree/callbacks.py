"""Support for the callbacks of scikit-learn 1.9 and later; earlier versions work without callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class _NoCallbacks:
    """Replacement for scikit-learn's mixin, without methods."""


def _return_unchanged(method: Callable) -> Callable:
    return method


try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    CallbackSupportMixin, with_callbacks = _NoCallbacks, _return_unchanged

__all__ = ["CallbackSupportMixin", "fit_context", "with_callbacks"]


@contextmanager
def fit_context(
    estimator: Any, X: Any, y: Any = None, *, sample_weight: Any = None, n_subtasks: int = 0
) -> Iterator[tuple[Any, dict]]:
    """Report the begin and the end of a fit to the estimator's callbacks.

    Use it inside a method that is decorated with ``with_callbacks``.

    Parameters
    ----------
    estimator : estimator
        The estimator that is fitted. At the end of the context it must be able to predict.
    X, y, sample_weight : any
        The training data, passed to callbacks that request them.
    n_subtasks : int, default=0
        Number of contexts that are opened inside this one, for example epochs.

    Yields
    ------
    context : sklearn.callback.CallbackContext or None
        Context of the fit; None if scikit-learn has no callbacks.
    data : dict
        Training data, as keyword arguments of the methods of ``context``.
    """
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"X": X, "y": y, "metadata": metadata}
    if not hasattr(estimator, "_init_callback_context"):
        yield None, data
        return
    context = estimator._init_callback_context(max_subtasks=n_subtasks)
    context.call_on_fit_task_begin(estimator=estimator, **data)
    yield context, data
    context.call_on_fit_task_end(estimator=estimator, reconstruction_attributes=dict, **data)
