"""Bridge from scikit-learn's callbacks to the epochs of a skorch net."""

from __future__ import annotations

from typing import Any

import skorch.callbacks

from sklearn_tree.estimators.net import StopTraining


class EpochBridge(skorch.callbacks.Callback):
    """Report each epoch to an estimator's scikit-learn callbacks, and stop when one of them asks for it.

    Parameters
    ----------
    estimator : estimator
        Estimator being fitted; it can predict after every epoch.
    context : sklearn.callback.CallbackContext
        Context of the whole fit.
    data : dict
        ``X``, ``y`` and ``metadata`` of the fit.
    """

    reads_batches = False

    def __init__(self, estimator: Any, context: Any, data: dict) -> None:
        self.estimator = estimator
        self.context = context
        self.data = data

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open a context for the epoch."""
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Report the end of the epoch and end the training if a callback returns True."""
        # The estimator already has all attributes that prediction needs: none are reconstructed.
        stop = self.epoch.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=dict, **self.data
        )
        if stop:
            raise StopTraining
