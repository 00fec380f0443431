"""States of trained nets as plain values and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from skorch.history import History
from torch import Tensor, nn

from sklearn_tree.containers import to_numpy
from sklearn_tree.estimators.averaging import AverageState
from sklearn_tree.estimators.batches import BatchIterator, EncodedDataset
from sklearn_tree.estimators.targets import Target
from sklearn_tree.kinds import Kind
from sklearn_tree.randomness import InjectedGenerators, own_generators

_RESTORED = ("fixed_", "is_continued", "classes_inferred_")
# Parameters of a net that a state holds. Others, such as those of torch.compile, could run programs.
_PARAMS = {
    *("lr", "max_epochs", "batch_size", "precision", "verbose", "optimizer", "criterion", "dataset"),
    *("iterator_train", "iterator_valid", "predict_nonlinearity", "classes"),
}
_PREFIXES = ("module__", "criterion__", "optimizer__", "iterator_train__", "iterator_valid__")
_DEPTHS = ("n_layers", "n_blocks")  # parameters of modules that count layers with weights of their own


def owned_params(module: Any, kind: Kind, target: Target) -> dict[str, Any]:
    """Return the parameters of an estimator's net that are objects of the estimator or of this package.

    Parameters
    ----------
    module : type of nn.Module
        Class of the module for single samples.
    kind : Kind
        Fitted kind of the samples.
    target : Target
        Fitted target.
    """
    return {
        "module": kind.wrap_net(module),
        "criterion": target.criterion,
        "target": target,
        "dataset": EncodedDataset,
        "dataset__kind": kind,
        "iterator_train": BatchIterator,
        "iterator_valid": BatchIterator,
        "train_split": None,
    }


def net_to_state(net: Any) -> dict[str, Any]:
    """Return the parameters, the weights and the history of a net.

    A net whose training goes on also has the states of its loss, optimizer and weight average. Parameters
    that the estimator restores are left out, unless ``net_params`` has replaced them.

    Parameters
    ----------
    net : OwnedNetMixin
        Initialized net.
    """
    module: nn.Module = getattr(net.module_, "_orig_mod", net.module_)  # the one that torch.compile wraps
    own = owned_params(net.module, net.dataset__kind, net.target)
    params = {name: value for name, value in vars(net).items() if _is_restored(name)}
    average, is_continued = net.average_state_, net.is_continued
    return {
        "params": {
            name: value
            for name, value in params.items()
            if name != "module__pretrained" and value is not own.get(name, params)
        },
        "weights": {name: to_numpy(tensor) for name, tensor in module.state_dict().items()},
        "frozen": [name for name, weight in module.named_parameters() if not weight.requires_grad],
        "compiled": [name for name, part in module.named_modules() if getattr(part, "is_compiled", False)],
        "history": [dict(row) for row in net.history],
        "criterion": {name: to_numpy(tensor) for name, tensor in net.criterion_.state_dict().items()},
        "optimizer": net.optimizer_.state_dict() if is_continued else None,
        "average": vars(average) if is_continued and average is not None else None,
        **{name: getattr(net, name) for name in _RESTORED if hasattr(net, name)},
    }


def _is_restored(name: str) -> bool:
    return name in _PARAMS or name.startswith(_PREFIXES)


def net_from_state(state: dict[str, Any], net_class: Any, owned: dict[str, Any], device: torch.device) -> Any:
    """Rebuild a net from the return value of :func:`net_to_state`.

    Parameters
    ----------
    state : dict
        State.
    net_class : type of OwnedNetMixin
        Class of the net.
    owned : dict
        Return value of :func:`owned_params`.
    device : torch.device
        Device of the net.

    Raises
    ------
    ValueError
        If the parameters and the weights do not fit; nothing larger than the weights is allocated before.
    """
    for name in filter(lambda name: not _is_restored(name), state["params"]):
        raise ValueError(f"the state of a net must not have the parameter {name!r:.60}")
    params = {**owned, **state["params"], "device": str(device), "callbacks": []}
    weights = _to_tensors(state["weights"])
    _check_size(params, weights)
    net = net_class(**params)
    for name in _RESTORED:
        if name in state:
            setattr(net, name, state[name])
    with own_generators(0), InjectedGenerators():
        net.initialize()
    try:
        net.module_.load_state_dict(weights)
        net.criterion_.load_state_dict(_to_tensors(state["criterion"]))
    except (RuntimeError, AttributeError) as error:
        raise ValueError(f"the weights do not fit the parameters of the net: {error}") from error
    frozen = set(state["frozen"])
    for name, weight in net.module_.named_parameters():
        weight.requires_grad_(name not in frozen)
    for name, part in net.module_.named_modules():
        if hasattr(part, "is_compiled"):
            part.is_compiled = name in state["compiled"]
    net.module_.eval()
    net.history_ = History(state["history"])
    if state["optimizer"] is not None:
        load_optimizer(net.optimizer_, state["optimizer"])
    if state["average"] is not None:
        net.average_state_ = AverageState(**state["average"])
    return net


def load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load the state of an optimizer without casting its tensors to the dtype of the weights, as torch does.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Optimizer.
    state : dict
        Return value of ``optimizer.state_dict()``.
    """
    optimizer.load_state_dict(state)
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for i, saved in state["state"].items():
        loaded = optimizer.state[weights[i]]
        for name, value in saved.items():
            if isinstance(value, Tensor):
                loaded[name] = loaded[name].to(value.dtype)


def _to_tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def _check_size(params: dict[str, Any], weights: dict[str, Tensor]) -> None:
    """Raise ValueError if the parameters make a module with more weights than there are."""
    prefix = "module__"
    module_params = {name.removeprefix(prefix): x for name, x in params.items() if name.startswith(prefix)}
    n_given = sum(tensor.numel() for tensor in weights.values())
    for name, value in module_params.items():
        limit = len(weights) if name in _DEPTHS else max(n_given, 1000)
        if isinstance(value, int) and value > limit:
            raise ValueError(f"{name} must be at most {limit} for {n_given} weights, got {value}")
    try:
        with torch.device("meta"):
            module: nn.Module = params["module"](**module_params)
    except NotImplementedError:  # a user's cell may need the values of its weights
        return
    n_needed = sum(tensor.numel() for tensor in module.state_dict().values())
    if n_needed > n_given:
        raise ValueError(f"the net must have {n_needed} weights, got {n_given}")
