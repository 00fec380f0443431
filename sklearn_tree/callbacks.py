"""scikit-learn's callbacks (1.9 and later): where they are missing, support is absent, not broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in without methods."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "fit_context", "with_callbacks"]


@contextmanager
def fit_context(
    estimator: Any, X: Any, y: Any = None, *, sample_weight: Any = None, n_subtasks: int = 0
) -> Iterator[tuple[Any, dict]]:
    """Report begin and end of a fit to the estimator's callbacks.

    To be used inside a method decorated with ``with_callbacks``.

    Parameters
    ----------
    estimator : estimator
        What is fitted. At the end it must be able to predict as it is.
    X, y, sample_weight : any
        The training data, passed on to callbacks that ask for them.
    n_subtasks : int, default=0
        Number of contexts that will be opened inside, epochs say.

    Yields
    ------
    context : sklearn.callback.CallbackContext or None
        The fit's context; None where scikit-learn has no callbacks.
    data : dict
        What the calls of the context want to know of the data.
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
