"""Cost and quality of explanations, compared with other explainers and human labels.

Run ``python benchmarks/explain.py``, or a part of it with ``--only texts``. The rows of shap and lime require
``pip install shap lime`` and are skipped otherwise; the part ``sst`` requires the treebank of ``fetch_sst``.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from datasets import FOLDER, load_trec
from scipy.stats import spearmanr
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CaptumExplainer,
    CNNClassifier,
    RecursiveNetClassifier,
    RNNClassifier,
    TreeArray,
    TreeVectorizer,
)
from sklearn_tree.datasets import fetch_sst, load_gum, make_negation
from sklearn_tree.explain.metrics import deletion_curve, insertion_curve
from sklearn_tree.kinds import Trees

ABSENT = "zzz"  # a word that is not in the vocabulary
RUNS = 5
GOOD, BAD = ("good", "great", "nice"), ("bad", "awful", "dull")


def median_seconds(*functions: Callable[[], Any]) -> list[float]:
    """Run functions alternately, several times, and return the median seconds of each."""
    seconds: list[list[float]] = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(RUNS):
        for times, function in zip(seconds, functions):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return [float(np.median(times)) for times in seconds]


def cost() -> None:
    """Compare the cost of occlusion and integrated gradients with passes over the same trees."""
    print("\ncost, in passes over the same trees: Child-Sum Tree-LSTM of 64, one thread")
    workloads = {"negation, 200 trees": make_negation(200, random_state=0).data}
    if (FOLDER / "sst").exists():
        sst = fetch_sst(binary=True, data_home=FOLDER / "sst")
        workloads["SST, 200 trees"] = sst.data[:200]
    for name, trees in workloads.items():
        ids = TreeVectorizer(inner_labels=False).fit_transform(trees)
        steps = ids.depths.sum() / ids.n_nodes
        print(f"  {name}, {ids.n_nodes} nodes, {steps:.1f} deep on average")
        occlusion, gradients = count_passes(ids)
        print(f"    occlusion of all subtrees: {occlusion:.1f} forward passes")
        print(f"    integrated gradients, 32 steps: {gradients:.1f} forward and backward passes")


def count_passes(ids: TreeArray) -> tuple[float, float]:
    """Return the cost of occlusion in forward passes, and of integrated gradients in training passes."""
    net = RecursiveNetClassifier(
        "child_sum_lstm", linear_path=False, max_epochs=1, random_state=0, device="cpu"
    )
    net.fit(ids, np.arange(len(ids)) % 2)
    module = net.net_.module_.eval()
    occlude = CaptumExplainer(net).fit(ids[:2])
    integrate = CaptumExplainer(net, "integrated_gradients", max_steps=32).fit(ids[:2])

    def forward() -> None:
        with torch.no_grad():
            module(Trees().batch(ids, np.arange(len(ids))))

    def both() -> None:
        module(Trees().batch(ids, np.arange(len(ids)))).sum().backward()

    seconds = median_seconds(forward, both, lambda: occlude.explain(ids), lambda: integrate.explain(ids))
    return seconds[2] / seconds[0], seconds[3] / seconds[1]


def correlation(numbers: list[np.ndarray], exact: list[np.ndarray]) -> float:
    """Return the mean rank correlation over the samples."""
    return float(np.mean([spearmanr(a, b).statistic for a, b in zip(numbers, exact)]))


def texts() -> None:
    """Compare explanations of 40 texts of 8 words with shap and lime, for the same margin and absent word."""
    print("\n40 texts of 8 words, LSTM: rank correlation with exact Shapley values, and time")
    rng = np.random.RandomState(0)
    words = [*GOOD, *BAD, "not", "very", "film", "plot", "the", "a", "and", "so", "it", "was"]
    corpus = [" ".join(rng.choice(words, 8)) for _ in range(2000)]
    y = np.array([_polarity(text) for text in corpus])
    net = RNNClassifier(bidirectional=False, word_dropout=0.1, random_state=0, device="cpu").fit(
        corpus, y > 0
    )
    shown = corpus[:40]
    print(f"  accuracy in training {net.score(corpus, y > 0):.3f}")
    rows: dict[str, Callable[[], list[np.ndarray]]] = {}
    for method in ("shapley", "occlusion", "integrated_gradients"):
        explainer = CaptumExplainer(net, method, target=True, baseline="unknown").fit(corpus[:10])
        rows[f"sklearn_tree {method}"] = lambda explainer=explainer: explainer.explain(shown).attributions
    rows |= {
        name: make(net, shown) for name, make in PEERS.items() if importlib.util.find_spec(name.split()[0])
    }
    exact = rows["sklearn_tree shapley"]()
    found = {name: run() for name, run in rows.items()}
    seconds = dict(zip(rows, median_seconds(*rows.values())))
    for name, numbers in found.items():
        faster = seconds[name] / seconds["sklearn_tree shapley"]
        rho, milliseconds = correlation(numbers, exact), 1000 * seconds[name]
        print(f"    {name:36}{rho:7.2f}{milliseconds:9.0f} ms{faster:9.1f}x shapley")


def _polarity(text: str) -> float:
    """Sum the signs of the words; "not" reverses the next sign, "very" doubles it."""
    total, factor = 0.1, 1.0
    for word in text.split():
        if word in ("not", "very"):
            factor *= -1.0 if word == "not" else 2.0
            continue
        total += factor * ((word in GOOD) - (word in BAD))
        factor = 1.0
    return total


def _shap(net: Any, shown: list[str]) -> Callable[[], list[np.ndarray]]:
    import shap

    masker = shap.maskers.Text(r"\s+", mask_token=ABSENT)
    explainer = shap.PartitionExplainer(lambda texts: net.decision_function(list(texts)), masker)
    return lambda: [np.asarray(values)[:8] for values in explainer(shown, silent=True).values]


def _lime(n_samples: int) -> Callable[[Any, list[str]], Callable[[], list[np.ndarray]]]:
    def make(net: Any, shown: list[str]) -> Callable[[], list[np.ndarray]]:
        from lime.lime_text import LimeTextExplainer

        explainer = LimeTextExplainer(bow=False, mask_string=ABSENT, random_state=0)

        def margins(texts: list[str]) -> np.ndarray:
            margin = net.decision_function(list(texts))
            return np.column_stack([-margin, margin])

        def run() -> list[np.ndarray]:
            found = []
            for text in shown:
                fitted = explainer.explain_instance(text, margins, num_features=8, num_samples=n_samples)
                found.append(np.array([weight for _, weight in sorted(fitted.as_map()[1])]))
            return found

        return run

    return make


PEERS = {
    "shap PartitionExplainer": _shap,
    "lime 5,000 samples (its default)": _lime(5000),
    "lime 256 samples": _lime(256),
}


def negation() -> None:
    """Compare phrases with the grammar, and words with exact Shapley values of the net."""
    print(
        "\nnegation: sign agreement with the grammar, rank correlation with exact Shapley values; three seeds"
    )
    for seed in (0, 1, 2):
        grammar = make_negation(2500, random_state=seed)
        train, test = slice(0, 2000), slice(2000, 2200)
        net = RecursiveNetClassifier("nary_lstm", word_dropout=0.1, random_state=seed, device="cpu")
        net.fit(grammar.data[train], grammar.target[train])
        trees, effects = grammar.data[test], grammar.contributions[test]
        small = [i for i in range(len(trees)) if 3 <= (trees[[i]].arities == 0).sum() <= 10]
        line = f"  seed {seed}, accuracy {net.score(grammar.data[2000:], grammar.target[2000:]):.3f}:"
        for method in ("occlusion", "integrated_gradients"):
            explainer = CaptumExplainer(net, method, target="positive").fit(grammar.data[:500])
            line += (
                f" {method} sign {sign_agreement(explainer.explain(trees).attributions, effects, 0.2):.3f}"
            )
            unknown = CaptumExplainer(net, method, target="positive", baseline="unknown").fit(
                grammar.data[:500]
            )
            exact = CaptumExplainer(net, "shapley", target="positive", baseline="unknown").fit(
                grammar.data[:50]
            )
            leaves = [np.array(trees[i].leaves) for i in small]
            pairs = [
                [part.own[j][nodes] for j, nodes in enumerate(leaves)]
                for part in (unknown.explain(trees[small]), exact.explain(trees[small]))
            ]
            line += f", correlation {correlation(*pairs):.2f};"
        print(line, flush=True)


def sign_agreement(numbers: list[np.ndarray], truth: list[np.ndarray], least: float) -> float:
    """Return the fraction of correct signs among nodes whose true absolute value exceeds ``least``."""
    pairs = [(a[np.abs(b) > least], b[np.abs(b) > least]) for a, b in zip(numbers, truth)]
    return float(np.mean(np.concatenate([np.sign(a) == np.sign(b) for a, b in pairs])))


def phrases_of(trees: TreeArray, nodes: np.ndarray) -> TreeArray:
    """Return the subtree of each node as a separate tree; in preorder, it is contiguous."""
    sizes = (trees.subtree_ends - np.arange(trees.n_nodes))[nodes]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    index = np.repeat(nodes - offsets[:-1], sizes) + np.arange(offsets[-1])
    depths = trees.depths[index] - np.repeat(trees.depths[nodes], sizes)
    return TreeArray(trees.labels[index], depths, offsets, vocabulary=trees.vocabulary)


def sst() -> None:
    """Compare the explanations of 300 test sentences with human labels of their phrases."""
    if not (FOLDER / "sst").exists():
        print("\nSST: skipped, treebank not found")
        return
    sst = fetch_sst(binary=True, root_only=False, data_home=FOLDER / "sst")
    print("\nSST, two classes, 300 test sentences; trained on all phrases of the training part")
    train = np.flatnonzero(sst.split == "train")
    trees, labels = sst.data[train], sst.node_target[train].values
    nodes = np.flatnonzero(labels >= 0)
    test = np.flatnonzero(sst.split == "test")
    shown = test[np.random.RandomState(0).choice(len(test), 300, replace=False)]
    human = [2.0 * np.asarray(sst.node_target[int(i)]) - 1 for i in shown]
    human = [np.where(np.asarray(sst.node_target[int(i)]) < 0, 0.0, h) for i, h in zip(shown, human)]
    for seed in (0, 1, 2):
        net = RecursiveNetClassifier(
            "nary_lstm",
            dropout=0.5,
            word_dropout=0.1,
            lr=0.003,
            lr_schedule="cosine",
            max_epochs=4,
            random_state=seed,
            device="cpu",
        )
        net.fit(phrases_of(trees, nodes), labels[nodes])
        print(f"  seed {seed}, accuracy {net.score(sst.data[test], sst.target[test]):.3f}", flush=True)
        for method in ("occlusion", "node_prediction", "integrated_gradients"):
            explainer = CaptumExplainer(net, method, target=1, random_state=0).fit(trees[:1000])
            share = sign_agreement(explainer.explain(sst.data[shown]).attributions, human, 0.5)
            line = f"    {method:22}sign agreement with human labels {share:.3f}  "
            if method in ("occlusion", "integrated_gradients"):
                predicted = CaptumExplainer(net, method, random_state=0).fit(trees[:1000])
                parts = [
                    curve(predicted, sst.data[shown], order=order).auc
                    for curve in (deletion_curve, insertion_curve)
                    for order in ("attribution", "random")
                ]
                won = (parts[0] < parts[1]).mean()
                line += "deletion {:.3f}, random {:.3f}; insertion {:.3f}, random {:.3f}".format(
                    *(part.mean() for part in parts)
                )
                line += f"; deletion beats random in {won:.0%} of sentences"
            print(line, flush=True)


def summaries() -> None:
    """Summarize corpora: the strongest phrases of each class, and the seconds."""
    print("\nsummaries of corpora: strongest pieces of each class, of test samples")
    data = make_negation(2000, random_state=0)
    test = make_negation(2000, random_state=1)
    net = RecursiveNetClassifier(random_state=0, device="cpu").fit(data.data, data.target)
    summarize("negation", net, data.data, test.data, test.target, "node_prediction", "phrase")
    gum = load_gum()
    train, held_out = gum.split == "train", gum.split != "train"
    pipe = make_pipeline(TreeVectorizer(min_df=2), RecursiveNetClassifier(random_state=0, device="cpu"))
    pipe.fit(gum.data[train], gum.target[train])
    X = gum.data[train], gum.data[held_out], gum.target[held_out]
    for method, feature in (
        ("node_prediction", "phrase"),
        ("occlusion", "word"),
        ("occlusion", "production"),
    ):
        summarize("GUM, types of sentences", pipe, *X, method, feature)
    if (FOLDER / "sst").exists():
        sst = fetch_sst(binary=True, root_only=False, data_home=FOLDER / "sst")
        train, held_out = sst.split == "train", sst.split == "test"
        net = RecursiveNetClassifier(random_state=0, device="cpu", max_epochs=4)
        net.fit(sst.data[train], sst.target[train], node_y=sst.node_target[train])
        X = sst.data[train], sst.data[held_out], sst.target_names[sst.target[held_out]]
        summarize("SST", net, *X, "node_prediction", "phrase")
    if (FOLDER / "sentences").exists():
        X, y, X_test, y_test = load_trec()
        clf = CNNClassifier(random_state=0, device="cpu").fit(X, y)
        summarize("TREC", clf, X, X_test, y_test, "occlusion", "2-gram")


def summarize(name: str, net: Any, X: Any, X_test: Any, y_test: Any, method: str, feature: str) -> None:
    """Print the strongest pieces of each class, and the seconds."""
    start = time.perf_counter()
    explanations = CaptumExplainer(net, method).fit(X[:1000]).explain(X_test, y_test)
    middle = time.perf_counter()
    frame = explanations.summary(feature).top(12).to_frame()
    end = time.perf_counter()
    print(
        f"  {name}, {feature}s by {method}: {len(X_test)} samples explained in "
        f"{middle - start:.1f} s, summarized in {end - middle:.1f} s"
    )
    for target, rows in frame.groupby("target"):
        print(f"    {target}: {', '.join(rows['name'])}", flush=True)


PARTS = {"cost": cost, "texts": texts, "negation": negation, "sst": sst, "summaries": summaries}


def main() -> None:
    """Run the selected parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), nargs="+", default=list(PARTS))
    torch.set_num_threads(1)
    for name in parser.parse_args().only:
        PARTS[name]()


if __name__ == "__main__":
    main()
