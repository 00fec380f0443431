"""Construction of the skorch net of an estimator from its parameters, samples and targets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from sklearn_tree.estimators.batches import EncodedDataset
from sklearn_tree.estimators.continuation import apply_changes, check_unchanged
from sklearn_tree.estimators.fitted import FittedAttributesMixin
from sklearn_tree.estimators.net_state import owned_params
from sklearn_tree.estimators.parameters import DEFAULT_EMBEDDING_DIM, NetParametersMixin
from sklearn_tree.estimators.training import optimizer_params

_RESERVED_NET_PARAMS = {
    "batch_size",
    "callbacks",
    "dataset",
    "lr",
    "max_epochs",
    "module",
    "module__linear_path",
    "optimizer__lr",
    "precision",
    "target",
    "train_split",
}
_GROUPS = "optimizer__param_groups"


class NetFactoryMixin(NetParametersMixin, FittedAttributesMixin):
    """Methods that build a net, or adapt it to changed parameters."""

    _module: ClassVar[type[nn.Module]]
    _net_class: ClassVar[Any]

    def _architecture(self) -> dict[str, Any]:
        """Return the parameters of the module that are parameters of the estimator and shape the net."""
        params = {"hidden_size": self.hidden_size, "embedding_dim": self._embedding_size()}
        return (
            {**params, "linear_path": bool(self._resolve("linear_path"))} if self.kind_.has_labels else params
        )

    def _embedding_size(self) -> int:
        vectors = self.kind_.word_vectors
        if vectors is None:
            return DEFAULT_EMBEDDING_DIM if self.embedding_dim is None else self.embedding_dim
        if self.embedding_dim not in (None, vectors.size):
            raise ValueError(
                f"embedding_dim must be None or {vectors.size}, the length of the vectors of embeddings, got "
                f"{self.embedding_dim}"
            )
        return vectors.size

    def _vectors_params(self) -> dict[str, Any]:
        """Return the parameters of the module for pretrained vectors, if there are any."""
        vectors = self.kind_.word_vectors
        if vectors is None:
            return {}
        return {"pretrained": vectors.load, "freeze_embeddings": self.freeze_embeddings}

    def _module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the parameters of the module."""
        return {
            **self.kind_.module_params(encoded, sample_weight),
            **self._architecture(),
            **self._vectors_params(),
            "dropout": self._resolve("dropout"),
            "word_dropout": self.word_dropout,
            "dtype": self.kind_.dtype(encoded) if self.device_.type != "mps" else torch.float32,
        }

    def _optimizer_params(self, device: torch.device) -> dict[str, Any]:
        params = optimizer_params(self.optimizer, self.weight_decay, device)
        group = {} if self.embedding_lr is None else {"lr": self.embedding_lr}
        groups = [("*embedding.labels.weight", group)] if group else []  # the first group that matches counts
        return {**params, _GROUPS: [*groups, *self._checked_net_params().get(_GROUPS, ())]}

    def _continue_vectors(self) -> None:
        """Check that the pretrained vectors are those of the net, and freeze or unfreeze them."""
        vectors = self.kind_.word_vectors
        if self.embeddings is None and vectors is None:
            return
        if vectors is None or not vectors.is_from(self.embeddings):
            raise ValueError(
                "embeddings must stay the same object or name when warm_start or partial_fit continues "
                "training, got another"
            )
        self.net_.module_.embedding.labels.requires_grad_(not self.freeze_embeddings)

    def _criterion_params(self) -> dict[str, Any]:
        """Return the parameters of the loss."""
        return self.target_.criterion_params

    def _prefixed_criterion_params(self) -> dict[str, Any]:
        return {f"criterion__{name}": value for name, value in self._criterion_params().items()}

    def _checked_net_params(self) -> dict[str, Any]:
        extra = self.net_params or {}
        reserved = sorted(_RESERVED_NET_PARAMS & set(extra))
        if reserved:
            raise ValueError(f"net_params must not contain {reserved}, which the estimator sets itself")
        return extra

    def _fixed_params(self) -> dict[str, Any]:
        """Return the parameters that must stay while the training continues."""
        kind = self.kind_
        is_kind = self.input_kind == "auto" or kind.is_named(self.input_kind)
        return {
            "input_kind": kind.name if is_kind else self.input_kind,
            "channels": self.channels,
            **{f"module__{name}": value for name, value in self._architecture().items()},
            **self._checked_net_params(),
        }

    def _check_fixed_params(self) -> None:
        built, current = self.net_.fixed_, self._fixed_params()
        dropped = {name: None for name in built if name not in current}
        check_unchanged({**vars(self.net_), **built}, {**current, **dropped})

    def _continue_net(self, device: torch.device) -> None:
        """Apply what ``set_params`` has changed since the net was built."""
        params = {
            "module__dropout": self._resolve("dropout"),
            "module__word_dropout": self.word_dropout,
            **self._prefixed_criterion_params(),
            **self._optimizer_params(device),
        }
        self._continue_vectors()
        apply_changes(self.net_, params, device, self._checked_net_params().keys() - {_GROUPS})
        self.device_ = device

    def _make_net(self, data: EncodedDataset, n_epochs: int, callbacks: list) -> Any:
        weight = None if data.sample_weight is None else data.sample_weight.numpy()
        module_params = {
            **self._module_params(data.X, weight),
            "n_outputs": self.target_.n_outputs,
        }
        params = {
            **owned_params(self._module, self.kind_, self.target_),
            **{f"module__{name}": value for name, value in module_params.items()},
            **self._prefixed_criterion_params(),
            **self._optimizer_params(self.device_),
            "max_epochs": n_epochs,
            "iterator_train__shuffle": True,
            "lr": self._resolve("lr"),
            **self._run_params(),
            "callbacks": callbacks,
            "device": str(self.device_),
            "verbose": int(self.verbose),
        }
        extra = self._checked_net_params()
        if "optimizer__foreach" in extra:
            params.pop("optimizer__fused", None)  # torch accepts only one of the two
        params.update({name: value for name, value in extra.items() if name != _GROUPS})
        for name in params:
            if name.startswith("module__"):
                params[name] = _without_numpy(params[name])
        net = self._net_class(**params)
        net.fixed_ = self._fixed_params()
        return net


def _without_numpy(value: Any) -> Any:
    """Return a scalar of numpy as a number of Python, which all layers of torch accept."""
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def naming_net_params(net_params: dict | None) -> Iterator[None]:
    """Make the error of an unknown parameter in ``net_params`` name its key."""
    try:
        yield
    except TypeError as error:
        found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        keys = [key for key in net_params or {} if found and key.endswith(f"__{found[1]}")]
        if not keys:
            raise
        raise TypeError(f"net_params must not contain {keys[0]!r}, which is unknown: {error}") from error
