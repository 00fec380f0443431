"""Small samples and fitted nets for the tests of explainers."""

from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from reference import margin, subtree, tree_logits

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    Tree,
    TreeVectorizer,
)
from sklearn_tree.datasets import make_negation
from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.limits import Limits
from sklearn_tree.explain.methods import find_method
from sklearn_tree.explain.request import Request
from sklearn_tree.explain.views import find_view

QUICK = {"max_epochs": 2, "hidden_size": 4, "random_state": 0}
LEARNS = {"max_epochs": 20, "hidden_size": 8, "lr": 0.02, "random_state": 0}
N = 24
TEXTS = ["a good film", "a bad film", "good , really good", "bad"] * 6
TREES = ["(S (NP it) (VP works))", "(S (NP it) (VP fails))", "(S works)", "(VP fails not)"] * 6
_RNG = np.random.RandomState(0)
TABLE = _RNG.rand(N, 3)
SERIES = _RNG.rand(N, 6, 2)
IMAGES = _RNG.rand(N, 8, 6).astype(np.float32)
Y = np.array([1, 0] * 12)
NAMES = np.array(["good", "bad"] * 12)
NUMBERS = np.arange(N) / 10
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
FEW_PARAMS = {"n_samples": 6, "window": 3, "stdevs": 0.1}
WORDS = ["a", "b", "c", "d", "e"]


def fit_explainer(estimator, X, **params):
    """Return a fitted explainer of a fitted estimator."""
    return CaptumExplainer(estimator, **{"random_state": 0, **params}).fit(X)


def is_complete(explanations, tol=0.02):
    """Return whether the attributions of each sample sum to its difference from the baseline."""
    differences = np.abs(explanations.values - explanations.baseline_values)
    return (np.abs(explanations.completeness_error) <= tol * np.maximum(1, differences)).all()


def make_batch(net, X, *, baseline="unknown", target, dtype=torch.float64, limits=None, params=None):
    """Return the explained batch of all samples.

    ``baseline`` is "zero", "unknown" or "mean" for the vector of words, or a tensor or name for the view.
    """
    explained_net = ExplainedNet(net, dtype)
    encoded, _ = explained_net.encode(X)
    if explained_net.kind.name in ("trees", "tokens") and isinstance(baseline, str):
        weight = explained_net.module.label_table()
        vectors = {"zero": torch.zeros_like(weight[0]), "unknown": weight[1], "mean": weight.mean(0)}
        baseline = vectors[baseline]
    request = Request(
        net=explained_net,
        view=find_view(explained_net.kind),
        encoded=encoded,
        choose=lambda outputs: net.target_.explained(outputs, target, "margin"),
        baseline=baseline,
        zero_states=False,
        limits=limits or Limits(),
        params=params or {},
        seed=0,
    )
    return request.batch(np.arange(len(encoded)))


# A net that has learned a grammar.


class Sentiment(NamedTuple):
    """Net that has learned the grammar with word dropout, and sentences that it has not seen."""

    net: RecursiveNetClassifier
    X: Any  # encoded trees of 4 to 10 leaves; inner nodes have no label
    leaves: list
    contributions: list


@cache
def fit_sentiment():
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


# Nets of every kind, fitted on random samples.


def make_trees(n_trees=6, seed=0, max_nodes=9, **kwargs):
    """Return a single node, a chain, a star, and random trees with up to three children per node."""
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


def make_texts():
    rng = np.random.RandomState(0)
    return [" ".join(rng.choice(["good", "bad", "film", "not"], n)) for n in rng.randint(1, 9, N)]


def make_ragged_series():
    rng = np.random.RandomState(0)
    return [rng.rand(3 + i % 4, 2) for i in range(N)]


def make_classifier(net=RecursiveNetClassifier, **params):
    params = {"hidden_size": 8, "embedding_dim": 6, "max_epochs": 2, "random_state": 0, **params}
    return net(**{"lr": 0.05, **params})  # the last layer of a net with a linear path is zero at first


@cache
def fit_tree_net(cell="child_sum_lstm", pooling="root", **params):
    """Return a net for ``make_trees``; N-ary cells tell only two children apart."""
    trees = make_trees(30, seed=1)
    net = make_classifier(cell=cell, pooling=pooling, max_arity=2, **{"linear_path": True, **params})
    return net.fit(trees, [0, 1, 2] * 10)


KINDS = {
    "trees": (RecursiveNetClassifier, lambda rng: make_trees(N, max_nodes=7)),
    "texts": (RNNClassifier, lambda rng: make_texts()),
    "texts of a CNN": (CNNClassifier, lambda rng: make_texts()),
    "series": (RNNClassifier, lambda rng: rng.randn(N, 12, 2)),
    "series of a CNN": (CNNClassifier, lambda rng: rng.randn(N, 12, 2)),
    "ragged series": (RNNClassifier, lambda rng: [rng.randn(n, 2) for n in rng.randint(2, 15, N)]),
    "a table": (RNNClassifier, lambda rng: rng.randn(N, 4)),
    "a table as trees": (RecursiveNetClassifier, lambda rng: rng.randn(N, 4)),
    "images": (CNNClassifier, lambda rng: rng.randn(N, 7, 8, 2)),
}
KINDS |= {"trees, both walks": KINDS["trees"]}
KINDS |= {
    f"{kind}, linear path": KINDS[kind] for kind in ("trees", "trees, both walks", "texts", "texts of a CNN")
}


@cache
def fit_example(kind):
    """Return a fitted net and samples of a kind in ``KINDS``."""
    net_class, make = KINDS[kind]
    X = make(np.random.RandomState(0))
    size = {"n_filters": 4} if net_class is CNNClassifier else {"hidden_size": 8}
    has_path = kind.endswith("linear path")
    params = {"lr": 0.05} if has_path else {}  # the last layer of a net with a linear path is zero at first
    if "both walks" in kind:
        params["bidirectional"] = True
    n_epochs = 30 if kind in ("series of a CNN", "images") else 4  # running averages need some batches
    net = net_class(linear_path=has_path, random_state=0, max_epochs=n_epochs, **size, **params)
    return net.fit(X, ["x", "y", "z"] * (len(X) // 3)), X


each_kind = pytest.mark.parametrize("kind", list(KINDS))


def supported_methods(kind):
    """Return the methods that explain a kind in ``KINDS``."""
    net, supported = ExplainedNet(fit_example(kind)[0]), []
    for method in METHODS:
        try:
            find_method(method, net)
        except ValueError:
            continue
        supported.append(method)
    return supported


def fit_example_explainer(kind, method, **params):
    """Return an explainer of ``fit_example(kind)`` with few samples and steps."""
    net, X = fit_example(kind)
    params = {"method_params": FEW_PARAMS, "n_steps": 4, "max_steps": 4, **params}
    return fit_explainer(net, X[:6], method=method, **params)


# Comparisons.


def assert_all_close(found, expected, atol=1e-4):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)


def max_difference(a, b):
    """Return the largest difference between the attributions of two explanations."""
    return max(np.abs(x - y).max(initial=0.0) for x, y in zip(a.own, b.own, strict=True))


def explain(net, X, method, **params):
    return fit_explainer(net, X[:6], method=method, **params).explain(X)


# Slow, obvious versions.


class NaiveTrees:
    """Trees as a net in double precision reads them, evaluated tree by tree with plain recursion."""

    def __init__(self, net, trees, target=1, baseline="unknown"):
        self.target = target
        self.batch = make_batch(net, trees, target=net.classes_[target], baseline=baseline)
        self.inputs, self.module = self.batch.inputs, self.batch.inputs.module
        # Rows of all nodes, also of those without a label, which share one row.
        rows = self.inputs.rows_of_nodes
        self.x, self.x0 = (torch.cat([self.inputs.fixed, x])[rows] for x in (self.inputs.x, self.inputs.x0))
        offsets = self.inputs.array.offsets
        self.rows = [slice(a, b) for a, b in pairwise(offsets)]

    def __iter__(self):
        return ((tree, self.x[rows], self.x0[rows]) for tree, rows in zip(self.trees, self.rows))

    @property
    def trees(self):
        return [self.inputs.array[i] for i in range(len(self.rows))]

    def evaluate(self, x, tree, removed=None):
        """Return the margin for a tree, whose node ``removed`` has a state of zero."""
        return margin(tree_logits(self.module, x, tree, removed), self.target)

    def evaluate_all(self, x):
        """Return the margins for all trees; the structure of the trees is not copied with the rows."""
        return torch.stack([self.evaluate(x[rows], tree) for rows, tree in zip(self.rows, self.trees)])

    @torch.no_grad()
    def evaluate_coalition(self, tree, x, x0, present):
        """Return the margin if the nodes that are not present have their baselines."""
        rows = torch.stack([(x if i in present else x0)[i] for i in range(len(x))])
        return float(self.evaluate(rows, tree))

    @torch.no_grad()
    def occlude(self, *, zero_states):
        """Return the decreases for each subtree and each own input, by one forward pass per node."""
        subtrees, own = [], []
        for tree, x, x0 in self:
            before = self.evaluate(x, tree)
            for node in tree.nodes:
                without_subtree, without_node = x.clone(), x.clone()
                below = subtree(tree, node)
                without_subtree[below], without_node[node] = x0[below], x0[node]
                after = self.evaluate(x, tree, node) if zero_states else self.evaluate(without_subtree, tree)
                subtrees.append(before - after)
                is_inner = len(tree.children(node)) > 0
                own.append(before - self.evaluate(without_node, tree) if is_inner else subtrees[-1])
        return torch.stack(subtrees), torch.stack(own)
