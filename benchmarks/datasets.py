"""Loaders of public data sets that are not part of the package.

The files are read from the folder in the environment variable ``SKLEARN_TREE_DATA``, by default
``../shared/data`` next to this repository. The README lists their sources.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("SKLEARN_TREE_DATA", ROOT.parent / "shared" / "data"))


def load_series(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return X_train, y_train, X_test, y_test of a UCR/UEA problem; X is (n, steps, channels), float32."""
    parts = []
    for part in ("TRAIN", "TEST"):
        X, y = [], []
        with gzip.open(FOLDER / "timeseries" / name / f"{name}_{part}.ts.gz", "rt") as file:
            lines = [line.strip() for line in file]
        start = [line.lower() for line in lines].index("@data") + 1
        for line in filter(None, lines[start:]):
            *channels, label = line.split(":")
            X.append(np.array([channel.split(",") for channel in channels], dtype=np.float32).T)
            y.append(label)
        parts += [np.stack(X), np.array(y)]
    return tuple(parts)  # type: ignore[return-value]


def load_trec() -> tuple[list[str], np.ndarray, list[str], np.ndarray]:
    """Return X_train, y_train, X_test, y_test of TREC: questions and their coarse classes."""
    parts: list = []
    for part in ("train", "test"):
        rows = [row.split(" ", 1) for row in _lines(f"TREC.{part}")]
        parts += [[text for _, text in rows], np.array([label.split(":")[0] for label, _ in rows])]
    return tuple(parts)  # type: ignore[return-value]


def load_mr(part: str) -> tuple[list[str], np.ndarray]:
    """Return sentences of the movie reviews (MR) and their polarities; the test part is a fold of ten."""
    neg, pos = _lines("rt-polarity.neg"), _lines("rt-polarity.pos")
    X, y = neg + pos, np.repeat(["neg", "pos"], [len(neg), len(pos)])
    train, test = next(StratifiedKFold(10, shuffle=True, random_state=0).split(y, y))
    rows = train if part == "train" else test
    return [X[i] for i in rows], y[rows]


def _lines(name: str) -> list[str]:
    with gzip.open(FOLDER / "sentences" / f"{name}.gz", "rt", encoding="latin-1") as file:
        return [line.strip() for line in file]


def load_sst_sentences(classes: str, part: str) -> tuple[list[str], np.ndarray]:
    """Return the sentences of SST and their sentiments; classes is fine or binary."""
    rows = [line.split(" ", 1) for line in _lines(f"stsa.{classes}.{part}")]
    return [text for _, text in rows], np.array([label for label, _ in rows])
