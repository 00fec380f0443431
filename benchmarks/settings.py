"""Settings that the study of the default parameters compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from candidates import OneCycle, WeightAverage

Params = dict[str, Any] | None  # None: the setting does not apply


def with_callbacks(*callbacks: type, **params: Any) -> Callable[[str, str], Params]:
    """Return a setting with callbacks, which are made for each fit, and parameters."""
    return lambda family, net: {"callbacks": [callback() for callback in callbacks], **params}


SMOOTH = {"net_params": {"criterion__label_smoothing": 0.1}}
SETTINGS: dict[str, Callable[[str, str], Params]] = {
    "default": lambda family, net: {},
    "cosine": lambda family, net: {"lr_schedule": "cosine"},
    "one_cycle": with_callbacks(OneCycle),
    "ema": with_callbacks(WeightAverage),
    "smooth": lambda family, net: SMOOTH,
    "dropout": lambda family, net: {"dropout": 0.5},
    "dropout, one_cycle": with_callbacks(OneCycle, dropout=0.5),
    "dropout, one_cycle, ema": with_callbacks(OneCycle, WeightAverage, dropout=0.5),
    "dropout, one_cycle, smooth": with_callbacks(OneCycle, dropout=0.5, **SMOOTH),
    "word_dropout": lambda family, net: {"word_dropout": 0.1} if family in ("text", "trees") else None,
    "blocks": lambda family, net: {"n_blocks": 3} if net == "CNNClassifier" else None,
    "blocks, one_cycle": lambda family, net: (
        {"n_blocks": 3, "callbacks": [OneCycle()]} if net == "CNNClassifier" else None
    ),
}
