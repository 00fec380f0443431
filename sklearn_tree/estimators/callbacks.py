"""The bridge from scikit-learn's callbacks to every epoch of a skorch net."""

from __future__ import annotations

from typing import Any

import skorch.callbacks


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
