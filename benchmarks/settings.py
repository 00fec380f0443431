"""Settings that the study of the default parameters compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Params = dict[str, Any] | None  # None: the setting does not apply


def always(**params: Any) -> Callable[[str, str], Params]:
    """Return a setting that applies to all families and nets."""
    return lambda family, net: params


BEFORE = {"dropout": 0.0, "lr": 0.005, "lr_schedule": None, "linear_path": False}  # the first defaults
OPEN = {"dropout": 0.5, "lr_schedule": "cosine", "linear_path": True}  # for open vocabularies
CLOSED = {"dropout": 0.0, "lr": 0.005, "linear_path": False}


def child_sum(**params: Any) -> Callable[[str, str], Params]:
    """Return a setting that uses child-sum cells for trees."""
    return lambda family, net: {**params, **({"cell": "child_sum_lstm"} if family == "trees" else {})}


SETTINGS: dict[str, Callable[[str, str], Params]] = {
    "default": always(),
    "bidirectional": lambda family, net: {"bidirectional": True} if net.startswith("Recursive") else None,
    "before": child_sum(**BEFORE, max_epochs=10),
    "before, linear path": child_sum(**{**BEFORE, "linear_path": True}, max_epochs=10),
    "lr .001, 6 epochs": child_sum(**OPEN, lr=0.001, max_epochs=6),
    "lr .001, 3 epochs": child_sum(**OPEN, lr=0.001, max_epochs=3),
    "bigrams, 3 epochs": child_sum(**OPEN, lr=0.001, max_epochs=3),  # since linear paths read bigrams
    "bigrams, 6 epochs": child_sum(**OPEN, lr=0.001, max_epochs=6),
    "lr .001, 12 epochs": child_sum(**OPEN, lr=0.001, max_epochs=12),
    "lr .002, 10 epochs": child_sum(**OPEN, lr=0.002, max_epochs=10),
    "lr .003, 6 epochs": child_sum(**OPEN, lr=0.003, max_epochs=6),
    "lr .003, 12 epochs": child_sum(**OPEN, lr=0.003, max_epochs=12),
    "lr .003, 12 epochs, dropout .3": child_sum(**{**OPEN, "dropout": 0.3}, lr=0.003, max_epochs=12),
    "lr .003, 12 epochs, pooling mean": child_sum(**OPEN, lr=0.003, max_epochs=12, pooling="mean"),
    "lr .003, 12 epochs, no linear path": child_sum(
        **{**OPEN, "linear_path": False}, lr=0.003, max_epochs=12
    ),
    "closed, 20 epochs": child_sum(**CLOSED, lr_schedule=None, max_epochs=20),
    "closed, 20 epochs, cosine": child_sum(**CLOSED, lr_schedule="cosine", max_epochs=20),
    "closed, 30 epochs, cosine": child_sum(**CLOSED, lr_schedule="cosine", max_epochs=30),
    "pairs, 20 epochs": always(**CLOSED, lr_schedule=None, max_epochs=20),
    "pairs, 20 epochs, cosine": always(**CLOSED, lr_schedule="cosine", max_epochs=20),
    "pairs, 40 epochs, cosine": always(**CLOSED, lr_schedule="cosine", max_epochs=40),
    "pairs, dropout .5, 6 epochs": always(**{**OPEN, "linear_path": False}, lr=0.001, max_epochs=6),
    "pairs, dropout .5, 12 epochs": always(**{**OPEN, "linear_path": False}, lr=0.003, max_epochs=12),
    "pairs, dropout .3, 10 epochs": always(
        dropout=0.3, lr=0.003, lr_schedule="cosine", linear_path=False, max_epochs=10
    ),
    "pairs, hidden layer": always(dropout=0.0),
    "pairs, hidden layer, dropout .2": always(dropout=0.2),
    "pairs, hidden layer, dropout .5": always(dropout=0.5),
    "pairs, hidden layer, lr .002": always(dropout=0.0, lr=0.002),
    "pairs, 4 epochs": always(**CLOSED, lr_schedule="cosine", max_epochs=4),
    "pairs, dropout .5, lr .005, 20 epochs": always(
        **{**OPEN, "linear_path": False}, lr=0.005, max_epochs=20
    ),
    "one_cycle": always(lr_schedule="one_cycle"),
    "ema": always(weight_averaging="ema"),
    "smooth": always(label_smoothing=0.1),
    "calibrate": always(calibrate="temperature"),
    "word_dropout": lambda family, net: {"word_dropout": 0.1} if family in ("text", "trees") else None,
    "early stopping": always(lr_schedule=None, max_epochs=30, early_stopping=True, patience=3),
}
