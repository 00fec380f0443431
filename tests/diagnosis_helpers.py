"""Sick and healthy fits for the tests of the diagnosis."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CNNClassifier,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    SequenceVectorizer,
    diagnose,
)
from sklearn_tree.datasets import make_negation

WORDS = [f"w{i}" for i in range(30)]


class Fit(NamedTuple):
    """Arguments of ``diagnose``."""

    estimator: Any
    X: Any
    y: Any
    X_val: Any = None
    y_val: Any = None


def fit(estimator, X, y, n_val=None):
    """Fit an estimator to all samples, or to all but the last ``n_val``."""
    n = len(y) - (n_val or 0)
    held_out = (X[n:], y[n:]) if n_val else (None, None)
    return Fit(estimator.fit(X[:n], y[:n]), X[:n], y[:n], *held_out)


# Samples.


def trees(n, seed):
    negation = make_negation(n, random_state=seed)
    return negation.data, negation.target


def ordered_texts(n, seed):
    """Return texts whose class is whether "x" comes before "y", with other words around them."""
    rng = np.random.RandomState(seed)
    texts, y = [], rng.randint(2, size=n)
    for label in y:
        words = list(rng.choice(WORDS, rng.randint(6, 12)))
        first, second = sorted(rng.choice(len(words), 2, replace=False))
        words[first], words[second] = ("x", "y") if label else ("y", "x")
        texts.append(" ".join(words))
    return texts, y


def word_texts(n, seed, n_words=40):
    """Return texts of two classes that differ in the frequencies of words."""
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    log_odds = np.linspace(-1, 1, n_words)
    names = np.array([f"w{i}" for i in range(n_words)])
    shares = [np.exp(sign * log_odds) for sign in (-1, 1)]
    texts = [" ".join(rng.choice(names, 12, p=shares[c] / shares[c].sum())) for c in y]
    return texts, y


def waves(n, seed):
    """Return noisy sine waves of random phase whose class is the frequency."""
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    time = np.arange(50)[None] * (0.25 + 0.15 * y[:, None]) + rng.uniform(0, 2 * np.pi, (n, 1))
    return (np.sin(time) + 0.3 * rng.randn(n, 50)).astype(np.float32)[..., None], y


def bars(n, seed):
    """Return noisy images with a horizontal or a vertical bar at a random place."""
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    images = 0.3 * rng.rand(n, 10, 10).astype(np.float32)
    for image, label in zip(images, y):
        i, j = rng.randint(1, 9), rng.randint(0, 5)
        (image if label else image.T)[i, j : j + 5] += 0.7
    return images[..., None], y


def products(n, seed):
    """Return a table whose class is the sign of the product of two columns."""
    rng = np.random.RandomState(seed)
    table = rng.randn(n, 4)
    return table, (table[:, 0] * table[:, 1] > 0).astype(int)


# Healthy fits.


def healthy_trees(seed):
    return fit(RecursiveNetClassifier(random_state=seed), *trees(1300, seed), n_val=300)


def healthy_texts(seed):
    return fit(RNNClassifier(random_state=seed, hidden_size=32), *ordered_texts(1500, seed))


def healthy_series(seed):
    return fit(CNNClassifier(random_state=seed, n_filters=8), *waves(400, seed))


def healthy_images(seed):
    return fit(CNNClassifier(random_state=seed, n_filters=8), *bars(700, seed), n_val=200)


def healthy_table(seed):
    return fit(
        RNNClassifier(random_state=seed, hidden_size=32, max_epochs=30), *products(900, seed), n_val=300
    )


def healthy_regression(seed):
    negation = make_negation(1300, random_state=seed)
    return fit(RecursiveNetRegressor(random_state=seed), negation.data, negation.scores, n_val=300)


# Sick fits.


def high_lr(seed):
    return fit(RecursiveNetClassifier(random_state=seed, lr=0.5), *trees(700, seed), n_val=200)


def low_lr(seed):
    return fit(RecursiveNetClassifier(random_state=seed, lr=5e-6), *trees(700, seed), n_val=200)


def few_epochs(seed):
    return fit(RecursiveNetClassifier(random_state=seed, max_epochs=3), *trees(1000, seed), n_val=200)


def copied_samples(seed):
    X, y = trees(1000, seed)
    sick = fit(RecursiveNetClassifier(random_state=seed), X, y, n_val=200)
    rows = np.r_[np.arange(150), np.arange(800, 900)]  # 150 training samples, 100 new ones
    return sick._replace(X_val=X[rows], y_val=y[rows])


def leaking_word(seed):
    texts, y = ordered_texts(600, seed)
    texts = [f"{text} {'seen' if label else ''}" for text, label in zip(texts, y)]
    return fit(RNNClassifier(random_state=seed, hidden_size=32), texts, y, n_val=150)


def unknown_words(seed):
    texts, y = ordered_texts(700, seed)
    sick = fit(RNNClassifier(random_state=seed, hidden_size=32), texts, y, n_val=150)
    return sick._replace(X_val=[text.replace("w", "other") for text in sick.X_val])


def rare_class(seed):
    texts, y = word_texts(800, seed)
    kept = (y == 0) | (np.cumsum(y) <= 20)
    texts = [text for text, is_kept in zip(texts, kept) if is_kept]
    return fit(CNNClassifier(random_state=seed, hidden_size=16, n_filters=16), texts, y[kept])


def random_labels(seed):
    X, _ = trees(500, seed)
    y = np.random.RandomState(seed).randint(2, size=500)
    return fit(RecursiveNetClassifier(random_state=seed, max_epochs=60), X, y, n_val=150)


def linear_task(seed):
    texts, y = word_texts(900, seed)
    return fit(RNNClassifier(random_state=seed, hidden_size=32, max_epochs=10), texts, y, n_val=300)


def conflicting_copies(seed):
    X, y = ordered_texts(500, seed)
    y = np.r_[y, 1 - y[:100]]
    return fit(RNNClassifier(random_state=seed, hidden_size=32), [*X, *X[:100]], y)


def saturated_units(seed):
    X, y = waves(300, seed)
    sick = fit(CNNClassifier(random_state=seed, n_blocks=1, n_filters=16, hidden_size=32), X, y)
    hidden = sick.estimator.net_.module_.hidden
    hidden.bias.data[:24] = -100.0  # these rectified units never fire
    return sick


def truncated_texts(seed):
    texts, y = ordered_texts(400, seed)
    pipe = make_pipeline(SequenceVectorizer(max_length=5), RNNClassifier(random_state=seed, hidden_size=16))
    return fit(pipe, texts, y)


HEALTHY = [
    healthy_trees,
    healthy_texts,
    healthy_series,
    healthy_images,
    healthy_table,
    healthy_regression,
]
SICK = {
    high_lr: "lr_too_high",
    low_lr: "lr_too_low",
    few_epochs: "underfit",
    copied_samples: "duplicates",
    leaking_word: "leak",
    unknown_words: "unknown_words",
    rare_class: "small_classes",
    random_labels: "overfit",
    linear_task: "linear_baseline",
    conflicting_copies: "duplicates",
    saturated_units: "dead_units",
    truncated_texts: "truncated",
}


def run_diagnosis(sick):
    """Diagnose a fit."""
    return diagnose(sick.estimator, sick.X, sick.y, X_val=sick.X_val, y_val=sick.y_val)


def measure_rates(seeds):
    """Return the share of fits with the right findings: the problem of a sick fit, none of a healthy one."""
    rates = {
        make: np.mean([SICK[make] in run_diagnosis(make(seed)).names for seed in seeds]) for make in SICK
    }
    return rates | {make: np.mean([not run_diagnosis(make(seed)) for seed in seeds]) for make in HEALTHY}


if __name__ == "__main__":
    for make, rate in measure_rates(range(5)).items():
        print(f"{make.__name__:20} {rate:.0%}")  # noqa: T201
