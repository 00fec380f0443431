"""
Pairs of trees
==============

Whether one sentence entails another, or one formula implies another, is a relation of *two* samples. One encoder reads both trees, and the
output layer compares their vectors.
"""

# %%
# The data
# --------
# Draw formulas over p, q and r at random, as nested tuples. A truth table decides whether the first formula of a pair implies the second.

import itertools

import numpy as np
import pandas as pd

rng = np.random.RandomState(0)
WORLDS = [dict(zip("pqr", values, strict=True)) for values in itertools.product([False, True], repeat=3)]


def draw(depth):
    """Return a random formula of at most a depth."""
    operator = rng.choice(["and", "or", "not"])
    children = [
        draw(depth - 1) if depth > 1 and rng.rand() < 0.7 else (str(rng.choice(list("pqr"))),)
        for _ in range(1 if operator == "not" else 2)
    ]
    return (str(operator), *children)


def is_true(formula, world):
    """Return whether a formula is true in a world."""
    label, *children = formula
    if not children:
        return world[label]
    values = [is_true(child, world) for child in children]
    return not values[0] if label == "not" else all(values) if label == "and" else any(values)


def relation(first, second):
    """Return whether the first formula implies the second, the reverse, or neither."""
    a, b = (np.array([is_true(formula, world) for world in WORLDS]) for formula in (first, second))
    names = {(True, True): "equivalent", (True, False): "implies", (False, True): "is implied"}
    return names.get((bool((a <= b).all()), bool((a >= b).all())), "neither")


pairs = pd.DataFrame([(draw(3), draw(3)) for _ in range(12_000)], columns=["first", "second"])
y = np.array([relation(a, b) for a, b in pairs.itertuples(index=False)])
rows = np.concatenate([np.flatnonzero(y == name)[:1000] for name in ("implies", "is implied", "neither")])
pairs, y = pairs.iloc[rows], y[rows]
print(pairs.iloc[0]["first"], y[0], pairs.iloc[0]["second"])

# %%
# Train and test
# --------------
# A frame of two columns is read as pairs. The net knows nothing of logic: it learns the operators from the relations.

from sklearn.model_selection import train_test_split

from sklearn_tree import RecursiveNetClassifier

X_train, X_test, y_train, y_test = train_test_split(pairs, y, test_size=0.2, stratify=y, random_state=0)
net = RecursiveNetClassifier("nary_lstm", max_epochs=15, lr_schedule="cosine", random_state=0)
net.fit(X_train, y_train)
print(f"accuracy {net.score(X_test, y_test):.3f} (always the same relation: 0.333)")

# %%
# A linear model over the counts of the symbols on both sides sees no structure:

from collections import Counter

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_tree import Tree


def counts(pairs):
    """Count the labels of each side."""
    sides = (
        {name: Tree.from_any(tree).labels for name, tree in row.items()} for row in pairs.to_dict("records")
    )
    return [Counter(f"{name} {label}" for name, labels in row.items() for label in labels) for row in sides]


linear = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=1000)).fit(counts(X_train), y_train)
print(f"accuracy {linear.score(counts(X_test), y_test):.3f}")

# %%
# Which parts of both formulas speak for the relation? Occlusion removes one subtree at a time:

from sklearn_tree import CaptumExplainer

explainer = CaptumExplainer(net, "occlusion").fit(X_train)
is_short = [
    sum(len(Tree.from_any(tree).labels) for tree in row) < 13 for row in X_test.itertuples(index=False)
]
chosen = np.flatnonzero(is_short & (net.predict(X_test) == "implies") & (y_test == "implies"))[:1]
explainer.explain(X_test.iloc[chosen])[0].plot()

# %%
# **For your data:** X is a data frame of two columns of texts, trees, series or images. Keep all pairs of a sample in one part when you split, so that
# no sample occurs in training and test.

# sphinx_gallery_thumbnail_path = "figures/thumbnails/pair.svg"
