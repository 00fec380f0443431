"""The bridge from scikit-learn's callbacks (1.9 and later) to every epoch of a skorch net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import skorch.callbacks

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn < 1.9 has no callbacks: the bridge is absent

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in without methods."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method as it is."""
        return method


class EpochBridge(skorch.callbacks.Callback):
    """Tell an estimator's scikit-learn callbacks of each epoch, and stop when one says so.

    Parameters
    ----------
    estimator : estimator
        The estimator being fitted; it can predict at any time.
    context : sklearn.callback.CallbackContext
        Context of the whole fit.
    data : dict
        ``X``, ``y`` and ``metadata`` of the fit.
    """

    def __init__(self, estimator: Any, context: Any, data: dict) -> None:
        self.estimator = estimator
        self.context = context
        self.data = data

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open a context for the epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Report the end of the epoch; True from a callback ends the training."""
        # Everything that prediction needs is on the estimator already, hence nothing to rebuild.
        stop = self.epoch.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=dict, **self.data
        )
        if stop:
            raise KeyboardInterrupt  # skorch's way to stop


class fit_context:  # noqa: N801
    """Open the context of a whole fit and yield the bridge for its epochs (None without callbacks)."""

    def __init__(self, estimator: Any, max_epochs: int, X: Any, y: Any, sample_weight: Any) -> None:
        self.estimator = estimator
        self.max_epochs = max_epochs
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.data = {"X": X, "y": y, "metadata": metadata}
        self.context = None

    def __enter__(self) -> EpochBridge | None:
        if not hasattr(self.estimator, "_init_callback_context"):
            return None
        self.context = self.estimator._init_callback_context(max_subtasks=self.max_epochs)
        self.context.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return EpochBridge(self.estimator, self.context, self.data)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self.context is not None and kind is None:
            self.context.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=dict, **self.data
            )
