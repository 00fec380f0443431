"""Small fitted nets and samples of every kind that explainers explain, fitted once."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, Tree, TreeVectorizer
from sklearn_tree.datasets import make_negation
from sklearn_tree.explain.methods import check_method
from sklearn_tree.explain.subject import Subject

WORDS = ["a", "b", "c", "d", "e"]
METHODS = [
    "feature_ablation",
    "grad_cam",
    "gradient_shap",
    "input_x_gradient",
    "integrated_gradients",
    "interaction",
    "kernel_shap",
    "lime",
    "node_prediction",
    "noise_tunnel(input_x_gradient)",
    "noise_tunnel(integrated_gradients)",
    "noise_tunnel(saliency)",
    "occlusion",
    "saliency",
    "shapley",
]


class Sentiment(NamedTuple):
    """A net that has learned the grammar with words left out, and sentences it has not seen."""

    net: RecursiveNetClassifier
    X: Any  # trees of 4 to 10 leaves, encoded; inner nodes have no label
    leaves: list
    contributions: list


@cache
def sentiment():
    train, test = (make_negation(n, random_state=seed) for n, seed in ((1500, 0), (220, 1)))
    net = RecursiveNetClassifier(
        cell="nary_lstm", hidden_size=32, embedding_dim=32, word_dropout=0.2, random_state=0
    )
    words = TreeVectorizer().fit([Tree([word], [-1]) for word in train.data.vocabulary if word])
    net.fit(words.transform(train.data), train.target)
    leaves = [tree.leaves for tree in test.data]
    rows = [i for i, part in enumerate(leaves) if 4 <= len(part) <= 10][:100]
    return Sentiment(
        net,
        words.transform(test.data[rows]),
        [leaves[i] for i in rows],
        [test.contributions[i] for i in rows],
    )


def grown_trees(n_trees=6, seed=0, max_nodes=9, **kwargs):
    """Trees of all shapes: a single node, a chain, a star, and random ones of up to three children."""
    rng = np.random.RandomState(seed)
    shapes = [[-1], [-1, 0, 1, 2], [-1, 0, 0, 0, 0]]
    while len(shapes) < n_trees:
        parents = [-1]
        while len(parents) < max_nodes:
            parent = rng.randint(len(parents))
            if parents.count(parent) < 3:
                parents.append(parent)
        shapes.append(parents)
    return [Tree(rng.choice(WORDS, len(parents)).tolist(), parents, **kwargs) for parents in shapes]


def classifier(net=RecursiveNetClassifier, **params):
    return net(**{"hidden_size": 8, "embedding_dim": 6, "max_epochs": 2, "random_state": 0, **params})


@cache
def tree_net(cell="child_sum_lstm", pooling="root"):
    """A net for ``grown_trees``; cells that tell children apart know two places only."""
    trees = grown_trees(30, seed=1)
    return classifier(cell=cell, pooling=pooling, max_arity=2).fit(trees, [0, 1, 2] * 10)


@cache
def texts():
    rng = np.random.RandomState(0)
    return [" ".join(rng.choice(["good", "bad", "film", "not"], n)) for n in rng.randint(1, 9, 24)]


@cache
def example(kind):
    """Return a fitted net and samples, of kinds named as in ``KINDS``."""
    net_class, make = KINDS[kind]
    rng = np.random.RandomState(0)
    X = make(rng)
    n_epochs = {"max_epochs": 4}
    if net_class is CNNClassifier:
        net = CNNClassifier(n_filters=4, random_state=0, **n_epochs)
    else:
        net = net_class(hidden_size=8, random_state=0, **n_epochs)
    return net.fit(X, ["x", "y", "z"] * (len(X) // 3)), X


KINDS = {
    "trees": (RecursiveNetClassifier, lambda rng: grown_trees(24, max_nodes=7)),
    "texts": (RNNClassifier, lambda rng: texts()),
    "texts of a CNN": (CNNClassifier, lambda rng: texts()),
    "series": (RNNClassifier, lambda rng: rng.randn(24, 12, 2)),
    "series of a CNN": (CNNClassifier, lambda rng: rng.randn(24, 12, 2)),
    "ragged series": (RNNClassifier, lambda rng: [rng.randn(n, 2) for n in rng.randint(2, 15, 24)]),
    "a table": (RNNClassifier, lambda rng: rng.randn(24, 4)),
    "a table as trees": (RecursiveNetClassifier, lambda rng: rng.randn(24, 4)),
    "images": (CNNClassifier, lambda rng: rng.randn(24, 7, 8, 2)),
}


def methods_of(kind):
    """The methods that are right for a kind."""
    subject, known = Subject(example(kind)[0]), []
    for method in METHODS:
        try:
            check_method(method, subject)
        except ValueError:
            continue
        known.append(method)
    return known
