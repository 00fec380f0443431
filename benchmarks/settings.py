"""Settings that the study of the default parameters compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from candidates import OneCycle, WeightAverage

Params = dict[str, Any] | None  # None: the setting does not apply


def with_callbacks(*callbacks: type, **params: Any) -> Callable[[str, str], Params]:
    """Return a setting with callbacks, which are made for each fit, and parameters."""
    return lambda family, net: {"callbacks": [callback() for callback in callbacks], **params}




def setting(**params: Any) -> Callable[[str, str], Params]:
    """Return a setting with some parameters."""
    return lambda family, net: params


BASE = {"dropout": 0.5, "lr": 0.001, "lr_schedule": "cosine", "max_epochs": 6}
SETTINGS: dict[str, Callable[[str, str], Params]] = {
    "default": setting(linear_path=False),
    "linear": setting(linear_path=True),
    "base": setting(**BASE),
    "base nolin": setting(**BASE, linear_path=False),
    "lr2e-3": setting(**{**BASE, "lr": 0.002}),
    "e12": setting(**{**BASE, "max_epochs": 12}),
    "d.3": setting(**{**BASE, "dropout": 0.3}),
    "d.2": setting(**{**BASE, "dropout": 0.2}),
    "wd.1": setting(**BASE, word_dropout=0.1),
    "dim128": setting(**BASE, embedding_dim=128),
    "e3": setting(**{**BASE, "max_epochs": 3}),
    "lr3e-3 e12": setting(**{**BASE, "lr": 0.003, "max_epochs": 12}),
    "lr3e-3 e20 d.3": setting(**{**BASE, "lr": 0.003, "max_epochs": 20, "dropout": 0.3}),
    "mean": setting(**BASE, pooling="mean"),
    "max": setting(**BASE, pooling="max"),
}
