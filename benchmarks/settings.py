"""Settings that the study of the default parameters compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Params = dict[str, Any] | None  # None: the setting does not apply


def always(**params: Any) -> Callable[[str, str], Params]:
    """Return a setting that applies to all families and nets."""
    return lambda family, net: params


SETTINGS: dict[str, Callable[[str, str], Params]] = {
    "default": always(),
    "no linear path": always(linear_path=False),
    "cosine": always(lr_schedule="cosine"),
    "one_cycle": always(lr_schedule="one_cycle"),
    "ema": always(weight_averaging="ema"),
    "smooth": always(label_smoothing=0.1),
    "calibrate": always(calibrate="temperature"),
    "dropout": always(dropout=0.5),
    "dropout, one_cycle": always(dropout=0.5, lr_schedule="one_cycle"),
    "dropout, one_cycle, ema": always(dropout=0.5, lr_schedule="one_cycle", weight_averaging="ema"),
    "dropout, one_cycle, smooth": always(dropout=0.5, lr_schedule="one_cycle", label_smoothing=0.1),
    "word_dropout": lambda family, net: {"word_dropout": 0.1} if family in ("text", "trees") else None,
    "blocks": lambda family, net: {"n_blocks": 3} if net == "CNNClassifier" else None,
    "blocks, one_cycle": lambda family, net: (
        {"n_blocks": 3, "lr_schedule": "one_cycle"} if net == "CNNClassifier" else None
    ),
}
