"""States of estimators: parameters, the kind of the samples, the target and the net as plain values."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import torch

from sklearn_tree.device import resolve_device
from sklearn_tree.estimators.fitted import FittedAttributesMixin
from sklearn_tree.estimators.net_state import net_from_state, net_to_state, owned_params
from sklearn_tree.estimators.plain import TorchStateMixin
from sklearn_tree.estimators.targets import TARGETS
from sklearn_tree.kinds import Kind, kind_from_state, kind_to_state


class NetStateMixin(FittedAttributesMixin, TorchStateMixin):
    """Pickle estimators without objects of torch and skorch."""

    embeddings: Any
    _kinds: ClassVar[tuple[type[Kind], ...]]
    _module: ClassVar[type[torch.nn.Module]]
    _net_class: ClassVar[Any]

    def _pack(self, attributes: dict[str, Any]) -> dict[str, Any]:
        packed = dict(attributes)
        if "kind_" in packed:
            packed["kind_"] = kind_to_state(self.kind_, self.embeddings)
        if "target_" in packed:
            packed["target_"] = self.target_.to_state()
        if "net_" in packed:
            packed["net_"] = net_to_state(self.net_)
        return packed

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        attributes = dict(state)
        if "device_" in state:
            attributes["device_"] = _available(state["device_"])
        if "kind_" in state:
            attributes["kind_"] = kind_from_state(
                state["kind_"], self._kinds, type(self).__name__, state["embeddings"]
            )
        if "target_" in state:
            attributes["target_"] = TARGETS[state["target_"]["name"]].from_state(state["target_"])
        if "net_" in state:
            kind, target = attributes["kind_"], attributes["target_"]
            owned = owned_params(self._module, kind, target)
            attributes["net_"] = net_from_state(state["net_"], self._net_class, owned, attributes["device_"])
        return attributes


def _available(device: torch.device) -> torch.device:
    """Return the device, or the CPU with a warning if this machine does not have it."""
    try:
        return resolve_device(device)
    except ValueError as error:
        warnings.warn(f"the net is moved to the CPU: {error}", stacklevel=2)
        return torch.device("cpu")
