"""Check of a linear baseline on the samples of a net."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import hstack
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_tree.diagnosis.case import Case, Trial, count_classes, to_skill
from sklearn_tree.diagnosis.report import Finding
from sklearn_tree.diagnosis.samples import Samples, join_samples, read_numbers, to_tensor

MIN_SKILL = 0.1  # of the way from a constant to the best score; models that learned less are not compared
MARGIN = 0.01  # of the score: a net costs more than it gains below
MAX_COLUMNS = 5  # of classes; each needs a model of its own
STRENGTHS = (0.1, 1.0, 10.0)  # inverse penalties C of logistic regression

_MAX_BIGRAMS = 50_000  # the most frequent ones
_MAX_FEATURES = 2_000  # numbers of a sample, evenly spaced
_N_FOLDS = 3
_MAX_ITERATIONS = 200


def check_baseline(case: Case) -> Iterator[Finding]:
    """Find a linear model that is as good as the net on held-out samples."""
    trial = case.trial if case.train_skill >= MIN_SKILL else None
    score = None if trial is None else score_linear(trial)
    if trial is None or score is None or to_skill(score, trial.chance) < MIN_SKILL:
        return
    if score >= trial.held_out_score - MARGIN:
        yield Finding(
            name="linear_baseline",
            finding="A linear model is as good as the net on held-out samples.",
            figure=f"score {score:.2f} of the linear model, {trial.held_out_score:.2f} of the net",
            suggestion=_advise(case),
        )


def _advise(case: Case) -> str:
    model = "LogisticRegression" if count_classes(case.net, case.train) else "Ridge"
    if not case.train.item_kind.has_labels:
        return f"Use StandardScaler and {model}, or train the net longer."
    path = ", or pass linear_path=True" if case.train.kind.has_labels else ""
    return f"Use TfidfVectorizer and {model}{path}."


def score_linear(trial: Trial) -> float | None:
    """Return the held-out score of a linear model of the same samples; None if it does not apply."""
    train, held_out = trial.train, trial.held_out
    found = make_features(train, held_out) if train.columns.shape[1] <= MAX_COLUMNS else None
    if found is None:
        return None
    features, scaler = found
    parts = features[: len(train)], features[len(train) :]
    if not count_classes(trial.net, train):
        model = make_pipeline(scaler, RidgeCV(np.logspace(-2, 4, 7))).fit(parts[0], train.columns)
        predicted = model.predict(parts[1]).reshape(len(held_out), -1)
        return trial.net.target_.score(to_tensor(predicted), to_tensor(held_out.target))
    columns = zip(train.columns.T, held_out.columns.T, strict=True)
    return float(np.mean([_classify(scaler, parts, y, y_new) for y, y_new in columns]))


def _classify(scaler: Any, parts: tuple[Any, Any], y: np.ndarray, y_new: np.ndarray) -> float:
    """Return the held-out accuracy of logistic regression, whose penalty is chosen by cross-validation."""
    counts = np.unique(y, return_counts=True)[1]
    model: Any = LogisticRegression(max_iter=_MAX_ITERATIONS)
    if len(counts) < 2:
        model = DummyClassifier()
    elif counts.min() >= _N_FOLDS:
        model = GridSearchCV(model, {"C": STRENGTHS}, cv=_N_FOLDS)
    return float((make_pipeline(scaler, model).fit(parts[0], y).predict(parts[1]) == y_new).mean())


def make_features(train: Samples, held_out: Samples) -> tuple[Any, Any] | None:
    """Return the features of training and held-out samples, in this order, and an unfitted scaler.

    None for large samples of numbers.
    """
    items = join_samples(train.items, held_out.items)
    kind, n_labels = train.item_kind, getattr(items, "n_labels", None) or 0
    numbers = read_numbers(kind, items, len(train) + len(held_out))
    if numbers is not None:
        flat = numbers.reshape(len(numbers), -1)
        return flat[:, :: -(-flat.shape[1] // _MAX_FEATURES)], StandardScaler()
    if not kind.has_labels:
        return None
    counts = kind.count_labels(items, n_labels)
    bigrams = kind.count_bigrams(items, n_labels, _MAX_BIGRAMS)
    counts = counts if bigrams is None else hstack([counts, bigrams[1]], format="csr")
    if train.kind.item_kind is not None:
        first, second = counts[0::2], counts[1::2]
        counts = hstack([first, second, abs(first - second)], format="csr")
    return counts, TfidfTransformer(sublinear_tf=True)
