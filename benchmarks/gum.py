"""Accuracy on the sentence types of GUM, compared with linear baselines.

Run ``python benchmarks/gum.py --part dev`` to compare settings, and ``--part test --settings NAME`` to score
the chosen one. It takes a few minutes.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sklearn_tree import RecursiveNetClassifier, Tree, TreeVectorizer
from sklearn_tree.datasets import load_gum

WIDE = {  # in the user guide
    "hidden_size": 128,
    "embedding_dim": 128,
    "dropout": 0.5,
    "word_dropout": 0.1,
    "lr": 0.003,
    "lr_schedule": "cosine",
    "max_epochs": 20,
    "linear_path": False,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "wide": WIDE,
    "wide, linear path": {**WIDE, "linear_path": True},
    "wide, mean of the nodes": {**WIDE, "pooling": "mean"},
}


def words(tree: Tree) -> list[str]:
    """Return the words of a tree."""
    return [tree.labels[i] for i in tree.leaves]


def productions(tree: Tree) -> list[str]:
    """Return the grammar rules of a tree, such as ``"NP -> DT NN"``."""
    rules = ((tree.labels[i], tree.children(i)) for i in tree.nodes)
    return [f"{left} -> {' '.join(tree.labels[k] for k in right)}" for left, right in rules if right]


def linear(analyzer: Any) -> Any:
    """Return a logistic regression on scaled counts."""
    return make_pipeline(
        CountVectorizer(analyzer=analyzer), MaxAbsScaler(), LogisticRegression(max_iter=2000)
    )


def main() -> None:
    """Fit and score all models and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--part", choices=["dev", "test"], default="dev")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    gum = load_gum()
    train, test = gum.split == "train", gum.split == options.part
    models = {"words, linear": linear(words), "productions, linear": linear(productions)}
    for setting in options.settings:
        for seed in options.seeds:
            net = RecursiveNetClassifier(**SETTINGS[setting], random_state=seed)
            min_df = 1 if setting == "defaults" else 2
            models[f"{setting}, seed {seed}"] = make_pipeline(TreeVectorizer(min_df=min_df), net)
    print(f"{options.part:32}{'accuracy':>10}{'macro-F1':>10}{'fit':>8}")
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(gum.data[train], gum.target[train])
        seconds = time.perf_counter() - start
        y_pred = model.predict(gum.data[test])
        accuracy = accuracy_score(gum.target[test], y_pred)
        f1 = f1_score(gum.target[test], y_pred, average="macro", zero_division=0)
        print(f"{name:32}{accuracy:10.3f}{f1:10.3f}{seconds:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
