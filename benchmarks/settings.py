"""Settings that the study of the default parameters compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Params = dict[str, Any] | None  # None: the setting does not apply


def setting(**params: Any) -> Callable[[str, str], Params]:
    """Return a setting with some parameters."""
    return lambda family, net: params


BASE = {"dropout": 0.5, "lr_schedule": "cosine"}
SETTINGS: dict[str, Callable[[str, str], Params]] = {
    "default": setting(linear_path=False),
    "linear": setting(),
    "lr1 e6": setting(**BASE, lr=0.001, max_epochs=6),
    "lr3 e6": setting(**BASE, lr=0.003, max_epochs=6),
    "lr3 e12": setting(**BASE, lr=0.003, max_epochs=12),
    "lr2 e10": setting(**BASE, lr=0.002, max_epochs=10),
    "lr3 e12 mean": setting(**BASE, lr=0.003, max_epochs=12, pooling="mean"),
    "lr3 e12 d.3": setting(**{**BASE, "dropout": 0.3}, lr=0.003, max_epochs=12),
    "es lr1": setting(dropout=0.5, lr=0.001, max_epochs=30, early_stopping=True, patience=3),
    "es lr2": setting(dropout=0.5, lr=0.002, max_epochs=30, early_stopping=True, patience=3),
    "lr1 e6 max": setting(**BASE, lr=0.001, max_epochs=6, pooling="max"),
    "lr1 e6 mean": setting(**BASE, lr=0.001, max_epochs=6, pooling="mean"),
    "lr1 e12": setting(**BASE, lr=0.001, max_epochs=12),
    "lr1 e12 wd.2": setting(**BASE, lr=0.001, max_epochs=12, word_dropout=0.2),
    "lr5 e8": setting(**BASE, lr=0.005, max_epochs=8),
    "lr3 e8": setting(**BASE, lr=0.003, max_epochs=8),
    "lr3 e12 nolin": setting(**BASE, lr=0.003, max_epochs=12, linear_path=False),
    "lr3 e12 max": setting(**BASE, lr=0.003, max_epochs=12, pooling="max"),
    "lr3 e20": setting(**BASE, lr=0.003, max_epochs=20),
    "es lr3": setting(dropout=0.5, lr=0.003, max_epochs=30, early_stopping=True, patience=3),
    "es lr3 d.25": setting(dropout=0.25, lr=0.003, max_epochs=30, early_stopping=True, patience=3),
    "lr3 e12 d.25": setting(dropout=0.25, lr=0.003, max_epochs=12, lr_schedule="cosine"),
    "lr3 e24 d.1": setting(dropout=0.1, lr=0.003, max_epochs=24, lr_schedule="cosine"),
    "cos": setting(lr_schedule="cosine"),
    "cos e20": setting(lr_schedule="cosine", max_epochs=20),
    "cos nolin": setting(lr_schedule="cosine", linear_path=False),
    "cos e20 d.1": setting(lr_schedule="cosine", max_epochs=20, dropout=0.1),
    "c20": setting(lr_schedule="cosine", max_epochs=20, linear_path=False, lr=0.005, dropout=0.0),
    "n20": setting(lr_schedule=None, max_epochs=20, linear_path=False, lr=0.005, dropout=0.0),
    "c20 lr8": setting(lr_schedule="cosine", max_epochs=20, linear_path=False, lr=0.008, dropout=0.0),
    "c30": setting(lr_schedule="cosine", max_epochs=30, linear_path=False, lr=0.005, dropout=0.0),
}
SETTINGS["auto"] = setting()
