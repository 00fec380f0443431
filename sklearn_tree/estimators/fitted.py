"""Fitted attributes of all estimators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from sklearn_tree.estimators.targets import Target
from sklearn_tree.kinds import Kind

if TYPE_CHECKING:
    import pandas as pd

_STATE = ("kind_", "target_", "net_", "device_")


class FittedAttributesMixin:
    """Fitted attributes that are read from the kind of samples, the target and the net.

    Attributes
    ----------
    kind_ : Kind
        Fitted kind of the samples.
    target_ : Target
        Fitted target.
    net_ : skorch.NeuralNet
        The net.
    device_ : torch.device
        Device of the net.
    """

    kind_: Kind
    target_: Target
    net_: Any
    device_: torch.device
    warm_start: bool
    checkpoint_dir: Any

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "net_")

    def _state(self) -> dict[str, Any]:
        """Return the attributes that ``fit`` has set."""
        return {name: vars(self)[name] for name in _STATE if name in vars(self)}

    def _replace_state(self, state: dict[str, Any]) -> None:
        for name in _STATE:
            vars(self).pop(name, None)
        vars(self).update(state)

    def _has_epochs(self) -> bool:
        return bool(getattr(vars(self).get("net_"), "history", None))

    def _continues_net(self) -> bool:
        """Return whether ``fit`` goes on with the net of the previous fit.

        A first fit that was interrupted is continued from its checkpoint.
        """
        if not (self.warm_start and hasattr(self, "net_")):
            return False
        return self.checkpoint_dir is None or not self.net_.is_interrupted

    @property
    def n_iter_(self) -> int:
        """Number of epochs trained."""
        return len(self.net_.history)

    @property
    def input_kind_(self) -> str:
        """Name of the kind of samples: "trees", "tokens", "series", "images", "table" or "pairs"."""
        return self.kind_.name

    @property
    def vectorizer_(self) -> Any:
        """Vectorizer fitted on raw samples."""
        if self.kind_.vectorizer is None:
            raise AttributeError(f"{type(self).__name__} fits a vectorizer on raw trees and texts only")
        return self.kind_.vectorizer

    @property
    def n_features_in_(self) -> int:
        """Number of columns (tables, and columns of texts or trees, only)."""
        return self.kind_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns (only if all are strings)."""
        return self.kind_.feature_names_in_

    @property
    def n_channels_in_(self) -> int:
        """Number of channels (series and images only)."""
        return self.kind_.n_channels_in_

    @property
    def history_(self) -> pd.DataFrame:
        """One row per epoch: epoch, train_loss, valid_loss, valid_score, duration_s."""
        import pandas as pd

        check_is_fitted(self)
        names = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss"}
        names |= {"valid_score": "valid_score", "dur": "duration_s"}
        columns = {new: [row.get(old) for row in self.net_.history] for old, new in names.items()}
        dtypes = {name: int if name == "epoch" else float for name in columns}
        return pd.DataFrame(columns).astype(dtypes)

    @property
    def _n_features_out(self) -> int:
        return self.net_.module_.head.in_features
