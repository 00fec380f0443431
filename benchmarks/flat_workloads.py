"""Synthetic workloads of the flat benchmark: texts, images and series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from workloads import N_WORDS, draw_words

from sklearn_tree import CNNClassifier, RaggedArray, RNNClassifier

N_STEPS = 52


class Workload(NamedTuple):
    """Samples, their classes, a factory of the estimator, and the samples as one padded array."""

    X: Any
    y: np.ndarray
    make: Callable[..., Any]
    padded: np.ndarray


def texts(make: Callable[..., Any], n: int = 10_000, **params: Any) -> Workload:
    """Return texts of 2 to 52 ids, 19 on average, from 10,000 words."""
    rng = np.random.RandomState(0)
    sizes = np.clip(rng.gamma(4.0, 19.3 / 4.0, n), 2, N_STEPS).astype(np.int64)
    sizes[:8] = N_STEPS  # parity is checked on these rows
    ids = draw_words(rng, sizes.sum()).astype(np.int32)
    X = RaggedArray(ids, np.r_[0, np.cumsum(sizes)], n_labels=N_WORDS)
    padded = np.zeros((n, N_STEPS), dtype=np.int64)
    padded[np.arange(N_STEPS) < sizes[:, None]] = ids
    return Workload(X, rng.randint(2, size=n), lambda **more: make(**{**params, **more}), padded)


def images(n: int = 10_000, **params: Any) -> Workload:
    """Return greyscale images of 28 x 28 pixels."""
    rng = np.random.RandomState(0)
    X = standardize(rng.randn(n, 28, 28, 1))
    return Workload(X, rng.randint(10, size=n), lambda **more: CNNClassifier(**params, **more), X)


def series(n: int = 1000, **params: Any) -> Workload:
    """Return series of 150 steps and 6 channels."""
    rng = np.random.RandomState(0)
    X = standardize(rng.randn(n, 150, 6))
    return Workload(X, rng.randint(4, size=n), lambda **more: CNNClassifier(**params, **more), X)


def standardize(X: np.ndarray) -> np.ndarray:
    """Standardise the channels, so that the nets' own standardisation changes nothing."""
    axes = tuple(range(X.ndim - 1))
    return ((X - X.mean(axes)) / X.std(axes)).astype(np.float32)


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "biLSTM text": lambda: texts(RNNClassifier, cell="lstm", embedding_dim=100, hidden_size=128),
    "biGRU text": lambda: texts(RNNClassifier, cell="gru", embedding_dim=100, hidden_size=128),
    "Kim CNN text": lambda: texts(CNNClassifier, embedding_dim=100, n_filters=100, kernel_sizes=(3, 4, 5)),
    "images": lambda: images(n_blocks=2, n_filters=32, kernel_sizes=(3,), pooling="max"),
    "series": lambda: series(n_blocks=3, n_filters=32, kernel_sizes=(9, 19, 39), pooling="max"),
}
